//! The CPU types specimens are built for, and how reports and ELF headers spell them.

use std::fmt;

/// A CPU type of the specimen build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    /// 32-bit ARM in ARM mode, ARMv5T, little endian.
    Armv5,
    /// ARMv7-A in Thumb-2 mode, little endian.
    Armv7Thumb,
    /// 32-bit ARM in ARM mode, big endian (BE-32).
    ArmBe,
    /// 64-bit ARM, little endian.
    Aarch64,
    /// MIPS32, o32, big endian.
    MipsBe,
    /// MIPS32, o32, little endian.
    MipsLe,
    /// 32-bit PowerPC, big endian.
    PowerPc,
    /// 32-bit SPARC, big endian.
    Sparc32,
    /// SuperH SH-4, little endian.
    Sh4,
    /// Motorola 68020 and up.
    M68k,
    /// ColdFire V4e.
    ColdFire,
    /// 32-bit x86 without SSE.
    X86,
    /// 64-bit x86.
    X86_64,
    /// RV64GC, little endian.
    Riscv64,
}

/// Byte order of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// The spelling of the report's `sample.endian`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Endian::Little => "little",
            Endian::Big => "big",
        }
    }
}

/// What is fixed about a target: one row of the table in [`Target::facts`].
struct Facts {
    name: &'static str,
    arch: &'static str,
    cpu: &'static str,
    bits: u8,
    endian: Endian,
    machines: &'static [u16],
}

impl Target {
    /// Every target, in the order in which build matrices list them.
    pub(crate) const ALL: [Target; 14] = [
        Target::Armv5,
        Target::Armv7Thumb,
        Target::ArmBe,
        Target::Aarch64,
        Target::MipsBe,
        Target::MipsLe,
        Target::PowerPc,
        Target::Sparc32,
        Target::Sh4,
        Target::M68k,
        Target::ColdFire,
        Target::X86,
        Target::X86_64,
        Target::Riscv64,
    ];

    fn facts(self) -> Facts {
        use Endian::{Big, Little};
        let row = |name, arch, cpu, bits, endian, machines| Facts {
            name,
            arch,
            cpu,
            bits,
            endian,
            machines,
        };
        // Machine numbers are the EM_* values of the System V ABI's generic supplement.
        match self {
            Target::Armv5 => row("armv5", "arm", "armv5", 32, Little, &[40]),
            Target::Armv7Thumb => row("armv7-thumb", "arm", "armv7-thumb", 32, Little, &[40]),
            Target::ArmBe => row("armeb", "arm", "armeb", 32, Big, &[40]),
            Target::Aarch64 => row("aarch64", "aarch64", "aarch64", 64, Little, &[183]),
            Target::MipsBe => row("mips-be", "mips", "mips-be-o32", 32, Big, &[8]),
            Target::MipsLe => row("mips-le", "mips", "mips-le-o32", 32, Little, &[8]),
            Target::PowerPc => row("powerpc", "powerpc", "ppc32", 32, Big, &[20]),
            // Objects that use 64-bit registers in 32-bit mode make it EM_SPARC32PLUS.
            Target::Sparc32 => row("sparc32", "sparc", "sparc32", 32, Big, &[2, 18]),
            Target::Sh4 => row("sh4", "superh", "sh4-le", 32, Little, &[42]),
            Target::M68k => row("m68k", "m68k", "m68k", 32, Big, &[4]),
            Target::ColdFire => row("coldfire", "m68k", "coldfire", 32, Big, &[4]),
            Target::X86 => row("x86", "x86", "i386", 32, Little, &[3]),
            Target::X86_64 => row("x86_64", "x86_64", "amd64", 64, Little, &[62]),
            Target::Riscv64 => row("riscv64", "riscv", "rv64", 64, Little, &[243]),
        }
    }

    /// Stable label, used in file names, truth labels and on the command line.
    pub(crate) fn name(self) -> &'static str {
        self.facts().name
    }

    /// The report's `sample.arch`.
    pub(crate) fn arch(self) -> &'static str {
        self.facts().arch
    }

    /// The report's `sample.cpu`.
    pub(crate) fn cpu(self) -> &'static str {
        self.facts().cpu
    }

    /// The report's `sample.bits`: 32 or 64.
    pub(crate) fn bits(self) -> u8 {
        self.facts().bits
    }

    /// Byte order; [`Endian::name`] is the report's `sample.endian`.
    pub(crate) fn endian(self) -> Endian {
        self.facts().endian
    }

    /// The `e_machine` values a build for this target may carry.
    pub(crate) fn elf_machines(self) -> &'static [u16] {
        self.facts().machines
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
