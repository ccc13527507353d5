//! From the bytes of a compiled specification to the model.

mod constructors;
mod decisions;
mod expressions;
mod flatten;
mod resolve;
mod spaces;
mod symbols;
mod templates;

use super::error::SpecificationError;
use super::format::{VERSION, attribute, element};
use super::model::{Constructor, Expression, Id, Operand, Specification, Symbol, Text};
use super::packed::PackedReader;

pub(super) use symbols::element_at;
pub(super) use templates::size_mask;

/// Decompressed specifications are below 5 MiB.
const MAX_DECOMPRESSED: usize = 16 << 20;

/// Nesting of expressions and decision trees; real ones stay below 40.
const MAX_DEPTH: u32 = 128;

type Result<T> = std::result::Result<T, SpecificationError>;

/// Loads a compiled specification.
pub(super) fn load(compiled: &[u8]) -> Result<Specification> {
    let compressed =
        compiled.strip_prefix(&[b's', b'l', b'a', VERSION]).ok_or(SpecificationError::Header)?;
    Loader::new(&decompress(compressed)?).load()
}

fn decompress(compressed: &[u8]) -> Result<Vec<u8>> {
    // Zeroed memory costs nothing until it is written, and this is never moved to grow. The data
    // are part of the program, so that their checksum need not be verified.
    let mut packed = vec![0; MAX_DECOMPRESSED];
    let length = miniz_oxide::inflate::decompress_slice_iter_to_slice(
        &mut packed,
        std::iter::once(compressed),
        true,
        true,
    )
    .map_err(|_| SpecificationError::Compression)?;
    packed.truncate(length);
    Ok(packed)
}

/// An operand as its symbol describes it, before the symbols that it names are known.
#[derive(Clone, Copy)]
struct OperandSymbol {
    operand: Operand,
    /// The symbol that defines it.
    defined_by: Option<Id<Symbol>>,
}

/// A reference to an operand of a constructor that may not have been read yet.
struct OperandReference {
    expression: Id<Expression>,
    table: u32,
    /// The constructor's number within its table.
    constructor: u32,
}

/// What is needed only while a specification is read.
struct Loader<'a> {
    reader: PackedReader<'a>,
    specification: Specification,
    /// The name of each symbol, and whether it is global.
    names: Vec<(&'a str, bool)>,
    operand_symbols: Vec<Option<OperandSymbol>>,
    operand_references: Vec<OperandReference>,
    /// Constructors with the run of `constructor_operands` that names their operands.
    constructor_operands: Vec<u32>,
    constructors: Vec<(Id<Constructor>, std::ops::Range<usize>)>,
    /// The first constructor of each table symbol, and how many there are.
    table_constructors: Vec<(u32, u32)>,
    /// Children of the decision nodes being read.
    pending_children: Vec<Id<super::model::Decision>>,
}

impl<'a> Loader<'a> {
    fn new(packed: &'a [u8]) -> Self {
        Self {
            reader: PackedReader::new(packed),
            specification: Specification::default(),
            names: Vec::new(),
            operand_symbols: Vec::new(),
            operand_references: Vec::new(),
            constructor_operands: Vec::new(),
            constructors: Vec::new(),
            table_constructors: Vec::new(),
            pending_children: Vec::new(),
        }
    }

    fn load(mut self) -> Result<Specification> {
        self.reader.expect(element::SLEIGH)?;
        if self.reader.unsigned(attribute::VERSION)? != u64::from(VERSION) {
            return Err(self.reader.malformed("the format version is not 4"));
        }
        /// Where the reference puts the address of a truncated operand, from the first free
        /// temporary on (`RUNTIME_BITRANGE_EA` in `translate.hh`).
        const TRUNCATION_OFFSET: u64 = 0x100;
        let alignment = self.reader.unsigned(attribute::ALIGN)?.max(1);
        let unique_base = self.reader.unsigned(attribute::UNIQBASE)?;
        self.specification.alignment = alignment;
        self.specification.unique_mask = self.reader.optional(attribute::UNIQMASK).unwrap_or(0);
        self.specification.truncation_temporary = unique_base.wrapping_add(TRUNCATION_OFFSET);
        self.reader.expect(element::SOURCEFILES)?;
        self.reader.skip()?;
        self.read_spaces()?;
        self.read_symbol_table()?;
        self.reader.close()?;
        self.resolve()
    }

    fn intern(&mut self, text: &str) -> Text {
        self.specification.intern(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sleigh::build::{Labels, build};
    use crate::sleigh::decode::decode;
    use crate::sleigh::disassemble::disassemble;
    use crate::sleigh::handles::resolve_handles;
    use crate::sleigh::parse::Parse;
    use crate::sleigh::shapes::Shapes;

    const SMALLEST: &[u8] = include_bytes!("../../../specifications/SuperH4_le.sla");

    fn packed() -> Vec<u8> {
        decompress(&SMALLEST[4..]).unwrap()
    }

    #[test]
    fn what_is_no_specification_is_an_error() {
        assert_eq!(load(b"").err(), Some(SpecificationError::Header));
        assert_eq!(load(b"sla\x03").err(), Some(SpecificationError::Header));
        assert_eq!(load(b"sla\x04junk").err(), Some(SpecificationError::Compression));
        let cut = load(&SMALLEST[..SMALLEST.len() / 2]);
        assert_eq!(cut.err(), Some(SpecificationError::Compression));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let packed = packed();
        for end in (0..packed.len()).step_by(977) {
            assert!(Loader::new(&packed[..end]).load().is_err(), "{end}");
        }
    }

    /// Uses a damaged specification as a lifter would.
    fn lift(specification: &Specification, code: &[u8]) {
        let mut parse = Parse::default();
        parse.reset(code, 1, 0x1000, [0; crate::lifter::CONTEXT_WORDS]);
        if decode(specification, &mut Shapes::default(), &mut parse).is_ok() {
            let _ = disassemble(specification, &parse);
            if resolve_handles(specification, &mut parse).is_ok() {
                let mut ops = Vec::new();
                let _ = build(specification, &[parse], &mut Labels::default(), &mut ops);
            }
        }
    }

    #[test]
    fn damaged_specifications_never_panic() {
        let original = packed();
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize
        };
        let mut loaded = 0;
        for _ in 0..600 {
            let mut packed = original.clone();
            for _ in 0..1 + random() % 3 {
                let at = random() % packed.len();
                packed[at] = random() as u8;
            }
            let Ok(specification) = Loader::new(&packed).load() else { continue };
            loaded += 1;
            for _ in 0..40 {
                let code: Vec<u8> = (0..16).map(|_| random() as u8).collect();
                lift(&specification, &code);
            }
        }
        assert!(loaded > 20, "{loaded}");
    }
}
