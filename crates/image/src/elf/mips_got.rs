//! The global part of a MIPS global offset table, which has no relocations: its entries stand in
//! the order of the dynamic symbols (System V ABI, MIPS processor supplement, chapter 5).

use crate::elf::dynamic::Dynamic;
use crate::elf::names::NameBudget;
use crate::elf::program_headers::ProgramHeader;
use crate::elf::relocations::MAX_IMPORTS;
use crate::elf::slots::Slots;
use crate::elf::symbols::SymbolTable;
use crate::segment::SegmentMap;
use crate::{Address, Arch, Import, ImportKind};
use object::elf::{DT_MIPS_GOTSYM, DT_MIPS_LOCAL_GOTNO, DT_PLTGOT, PT_MIPS_REGINFO, STT_FUNC};

/// Distance of `$gp` from the start of the global offset table.
const GP_OFFSET: u64 = 0x7ff0;

/// Writes the values of defined symbols into their entries and returns those of other files, up to
/// [`MAX_IMPORTS`].
pub(crate) fn resolve(
    dynamic: &Dynamic,
    symbols: &SymbolTable,
    slots: &mut Slots<'_>,
    names: &mut NameBudget,
    arch: Arch,
) -> Vec<Import> {
    let tags = [DT_PLTGOT, DT_MIPS_LOCAL_GOTNO, DT_MIPS_GOTSYM].map(|tag| dynamic.get(tag));
    let [Some(table), Some(local), Some(first)] = tags else { return Vec::new() };
    let first_global = Address(table).offset(local.wrapping_mul(4));
    let skip = usize::try_from(first).unwrap_or(usize::MAX);
    let mut imports = Vec::new();
    for (index, symbol) in symbols.entries.iter().skip(skip).enumerate() {
        let slot = first_global.offset(index as u64 * 4);
        if slots.memory.at(slot).is_none() {
            break;
        }
        if symbol.is_undefined() {
            let function = symbol.kind() == STT_FUNC.0;
            let kind = if function { ImportKind::Function } else { ImportKind::Address };
            if imports.len() >= MAX_IMPORTS {
                break;
            }
            imports.extend(names.name(symbols, symbol).map(|name| Import { name, slot, kind }));
        } else if slots.memory.read_uint(slot, 4, arch.endian) != Some(symbol.value) {
            // An entry that cannot be written keeps the file's value, which is the same.
            let _ = slots.write_uint(slot, 4, arch.endian, symbol.value);
        }
    }
    imports
}

/// `$gp`: from the register information when there is any, else by the table's address.
pub(crate) fn global_pointer(
    dynamic: &Dynamic,
    headers: &[ProgramHeader],
    memory: &SegmentMap,
    arch: Arch,
) -> Option<Address> {
    const GP_VALUE: u64 = 20;
    let stated = headers
        .iter()
        .find(|header| header.kind == PT_MIPS_REGINFO)
        .and_then(|header| {
            memory.read_uint(Address(header.address).offset(GP_VALUE), 4, arch.endian)
        })
        .filter(|value| *value != 0);
    let derived =
        || dynamic.get(DT_PLTGOT).map(|table| table.wrapping_add(GP_OFFSET) & arch.address_mask());
    stated.or_else(derived).map(Address)
}
