//! The constant bytes that a decoding routine reads besides what it decodes.

use crate::xor;
use miyaburi_image::{Address, Endian};
use std::collections::BTreeSet;

/// Most bytes of all regions that are looked at; the first regions count.
const MAX_BYTES: usize = 1 << 16;

/// Most regions that are looked at.
const MAX_REGIONS: usize = 512;

/// Most constants of the code that are looked at.
const MAX_CONSTANTS: usize = 1 << 12;

/// Most constants that are tried as what a cipher adds up.
const MAX_DELTAS: usize = 256;

/// Constants from here on are rarely lengths or addresses.
const LARGE: u32 = 1 << 28;

/// How likely a place is to be where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likelihood {
    /// The beginning or the end of a region.
    Edge,
    /// A multiple of four bytes.
    Aligned,
    /// Anywhere else.
    Any,
}

/// Bytes that may be a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Where they begin.
    pub(super) address: Address,
    /// As many as were asked for.
    pub(super) bytes: &'a [u8],
    /// How likely it is that a key begins here.
    pub(super) likelihood: Likelihood,
}

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
    pub(super) fn regions(&self) -> impl Iterator<Item = (Address, &'a [u8])> + use<'a> {
        self.regions.iter().take(MAX_REGIONS).scan(MAX_BYTES, |left, (address, bytes)| {
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

    /// Every run of `count` bytes: likely places of a key first, which are the beginnings and ends
    /// of regions, then addresses that are a multiple of four, then the others.
    pub(super) fn places(&self, count: usize) -> impl Iterator<Item = Place<'a>> + use<'a> {
        let this = *self;
        [Likelihood::Edge, Likelihood::Aligned, Likelihood::Any]
            .into_iter()
            .flat_map(move |likelihood| this.places_of(count, likelihood))
    }

    /// The runs of `count` bytes that are this likely to be a key.
    fn places_of(
        self,
        count: usize,
        likelihood: Likelihood,
    ) -> impl Iterator<Item = Place<'a>> + use<'a> {
        self.regions().flat_map(move |(start, region)| {
            let last = region.len().saturating_sub(count);
            region.windows(count.max(1)).enumerate().filter_map(move |(at, bytes)| {
                let address = start.offset(at as u64);
                let found = if at == 0 || at == last {
                    Likelihood::Edge
                } else if address.0.is_multiple_of(4) {
                    Likelihood::Aligned
                } else {
                    Likelihood::Any
                };
                (found == likelihood).then_some(Place { address, bytes, likelihood })
            })
        })
    }

    /// Constants that a cipher may add up from round to round: what the code and the regions hold,
    /// and the negative of each, as compilers turn subtractions into additions. Small ones, which
    /// are mostly lengths, addresses and their like, come last.
    pub(super) fn deltas(&self) -> Vec<u32> {
        let in_regions = self.places(4).filter(|place| place.address.0.is_multiple_of(4));
        let words = in_regions.map(|place| self.endian.read_uint(place.bytes) as u32);
        let mut seen = BTreeSet::from([0]);
        let mut deltas: Vec<u32> = self
            .constants
            .iter()
            .copied()
            .take(MAX_CONSTANTS)
            .chain(words)
            .flat_map(|word| [word, word.wrapping_neg()])
            .filter(|delta| seen.insert(*delta))
            .collect();
        let is_small = |delta: &u32| delta.cast_signed().unsigned_abs() < LARGE;
        deltas.sort_by_key(is_small);
        deltas.truncate(MAX_DELTAS);
        deltas
    }

    /// Where the routine loaded the bytes of a key in turn, `count` of them altogether, and how
    /// long that key is.
    ///
    /// False positives: `count` other bytes loaded one after the other. False negatives: loads of
    /// other constant bytes in between, keys loaded as words.
    pub(super) fn loaded_in_turn(&self, count: usize) -> Option<(Address, &'a [u8])> {
        let loads: Vec<Address> = self
            .reads
            .iter()
            .filter(|(address, size)| *size == 1 && self.bytes_at(*address, 1).is_some())
            .map(|(address, _)| *address)
            .collect();
        let mut begin = 0_usize;
        while let Some(run) = loads.get(begin..begin.checked_add(count)?) {
            let base = *run.first()?;
            let ascending = |(index, load): (usize, &Address)| *load == base.offset(index as u64);
            let length = run.iter().enumerate().take_while(|load| ascending(*load)).count();
            let in_turn = |(index, load): (usize, &Address)| {
                *load == base.offset((index % length.max(1)) as u64)
            };
            if run.iter().enumerate().all(in_turn) {
                return Some((base, self.bytes_at(base, length)?));
            }
            begin += length.max(1);
        }
        None
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
