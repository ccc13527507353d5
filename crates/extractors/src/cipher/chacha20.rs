//! ChaCha20, by its key and nonce.

use super::effort::Effort;
use super::material::{Likelihood, Place};
use super::sample::{KeyStream, Sample};
use super::{Cipher, Coding, Material};
use ::chacha20::ChaCha20;
use ::chacha20::cipher::{KeyIvInit, StreamCipher};
use miyaburi_image::Address;

/// Bytes of a key.
const KEY: usize = 32;

/// Bytes of a nonce of RFC 8439 and of the original.
const NONCES: [usize; 2] = [12, 8];

/// Bytes that one value of the counter gives.
const BLOCK: usize = 64;

/// Values with which the counter begins: 1 in RFC 8439, 0 otherwise.
const COUNTERS: [usize; 2] = [1, 0];

/// What the first four words of the state say.
const EXPAND: &[u8; 16] = b"expand 32-byte k";

/// Fewest bytes of the stream that a key must give.
const MIN_BYTES: usize = 8;

/// Steps that trying one pair of key and nonce takes.
const PAIR: usize = 80;

/// Steps that may be spent when the routine was seen to use [`EXPAND`], and otherwise.
const STEPS: [usize; 2] = [1 << 24, 1 << 21];

/// `Chacha20` when 32 constant bytes and 12 or 8 others, or zeros, give the key stream, the counter
/// beginning with 1 or 0.
///
/// False positives: none is known. A nonce of 8 bytes that stands behind four zeros is given as one
/// of 12, which acts the same. False negatives: keys and nonces in instructions; other counters,
/// constants, or numbers of rounds; more than some 200,000 pairs of places (some 26,000 when the
/// constants were not seen), of which the aligned ones are tried first.
pub(super) fn recognise(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let stream = KeyStream::of(samples)?.bytes;
    if stream.len() < MIN_BYTES {
        return None;
    }
    let [most, least] = STEPS;
    let mut effort = Effort::of(if says_expand(material) { most } else { least });
    let limit = most / PAIR;
    let keys: Vec<Place<'_>> = material.places(KEY).take(limit).collect();
    let mut nonces: Vec<(Likelihood, &[u8])> = std::iter::once((Likelihood::Edge, &[0; 12][..]))
        .chain(NONCES.into_iter().flat_map(|count| {
            material.places(count).take(limit).map(|place| (place.likelihood, place.bytes))
        }))
        .collect();
    nonces.sort_by_key(|(likelihood, _)| *likelihood);
    for likelihood in [Likelihood::Edge, Likelihood::Aligned, Likelihood::Any] {
        let end = nonces.partition_point(|(of_nonce, _)| *of_nonce <= likelihood);
        let likelier = nonces.partition_point(|(of_nonce, _)| *of_nonce < likelihood);
        for key in keys.iter().filter(|key| key.likelihood <= likelihood) {
            // Pairs of which both are likelier were tried before.
            let begin = if key.likelihood == likelihood { 0 } else { likelier };
            for (_, nonce) in nonces.get(begin..end).unwrap_or_default() {
                effort.spend(PAIR)?;
                if gives(key.bytes, nonce, &stream) {
                    return Some(coding(key.address, key.bytes, nonce));
                }
            }
        }
    }
    None
}

fn coding(address: Address, key: &[u8], nonce: &[u8]) -> Coding {
    Coding { nonce: Some(nonce.to_vec()), ..Coding::keyed(Cipher::Chacha20, address, key) }
}

/// Whether the routine uses [`EXPAND`]: as bytes, or its first word in either byte order.
fn says_expand(material: &Material<'_>) -> bool {
    let [a, b, c, d, ..] = *EXPAND;
    let words = [u32::from_le_bytes([a, b, c, d]), u32::from_be_bytes([a, b, c, d])];
    material.constants.iter().any(|constant| words.contains(constant))
        || material.find(EXPAND).is_some()
        || material.find(&[a, b, c, d]).is_some()
        || material.find(&[d, c, b, a]).is_some()
}

/// Whether the key and the nonce give the stream from one of [`COUNTERS`] on.
fn gives(key: &[u8], nonce: &[u8], stream: &[u8]) -> bool {
    let probe = stream.get(..BLOCK).unwrap_or(stream);
    let mut blocks = [0; 2 * BLOCK];
    apply(key, nonce, &mut blocks);
    COUNTERS.into_iter().any(|counter| {
        let begins = blocks.get(counter * BLOCK..).is_some_and(|block| block.starts_with(probe));
        begins && {
            let mut whole = vec![0; counter * BLOCK + stream.len()];
            apply(key, nonce, &mut whole);
            whole.ends_with(stream)
        }
    })
}

/// So many bytes of the stream that begins with `seen`.
pub(super) fn stream(key: &[u8], nonce: &[u8], seen: &[u8], length: usize) -> Option<Vec<u8>> {
    COUNTERS.into_iter().find_map(|counter| {
        let mut whole = vec![0; counter * BLOCK + length];
        apply(key, nonce, &mut whole);
        let stream = whole.split_off(counter * BLOCK);
        stream.starts_with(seen).then_some(stream)
    })
}

/// Combines `bytes` with the key stream, the counter beginning with 0. A nonce of 8 bytes is one of
/// 12 that begins with zeros, as long as the counter fits in four bytes.
fn apply(key: &[u8], nonce: &[u8], bytes: &mut [u8]) {
    let mut padded = [0; 12];
    let behind = padded.len().saturating_sub(nonce.len());
    if let Some(slot) = padded.get_mut(behind..).filter(|slot| slot.len() == nonce.len()) {
        slot.copy_from_slice(nonce);
    }
    if let Ok(mut cipher) = ChaCha20::new_from_slices(key, &padded) {
        cipher.apply_keystream(bytes);
    }
}
