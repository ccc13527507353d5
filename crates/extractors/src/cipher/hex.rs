//! Hexadecimal digits.

use super::sample::Sample;
use super::{Cipher, Coding, Material};

/// Fewest decoded bytes altogether.
const MIN_BYTES: usize = 4;

/// `Hex` when each decoded byte is what the next two digits say. Digits may be followed by
/// anything, as in slots of fixed length.
///
/// False positives: none is known. False negatives: separators between digits; low digit first.
pub(super) fn recognise(samples: &[Sample], _: &Material<'_>) -> Option<Coding> {
    let mut bytes = 0;
    for sample in samples {
        let text = sample.text();
        let digits = sample.encoded.get(..text.len().checked_mul(2)?)?;
        let says = |(pair, byte): (&[u8], &u8)| value(pair) == Some(*byte);
        if !digits.chunks_exact(2).zip(text).all(says) {
            return None;
        }
        bytes += text.len();
    }
    (bytes >= MIN_BYTES).then(|| Coding::of(Cipher::Hex))
}

/// The value of two digits.
fn value(pair: &[u8]) -> Option<u8> {
    pair.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | digit as u8)
    })
}
