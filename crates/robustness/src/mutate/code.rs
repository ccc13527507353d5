//! Damage to code that leaves most of it valid: instructions in the wrong place, with wrong
//! operands, or too many of them.

use super::{Victim, length};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// The most places that are damaged at once.
const MAX_PLACES: usize = 256;

/// The longest run of one instruction, in words.
const MAX_RUN: usize = 4096;

/// The longest piece that is moved, in bytes.
const MAX_BLOCK: usize = 1024;

/// Bytes that are damaged together: an instruction of most CPUs.
const WORD: usize = 4;

impl Victim<'_> {
    fn code(&self, random: &mut impl Rng) -> Option<Range<usize>> {
        let code = self.layout.code.choose(random)?;
        let end = code.end.min(self.bytes.len());
        Some(code.start.min(end)..end).filter(|code| code.len() > 2 * WORD)
    }
}

/// The offset of some word in `code`.
fn place(code: &Range<usize>, random: &mut impl Rng) -> usize {
    code.start + random.random_range(0..=code.len() - WORD) / WORD * WORD
}

/// Changes words of code, clustered in a part of it or all over it.
fn change_words(
    victim: &mut Victim<'_>,
    random: &mut ChaCha8Rng,
    change: impl Fn(&mut [u8], &mut ChaCha8Rng),
) {
    let Some(mut code) = victim.code(random) else { return };
    if random.random() {
        code.start = place(&code, random);
        code.end = code.end.min(code.start + (1 << random.random_range(6..14)));
    }
    if code.len() < WORD {
        return;
    }
    for _ in 0..=length(MAX_PLACES, random) {
        let at = place(&code, random);
        if let Some(word) = victim.bytes.get_mut(at..at + WORD) {
            change(word, random);
        }
    }
}

pub(super) fn randomise_words(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    change_words(victim, random, |word, random| random.fill_bytes(word));
}

/// Changes one bit of an instruction: another register, another constant, another opcode.
pub(super) fn flip_in_words(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    change_words(victim, random, |word, random| {
        let bit = random.random_range(0..word.len() * 8);
        if let Some(byte) = word.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
    });
}

/// Puts instructions of the code in place of others.
pub(super) fn shuffle_words(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let Some(code) = victim.code(random) else { return };
    for _ in 0..=length(MAX_PLACES, random) {
        let (from, to) = (place(&code, random), place(&code, random));
        victim.bytes.copy_within(from..from + WORD, to);
    }
}

/// Fills a part of the code with one instruction of it: a branch to the next place, a call, a push.
pub(super) fn repeat_word(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let Some(code) = victim.code(random) else { return };
    let (from, to) = (place(&code, random), place(&code, random));
    let size = random.random_range(1..=WORD);
    let part = victim.bytes.get(from..from + size).unwrap_or_default().to_vec();
    let end = code.end.min(to + WORD * length(MAX_RUN, random));
    for place in victim.bytes.get_mut(to..end).unwrap_or_default().chunks_exact_mut(size) {
        place.copy_from_slice(&part);
    }
}

/// Copies pieces of code over others.
pub(super) fn move_blocks(victim: &mut Victim<'_>, random: &mut ChaCha8Rng) {
    let Some(code) = victim.code(random) else { return };
    for _ in 0..=length(8, random) {
        let (from, to) = (place(&code, random), place(&code, random));
        let most = MAX_BLOCK.min(code.end - from).min(code.end - to);
        let size = length(most.max(1), random).min(most);
        victim.bytes.copy_within(from..from + size, to);
    }
}
