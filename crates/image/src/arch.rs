//! What CPU a file is for: everything that depends on width or byte order asks here.

/// Byte order of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// Reads an unsigned integer of `bytes.len()` bytes; bytes beyond eight are ignored on the
    /// more significant side.
    #[must_use]
    #[inline(always)]
    pub fn read_uint(self, bytes: &[u8]) -> u64 {
        // The sizes of numbers, where one load does.
        match (self, bytes) {
            (_, [a]) => u64::from(*a),
            (Self::Little, [a, b, c, d]) => u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
            (Self::Big, [a, b, c, d]) => u64::from(u32::from_be_bytes([*a, *b, *c, *d])),
            (Self::Little, [a, b, c, d, e, f, g, h]) => {
                u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
            }
            (Self::Big, [a, b, c, d, e, f, g, h]) => {
                u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
            }
            (Self::Little, _) => bytes.iter().rev().fold(0, join),
            (Self::Big, _) => bytes.iter().fold(0, join),
        }
    }

    /// Writes the low bytes of `value` over the whole of `bytes`, zero-extended.
    #[inline(always)]
    pub fn write_uint(self, bytes: &mut [u8], value: u64) {
        if let [byte] = bytes {
            *byte = value as u8;
        } else if let Ok(word) = <&mut [u8; 4]>::try_from(&mut *bytes) {
            let value = value as u32;
            *word = if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() };
        } else if let Ok(word) = <&mut [u8; 8]>::try_from(&mut *bytes) {
            *word = if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() };
        } else {
            self.write_other(bytes, value);
        }
    }

    fn write_other(self, bytes: &mut [u8], value: u64) {
        let mut rest = value;
        let mut put = |byte: &mut u8| {
            *byte = rest as u8;
            rest >>= 8;
        };
        match self {
            Self::Little => bytes.iter_mut().for_each(&mut put),
            Self::Big => bytes.iter_mut().rev().for_each(&mut put),
        }
    }
}

/// A number of big-endian bytes and the next byte.
fn join(value: u64, byte: &u8) -> u64 {
    value << 8 | u64::from(*byte)
}

/// The CPU families Miyaburi analyses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// 32-bit ARM, with Thumb.
    Arm,
    /// 64-bit ARM.
    AArch64,
    /// 32-bit MIPS, with MIPS16.
    Mips,
    /// 32-bit PowerPC.
    PowerPc,
    /// 32-bit SPARC.
    Sparc,
    /// 32-bit programs for 64-bit SPARC, told from `Sparc` because registers have 64 bits.
    SparcV8Plus,
    /// Hitachi/Renesas SH-4.
    SuperH,
    /// Motorola 68000 family.
    M68k,
    /// ColdFire, told from `M68k` because its encodings differ.
    ColdFire,
    /// 32-bit x86.
    X86,
    /// 64-bit x86.
    X86_64,
    /// 64-bit RISC-V.
    RiscV64,
}

/// Family, variant and byte order of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arch {
    /// The family, which selects the processor specification.
    pub family: Family,
    /// Byte order of data (and, on all these targets, of the ELF file).
    pub endian: Endian,
    /// Byte order of instructions. It differs from [`Arch::endian`] on ARM's BE8 alone, where
    /// code is little endian and everything that code loads, literals included, is big endian.
    pub instruction_endian: Endian,
    /// The variant as the report spells it, such as `armv5`, `mips-be-o32` or `amd64`.
    pub cpu: &'static str,
}

impl Arch {
    /// Every CPU type, under the report's spelling; BE8 shares `armeb` with BE32,
    /// V8+ shares `sparc32` with V8.
    pub const ALL: [Self; 19] = {
        use Endian::{Big, Little};
        [
            Self::new(Family::Arm, Little, "armv4"),
            Self::new(Family::Arm, Little, "armv5"),
            Self::new(Family::Arm, Little, "armv6"),
            Self::new(Family::Arm, Little, "armv7"),
            Self::new(Family::Arm, Little, "armv7-thumb"),
            Self::new(Family::Arm, Big, "armeb"),
            Self { instruction_endian: Little, ..Self::new(Family::Arm, Big, "armeb") },
            Self::new(Family::AArch64, Little, "aarch64"),
            Self::new(Family::Mips, Big, "mips-be-o32"),
            Self::new(Family::Mips, Little, "mips-le-o32"),
            Self::new(Family::PowerPc, Big, "ppc32"),
            Self::new(Family::Sparc, Big, "sparc32"),
            Self::new(Family::SparcV8Plus, Big, "sparc32"),
            Self::new(Family::SuperH, Little, "sh4-le"),
            Self::new(Family::M68k, Big, "m68k"),
            Self::new(Family::ColdFire, Big, "coldfire"),
            Self::new(Family::X86, Little, "i386"),
            Self::new(Family::X86_64, Little, "amd64"),
            Self::new(Family::RiscV64, Little, "rv64"),
        ]
    };

    const fn new(family: Family, endian: Endian, cpu: &'static str) -> Self {
        Self { family, endian, instruction_endian: endian, cpu }
    }

    /// The CPU type of this name in the report's spelling (`armeb` is BE32, `sparc32` V8), or `None`.
    #[must_use]
    pub fn named(cpu: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.cpu == cpu)
    }

    /// Bytes of a pointer: 4 or 8.
    #[must_use]
    pub const fn pointer_size(self) -> u32 {
        match self.family {
            Family::AArch64 | Family::X86_64 | Family::RiscV64 => 8,
            _ => 4,
        }
    }

    /// All ones over the width of a pointer.
    #[must_use]
    pub const fn address_mask(self) -> u64 {
        if self.pointer_size() == 8 { u64::MAX } else { u32::MAX as u64 }
    }

    /// The report's name of the family.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.family {
            Family::Arm => "arm",
            Family::AArch64 => "aarch64",
            Family::Mips => "mips",
            Family::PowerPc => "powerpc",
            Family::Sparc | Family::SparcV8Plus => "sparc",
            Family::SuperH => "superh",
            Family::M68k | Family::ColdFire => "m68k",
            Family::X86 => "x86",
            Family::X86_64 => "x86_64",
            Family::RiscV64 => "riscv",
        }
    }

    /// Smallest alignment of an instruction, in bytes.
    #[must_use]
    pub const fn instruction_alignment(self) -> u64 {
        match self.family {
            Family::X86 | Family::X86_64 => 1,
            Family::AArch64 | Family::PowerPc | Family::Sparc | Family::SparcV8Plus => 4,
            Family::Arm
            | Family::Mips
            | Family::SuperH
            | Family::M68k
            | Family::ColdFire
            | Family::RiscV64 => 2,
        }
    }
}
