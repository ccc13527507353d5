//! XXTEA (Wheeler and Needham, "Correction to xtea", 1998), by its key.

use super::blocks::{
    BYTE_ORDERS, Keys, MIN_VERIFIED, agreeing, bytes, key_words, longest_first, words,
};
use super::effort::Effort;
use super::sample::Sample;
use super::xtea::DELTA;
use super::{Cipher, Coding, Material};
use miyaburi_image::Endian;

/// Fewest words that it works on.
const MIN_WORDS: usize = 2;

/// Most words of one text.
const MAX_WORDS: usize = 1 << 14;

/// Fewest bytes of the text that is decoded with every key.
const MIN_PROBE: usize = 4;

/// Steps that may be spent on one search.
const STEPS: usize = 1 << 22;

/// One way to decode.
#[derive(Clone, Copy)]
struct Form {
    key: [u32; 4],
    order: Endian,
    delta: u32,
}

/// `Xxtea` when 16 constant bytes are a key that decodes each sample as a whole, with the delta that
/// was published: all that is stored, or as many words as the decoded bytes take. Words are taken
/// in either byte order, key and text alike.
///
/// False positives: none is known. False negatives: stored bytes that are cut off, as all of them
/// depend on each other; another number of rounds; keys in instructions; material so large that
/// the effort is spent before (some 20,000 pairs of key and delta with a short text).
pub(super) fn by_published_delta(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    by_deltas(samples, material, &[DELTA])
}

/// The same with a delta that is another constant seen.
pub(super) fn by_other_delta(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    by_deltas(samples, material, &material.deltas())
}

fn by_deltas(samples: &[Sample], material: &Material<'_>, deltas: &[u32]) -> Option<Coding> {
    let samples = longest_first(samples);
    // Short ones cost least.
    let probe = samples.iter().rev().find(|sample| sample.text().len() >= MIN_PROBE)?;
    let cost: usize = word_counts(probe).iter().map(|count| count * rounds(*count)).sum();
    let mut effort = Effort::of(STEPS);
    let keys = Keys::of(material);
    for (place, delta) in keys.with(deltas) {
        for order in BYTE_ORDERS {
            effort.spend(cost.max(1))?;
            let form = Form { key: key_words(place.bytes, order)?, order, delta };
            if form.verified(probe).is_some() && form.explains(&samples) {
                return Some(Coding {
                    delta: Some(delta),
                    ..Coding::keyed(Cipher::Xxtea, place.address, place.bytes)
                });
            }
        }
    }
    None
}

/// Rounds for so many words.
const fn rounds(count: usize) -> usize {
    6 + 52 / count
}

/// As how many words the routine may have taken what is stored.
fn word_counts(sample: &Sample) -> Vec<usize> {
    let stored = sample.encoded.len() / 4;
    let mut counts = vec![stored];
    for bytes in [sample.text().len(), sample.decoded.len()] {
        let count = bytes.div_ceil(4).max(MIN_WORDS);
        if !counts.contains(&count) {
            counts.push(count);
        }
    }
    counts.retain(|count| (MIN_WORDS..=MAX_WORDS.min(stored)).contains(count));
    counts
}

impl Form {
    /// Whether all samples are explained.
    fn explains(&self, samples: &[&Sample]) -> bool {
        let verified =
            samples.iter().try_fold(0, |verified, sample| Some(verified + self.verified(sample)?));
        verified.is_some_and(|verified| verified >= MIN_VERIFIED)
    }

    /// How many bytes of the text come out; `None` when one does not.
    fn verified(&self, sample: &Sample) -> Option<usize> {
        word_counts(sample).into_iter().find_map(|count| {
            let decoded = self.decoded(sample.encoded.get(..4 * count)?);
            agreeing(&decoded, sample.text())
        })
    }

    fn decoded(&self, encoded: &[u8]) -> Vec<u8> {
        let mut words = words(encoded, self.order);
        let rounds = rounds(words.len().max(1)) as u32;
        for round in (1..=rounds).rev() {
            self.undo_round(&mut words, self.delta.wrapping_mul(round));
        }
        bytes(&words, self.order)
    }

    /// Undoes one round, from the last word to the first; the neighbours of either end are at the
    /// other one.
    fn undo_round(&self, words: &mut [u32], sum: u32) {
        let Some(mut after) = words.first().copied() else { return };
        for at in (0..words.len()).rev() {
            let before = at.checked_sub(1).map_or_else(|| words.last(), |place| words.get(place));
            let Some(before) = before.copied() else { return };
            let shifted = ((before >> 5) ^ (after << 2)).wrapping_add((after >> 3) ^ (before << 4));
            let keyed = (sum ^ after).wrapping_add(self.key_word(at as u32 ^ (sum >> 2)) ^ before);
            let Some(word) = words.get_mut(at) else { return };
            *word = word.wrapping_sub(shifted ^ keyed);
            after = *word;
        }
    }

    /// The word of the key that the low bits of `index` choose.
    const fn key_word(&self, index: u32) -> u32 {
        self.key[(index & 3) as usize]
    }
}
