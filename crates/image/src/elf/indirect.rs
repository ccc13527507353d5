//! Resolver tables of static programs, which no dynamic section names.

use crate::elf::relocations::{MAX_IMPORTS, Relocation, RelocationTable};
use crate::segment::SegmentMap;
use crate::{Address, Arch, Family, IndirectFunction, Permissions};

/// Finds `IRELATIVE` relocations in read-only memory by their content: the type with symbol 0, a
/// slot in aligned writable memory and a resolver in executable memory; [`MAX_IMPORTS`] at most.
///
/// False positives: data that looks like it in all three; each needs an exact word between two
/// addresses of the right segments. False negatives: tables in writable memory.
pub(crate) fn scan(memory: &SegmentMap, arch: Arch) -> Vec<IndirectFunction> {
    // The type and whether the platform's tables carry addends.
    let (kind, with_addend) = match arch.family {
        Family::X86 => (42, false),
        Family::X86_64 => (37, true),
        Family::Arm => (160, false),
        Family::AArch64 => (1032, true),
        Family::PowerPc => (248, true),
        Family::Sparc | Family::SparcV8Plus => (249, true),
        Family::RiscV64 => (58, true),
        Family::Mips | Family::SuperH | Family::M68k | Family::ColdFire => return Vec::new(),
    };
    let wide = arch.pointer_size() == 8;
    let word = arch.pointer_size() as usize;
    let size = word * if with_addend { 3 } else { 2 };
    let mut found = Vec::new();
    for segment in memory.as_slice() {
        if segment.permissions.contains(Permissions::WRITE) {
            continue;
        }
        for entry in segment.data.windows(size).step_by(word) {
            let table = RelocationTable { bytes: entry, with_addend, wide };
            let relocation = table.entries(arch.endian).next();
            let matching = relocation.filter(|entry| entry.kind == kind && entry.symbol == 0);
            found.extend(matching.and_then(|entry| indirect_function(entry, memory, arch)));
            if found.len() >= MAX_IMPORTS {
                return found;
            }
        }
    }
    found
}

fn indirect_function(
    relocation: Relocation,
    memory: &SegmentMap,
    arch: Arch,
) -> Option<IndirectFunction> {
    let slot = relocation.slot;
    let size = arch.pointer_size();
    let permits = |address: Address, permission| {
        memory.at(address).is_some_and(|segment| segment.permissions.contains(permission))
    };
    if !slot.0.is_multiple_of(u64::from(size)) || !permits(slot, Permissions::WRITE) {
        return None;
    }
    let resolver = relocation.addend.or_else(|| memory.read_uint(slot, size, arch.endian))?;
    let thumb = arch.family == Family::Arm && resolver & 1 != 0;
    let resolver = Address(if thumb { resolver & !1 } else { resolver });
    permits(resolver, Permissions::EXECUTE).then_some(IndirectFunction { slot, resolver, thumb })
}
