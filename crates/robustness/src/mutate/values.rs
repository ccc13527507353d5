//! Numbers that break arithmetic.

use rand::{Rng, RngExt};

/// Small numbers, the largest ones, and those at which something overflows or changes its sign.
const EXTREMES: [u64; 24] = [
    0,
    1,
    2,
    3,
    7,
    0x10,
    0x7f,
    0x80,
    0xff,
    0x100,
    0xfff,
    0x1000,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_f000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// A number in place of `old`, in a file of `file_size` bytes.
pub(super) fn instead_of(old: u64, file_size: usize, random: &mut impl Rng) -> u64 {
    let near = random.random_range(1..=16);
    match random.random_range(0..10) {
        0..4 => EXTREMES.get(random.random_range(0..EXTREMES.len())).copied().unwrap_or(0),
        4 => old.wrapping_add(near),
        5 => old.wrapping_sub(near),
        6 => old.wrapping_mul(1 << random.random_range(1..24)),
        7 => old ^ 1 << random.random_range(0..64),
        8 => (file_size as u64).wrapping_add(near).wrapping_sub(8),
        _ => random.random(),
    }
}
