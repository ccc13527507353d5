//! The bits of data and instructions that relocations fill.

use crate::Endian;

/// A bit field of a datum or of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// 16 bits.
    Half,
    /// 32 bits.
    Word,
    /// 64 bits.
    Double,
    /// The low 31 bits of a word; the top one is kept.
    Low31,
    /// The upper half of a value in 16 bits, one more when the lower half reads as negative.
    HighHalf { rounded: bool },
    /// `width` bits at bit `at` of a word, holding the value shifted right by `shift`.
    Bits { width: u32, shift: u32, at: u32 },
    /// `b`, `bl`, turned into `blx` when the target is Thumb code.
    ArmBranch,
    /// `movw`, `movt`.
    ArmMove { high: bool },
    /// `bl`, `b.w`, the first turned into `blx` when the target is ARM code.
    ThumbBranch,
    /// `movw`, `movt`.
    ThumbMove { high: bool },
    /// `adr`, `adrp`.
    AArch64Adr { shift: u32 },
    /// The scaled 12-bit immediate of `add`, loads and stores.
    AArch64Low12 { shift: u32 },
    /// The 16-bit immediate of `lui`, rounded for the sign of the lower half.
    MipsHigh,
    /// `lui`, `auipc`.
    RiscvHigh,
    /// The immediate of stores.
    RiscvStore,
    /// `beq` and its like.
    RiscvBranch,
    /// `jal`.
    RiscvJump,
    /// `auipc` and `jalr` as a pair.
    RiscvCall,
    /// `c.beqz` and its like.
    RiscvShortBranch,
    /// `c.j`.
    RiscvShortJump,
}

const fn low_bits(width: u32) -> u64 {
    (1 << width) - 1
}

const fn sign_extend(value: u64, width: u32) -> u64 {
    let unused = 64 - width;
    ((value << unused) as i64 >> unused) as u64
}

/// Moves bits: each pair is (bit of the value, bit of the instruction), `count` bits from there.
fn scatter(old: u64, value: u64, pieces: &[(u32, u32, u32)]) -> u64 {
    pieces.iter().fold(old, |word, (from, to, count)| {
        let mask = low_bits(*count);
        word & !(mask << to) | (value >> from & mask) << to
    })
}

impl Field {
    /// Bytes that are read and written.
    pub(super) const fn size(self) -> u32 {
        match self {
            Self::Half | Self::HighHalf { .. } | Self::RiscvShortBranch | Self::RiscvShortJump => 2,
            Self::Double | Self::RiscvCall => 8,
            _ => 4,
        }
    }

    /// The addend that the bits hold.
    pub(super) fn extract(self, old: u64, endian: Endian) -> u64 {
        match self {
            Self::Half => sign_extend(old, 16),
            Self::Word => sign_extend(old, 32),
            Self::Low31 => sign_extend(old, 31),
            Self::Double => old,
            Self::HighHalf { .. } | Self::MipsHigh => sign_extend((old & 0xffff) << 16, 32),
            Self::Bits { width, shift, at } => {
                sign_extend((old >> at & low_bits(width)) << shift, width + shift)
            }
            Self::ArmBranch => sign_extend((old & 0xff_ffff) << 2, 26),
            Self::ArmMove { .. } => sign_extend((old >> 4 & 0xf000) | (old & 0xfff), 16),
            Self::ThumbMove { .. } => {
                let word = halves(old, endian);
                let bits =
                    word >> 4 & 0xf000 | word >> 15 & 0x800 | word >> 4 & 0x700 | word & 0xff;
                sign_extend(bits, 16)
            }
            Self::ThumbBranch => {
                let word = halves(old, endian);
                let sign = word >> 26 & 1;
                let i1 = !((word >> 13 & 1) ^ sign) & 1;
                let i2 = !((word >> 11 & 1) ^ sign) & 1;
                let middle = (word >> 16 & 0x3ff) << 12 | (word & 0x7ff) << 1;
                sign_extend(sign << 24 | i1 << 23 | i2 << 22 | middle, 25)
            }
            // Only used by tables with explicit addends.
            _ => 0,
        }
    }

    /// The bits with `value` in them.
    pub(super) fn insert(self, old: u64, value: u64, endian: Endian) -> u64 {
        let rounded = value.wrapping_add(0x8000) >> 16 & 0xffff;
        match self {
            Self::Half => value & 0xffff,
            Self::Word => value & 0xffff_ffff,
            Self::Double => value,
            Self::Low31 => scatter(old, value, &[(0, 0, 31)]),
            Self::HighHalf { rounded: true } => rounded,
            Self::HighHalf { rounded: false } => value >> 16 & 0xffff,
            Self::Bits { width, shift, at } => scatter(old, value, &[(shift, at, width)]),
            Self::ArmBranch if value & 1 != 0 => {
                0xfa00_0000 | (value >> 1 & 1) << 24 | value >> 2 & 0xff_ffff
            }
            Self::ArmBranch => scatter(old, value, &[(2, 0, 24)]),
            Self::ArmMove { high } => {
                let half = if high { value >> 16 } else { value };
                scatter(old, half, &[(0, 0, 12), (12, 16, 4)])
            }
            Self::ThumbMove { high } => {
                let half = if high { value >> 16 } else { value };
                let pieces = [(0, 0, 8), (8, 12, 3), (11, 26, 1), (12, 16, 4)];
                halves(scatter(halves(old, endian), half, &pieces), endian)
            }
            Self::ThumbBranch => thumb_branch(old, value, endian),
            Self::AArch64Adr { shift } => scatter(old, value >> shift, &[(0, 29, 2), (2, 5, 19)]),
            Self::AArch64Low12 { shift } => scatter(old, (value & 0xfff) >> shift, &[(0, 10, 12)]),
            Self::MipsHigh => scatter(old, rounded, &[(0, 0, 16)]),
            Self::RiscvHigh
            | Self::RiscvStore
            | Self::RiscvBranch
            | Self::RiscvJump
            | Self::RiscvCall
            | Self::RiscvShortBranch
            | Self::RiscvShortJump => self.insert_riscv(old, value),
        }
    }

    fn insert_riscv(self, old: u64, value: u64) -> u64 {
        match self {
            Self::RiscvStore => scatter(old, value, &[(0, 7, 5), (5, 25, 7)]),
            Self::RiscvBranch => {
                scatter(old, value, &[(11, 7, 1), (1, 8, 4), (5, 25, 6), (12, 31, 1)])
            }
            Self::RiscvJump => {
                scatter(old, value, &[(12, 12, 8), (11, 20, 1), (1, 21, 10), (20, 31, 1)])
            }
            Self::RiscvShortBranch => {
                scatter(old, value, &[(5, 2, 1), (1, 3, 2), (6, 5, 2), (3, 10, 2), (8, 12, 1)])
            }
            Self::RiscvShortJump => scatter(old, value, &SHORT_JUMP),
            _ => {
                let high = scatter(old, value.wrapping_add(0x800), &[(12, 12, 20)]);
                if self == Self::RiscvCall { scatter(high, value, &[(0, 52, 12)]) } else { high }
            }
        }
    }
}

/// The target of `c.j`.
const SHORT_JUMP: [(u32, u32, u32); 8] =
    [(5, 2, 1), (1, 3, 3), (7, 6, 1), (6, 7, 1), (10, 8, 1), (8, 9, 2), (4, 11, 1), (11, 12, 1)];

/// A Thumb instruction of two halfwords, first one upper, from or to the word it is stored as.
const fn halves(word: u64, endian: Endian) -> u64 {
    match endian {
        Endian::Big => word,
        Endian::Little => word >> 16 & 0xffff | (word & 0xffff) << 16,
    }
}

/// A target without the Thumb bit makes `bl` a `blx`.
fn thumb_branch(old: u64, value: u64, endian: Endian) -> u64 {
    let word = halves(old, endian);
    let is_call = word & 0x4000 != 0;
    let to_arm = is_call && value & 1 == 0;
    let value = if to_arm { value.wrapping_add(2) & !3 } else { value };
    let sign = value >> 24 & 1;
    let j1 = !(value >> 23 & 1 ^ sign) & 1;
    let j2 = !(value >> 22 & 1 ^ sign) & 1;
    let pieces = scatter(word, value, &[(1, 0, 11), (12, 16, 10), (24, 26, 1)]);
    let jumps = pieces & !(1 << 13 | 1 << 11) | j1 << 13 | j2 << 11;
    halves(if to_arm { jumps & !(1 << 12) } else { jumps | 1 << 12 }, endian)
}
