//! The generator's own random numbers.
//!
//! Specimens are rebuilt from a committed seed and compared byte for byte, so the stream must
//! never change with a library's version: SplitMix64 (Steele, Lea, Flood 2014), seeded by SHA-256
//! over the seed and a label.

use sha2::{Digest, Sha256};

/// A stream of numbers fixed by a seed and a label.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of `label` under `seed`; streams of different labels are unrelated.
    pub(super) fn new(seed: u64, label: &str) -> Random {
        let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(label).finalize();
        Random(digest.iter().take(8).fold(0, |state, &byte| state << 8 | u64::from(byte)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; zero when `limit` is.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        (self.next() >> 32).checked_rem(u64::from(limit)).map_or(0, |value| value as u32)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True once in `count` draws on average.
    pub(super) fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    /// A 32-bit number.
    pub(super) fn word(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// An element of `choices`, which is not empty.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u32) as usize]
    }

    /// Reorders `items` (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }

    /// `count` different elements of `items`, in random order.
    pub(super) fn sample<T: Clone>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut all = items.to_vec();
        self.shuffle(&mut all);
        all.truncate(count);
        all
    }
}
