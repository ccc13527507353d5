//! What ciphers that work on blocks of bytes have in common.

use super::material::{Likelihood, Material, Place};
use super::sample::{KeyStream, Sample};
use miyaburi_image::Endian;

/// Fewest bytes that a key must give right, altogether.
pub(super) const MIN_VERIFIED: usize = 8;

/// In which order a cipher takes the bytes of a word.
pub(super) const BYTE_ORDERS: [Endian; 2] = [Endian::Little, Endian::Big];

/// The words of some bytes; what is left at the end is dropped.
pub(super) fn words(bytes: &[u8], order: Endian) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| order.read_uint(word) as u32).collect()
}

/// The bytes of some words.
pub(super) fn bytes(words: &[u32], order: Endian) -> Vec<u8> {
    let mut bytes = vec![0; 4 * words.len()];
    for (slot, word) in bytes.chunks_exact_mut(4).zip(words) {
        order.write_uint(slot, u64::from(*word));
    }
    bytes
}

/// The four words of a key.
pub(super) fn key_words(key: &[u8], order: Endian) -> Option<[u32; 4]> {
    words(key, order).try_into().ok()
}

/// Bytes of a key of XTEA and XXTEA.
const KEY: usize = 16;

/// What may be the key of XTEA or XXTEA.
pub(super) struct Keys<'a> {
    likely: Vec<Place<'a>>,
    others: Vec<Place<'a>>,
}

impl<'a> Keys<'a> {
    /// Those that the material holds.
    pub(super) fn of(material: &Material<'a>) -> Self {
        let places = material.places(KEY);
        let (likely, others) = places.partition(|place| place.likelihood < Likelihood::Any);
        Self { likely, others }
    }

    /// Every key with every delta, those with likely places first.
    pub(super) fn with<'s>(
        &'s self,
        deltas: &'s [u32],
    ) -> impl Iterator<Item = (&'s Place<'a>, u32)> {
        [&self.likely, &self.others].into_iter().flat_map(|places| {
            deltas.iter().flat_map(move |delta| places.iter().map(move |place| (place, *delta)))
        })
    }
}

/// How many bytes of the text a decoding gives right; `None` when one is wrong.
pub(super) fn agreeing(decoded: &[u8], text: &[u8]) -> Option<usize> {
    let both = decoded.len().min(text.len());
    (decoded.get(..both) == text.get(..both)).then_some(both)
}

/// The samples with anything to verify, those with most text first; none when the samples show
/// that the cipher does not work on blocks.
pub(super) fn longest_first(samples: &[Sample]) -> Vec<&Sample> {
    if KeyStream::of(samples).is_some_and(|stream| stream.is_certain()) {
        return Vec::new();
    }
    let mut sorted: Vec<&Sample> =
        samples.iter().filter(|sample| !sample.text().is_empty()).collect();
    sorted.sort_by_key(|sample| std::cmp::Reverse(sample.text().len()));
    sorted
}
