//! AES-128 in CBC mode (FIPS 197, NIST SP 800-38A), by its key.

use super::blocks::{MIN_VERIFIED, longest_first};
use super::effort::Effort;
use super::sample::Sample;
use super::{Cipher, Coding, Material};
use aes::Aes128Dec;
use aes::cipher::{BlockCipherDecrypt, KeyInit};

/// Bytes of a key, a block, and an initialisation vector.
const BLOCK: usize = 16;

/// Steps that trying one key takes.
const TRIAL: usize = 100;

/// Steps that may be spent.
const STEPS: usize = 1 << 23;

/// Steps that looking for a vector among the constants takes, at most.
const SEARCH: usize = 1 << 15;

/// `Aes128Cbc` when 16 constant bytes are a key that decodes every whole block of every sample.
///
/// The initialisation vector need not be among the constants: it follows from the first block of
/// any text, and must be the same for all. Padding is not looked at. False positives: the code book
/// mode on texts of one block only, given as a vector of zeros. False negatives: vectors that
/// differ from text to text; keys in instructions; more than some 80,000 places.
pub(super) fn recognise(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let samples = longest_first(samples);
    samples.first()?.encoded.get(..BLOCK)?;
    let mut effort = Effort::of(STEPS);
    for place in material.places(BLOCK) {
        effort.spend(TRIAL)?;
        let Some(seen) = Seen::under(place.bytes, &samples) else { continue };
        if seen.verified < MIN_VERIFIED {
            // One block shows nothing but a vector, which must then be a constant.
            effort.spend(SEARCH)?;
            if seen.vector.len() < MIN_VERIFIED || seen.stored_vector(material).is_none() {
                continue;
            }
        }
        return Some(Coding {
            nonce: seen.whole_vector(material),
            ..Coding::keyed(Cipher::Aes128Cbc, place.address, place.bytes)
        });
    }
    None
}

/// What a key that contradicts no sample shows.
struct Seen {
    /// The initialisation vector, as far as texts go.
    vector: Vec<u8>,
    /// Bytes that were decoded right, or that agree on the vector.
    verified: usize,
}

impl Seen {
    /// Decodes all whole blocks; `None` when one contradicts its text or another's vector.
    fn under(key: &[u8], samples: &[&Sample]) -> Option<Self> {
        let cipher = Aes128Dec::new_from_slice(key).ok()?;
        let mut seen = Self { vector: Vec::new(), verified: 0 };
        for sample in samples {
            let mut before: Option<&[u8]> = None;
            let blocks = sample.encoded.chunks_exact(BLOCK).zip(sample.text().chunks(BLOCK));
            for (block, text) in blocks {
                let mut decoded = aes::Block::try_from(block).ok()?;
                cipher.decrypt_block(&mut decoded);
                let combined: Vec<u8> = decoded.iter().zip(text).map(|(a, b)| a ^ b).collect();
                match before {
                    Some(before) if !before.starts_with(&combined) => return None,
                    Some(_) => seen.verified += text.len(),
                    None => seen.agree_on_vector(combined)?,
                }
                before = Some(block);
            }
        }
        Some(seen)
    }

    /// Adds what the first block of a text says of the vector.
    fn agree_on_vector(&mut self, vector: Vec<u8>) -> Option<()> {
        let both = vector.len().min(self.vector.len());
        if vector.get(..both) != self.vector.get(..both) {
            return None;
        }
        self.verified += both;
        if vector.len() > both {
            self.vector = vector;
        }
        Some(())
    }

    /// The vector; one of which only the beginning is known is completed from the constants.
    fn whole_vector(&self, material: &Material<'_>) -> Option<Vec<u8>> {
        match self.vector.len() {
            BLOCK => Some(self.vector.clone()),
            _ => self.stored_vector(material),
        }
    }

    /// Constants that begin like the vector.
    fn stored_vector(&self, material: &Material<'_>) -> Option<Vec<u8>> {
        let is_it = |run: &[u8]| run.starts_with(&self.vector);
        let enough = self.vector.len() >= MIN_VERIFIED;
        let (_, vector) = enough.then(|| material.find_run(BLOCK, is_it)).flatten()?;
        Some(vector.to_vec())
    }
}
