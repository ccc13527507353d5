//! Damage that does not look at what the bytes mean.

use super::{Victim, length};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// The most bits that are flipped.
const MAX_FLIPS: usize = 64;

/// The longest range that is overwritten, moved or taken from another file.
const MAX_RANGE: usize = 1 << 14;

/// The start and length of a range in `size` bytes.
fn range(size: usize, random: &mut impl Rng) -> (usize, usize) {
    let start = random.random_range(0..=size);
    (start, length(MAX_RANGE.min(size - start).max(1), random).min(size - start))
}

pub(super) fn flip_bits(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    for _ in 0..=length(MAX_FLIPS, random) {
        let place = random.random_range(0..victim.bytes.len().max(1));
        if let Some(byte) = victim.bytes.get_mut(place) {
            *byte ^= 1 << random.random_range(0..8);
        }
    }
}

/// Fills a range with one byte, or with random ones.
pub(super) fn overwrite_range(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let (start, length) = range(victim.bytes.len(), random);
    let Some(place) = victim.bytes.get_mut(start..start + length) else { return };
    match random.random_range(0..4) {
        0 => place.fill(0),
        1 => place.fill(0xff),
        2 => place.fill(random.random()),
        _ => random.fill_bytes(place),
    }
}

/// Puts bytes of another file, often of another CPU's, over those of this one.
pub(super) fn splice(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let Some(other) = victim.others.get(random.random_range(0..victim.others.len())) else {
        return;
    };
    let (start, length) = range(other.bytes.len(), random);
    let to = if random.random() { start } else { random.random_range(0..=victim.bytes.len()) };
    let taken = other.bytes.get(start..start + length).unwrap_or_default();
    let place = victim.bytes.get_mut(to..).unwrap_or_default();
    for (byte, taken) in place.iter_mut().zip(taken) {
        *byte = *taken;
    }
}

/// Ends the file early, mostly near its end.
pub(super) fn cut_off(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let size = victim.bytes.len();
    let lost = length(size.max(1), random).min(size);
    victim.bytes.truncate(size - lost);
}

/// Inserts a range a second time or takes one out, which moves all that follows.
pub(super) fn repeat_or_remove(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let (start, length) = range(victim.bytes.len(), random);
    let part: Vec<u8> = victim.bytes.get(start..start + length).unwrap_or_default().to_vec();
    if random.random() {
        victim.bytes.splice(start..start, part);
    } else {
        victim.bytes.drain(start..start + part.len());
    }
}
