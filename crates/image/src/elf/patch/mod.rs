//! Relocations of object files: which value goes into which bits.

mod field;
mod rules;

use crate::elf::patch::field::Field;
use crate::segment::SegmentMap;
use crate::{Address, Arch, Family};

/// `R_MIPS_LO16`: its in-place addend completes that of an `R_MIPS_HI16`.
pub(crate) const MIPS_LO16: u32 = 6;

/// `R_RISCV_PCREL_HI20`: the value that later low parts refer to.
pub(crate) const RISCV_PCREL_HI20: u32 = 23;

/// Where the imaginary global offset table is: code that computes addresses relative to it comes
/// out right wherever it is, as long as it is the same everywhere.
const TABLE: u64 = 0x1_0000;

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
    /// Symbol + addend - table.
    TableOffset,
    /// Table + addend - place.
    TableRelative,
    /// The value of the partner.
    Partner,
    /// What is in place plus symbol + addend.
    Added,
    /// What is in place minus symbol + addend.
    Subtracted,
}

/// Patches the bits that a relocation concerns; `None` when its type is not handled or the place
/// is not mapped.
pub(crate) fn apply(memory: &mut SegmentMap, place: &Place) -> Option<()> {
    let (value, field) = rules::rule(place.arch.family, place.kind)?;
    if value == Value::None {
        return Some(());
    }
    let endian = place.arch.endian;
    let size = field.size();
    let start = Address(place.address.0.wrapping_sub(field.lead()));
    let old = memory.read_uint(start, size, endian)?;
    let addend = match place.addend {
        // SuperH tables have the field, but some addends stand in place.
        Some(addend) if place.arch.family == Family::SuperH => {
            addend.wrapping_add(field.extract(old, endian))
        }
        Some(addend) => addend,
        None if field == Field::MipsHigh => {
            let low = i64::from(place.partner? as u16 as i16) as u64;
            (field.extract(old, endian)).wrapping_add(low)
        }
        None => field.extract(old, endian),
    };
    let target = place.symbol.wrapping_add(addend);
    let here = place.address.0;
    let page = |address: u64| address & !0xfff;
    let value = match value {
        Value::None => return Some(()),
        Value::Absolute => target,
        Value::Relative => target.wrapping_sub(here),
        Value::SymbolRelative => place.symbol.wrapping_sub(here),
        Value::PageRelative => page(target).wrapping_sub(page(here)),
        Value::TableOffset => target.wrapping_sub(TABLE),
        Value::TableRelative => TABLE.wrapping_add(addend).wrapping_sub(here),
        Value::Partner => place.partner?,
        Value::Added => old.wrapping_add(target),
        Value::Subtracted => old.wrapping_sub(target),
    };
    let new = field.insert(old, value, endian)?;
    memory.write_uint(start, size, endian, new)
}
