//! Which cipher a decoding routine is, and under which key, from what its runs made of what.
//!
//! How it works: whoever runs the routine hands over what went in, what came out ([`Sample`]), and
//! the constant bytes that the routine read besides ([`Material`]). Each cipher is tried with the
//! keys that may stand among these bytes, and is named only when decoding by it gives the same
//! bytes for every sample. [`Cipher::Rc4Modified`] alone follows from behaviour.
//!
//! Every sample is taken to begin anew: texts that share one running key stream are `Unknown`,
//! unless they are handed over as one sample. Samples under different keys are to be asked for one
//! at a time, but for one-byte XOR.
//!
//! Work is bounded by [`Material`]'s limits on bytes and by the steps that each cipher may spend on
//! trying keys: about a quarter of a second for the largest material. The same input gives the same
//! answer.

mod aes_128_cbc;
mod apply;
mod blocks;
mod chacha20;
mod effort;
mod hex;
mod material;
mod rc4;
mod rc4_modified;
mod rot_xor;
mod sample;
mod substitution;
mod xor;
mod xor_cyclic;
mod xtea;
mod xxtea;

pub use apply::decode;
pub use material::Material;
pub use sample::Sample;

use miyaburi_image::Address;

/// Ciphers and encodings that can be recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cipher {
    /// Not encoded.
    Plain,
    /// Every byte with the same key byte; each text may have its own.
    Xor,
    /// Bytes with the key's bytes in turn.
    XorCyclic,
    /// A rotation of letters before or after XOR with one byte.
    RotXor,
    /// Each byte stands for another, whatever its position.
    Substitution,
    /// Hexadecimal digits of either case.
    Hex,
    /// RC4.
    Rc4,
    /// A stream cipher whose state is set up as RC4's, and that is not RC4 under any key read.
    Rc4Modified,
    /// ChaCha20 with the nonce of 12 bytes (RFC 8439) or 8 bytes (Bernstein's original).
    Chacha20,
    /// XTEA, whatever its delta and number of rounds.
    Xtea,
    /// XXTEA over the whole of each text, whatever its delta.
    Xxtea,
    /// AES-128 in CBC mode.
    Aes128Cbc,
    /// Put together by instructions on the stack; only who sees that says so.
    StackString,
    /// None of these, or not shown to be.
    Unknown,
}

/// A cipher with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding {
    /// The cipher.
    pub cipher: Cipher,
    /// The key's bytes as they stand in memory; for [`Cipher::Xor`] and [`Cipher::RotXor`] the
    /// word whose four bytes act as one, most significant byte first; for
    /// [`Cipher::Substitution`] the plain byte of each coded one.
    pub key: Option<Vec<u8>>,
    /// Where the key begins.
    pub key_address: Option<Address>,
    /// Nonce or initialisation vector.
    pub nonce: Option<Vec<u8>>,
    /// The byte with which every byte of every sample is XORed.
    pub effective_key: Option<u8>,
    /// What [`Cipher::Xtea`] and [`Cipher::Xxtea`] add up from round to round.
    pub delta: Option<u32>,
}

impl Coding {
    /// A cipher of which nothing more is known.
    #[must_use]
    pub const fn of(cipher: Cipher) -> Self {
        Self { cipher, key: None, key_address: None, nonce: None, effective_key: None, delta: None }
    }

    /// A cipher whose key stands at an address.
    fn keyed(cipher: Cipher, address: Address, key: &[u8]) -> Self {
        Self { key: Some(key.to_vec()), key_address: Some(address), ..Self::of(cipher) }
    }
}

/// Looks for one kind of cipher.
type Trial = fn(&[Sample], &Material<'_>) -> Option<Coding>;

/// What is tried, in this order: the first that explains the samples is named.
const TRIALS: [Trial; 14] = [
    xor::recognise,
    rot_xor::recognise,
    hex::recognise,
    substitution::by_table,
    xor_cyclic::recognise,
    substitution::by_consistency,
    rc4::recognise,
    chacha20::recognise,
    aes_128_cbc::recognise,
    xtea::by_published_delta,
    xxtea::by_published_delta,
    xtea::by_other_delta,
    xxtea::by_other_delta,
    rc4_modified::recognise,
];

/// Names the cipher that turned each sample's encoded bytes into its decoded ones.
///
/// False positives: a cipher that acts as another on all of the samples, such as a substitution
/// that happens to be an XOR. False negatives: keys that the compiler turned into instructions,
/// ciphers whose key changes from text to text, samples too short to show anything (a handful of
/// bytes altogether).
#[must_use]
pub fn recognise(samples: &[Sample], material: &Material<'_>) -> Coding {
    TRIALS
        .iter()
        .find_map(|trial| trial(samples, material))
        .unwrap_or_else(|| Coding::of(Cipher::Unknown))
}

#[cfg(test)]
mod tests;
