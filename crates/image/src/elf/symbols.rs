//! Symbol tables.

use crate::elf::cpu::has_mode_bit;
use crate::elf::names::NameBudget;
use crate::elf::reader::{FileReader, name_bytes, name_from};
use crate::elf::sections::Sections;
use crate::segment::SegmentMap;
use crate::{Address, Arch, Endian, Family, ImageDiagnostic, MappedContent, Symbol, SymbolKind};
use object::elf::{
    SHN_ABS, SHN_COMMON, SHN_UNDEF, SHT_STRTAB, SHT_SYMTAB, STT_ARM_TFUNC, STT_FILE, STT_FUNC,
    STT_GNU_IFUNC, STT_NOTYPE, STT_OBJECT, STT_SECTION, STT_TLS,
};

/// Most entries of a symbol table that are read.
const MAX_SYMBOLS: u64 = 1 << 18;

/// Most bytes of names of a symbol table that are kept.
const MAX_STRING_TABLE: usize = 32 << 20;

/// One entry of a symbol table, as it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RawSymbol {
    pub(crate) name: u32,
    pub(crate) value: u64,
    pub(crate) size: u64,
    pub(crate) info: u8,
    pub(crate) other: u8,
    pub(crate) section: u16,
}

/// Size of a symbol table entry.
pub(crate) const fn entry_size(wide: bool) -> u64 {
    if wide { 24 } else { 16 }
}

impl RawSymbol {
    /// Decodes the entry at the start of `bytes`.
    pub(crate) fn read(bytes: &[u8], endian: Endian, wide: bool) -> Option<Self> {
        let uint = |from: usize, size: usize| {
            bytes.get(from..from + size).map(|field| endian.read_uint(field))
        };
        let symbol = if wide {
            Self {
                name: uint(0, 4)? as u32,
                info: uint(4, 1)? as u8,
                other: uint(5, 1)? as u8,
                section: uint(6, 2)? as u16,
                value: uint(8, 8)?,
                size: uint(16, 8)?,
            }
        } else {
            Self {
                name: uint(0, 4)? as u32,
                value: uint(4, 4)?,
                size: uint(8, 4)?,
                info: uint(12, 1)? as u8,
                other: uint(13, 1)? as u8,
                section: uint(14, 2)? as u16,
            }
        };
        Some(symbol)
    }

    /// The symbol's name in the string table `names`; empty when it lies outside.
    pub(crate) fn name_in(&self, names: &[u8]) -> String {
        name_from(self.name_bytes_in(names))
    }

    /// The bytes of its name.
    pub(crate) fn name_bytes_in<'a>(&self, names: &'a [u8]) -> &'a [u8] {
        let rest = usize::try_from(self.name).ok().and_then(|start| names.get(start..));
        name_bytes(rest.unwrap_or(&[]))
    }

    pub(crate) const fn kind(&self) -> u8 {
        self.info & 0xf
    }

    /// Whether the symbol means something in its own file only (STB_LOCAL).
    pub(crate) const fn is_local(&self) -> bool {
        self.info >> 4 == 0
    }

    pub(crate) const fn is_undefined(&self) -> bool {
        self.section == SHN_UNDEF.0
    }

    pub(crate) const fn is_common(&self) -> bool {
        self.section == SHN_COMMON.0
    }

    /// Whether the symbol is code in a compressed mode, by its type, flags or lowest bit.
    fn is_compressed(&self, family: Family) -> bool {
        // STO_MIPS16 is 0xf0, STO_MICROMIPS 0x80, in the two bits above the visibility.
        let mips = family == Family::Mips && self.other & 0x80 != 0;
        let arm = family == Family::Arm && self.kind() == STT_ARM_TFUNC.0;
        let bit = has_mode_bit(family) && self.is_function() && self.value & 1 != 0;
        mips || arm || bit
    }

    /// Whether the entry is one of those that name addresses.
    fn is_address(&self) -> bool {
        let nameless = [STT_SECTION.0, STT_FILE.0, STT_TLS.0].contains(&self.kind());
        let absolute = self.section == SHN_ABS.0 && self.kind() == STT_NOTYPE.0;
        !(nameless || absolute || self.is_undefined() || self.is_common())
    }

    /// Whether the symbol's address is mapped.
    fn is_mapped(&self, arch: Arch, memory: &SegmentMap) -> bool {
        let mode_bit = u64::from(self.is_compressed(arch.family));
        memory.at(Address(self.value & !mode_bit)).is_some()
    }

    fn is_function(&self) -> bool {
        [STT_FUNC.0, STT_GNU_IFUNC.0, STT_ARM_TFUNC.0].contains(&self.kind())
    }

    /// The symbol under its name, or `None` for entries that name no address.
    pub(crate) fn to_symbol(self, name: String, arch: Arch) -> Option<Symbol> {
        if !self.is_address() || name.is_empty() {
            return None;
        }
        let thumb = self.is_compressed(arch.family);
        let kind = match self.kind() {
            _ if self.is_function() => SymbolKind::Function,
            kind if kind == STT_OBJECT.0 => SymbolKind::Object,
            _ => SymbolKind::Other,
        };
        let address = Address(if thumb { self.value & !1 } else { self.value });
        Some(Symbol { name, address, size: self.size, kind, thumb })
    }
}

/// A symbol table with its names.
#[derive(Clone, Debug, Default)]
pub(crate) struct SymbolTable {
    pub(crate) entries: Vec<RawSymbol>,
    pub(crate) names: Vec<u8>,
}

impl SymbolTable {
    /// Decodes up to `count` entries that `bytes` holds.
    pub(crate) fn new(
        bytes: &[u8],
        count: u64,
        names: &[u8],
        endian: Endian,
        wide: bool,
        diagnostics: &mut Vec<ImageDiagnostic>,
    ) -> Self {
        let size = entry_size(wide);
        let available = bytes.len() as u64 / size;
        let kept = count.min(available).min(MAX_SYMBOLS);
        if count > kept {
            diagnostics.push(ImageDiagnostic::SymbolsLeftOut { count: count - kept });
        }
        let entries = bytes
            .chunks_exact(size as usize)
            .take(usize::try_from(kept).unwrap_or(usize::MAX))
            .filter_map(|entry| RawSymbol::read(entry, endian, wide))
            .collect();
        Self { entries, names: names.get(..MAX_STRING_TABLE).unwrap_or(names).to_vec() }
    }

    /// The table that the section headers name as `.symtab`, when it and its names are sound.
    pub(crate) fn from_sections(
        reader: FileReader<'_>,
        sections: &Sections,
        diagnostics: &mut Vec<ImageDiagnostic>,
    ) -> Option<Self> {
        let table = sections.list.iter().find(|section| section.kind == SHT_SYMTAB)?;
        let names = sections.list.get(usize::try_from(table.link).ok()?)?;
        if names.kind != SHT_STRTAB {
            return None;
        }
        let bytes = Sections::contents(reader, table)?;
        let names = Sections::contents(reader, names)?;
        let count = bytes.len() as u64 / entry_size(reader.wide);
        Some(Self::new(bytes, count, names, reader.endian, reader.wide, diagnostics))
    }

    /// The name as it stands there, cut to its end or to what is kept.
    fn bytes_of(&self, symbol: &RawSymbol) -> &[u8] {
        let start = usize::try_from(symbol.name).unwrap_or(usize::MAX);
        name_bytes(self.names.get(start..).unwrap_or(&[]))
    }

    pub(crate) fn name(&self, symbol: &RawSymbol) -> String {
        symbol.name_in(&self.names)
    }

    /// The value of the defined symbol of this name.
    pub(crate) fn value_of(&self, name: &str) -> Option<u64> {
        let named =
            |entry: &&RawSymbol| !entry.is_undefined() && self.bytes_of(entry) == name.as_bytes();
        self.entries.iter().find(named).map(|entry| entry.value)
    }

    /// Every entry that names an address in `memory`, each once, mapping symbols left out, as far
    /// as there is room for their names.
    pub(crate) fn symbols(
        &self,
        arch: Arch,
        memory: &SegmentMap,
        budget: &mut NameBudget,
    ) -> Vec<Symbol> {
        let mut entries: Vec<RawSymbol> =
            self.entries.iter().filter(|entry| entry.is_address()).copied().collect();
        entries.retain(|entry| entry.is_mapped(arch, memory));
        entries.sort_unstable();
        entries.dedup();
        entries
            .iter()
            .filter(|entry| mapped_content(self.bytes_of(entry), arch).is_none())
            .filter_map(|entry| entry.to_symbol(budget.name(self, entry)?, arch))
            .collect()
    }

    /// The mapping symbols, in address order.
    pub(crate) fn mapped_contents(&self, arch: Arch) -> Vec<(Address, MappedContent)> {
        if arch.family != Family::Arm {
            return Vec::new();
        }
        let mut contents: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.kind() == STT_NOTYPE.0 && !entry.is_undefined())
            .filter_map(|entry| {
                let content = mapped_content(self.bytes_of(entry), arch)?;
                Some((Address(entry.value), content))
            })
            .collect();
        contents.sort_unstable();
        contents
    }
}

/// What a mapping symbol's name stands for (`$d`, `$d.realdata`): "ELF for the Arm Architecture",
/// section "Mapping symbols". AArch64 and RISC-V use `$x` and `$d` alike.
fn mapped_content(name: &[u8], arch: Arch) -> Option<MappedContent> {
    if !matches!(arch.family, Family::Arm | Family::AArch64 | Family::RiscV64) {
        return None;
    }
    let (letter, rest) = name.strip_prefix(b"$")?.split_first()?;
    let is_whole = rest.is_empty() || rest.starts_with(b".");
    match letter {
        b't' if is_whole => Some(MappedContent::Thumb),
        b'd' if is_whole => Some(MappedContent::Data),
        b'a' if is_whole => Some(MappedContent::Arm),
        b'x' => Some(MappedContent::Arm),
        _ => None,
    }
}
