//! From the bytes of a compiled specification to the model.

mod constructors;
mod decisions;
mod expressions;
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

/// Decompressed specifications are below 8 MiB.
const MAX_DECOMPRESSED: usize = 64 << 20;

/// Nesting of expressions and decision trees; real ones stay below 40.
const MAX_DEPTH: u32 = 128;

type Result<T> = std::result::Result<T, SpecificationError>;

/// Loads a compiled specification.
pub(super) fn load(compiled: &[u8]) -> Result<Specification> {
    let compressed =
        compiled.strip_prefix(&[b's', b'l', b'a', VERSION]).ok_or(SpecificationError::Header)?;
    let packed =
        miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(compressed, MAX_DECOMPRESSED)
            .map_err(|_| SpecificationError::Compression)?;
    Loader::new(&packed).load()
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
