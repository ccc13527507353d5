//! Relocations of linked programs, applied for load base 0.

use crate::elf::names::NameBudget;
use crate::elf::slots::Slots;
use crate::elf::symbols::SymbolTable;
use crate::segment::SegmentMap;
use crate::{
    Address, Arch, Endian, Family, ImageDiagnostic, Import, ImportKind, IndirectFunction,
    Permissions, Segment,
};

/// Most relocations of a file that are read: large programs have tens of thousands.
pub(crate) const MAX_RELOCATIONS: usize = 1 << 19;

/// Most imports, and most slots that a function fills: real programs have thousands.
pub(crate) const MAX_IMPORTS: usize = 1 << 16;

/// One entry of a relocation table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relocation {
    pub(crate) slot: Address,
    pub(crate) kind: u32,
    pub(crate) symbol: u32,
    /// `None` in tables whose addends stand in the slots.
    pub(crate) addend: Option<u64>,
}

/// A relocation table in memory or in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelocationTable<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) with_addend: bool,
    pub(crate) wide: bool,
}

impl<'a> RelocationTable<'a> {
    const fn word(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    const fn entry_size(self) -> usize {
        self.word() * if self.with_addend { 3 } else { 2 }
    }

    /// How many whole entries there are.
    pub(crate) const fn count(self) -> usize {
        self.bytes.len() / self.entry_size()
    }

    /// Every whole entry.
    pub(crate) fn entries(self, endian: Endian) -> impl Iterator<Item = Relocation> + use<'a> {
        let word = self.word();
        self.bytes.chunks_exact(self.entry_size()).map(move |entry| {
            let mut fields = entry.chunks_exact(word).map(|field| endian.read_uint(field));
            let slot = Address(fields.next().unwrap_or(0));
            let info = fields.next().unwrap_or(0);
            let (symbol, kind) =
                if self.wide { (info >> 32, info & 0xffff_ffff) } else { (info >> 8, info & 0xff) };
            Relocation { slot, kind: kind as u32, symbol: symbol as u32, addend: fields.next() }
        })
    }
}

/// What a relocation type of a linked program asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Nothing,
    /// Load base plus addend.
    Relative,
    /// Symbol plus addend.
    Absolute,
    /// Symbol, whatever the slot holds.
    SlotAddress,
    /// As `SlotAddress`, for a slot of the procedure linkage table.
    SlotCall,
    /// The symbol's data is copied here.
    Copy,
    /// What the function at the addend returns.
    Indirect,
}

/// Relocation types by family: the processor supplements of the System V ABI and glibc's
/// `elf.h`. Types that only concern thread-local storage are missing: they say nothing about
/// addresses.
fn action(family: Family, kind: u32) -> Option<Action> {
    use Action::{Absolute, Copy, Indirect, Nothing, Relative, SlotAddress, SlotCall};
    let action = match (family, kind) {
        (_, 0) => Nothing,
        (Family::X86, 1) | (Family::X86_64, 1) => Absolute,
        (Family::X86 | Family::X86_64, 5) => Copy,
        (Family::X86 | Family::X86_64, 6) => SlotAddress,
        (Family::X86 | Family::X86_64, 7) => SlotCall,
        (Family::X86 | Family::X86_64, 8) => Relative,
        (Family::X86, 42) | (Family::X86_64, 37) => Indirect,
        (Family::Arm, 2) | (Family::AArch64, 257) => Absolute,
        (Family::Arm, 20) | (Family::AArch64, 1024) => Copy,
        (Family::Arm, 21) | (Family::AArch64, 1025) => SlotAddress,
        (Family::Arm, 22) | (Family::AArch64, 1026) => SlotCall,
        (Family::Arm, 23) | (Family::AArch64, 1027) => Relative,
        (Family::Arm, 160) | (Family::AArch64, 1032) => Indirect,
        // R_MIPS_REL32 without a symbol adds the load base; `apply` tells the two apart.
        (Family::Mips, 2 | 3) => Absolute,
        (Family::Mips, 51) => SlotAddress,
        (Family::Mips, 126) => Copy,
        (Family::Mips, 127) => SlotCall,
        (Family::PowerPc | Family::M68k | Family::ColdFire, 1) => Absolute,
        (Family::Sparc | Family::SparcV8Plus, 3 | 23) => Absolute,
        (
            Family::PowerPc | Family::M68k | Family::ColdFire | Family::Sparc | Family::SparcV8Plus,
            19,
        ) => Copy,
        (
            Family::PowerPc | Family::M68k | Family::ColdFire | Family::Sparc | Family::SparcV8Plus,
            20,
        ) => SlotAddress,
        (
            Family::PowerPc | Family::M68k | Family::ColdFire | Family::Sparc | Family::SparcV8Plus,
            21,
        ) => SlotCall,
        (
            Family::PowerPc | Family::M68k | Family::ColdFire | Family::Sparc | Family::SparcV8Plus,
            22,
        ) => Relative,
        (Family::PowerPc, 248) | (Family::Sparc | Family::SparcV8Plus, 248 | 249) => Indirect,
        (Family::SuperH, 1) => Absolute,
        (Family::SuperH, 162) => Copy,
        (Family::SuperH, 163) => SlotAddress,
        (Family::SuperH, 164) => SlotCall,
        (Family::SuperH, 165) => Relative,
        (Family::RiscV64, 2) => Absolute,
        (Family::RiscV64, 3) => Relative,
        (Family::RiscV64, 4) => Copy,
        (Family::RiscV64, 5) => SlotCall,
        (Family::RiscV64, 58) => Indirect,
        _ => return None,
    };
    Some(action)
}

/// What relocating a program found out besides the words it wrote.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relocated {
    pub(crate) imports: Vec<Import>,
    pub(crate) indirect_functions: Vec<IndirectFunction>,
    skipped: Option<(usize, Relocation)>,
}

impl Relocated {
    fn skip(&mut self, relocation: Relocation) {
        let (count, first) = self.skipped.unwrap_or((0, relocation));
        self.skipped = Some((count + 1, first));
    }

    /// Tells which relocations were not applied.
    pub(crate) fn report(&self, diagnostics: &mut Vec<ImageDiagnostic>) {
        if let Some((count, first)) = self.skipped {
            let (kind, address) = (first.kind, first.slot);
            diagnostics.push(ImageDiagnostic::RelocationsSkipped { count, kind, address });
        }
    }
}

/// Applies relocations to memory. Slots of symbols that the file does not define keep what the
/// file holds there.
pub(crate) fn apply(
    relocations: &[Relocation],
    symbols: &SymbolTable,
    slots: &mut Slots<'_>,
    names: &mut NameBudget,
    arch: Arch,
) -> Relocated {
    let mut relocated = Relocated::default();
    for relocation in relocations {
        if apply_one(*relocation, symbols, slots, names, arch, &mut relocated).is_none() {
            relocated.skip(*relocation);
        }
    }
    relocated
}

/// `None` when the relocation could not be applied.
fn apply_one(
    relocation: Relocation,
    symbols: &SymbolTable,
    slots: &mut Slots<'_>,
    names: &mut NameBudget,
    arch: Arch,
    relocated: &mut Relocated,
) -> Option<()> {
    let Relocation { slot, kind, addend, .. } = relocation;
    let size = arch.pointer_size();
    let in_place = |memory: &SegmentMap| memory.read_uint(slot, size, arch.endian);
    match (action(arch.family, kind)?, addend) {
        (Action::Nothing, _) => Some(()),
        // Without an explicit addend the word already holds its value at load base 0; SuperH
        // keeps some addends in place although its tables have the field.
        (Action::Relative, None) => in_place(slots.memory).map(|_| ()),
        (Action::Relative, Some(0)) if arch.family == Family::SuperH => Some(()),
        (Action::Relative, Some(addend)) => slots.write_uint(slot, size, arch.endian, addend),
        (Action::Absolute, _) if relocation.symbol == 0 && arch.family == Family::Mips => Some(()),
        (Action::Indirect, addend) => {
            if relocated.indirect_functions.len() >= MAX_IMPORTS || slots.memory.at(slot).is_none()
            {
                return None;
            }
            let resolver = addend.or_else(|| in_place(slots.memory))? & arch.address_mask();
            let thumb = arch.family == Family::Arm && resolver & 1 != 0;
            let resolver = Address(if thumb { resolver & !1 } else { resolver });
            relocated.indirect_functions.push(IndirectFunction { slot, resolver, thumb });
            Some(())
        }
        (action, _) => {
            let symbol = symbols.entries.get(usize::try_from(relocation.symbol).ok()?)?;
            if symbol.is_undefined() || action == Action::Copy {
                if relocated.imports.len() >= MAX_IMPORTS || slots.memory.at(slot).is_none() {
                    return None;
                }
                let kind = match action {
                    Action::SlotCall => ImportKind::Function,
                    Action::Copy => ImportKind::Copy,
                    _ => ImportKind::Address,
                };
                let name = names.name(symbols, symbol)?;
                relocated.imports.push(Import { name, slot, kind });
                return Some(());
            }
            // On SPARC and old PowerPC the slot is code that the dynamic linker writes.
            let is_code = |segment: &Segment| segment.permissions.contains(Permissions::EXECUTE);
            if action == Action::SlotCall && slots.memory.at(slot).is_some_and(is_code) {
                return None;
            }
            let addend = match (action, addend) {
                (_, Some(addend)) => addend,
                (Action::Absolute, None) => in_place(slots.memory)?,
                (_, None) => 0,
            };
            let value = symbol.value.wrapping_add(addend) & arch.address_mask();
            slots.write_uint(slot, size, arch.endian, value)
        }
    }
}
