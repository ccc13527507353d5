//! The CPUs and their modes, as the ELF header names them.

use miyaburi_image::Endian;

/// A CPU in one of its modes.
#[derive(Debug)]
pub(crate) struct Mode {
    /// `e_machine`.
    pub(crate) machine: u16,
    /// `e_flags`.
    pub(crate) flags: u32,
    /// Whether the file is of class ELF64.
    pub(crate) wide: bool,
    pub(crate) endian: Endian,
    /// Alignment of instructions, in bytes.
    pub(crate) step: u64,
    /// The context field of the second instruction set, for CPUs with one.
    pub(crate) field: Option<&'static str>,
    /// Whether code is of the second instruction set, which addresses say with their lowest bit.
    pub(crate) alternate: bool,
}

const fn mode(machine: u16, flags: u32, wide: bool, endian: Endian, step: u64) -> Mode {
    Mode { machine, flags, wide, endian, step, field: None, alternate: false }
}

const fn second(field: &'static str, first: Mode) -> Mode {
    Mode { step: 2, field: Some(field), alternate: true, ..first }
}

/// EABI version 5, as current ARM toolchains mark files.
const EABI5: u32 = 0x500_0000;
/// Code in little endian below data in big endian.
const BE8: u32 = 0x80_0000;
/// MIPS32 with the o32 ABI.
const O32: u32 = 0x5000_1000;

/// Every CPU type and mode: x86-64, x86, ARM in three byte orders with Thumb, AArch64, MIPS in two
/// byte orders with MIPS16, PowerPC, SPARC, SuperH, 68000, ColdFire, RISC-V.
pub(crate) const MODES: [Mode; 19] = {
    use Endian::{Big, Little};
    [
        mode(62, 0, true, Little, 1),
        mode(3, 0, false, Little, 1),
        mode(40, EABI5, false, Little, 4),
        second("TMode", mode(40, EABI5, false, Little, 4)),
        mode(40, EABI5, false, Big, 4),
        second("TMode", mode(40, EABI5, false, Big, 4)),
        mode(40, EABI5 | BE8, false, Big, 4),
        second("TMode", mode(40, EABI5 | BE8, false, Big, 4)),
        mode(183, 0, true, Little, 4),
        mode(8, O32, false, Big, 4),
        mode(8, O32, false, Little, 4),
        second("ISA_MODE", mode(8, O32, false, Big, 4)),
        second("ISA_MODE", mode(8, O32, false, Little, 4)),
        mode(20, 0, false, Big, 4),
        mode(2, 0, false, Big, 4),
        mode(42, 9, false, Little, 2),
        mode(4, 0x0100_0000, false, Big, 2),
        mode(4, 0x8000, false, Big, 2),
        mode(243, 5, true, Little, 2),
    ]
};
