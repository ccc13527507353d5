//! Relocations of object files: which value goes into which bits.

mod field;
mod rules;

use crate::elf::offset_table::OffsetTable;
use crate::elf::patch::field::Field;
use crate::segment::SegmentMap;
use crate::{Address, Arch, Family};

/// `R_MIPS_LO16`: its in-place addend completes that of an `R_MIPS_HI16`.
pub(crate) const MIPS_LO16: u32 = 6;

/// `R_RISCV_PCREL_HI20`: the value that later low parts refer to.
pub(crate) const RISCV_PCREL_HI20: u32 = 23;

/// `R_RISCV_GOT_HI20`: the same with the symbol's slot in the global offset table.
pub(crate) const RISCV_GOT_HI20: u32 = 20;

/// One relocation with everything that its value depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) arch: Arch,
    /// The address to patch.
    pub(crate) address: Address,
    /// The relocation type.
    pub(crate) kind: u32,
    /// The symbol's value, mode bit included.
    pub(crate) symbol: u64,
    /// Whether the symbol is local to the object file.
    pub(crate) is_local: bool,
    /// The explicit addend; `None` when it stands in the patched bits.
    pub(crate) addend: Option<u64>,
    /// The other half of a value that two relocations share: on MIPS the low half of the addend,
    /// on RISC-V the whole value.
    pub(crate) partner: Option<u64>,
}

/// What a relocation type computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    /// Nothing to patch.
    None,
    /// Symbol + addend.
    Absolute,
    /// Symbol + addend - place.
    Relative,
    /// Symbol - place: the addend means something else.
    SymbolRelative,
    /// Distance of the 4 KiB pages of symbol + addend and place.
    PageRelative,
    /// Symbol + addend - table register.
    TableOffset,
    /// Table register + addend - place.
    TableRelative,
    /// Slot of symbol + addend.
    Slot,
    /// Slot of symbol, + addend - table register.
    SlotOffset,
    /// The same, but the slot itself in an x86 operand without a base register.
    X86SlotOffset,
    /// The same on MIPS, where the slot of a local symbol holds the 64 KiB that it is in.
    MipsSlotOffset,
    /// Slot of symbol, + addend - place.
    SlotRelative,
    /// Distance of the 4 KiB pages of the slot of symbol + addend and place.
    SlotPageRelative,
    /// The value of the partner.
    Partner,
    /// What is in place plus symbol + addend.
    Added,
    /// What is in place minus symbol + addend.
    Subtracted,
}

/// Patches the bits that a relocation concerns; `None` when its type is not handled, the place
/// is not mapped or the table is full.
pub(crate) fn apply(memory: &mut SegmentMap, table: &mut OffsetTable, place: &Place) -> Option<()> {
    let (kind, field) = rules::rule(place.arch.family, place.kind)?;
    if kind == Value::None {
        return Some(());
    }
    let endian = place.arch.endian;
    let old = memory.read_uint(place.address, field.size(), endian)?;
    let value = match kind {
        Value::X86SlotOffset => {
            let operand = memory.read_uint(Address(place.address.0.wrapping_sub(1)), 1, endian)?;
            // ModRM with mod 0 and r/m 5: an address and no register.
            let has_base = operand & 0xc7 != 5;
            let kind = if has_base { Value::SlotOffset } else { Value::Slot };
            place.value(kind, field, old, table)?
        }
        Value::MipsSlotOffset if place.is_local => {
            let whole = place.symbol.wrapping_add(place.shared_addend(old << 16)?);
            table.slot(rounded_half(whole))?.wrapping_sub(table.pointer())
        }
        Value::MipsSlotOffset => place.value(Value::SlotOffset, field, old, table)?,
        _ => place.value(kind, field, old, table)?,
    };
    let new = field.insert(old, value, endian);
    memory.write_uint(place.address, field.size(), endian, new)
}

/// What an upper half stands for, when the lower one is added as a signed number.
const fn rounded_half(value: u64) -> u64 {
    value.wrapping_add(0x8000) & 0xffff_0000
}

impl Place {
    /// The addend whose upper half is `high`, the lower one being the partner's.
    fn shared_addend(&self, high: u64) -> Option<u64> {
        let low = i64::from(self.partner? as u16 as i16) as u64;
        Some(high.wrapping_add(low))
    }

    fn addend(&self, field: Field, old: u64) -> Option<u64> {
        let stored = || field.extract(old, self.arch.endian);
        match self.addend {
            // SuperH tables have the field, but some addends stand in place.
            Some(addend) if self.arch.family == Family::SuperH => {
                Some(addend.wrapping_add(stored()))
            }
            Some(addend) => Some(addend),
            None if field == Field::MipsHigh => self.shared_addend(stored()),
            None => Some(stored()),
        }
    }

    fn value(&self, kind: Value, field: Field, old: u64, table: &mut OffsetTable) -> Option<u64> {
        let addend = self.addend(field, old)?;
        let target = self.symbol.wrapping_add(addend);
        let here = self.address.0;
        let page = |address: u64| address & !0xfff;
        Some(match kind {
            Value::None => return None,
            Value::Absolute => target,
            Value::Relative => target.wrapping_sub(here),
            Value::SymbolRelative => self.symbol.wrapping_sub(here),
            Value::PageRelative => page(target).wrapping_sub(page(here)),
            Value::TableOffset => target.wrapping_sub(table.pointer()),
            Value::TableRelative => table.pointer().wrapping_add(addend).wrapping_sub(here),
            Value::Slot => table.slot(target)?,
            Value::SlotOffset | Value::X86SlotOffset | Value::MipsSlotOffset => {
                table.slot(self.symbol)?.wrapping_add(addend).wrapping_sub(table.pointer())
            }
            Value::SlotRelative => table.slot(self.symbol)?.wrapping_add(addend).wrapping_sub(here),
            Value::SlotPageRelative => page(table.slot(target)?).wrapping_sub(page(here)),
            Value::Partner => self.partner?,
            Value::Added => old.wrapping_add(target),
            Value::Subtracted => old.wrapping_sub(target),
        })
    }
}
