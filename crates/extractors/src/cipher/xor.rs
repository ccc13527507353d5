//! No encoding at all, and XOR with one byte.

use super::sample::{Sample, all_bytes};
use super::{Cipher, Coding, Material};
use crate::xor;

/// Fewest bytes that must agree with the key that their text's first byte gives.
const MIN_AGREEING: usize = 3;

/// `Plain` when nothing changed, `Xor` when within each text one byte did all.
///
/// False positives: other ciphers on texts of one byte, or of one byte repeated. False negatives:
/// texts of fewer than four bytes altogether.
pub(super) fn recognise(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let pairs = all_bytes(samples)?;
    let keys: Vec<u8> = pairs
        .iter()
        .map(|(encoded, text)| xor::key_between(encoded, text))
        .collect::<Option<_>>()?;
    let first = *keys.first()?;
    let is_shared = keys.iter().all(|key| *key == first);
    if is_shared && first == 0 {
        return Some(Coding::of(Cipher::Plain));
    }
    let bytes: usize = pairs.iter().map(|(_, text)| text.len()).sum();
    let keys_needed = if is_shared { 1 } else { keys.len() };
    if bytes < keys_needed + MIN_AGREEING {
        return None;
    }
    let effective_key = is_shared.then_some(first);
    let word = effective_key.and_then(|key| material.key_word(key));
    Some(Coding {
        effective_key,
        key: word.map(|(_, word)| word.to_vec()),
        key_address: word.map(|(address, _)| address),
        ..Coding::of(Cipher::Xor)
    })
}
