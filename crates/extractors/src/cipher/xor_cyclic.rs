//! XOR with the bytes of a key in turn.

use super::sample::{KeyStream, Sample};
use super::{Cipher, Coding, Material};
use miyaburi_image::Address;

/// The shortest key; one byte is `Xor`.
const MIN_PERIOD: usize = 2;

/// The longest key.
const MAX_PERIOD: usize = 64;

/// Fewest bytes of the key stream that must repeat earlier ones before it is believed to be
/// periodic by itself.
const MIN_REPEATED: usize = 4;

/// Fewest bytes of the key stream that must stand among the constants before they are believed to
/// be the key where the stream hardly repeats.
const MIN_FOUND: usize = 6;

/// `XorCyclic` when the key stream repeats, or begins as constants do that the routine reads.
///
/// The key is one period, the shortest that explains the stream; it is not given when no text is
/// longer than it and it is only known to begin with those constants. False positives: constants
/// that are a key stream themselves, such as a one-time pad. False negatives: keys of more than
/// 64 bytes; streams that run on from text to text; texts shorter than the key when the key stands
/// in instructions.
pub(super) fn recognise(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let stream = KeyStream::of(samples)?.bytes;
    if let Some(key) = repeated(&stream) {
        let key_address = material.find(key);
        return Some(Coding {
            key: Some(key.to_vec()),
            key_address,
            ..Coding::of(Cipher::XorCyclic)
        });
    }
    let (key_address, length) = longest_beginning(&stream, material)?;
    let (key, rest) = stream.split_at_checked(length)?;
    let repeats = rest.iter().zip(key).all(|(byte, of_key)| byte == of_key);
    let is_key = !rest.is_empty() && length <= MAX_PERIOD;
    repeats.then(|| Coding {
        key: is_key.then(|| key.to_vec()),
        key_address: Some(key_address),
        ..Coding::of(Cipher::XorCyclic)
    })
}

/// The shortest period of the stream, seen to repeat.
fn repeated(stream: &[u8]) -> Option<&[u8]> {
    (MIN_PERIOD..=MAX_PERIOD).find_map(|period| {
        let (key, rest) = stream.split_at_checked(period)?;
        let repeats = rest.iter().zip(stream).all(|(later, earlier)| later == earlier);
        (repeats && rest.len() >= MIN_REPEATED).then_some(key)
    })
}

/// Where most bytes of the stream's beginning stand among the constants, and how many.
fn longest_beginning(stream: &[u8], material: &Material<'_>) -> Option<(Address, usize)> {
    let starts = material.regions().flat_map(|(address, bytes)| {
        (0..bytes.len()).map(move |at| (address.offset(at as u64), bytes.split_at(at).1))
    });
    let lengths = starts.map(|(address, bytes)| {
        (address, bytes.iter().zip(stream).take_while(|(constant, key)| constant == key).count())
    });
    // The first of several that are as long.
    let longest = lengths.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
    (longest.1 >= MIN_FOUND).then_some(longest)
}
