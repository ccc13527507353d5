//! Object files and kernel modules: sections laid out one after the other and linked.

use crate::elf::header::FileHeader;
use crate::elf::names::NameBudget;
use crate::elf::offset_table::{OffsetTable, TABLE_SIZE};
use crate::elf::patch::{self, Place};
use crate::elf::reader::FileReader;
use crate::elf::relocations::{MAX_IMPORTS, MAX_RELOCATIONS, Relocation, RelocationTable};
use crate::elf::sections::Sections;
use crate::elf::segments::{self, Mapping};
use crate::elf::symbols::SymbolTable;
use crate::segment::SegmentMap;
use crate::{
    Address, Arch, Family, ImageDiagnostic, ImageError, Import, ImportKind, Permissions, Segment,
};
use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHN_ABS, SHT_NOBITS, SHT_REL, SHT_RELA};
use std::collections::BTreeMap;

/// Where the first section goes; nothing is mapped at 0.
const BASE: u64 = 0x1_0000;

/// Smallest alignment of a section.
const MIN_ALIGNMENT: u64 = 16;

/// Largest alignment that is heeded.
const MAX_ALIGNMENT: u64 = 1 << 16;

/// Distance between the addresses that stand for undefined symbols.
const EXTERNAL_STRIDE: u64 = 16;

/// How many relocations apart the two halves of an address may be.
const MAX_PAIR_DISTANCE: usize = 64;

/// Size of a common symbol beyond which it is not placed.
const MAX_COMMON: u64 = 16 << 20;

/// A linked object file.
pub(crate) struct Linked {
    pub(crate) memory: SegmentMap,
    pub(crate) imports: Vec<Import>,
    pub(crate) table: SymbolTable,
}

/// Lays out and links an object file.
///
/// Undefined symbols get addresses of their own in a range behind the image that is not mapped;
/// common ones get zeroed memory. Position-independent code gets a global offset table. Relocations
/// of types that are not handled (`patch`) are reported; their fields keep what is stored there.
pub(crate) fn link(
    reader: FileReader<'_>,
    header: &FileHeader,
    arch: Arch,
    sections: &Sections,
    names: &mut NameBudget,
    diagnostics: &mut Vec<ImageDiagnostic>,
) -> Result<Linked, ImageError> {
    let (mappings, mut addresses) = lay_out(sections);
    let mut mapped = segments::map(reader, mappings, arch, diagnostics);
    if mapped.iter().all(|segment| segment.data.is_empty()) {
        let offset = header.section_headers.offset;
        let reason = "no section of the object file has any bytes in the file";
        return Err(ImageError::Damaged { offset, reason });
    }
    let mut table = SymbolTable::from_sections(reader, sections, diagnostics).unwrap_or_default();
    let end = mapped.iter().map(|segment| segment.end().0).max().unwrap_or(BASE);
    let start = end.next_multiple_of(0x1000);
    let (imports, mut slots) =
        place_symbols(&mut table, arch, &addresses, start, &mut mapped, names);
    addresses.retain(|_, address| mapped.iter().any(|segment| segment.address.0 == *address));
    let mut memory = SegmentMap::new(mapped);
    let mut linker = Linker {
        memory: &mut memory,
        table: &table,
        slots: &mut slots,
        arch,
        upper_parts: BTreeMap::new(),
        skipped: None,
    };
    let (mut read, mut left_out) = (0, 0);
    for section in
        sections.list.iter().filter(|section| [SHT_REL, SHT_RELA].contains(&section.kind))
    {
        let base = addresses.get(&section.info);
        let (Some(base), Some(bytes)) = (base, Sections::contents(reader, section)) else {
            continue;
        };
        let with_addend = section.kind == SHT_RELA;
        let table = RelocationTable { bytes, with_addend, wide: reader.wide };
        let room = MAX_RELOCATIONS - read;
        left_out += table.count().saturating_sub(room);
        let relocations: Vec<Relocation> = table
            .entries(reader.endian)
            .take(room)
            .map(|relocation| Relocation { slot: relocation.slot.offset(*base), ..relocation })
            .collect();
        read += relocations.len();
        linker.apply(&relocations);
    }
    if left_out > 0 {
        diagnostics.push(ImageDiagnostic::RelocationsLeftOut { count: left_out });
    }
    if let Some((count, first)) = linker.skipped {
        let (kind, address) = (first.kind, first.slot);
        diagnostics.push(ImageDiagnostic::RelocationsSkipped { count, kind, address });
    }
    if let Some(segment) = slots.to_segment() {
        memory.add(segment);
    }
    Ok(Linked { memory, imports, table })
}

/// Mappings of the allocated sections, and addresses by section number.
fn lay_out(sections: &Sections) -> (Vec<Mapping>, BTreeMap<u32, u64>) {
    let mut next = BASE;
    let mut mappings = Vec::new();
    let mut addresses = BTreeMap::new();
    for (index, section) in (0u32..).zip(&sections.list) {
        if section.flags & SHF_ALLOC.0 == 0
            || section.size == 0
            || section.size > segments::MAX_MAPPED
        {
            continue;
        }
        let alignment = section.alignment.clamp(MIN_ALIGNMENT, MAX_ALIGNMENT).next_power_of_two();
        let address = next.next_multiple_of(alignment);
        let mut permissions = Permissions::READ;
        permissions.set(Permissions::WRITE, section.flags & SHF_WRITE.0 != 0);
        permissions.set(Permissions::EXECUTE, section.flags & SHF_EXECINSTR.0 != 0);
        let file_size = if section.kind == SHT_NOBITS { 0 } else { section.size };
        let (size, offset) = (section.size, section.offset);
        mappings.push(Mapping { address, size, offset, file_size, missing: 0, permissions });
        addresses.insert(index, address);
        next = address.saturating_add(size);
    }
    (mappings, addresses)
}

/// Turns the section-relative values of symbols into addresses; gives common and undefined ones
/// theirs from `next` on, with the global offset table between them. Returns the undefined ones, up
/// to [`MAX_IMPORTS`].
fn place_symbols(
    table: &mut SymbolTable,
    arch: Arch,
    addresses: &BTreeMap<u32, u64>,
    mut next: u64,
    mapped: &mut Vec<Segment>,
    budget: &mut NameBudget,
) -> (Vec<Import>, OffsetTable) {
    let common_start = next;
    let SymbolTable { entries, names } = table;
    for entry in entries.iter_mut().filter(|entry| entry.is_common()) {
        // The value of a common symbol is its alignment.
        let alignment = entry.value.clamp(4, MAX_ALIGNMENT).next_power_of_two();
        entry.value = next.next_multiple_of(alignment);
        next =
            entry.value.saturating_add(entry.size.min(MAX_COMMON)).min(common_start + MAX_COMMON);
        entry.section = SHN_ABS.0;
    }
    if next > common_start {
        mapped.push(Segment {
            address: Address(common_start),
            data: Vec::new(),
            missing: 0,
            size: next - common_start,
            permissions: Permissions::READ | Permissions::WRITE,
        });
    }
    next = next.next_multiple_of(0x1000);
    let slots = OffsetTable::new(arch, next);
    next += TABLE_SIZE;
    let mut imports = Vec::new();
    for entry in entries.iter_mut().skip(1) {
        if let Some(address) = slots.address_of(entry, names) {
            entry.value = address;
            entry.section = SHN_ABS.0;
        } else if entry.is_undefined() {
            entry.value = next;
            next += EXTERNAL_STRIDE;
            let (slot, kind) = (Address(entry.value), ImportKind::External);
            if imports.len() < MAX_IMPORTS {
                let name = budget.keep(entry.name_in(names));
                imports.extend(name.map(|name| Import { name, slot, kind }));
            }
        } else if let Some(base) = addresses.get(&u32::from(entry.section)) {
            entry.value = entry.value.wrapping_add(*base);
        }
    }
    (imports, slots)
}

struct Linker<'a> {
    memory: &'a mut SegmentMap,
    table: &'a SymbolTable,
    slots: &'a mut OffsetTable,
    arch: Arch,
    upper_parts: BTreeMap<u64, u64>,
    skipped: Option<(usize, Relocation)>,
}

impl Linker<'_> {
    /// Applies the relocations of one section.
    fn apply(&mut self, relocations: &[Relocation]) {
        self.upper_parts = self.upper_parts(relocations);
        for (index, relocation) in relocations.iter().enumerate() {
            let later = relocations.get(index + 1..).unwrap_or(&[]);
            if self.apply_one(*relocation, later).is_none() {
                let (count, first) = self.skipped.unwrap_or((0, *relocation));
                self.skipped = Some((count + 1, first));
            }
        }
    }

    fn apply_one(&mut self, relocation: Relocation, later: &[Relocation]) -> Option<()> {
        let symbol = self.table.entries.get(usize::try_from(relocation.symbol).ok()?)?;
        let place = Place {
            arch: self.arch,
            address: relocation.slot,
            kind: relocation.kind,
            symbol: self.slots.value_at(symbol.value, &relocation),
            is_local: symbol.is_local(),
            addend: relocation.addend,
            partner: self.partner(relocation, later),
        };
        patch::apply(self.memory, self.slots, &place)
    }

    /// The low half of the addend, in the `R_MIPS_LO16` that completes an `R_MIPS_HI16`; on
    /// RISC-V the value whose upper part the `auipc` at the symbol holds.
    fn partner(&self, relocation: Relocation, later: &[Relocation]) -> Option<u64> {
        match self.arch.family {
            Family::Mips => {
                let partner = later.iter().take(MAX_PAIR_DISTANCE).find(|other| {
                    other.symbol == relocation.symbol && other.kind == patch::MIPS_LO16
                })?;
                self.memory.read_uint(partner.slot, 4, self.arch.endian).map(|word| word & 0xffff)
            }
            Family::RiscV64 => {
                let label = self.table.entries.get(usize::try_from(relocation.symbol).ok()?)?;
                self.upper_parts.get(&label.value).copied()
            }
            _ => None,
        }
    }

    /// The values that the `auipc` instructions of a section begin, by address.
    fn upper_parts(&mut self, relocations: &[Relocation]) -> BTreeMap<u64, u64> {
        if self.arch.family != Family::RiscV64 {
            return BTreeMap::new();
        }
        relocations.iter().filter_map(|relocation| self.upper_part(relocation)).collect()
    }

    fn upper_part(&mut self, relocation: &Relocation) -> Option<(u64, u64)> {
        let symbol = self.table.entries.get(usize::try_from(relocation.symbol).ok()?)?;
        let base = match relocation.kind {
            patch::RISCV_PCREL_HI20 => symbol.value,
            patch::RISCV_GOT_HI20 => self.slots.slot(symbol.value)?,
            _ => return None,
        };
        let target = base.wrapping_add(relocation.addend?);
        Some((relocation.slot.0, target.wrapping_sub(relocation.slot.0)))
    }
}
