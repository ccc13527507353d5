//! XTEA (Needham and Wheeler, "Tea extensions", 1997), by its key.

use super::blocks::{BYTE_ORDERS, Keys, MIN_VERIFIED, agreeing, key_words, longest_first};
use super::effort::Effort;
use super::sample::Sample;
use super::{Cipher, Coding, Material};
use miyaburi_image::Endian;

/// Bytes of a block.
const BLOCK: usize = 8;

/// What the authors add up, from the golden ratio.
pub(super) const DELTA: u32 = 0x9e37_79b9;

/// Rounds, two Feistel rounds each, as often used: 32 are the authors' advice; 64 are theirs
/// misread.
const ROUNDS: [u32; 4] = [32, 16, 64, 8];

/// Steps that may be spent on one search.
const STEPS: usize = 1 << 22;

/// One way to decode.
#[derive(Clone, Copy)]
struct Form {
    key: [u32; 4],
    order: Endian,
    delta: u32,
    rounds: u32,
}

/// `Xtea` when 16 constant bytes are a key that decodes every whole block of every sample by
/// itself, with the delta that was published. Words are taken in either byte order, key and text
/// alike.
///
/// False positives: none is known. False negatives: chained blocks; key and text in different byte
/// orders; keys in instructions; material so large that the effort is spent before (some 17,000
/// pairs of key and delta).
pub(super) fn by_published_delta(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    by_deltas(samples, material, &[DELTA])
}

/// The same with a delta that is another constant seen. False negatives besides: a delta that shows
/// only in its multiples.
pub(super) fn by_other_delta(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    by_deltas(samples, material, &material.deltas())
}

fn by_deltas(samples: &[Sample], material: &Material<'_>, deltas: &[u32]) -> Option<Coding> {
    let samples = longest_first(samples);
    let first = samples.first()?;
    let probe = first.encoded.get(..BLOCK)?;
    let mut effort = Effort::of(STEPS);
    let keys = Keys::of(material);
    for (place, delta) in keys.with(deltas) {
        for order in BYTE_ORDERS {
            let key = key_words(place.bytes, order)?;
            for rounds in ROUNDS {
                effort.spend(rounds as usize)?;
                let form = Form { key, order, delta, rounds };
                if form.gives(probe, first.text()) && form.explains(&samples) {
                    return Some(Coding {
                        delta: Some(delta),
                        ..Coding::keyed(Cipher::Xtea, place.address, place.bytes)
                    });
                }
            }
        }
    }
    None
}

impl Form {
    /// Whether one block is the beginning of a text.
    fn gives(&self, block: &[u8], text: &[u8]) -> bool {
        agreeing(&self.decoded(block), text).is_some()
    }

    /// Whether all whole blocks of all samples give the texts.
    fn explains(&self, samples: &[&Sample]) -> bool {
        let verified = samples.iter().try_fold(0, |verified, sample| {
            Some(verified + agreeing(&self.decoded(&sample.encoded), sample.text())?)
        });
        verified.is_some_and(|verified| verified >= MIN_VERIFIED)
    }

    /// The whole blocks, decoded.
    fn decoded(&self, encoded: &[u8]) -> Vec<u8> {
        let blocks = encoded.chunks_exact(BLOCK);
        blocks.flat_map(|block| self.decoded_block(block)).collect()
    }

    fn decoded_block(&self, block: &[u8]) -> [u8; BLOCK] {
        let (left, right) = block.split_at(BLOCK / 2);
        let words = [left, right].map(|half| self.order.read_uint(half) as u32);
        let mut decoded = [0; BLOCK];
        for (half, word) in decoded.chunks_exact_mut(BLOCK / 2).zip(self.decoded_words(words)) {
            self.order.write_uint(half, u64::from(word));
        }
        decoded
    }

    fn decoded_words(&self, [mut left, mut right]: [u32; 2]) -> [u32; 2] {
        let mixed = |half: u32| ((half << 4) ^ (half >> 5)).wrapping_add(half);
        let mut sum = self.delta.wrapping_mul(self.rounds);
        for _ in 0..self.rounds {
            right = right.wrapping_sub(mixed(left) ^ self.keyed(sum, sum >> 11));
            sum = sum.wrapping_sub(self.delta);
            left = left.wrapping_sub(mixed(right) ^ self.keyed(sum, sum));
        }
        [left, right]
    }

    /// The sum and the word of the key that the low bits of `index` choose.
    const fn keyed(&self, sum: u32, index: u32) -> u32 {
        sum.wrapping_add(self.key[(index & 3) as usize])
    }
}
