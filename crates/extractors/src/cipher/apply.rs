//! Decoding by a cipher that was recognised, for texts that no routine was seen to decode.

use super::chacha20;
use super::sample::{KeyStream, Sample, all_bytes};
use super::{Cipher, Coding};
use ::rc4::{KeyInit, Rc4, StreamCipher};

/// Longest text, in bytes.
const MAX_LENGTH: usize = 4096;

/// What `encoded` stands for under `coding`, which was recognised from `samples`. `None` for ciphers
/// that work on blocks, and where the samples do not tell enough: of a key stream whose cipher or
/// key is not known as much as the longest of them.
///
/// All of it follows from the samples: nothing is decoded by a key that does not explain them.
#[must_use]
pub fn decode(coding: &Coding, samples: &[Sample], encoded: &[u8]) -> Option<Vec<u8>> {
    if encoded.len() > MAX_LENGTH {
        return None;
    }
    match coding.cipher {
        Cipher::RotXor | Cipher::Substitution => by_bytes(coding, samples, encoded),
        Cipher::Xor
        | Cipher::XorCyclic
        | Cipher::Rc4
        | Cipher::Rc4Modified
        | Cipher::Chacha20
        | Cipher::Unknown => by_stream(coding, samples, encoded),
        _ => None,
    }
}

/// Byte by byte, whatever its position.
fn by_bytes(coding: &Coding, samples: &[Sample], encoded: &[u8]) -> Option<Vec<u8>> {
    let mut plain: [Option<u8>; 256] = [None; 256];
    for (coded, text) in all_bytes(samples)? {
        for (coded, byte) in coded.iter().zip(text) {
            let slot = plain.get_mut(usize::from(*coded))?;
            if slot.is_some_and(|known| known != *byte) {
                return None;
            }
            *slot = Some(*byte);
        }
    }
    let table = coding.key.as_deref().filter(|key| key.len() == plain.len());
    let stands_for = |byte: &u8| {
        let seen = plain.get(usize::from(*byte)).copied().flatten();
        seen.or_else(|| table?.get(usize::from(*byte)).copied())
    };
    encoded.iter().map(stands_for).collect()
}

fn by_stream(coding: &Coding, samples: &[Sample], encoded: &[u8]) -> Option<Vec<u8>> {
    let seen = KeyStream::of(samples)?;
    let whole = of_key(coding, &seen.bytes, encoded.len());
    let stream = match whole {
        Some(whole) if whole.iter().zip(&seen.bytes).all(|(one, other)| one == other) => whole,
        Some(_) => return None,
        None => seen.is_certain().then_some(seen.bytes)?,
    };
    let stream = stream.get(..encoded.len())?;
    Some(encoded.iter().zip(stream).map(|(byte, key)| byte ^ key).collect())
}

/// So many bytes of the key stream, as the key gives them. `seen` is its beginning.
fn of_key(coding: &Coding, seen: &[u8], length: usize) -> Option<Vec<u8>> {
    let length = length.max(seen.len());
    let key = coding.key.as_deref();
    match coding.cipher {
        Cipher::Xor => Some(vec![coding.effective_key?; length]),
        Cipher::XorCyclic => Some(key?.iter().copied().cycle().take(length).collect()),
        Cipher::Rc4 => {
            let mut stream = vec![0; length];
            Rc4::new_from_slice(key?).ok()?.apply_keystream(&mut stream);
            Some(stream)
        }
        Cipher::Chacha20 => chacha20::stream(key?, coding.nonce.as_deref()?, seen, length),
        _ => None,
    }
}
