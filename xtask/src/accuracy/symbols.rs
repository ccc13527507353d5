//! The function symbols of a file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use object::{
    Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolFlags,
    elf::{STT_ARM_TFUNC, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE},
};

/// A function as the symbol table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    /// In bytes, never 0.
    pub(super) size: u64,
}

/// What the symbols say about function starts.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    /// Functions with a size, by address without mode bit; of several names one.
    pub(super) functions: BTreeMap<u64, Named>,
    /// Where a start may be seen as well as not: function symbols without a size, labels of
    /// assembly code, and parts that the compiler moved away from their functions.
    pub(super) neutral: BTreeSet<u64>,
    /// Linkage stubs, which have no symbols: start and end.
    pub(super) stubs: Vec<(u64, u64)>,
}

impl Symbols {
    /// Reads the symbols of an unstripped ELF file.
    pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Symbols> {
        let file = object::File::parse(bytes).context("symbols")?;
        let mut symbols = Symbols::default();
        let is_arm = matches!(file.architecture(), object::Architecture::Arm);
        for symbol in file.symbols() {
            let Some(section) = symbol.section_index() else { continue };
            let section = file.section_by_index(section).context("section of a symbol")?;
            if section.kind() != SectionKind::Text {
                continue;
            }
            let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { continue };
            let name = symbol.name().unwrap_or_default();
            // Mapping symbols mark instructions and data, not functions.
            if name.is_empty() || name.starts_with('$') {
                continue;
            }
            let kind = st_info.0 & 0xf;
            let is_function = [STT_FUNC.0, STT_GNU_IFUNC.0, STT_ARM_TFUNC.0].contains(&kind);
            let mode_bit = u64::from(is_arm && is_function);
            let address = symbol.address() & !mode_bit;
            let is_part = name.contains(".cold") || name.contains(".part.") && symbol.size() == 0;
            if is_function && symbol.size() > 0 && !is_part {
                let named = Named { name: name.to_owned(), size: symbol.size() };
                symbols.functions.entry(address).or_insert(named);
            } else if is_function || kind == STT_NOTYPE.0 {
                symbols.neutral.insert(address);
            }
        }
        for section in file.sections() {
            let name = section.name().unwrap_or_default();
            let is_stub = [".plt", ".iplt", ".glink", ".MIPS.stubs"].iter();
            if is_stub.clone().any(|prefix| name.starts_with(prefix)) {
                symbols.stubs.push((section.address(), section.address() + section.size()));
            }
        }
        Ok(symbols)
    }

    /// Whether a linkage stub covers `address`.
    pub(super) fn is_stub(&self, address: u64) -> bool {
        self.stubs.iter().any(|(start, end)| (*start..*end).contains(&address))
    }
}
