//! Which CPU a file header names.

use crate::elf::header::FileHeader;
use crate::elf::reader::FileReader;
use crate::{Arch, Endian, Family, ImageError};
use object::elf::{
    EF_ARM_BE8, EF_MIPS_ABI, EF_MIPS_ABI_O32, EF_MIPS_ABI2, EF_MIPS_ARCH, EF_MIPS_ARCH_32R6,
    EM_68K, EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_MIPS_RS3_LE, EM_PPC, EM_RISCV, EM_SH, EM_SPARC,
    EM_SPARC32PLUS, EM_X86_64, Machine,
};

/// The CPU type by the header alone. ARM variants need the code as well and are told apart in
/// [`crate::elf::arm`]; here little-endian ARM is `armv5`.
///
/// # Errors
/// [`ImageError::UnsupportedCpu`] for every CPU, width, byte order and ABI that is not analysed.
pub(crate) fn arch(reader: FileReader<'_>, header: &FileHeader) -> Result<Arch, ImageError> {
    let unsupported = |name| Err(ImageError::UnsupportedCpu { machine: header.machine.0, name });
    let cpu = match (header.machine, reader.wide, reader.endian) {
        (EM_ARM, false, Endian::Little) => "armv5",
        (EM_ARM, false, Endian::Big) => "armeb",
        (EM_AARCH64, true, Endian::Little) => "aarch64",
        (EM_AARCH64, true, Endian::Big) => return unsupported("AArch64 big endian"),
        (EM_AARCH64, false, _) => return unsupported("AArch64 ILP32"),
        (EM_MIPS | EM_MIPS_RS3_LE, _, endian) => return mips(reader, header, endian),
        (EM_PPC, false, Endian::Big) => "ppc32",
        (EM_PPC, false, Endian::Little) => return unsupported("PowerPC little endian"),
        (EM_SPARC | EM_SPARC32PLUS, false, Endian::Big) => "sparc32",
        (EM_SH, false, Endian::Little) => "sh4-le",
        (EM_SH, false, Endian::Big) => return unsupported("SuperH big endian"),
        (EM_68K, false, Endian::Big) if is_coldfire(header.flags) => "coldfire",
        (EM_68K, false, Endian::Big) => "m68k",
        (EM_386, false, Endian::Little) => "i386",
        (EM_X86_64, true, Endian::Little) => "amd64",
        (EM_X86_64, false, _) => return unsupported("x86-64 x32"),
        (EM_RISCV, true, Endian::Little) => "rv64",
        (EM_RISCV, false, _) => return unsupported("RISC-V 32-bit"),
        (other, _, _) => return unsupported(machine_name(other)),
    };
    let be8 = header.machine == EM_ARM && header.flags & EF_ARM_BE8.0 != 0;
    Arch::ALL
        .into_iter()
        .find(|arch| {
            arch.cpu == cpu
                && (arch.family == Family::SparcV8Plus) == (header.machine == EM_SPARC32PLUS)
                && (arch.instruction_endian != arch.endian) == (be8 && arch.endian == Endian::Big)
        })
        .map_or_else(|| unsupported(machine_name(header.machine)), Ok)
}

fn mips(reader: FileReader<'_>, header: &FileHeader, endian: Endian) -> Result<Arch, ImageError> {
    let abi = header.flags & EF_MIPS_ABI;
    let name = if reader.wide {
        Some("MIPS 64-bit")
    } else if header.flags & EF_MIPS_ABI2.0 != 0 {
        Some("MIPS n32")
    } else if abi != 0 && abi != EF_MIPS_ABI_O32.0 {
        Some("MIPS with an ABI other than o32")
    } else if header.flags & EF_MIPS_ARCH == EF_MIPS_ARCH_32R6.0 {
        Some("MIPS32 Release 6")
    } else {
        None
    };
    let cpu = match endian {
        Endian::Little => "mips-le-o32",
        Endian::Big => "mips-be-o32",
    };
    match (name, Arch::named(cpu)) {
        (None, Some(arch)) => Ok(arch),
        (name, _) => Err(ImageError::UnsupportedCpu {
            machine: header.machine.0,
            name: name.unwrap_or("MIPS"),
        }),
    }
}

/// Whether `e_flags` of an m68k file name a ColdFire: an instruction set (low four bits) without
/// one of the 68000 architectures, or the flag older tools set for V4e. Values as in binutils'
/// `include/elf/m68k.h`.
fn is_coldfire(flags: u32) -> bool {
    const M68000: u32 = 0x0100_0000;
    const CPU32: u32 = 0x0081_0000;
    const FIDO: u32 = 0x0200_0000;
    const V4E: u32 = 0x8000;
    const INSTRUCTION_SET: u32 = 0xf;
    flags & (M68000 | CPU32 | FIDO) == 0 && flags & (V4E | INSTRUCTION_SET) != 0
}

fn machine_name(machine: Machine) -> &'static str {
    let name = machine.name().unwrap_or("unknown");
    name.strip_prefix("EM_").unwrap_or(name)
}

/// Whether the address of code carries the mode in its lowest bit.
pub(crate) const fn has_mode_bit(family: Family) -> bool {
    matches!(family, Family::Arm | Family::Mips)
}
