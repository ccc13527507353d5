//! The ciphers of the specimens' texts: which there are, how one codes a text, what a report says.

mod aes;
mod chacha20;
mod rc4;
mod tea;
#[cfg(test)]
mod tests;

use super::{
    fork::Fork,
    random::Random,
    values::{self, folded},
};
use rc4::KeyStream;

pub(super) use rc4::Form;

/// The cipher of one file's texts; `CIPHER` of the C sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    /// One byte, that of `Configuration::key`.
    Xor,
    /// Every text under a byte of its own.
    OwnKeys,
    XorCyclic {
        key: [u8; 16],
    },
    Rc4 {
        key: Vec<u8>,
        form: Form,
    },
    Chacha20 {
        key: [u8; 32],
        nonce: [u8; 12],
    },
    Xtea {
        key: [u8; 16],
        delta: u32,
    },
    Xxtea {
        key: [u8; 16],
    },
    Aes {
        key: [u8; 16],
        vector: [u8; 16],
    },
    /// The plain byte of every coded one.
    Substitution {
        plain: Vec<u8>,
    },
    /// The coded letters of [`PLAIN_ALPHABET`].
    Alphabet {
        coded: Vec<u8>,
    },
    /// ROT13, then XOR with the byte of `Configuration::key`.
    RotXor,
    /// Hexadecimal digits in slots of so many bytes.
    Hex {
        slot: usize,
    },
    /// Built on the stack.
    Stack,
}

/// The letters that an alphabet of other letters stands for.
pub(super) const PLAIN_ALPHABET: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";

fn bytes<const N: usize>(random: &mut Random) -> [u8; N] {
    std::array::from_fn(|_| random.below(256) as u8)
}

/// A key that somebody typed.
fn typed<const N: usize>(random: &mut Random) -> [u8; N] {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    std::array::from_fn(|_| *random.pick(LETTERS))
}

/// Four words of the field, or any bytes.
fn words(random: &mut Random) -> [u8; 16] {
    if random.one_in(2) {
        return bytes(random);
    }
    let mut key = [0; 16];
    for word in key.chunks_exact_mut(4) {
        word.copy_from_slice(&values::key(random, &[]).to_be_bytes());
    }
    key
}

impl Cipher {
    /// The cipher of a file of `fork`.
    pub(super) fn draw(random: &mut Random, fork: Fork) -> Cipher {
        let length = |random: &mut Random| *random.pick(&[8, 13, 16, 32]);
        match fork {
            Fork::XorCyclic => Cipher::XorCyclic { key: words(random) },
            Fork::Rc4 => {
                let length = length(random);
                let key = if random.one_in(2) { typed(random) } else { bytes::<32>(random) };
                Cipher::Rc4 { key: key[..length].to_vec(), form: Form::Plain }
            }
            Fork::Rc4Carried => {
                Cipher::Rc4 { key: bytes::<256>(random).to_vec(), form: Form::Carried }
            }
            Fork::Rc4Passes => {
                Cipher::Rc4 { key: words(random).to_vec(), form: Form::Passes(random.word()) }
            }
            Fork::Chacha20 => Cipher::Chacha20 { key: bytes(random), nonce: bytes(random) },
            // Odd, so that no round repeats another.
            Fork::Xtea => Cipher::Xtea { key: words(random), delta: random.word() | 1 },
            Fork::Xxtea => Cipher::Xxtea { key: typed(random) },
            Fork::Aes128Cbc => Cipher::Aes { key: bytes(random), vector: bytes(random) },
            Fork::Substitution => {
                let mut plain: Vec<u8> = (0..=255).collect();
                random.shuffle(&mut plain);
                Cipher::Substitution { plain }
            }
            Fork::Alphabet => {
                let mut coded = PLAIN_ALPHABET.to_vec();
                random.shuffle(&mut coded);
                Cipher::Alphabet { coded }
            }
            Fork::RotXor => Cipher::RotXor,
            Fork::Hex => Cipher::Hex { slot: *random.pick(&[256, 320, 512]) },
            Fork::StackString => Cipher::Stack,
            Fork::PerEntryKey => Cipher::OwnKeys,
            _ => Cipher::Xor,
        }
    }

    /// The report's spelling.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Cipher::Xor | Cipher::OwnKeys => "xor",
            Cipher::XorCyclic { .. } => "xor_cyclic",
            Cipher::Rc4 { form: Form::Plain, .. } => "rc4",
            Cipher::Rc4 { .. } => "rc4_modified",
            Cipher::Chacha20 { .. } => "chacha20",
            Cipher::Xtea { .. } => "xtea",
            Cipher::Xxtea { .. } => "xxtea",
            Cipher::Aes { .. } => "aes_128_cbc",
            Cipher::Substitution { .. } | Cipher::Alphabet { .. } => "substitution",
            Cipher::RotXor => "rot_xor",
            Cipher::Hex { .. } => "hex",
            Cipher::Stack => "stack_string",
        }
    }

    /// The key's bytes as they stand in the file, where the key is more than the word of a
    /// configuration.
    pub(super) fn key_bytes(&self) -> Option<&[u8]> {
        match self {
            Cipher::XorCyclic { key }
            | Cipher::Xtea { key, .. }
            | Cipher::Xxtea { key }
            | Cipher::Aes { key, .. } => Some(key),
            Cipher::Rc4 { key, .. } => Some(key),
            Cipher::Chacha20 { key, .. } => Some(key),
            Cipher::Substitution { plain } => Some(plain),
            Cipher::Xor
            | Cipher::OwnKeys
            | Cipher::Alphabet { .. }
            | Cipher::RotXor
            | Cipher::Hex { .. }
            | Cipher::Stack => None,
        }
    }

    /// Nonce or initialisation vector.
    pub(super) fn nonce(&self) -> Option<&[u8]> {
        match self {
            Cipher::Chacha20 { nonce, .. } => Some(nonce),
            Cipher::Aes { vector, .. } => Some(vector),
            _ => None,
        }
    }

    /// Whether coding twice gives the text again.
    pub(super) fn is_its_own_inverse(&self) -> bool {
        matches!(
            self,
            Cipher::Xor
                | Cipher::OwnKeys
                | Cipher::XorCyclic { .. }
                | Cipher::Rc4 { .. }
                | Cipher::Chacha20 { .. }
        )
    }

    /// The bytes that stand in the file for `text`. `word` is the configuration's key; a text under
    /// [`Cipher::OwnKeys`] is coded by [`Cipher::Xor`] and its own.
    pub(super) fn encode(&self, text: &[u8], word: u32) -> Vec<u8> {
        let under = |stream: &mut dyn Iterator<Item = u8>| -> Vec<u8> {
            text.iter().zip(stream).map(|(byte, key)| byte ^ key).collect()
        };
        match self {
            Cipher::Xor | Cipher::OwnKeys => under(&mut std::iter::repeat(folded(word))),
            Cipher::XorCyclic { key } => under(&mut key.iter().copied().cycle()),
            Cipher::Rc4 { key, form } => under(&mut KeyStream::new(key, *form)),
            Cipher::Chacha20 { key, nonce } => under(&mut chacha20::key_stream(key, nonce, 1)),
            Cipher::Xtea { key, delta } => tea::xtea(&padded(text, 8, 8), key, *delta),
            Cipher::Xxtea { key } => tea::xxtea(&padded(text, 4, 8), key),
            Cipher::Aes { key, vector } => aes::encrypt_cbc(&padded(text, 16, 16), key, vector),
            Cipher::Substitution { plain } => text.iter().map(|byte| place(plain, *byte)).collect(),
            Cipher::Alphabet { coded } => text.iter().map(|byte| letter(coded, *byte)).collect(),
            Cipher::RotXor => text.iter().map(|byte| rotated(*byte) ^ folded(word)).collect(),
            Cipher::Hex { .. } => hex::encode(text).into_bytes(),
            Cipher::Stack => text.to_vec(),
        }
    }
}

/// The text with zeros behind it, up to a multiple of `step` bytes and to `least`.
fn padded(text: &[u8], step: usize, least: usize) -> Vec<u8> {
    let mut padded = text.to_vec();
    padded.resize(text.len().next_multiple_of(step).max(least), 0);
    padded
}

/// The coded byte that stands for `byte`.
fn place(plain: &[u8], byte: u8) -> u8 {
    plain.iter().position(|other| *other == byte).map_or(byte, |at| at as u8)
}

fn letter(coded: &[u8], byte: u8) -> u8 {
    let at = PLAIN_ALPHABET.iter().position(|plain| *plain == byte);
    at.and_then(|at| coded.get(at)).copied().unwrap_or(byte)
}

/// ROT13.
fn rotated(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        _ => byte,
    }
}
