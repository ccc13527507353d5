//! The constant bytes that a decoding routine reads besides what it decodes.

use crate::xor;
use miyaburi_image::{Address, Endian};
use std::collections::BTreeSet;

/// Most bytes of all regions that are looked at; the first regions count.
const MAX_BYTES: usize = 1 << 16;

/// What a routine reads besides what it decodes, and what else was seen of it.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Bytes that are the same in every run, as long runs of adjacent bytes: a region may be longer
    /// than a key, begin before it, and hold several. Order matters where there are many: what is
    /// likeliest to hold a key comes first.
    pub regions: &'a [(Address, Vec<u8>)],
    /// Loads of one run in order: address and size; those outside of `regions` are passed over.
    /// May be empty: then less is known of where keys begin and how long they are.
    pub reads: &'a [(Address, u32)],
    /// Constants in the routine's code.
    pub constants: &'a [u32],
    /// Whether it filled 256 bytes with 0, 1, ..., 255.
    pub writes_identity: bool,
    /// Byte order of the program.
    pub endian: Endian,
}

impl<'a> Material<'a> {
    /// The regions, as far as they are looked at.
    pub(super) fn regions(&self) -> impl Iterator<Item = (Address, &'a [u8])> {
        self.regions.iter().scan(MAX_BYTES, |left, (address, bytes)| {
            let taken = bytes.get(..*left).unwrap_or(bytes);
            *left -= taken.len();
            (!taken.is_empty()).then_some((*address, taken))
        })
    }

    /// Where the first run of `count` bytes begins that `is_it`.
    pub(super) fn find_run(
        &self,
        count: usize,
        is_it: impl Fn(&[u8]) -> bool,
    ) -> Option<(Address, &'a [u8])> {
        self.regions().find_map(|(address, bytes)| {
            let at = bytes.windows(count.max(1)).position(&is_it)?;
            Some((address.offset(at as u64), bytes.get(at..at + count)?))
        })
    }

    /// Where these bytes stand first.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<Address> {
        self.find_run(bytes.len(), |run| run == bytes).map(|(address, _)| address)
    }

    /// The `count` bytes at `address`.
    pub(super) fn bytes_at(&self, address: Address, count: usize) -> Option<&'a [u8]> {
        self.regions().find_map(|(start, bytes)| {
            let at = usize::try_from(address.distance_from(start)?).ok()?;
            bytes.get(at..at.checked_add(count)?)
        })
    }

    /// The word whose four bytes act as the one byte `effective`: its bytes, most significant
    /// first, and its address. It is a region by itself, or was loaded as a word.
    ///
    /// False positives: one in 256 of unrelated words, such as addresses. False negatives: words
    /// loaded byte by byte beside other constants; several that would do.
    pub(super) fn key_word(&self, effective: u8) -> Option<(Address, [u8; 4])> {
        let regions = self.regions().filter(|(_, bytes)| bytes.len() == 4);
        let loaded: BTreeSet<Address> =
            self.reads.iter().filter(|(_, size)| *size == 4).map(|(address, _)| *address).collect();
        let loaded = loaded.into_iter().filter_map(|at| Some((at, self.bytes_at(at, 4)?)));
        let mut found = regions.chain(loaded).filter_map(|(address, bytes)| {
            let word = self.endian.read_uint(bytes) as u32;
            (word != 0 && xor::fold(word) == effective).then_some((address, word.to_be_bytes()))
        });
        let (address, word) = found.next()?;
        found.all(|(_, other)| other == word).then_some((address, word))
    }
}
