//! The global part of a MIPS global offset table, which has no relocations: its entries stand in
//! the order of the dynamic symbols (System V ABI, MIPS processor supplement, chapter 5).

use crate::elf::dynamic::Dynamic;
use crate::elf::program_headers::ProgramHeader;
use crate::elf::symbols::SymbolTable;
use crate::segment::SegmentMap;
use crate::{Address, Arch, Import, ImportKind};
use object::elf::{DT_MIPS_GOTSYM, DT_MIPS_LOCAL_GOTNO, DT_PLTGOT, PT_MIPS_REGINFO, STT_FUNC};

/// Distance of `$gp` from the start of the global offset table.
const GP_OFFSET: u64 = 0x7ff0;

/// Writes the values of defined symbols into their entries and returns those of other files.
pub(crate) fn resolve(
    dynamic: &Dynamic,
    symbols: &SymbolTable,
    memory: &mut SegmentMap,
    arch: Arch,
) -> Vec<Import> {
    let tags = [DT_PLTGOT, DT_MIPS_LOCAL_GOTNO, DT_MIPS_GOTSYM].map(|tag| dynamic.get(tag));
    let [Some(table), Some(local), Some(first)] = tags else { return Vec::new() };
    let first_global = Address(table).offset(local.wrapping_mul(4));
    let skip = usize::try_from(first).unwrap_or(usize::MAX);
    let mut imports = Vec::new();
    for (index, symbol) in symbols.entries.iter().skip(skip).enumerate() {
        let slot = first_global.offset(index as u64 * 4);
        if memory.at(slot).is_none() {
            break;
        }
        if symbol.is_undefined() {
            let function = symbol.kind() == STT_FUNC.0;
            let kind = if function { ImportKind::Function } else { ImportKind::Address };
            imports.push(Import { name: symbols.name(symbol), slot, kind });
        } else {
            // An entry that cannot be written keeps the file's value, which is the same.
            let _ = memory.write_uint(slot, 4, arch.endian, symbol.value);
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
