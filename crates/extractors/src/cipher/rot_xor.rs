//! A rotation of letters and XOR with one byte, in either order.

use super::sample::{Sample, all_bytes};
use super::{Cipher, Coding, Material};

/// Letters of the alphabet.
const LETTERS: u8 = 26;

/// Fewest bytes altogether: one gives the key, and the others must rule out fifty combinations.
const MIN_BYTES: usize = 6;

/// `RotXor` when letters turn by the same number of places, before or after XOR with one byte that
/// all samples share; the byte is 0 where nothing but letters turned.
///
/// False positives: texts of very few letters under another substitution. False negatives: texts
/// without letters, which are those of an XOR; rotations of other alphabets.
pub(super) fn recognise(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let pairs = all_bytes(samples)?;
    if pairs.iter().map(|(_, text)| text.len()).sum::<usize>() < MIN_BYTES {
        return None;
    }
    // The common one first.
    let effective_key =
        std::iter::once(13).chain((1..LETTERS).filter(|by| *by != 13)).find_map(|places| {
            let last = key(&pairs, |coded, plain| rotated(coded, places) ^ plain);
            let before = || key(&pairs, |coded, plain| coded ^ rotated(plain, LETTERS - places));
            last.or_else(before)
        })?;
    let word = material.key_word(effective_key);
    Some(Coding {
        effective_key: Some(effective_key),
        key: word.map(|(_, word)| word.to_vec()),
        key_address: word.map(|(address, _)| address),
        ..Coding::of(Cipher::RotXor)
    })
}

/// What `between` gives for every byte of every sample, when that is always the same.
fn key(pairs: &[(&[u8], &[u8])], between: impl Fn(u8, u8) -> u8) -> Option<u8> {
    let mut keys = pairs.iter().flat_map(|(encoded, text)| {
        encoded.iter().zip(*text).map(|(coded, plain)| between(*coded, *plain))
    });
    let first = keys.next()?;
    keys.all(|key| key == first).then_some(first)
}

/// The letter `places` further, wrapping around; other bytes as they are.
const fn rotated(byte: u8, places: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + places) % LETTERS + b'a',
        b'A'..=b'Z' => (byte - b'A' + places) % LETTERS + b'A',
        _ => byte,
    }
}
