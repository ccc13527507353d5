//! Mapped memory: segments in address order that never overlap.

use crate::{Address, Endian};
use std::borrow::Cow;
use std::ops::Range;

bitflags::bitflags! {
    /// What the program may do with a segment's memory.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Permissions: u8 {
        /// Read.
        const READ = 1;
        /// Write.
        const WRITE = 2;
        /// Execute.
        const EXECUTE = 4;
    }
}

/// A contiguous range of mapped memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its first address.
    pub address: Address,
    /// Its file-backed bytes, at most `size`; what follows them is zero, but for what is missing.
    pub data: Vec<u8>,
    /// How many bytes behind `data` the file should hold and does not; nobody knows their values.
    pub missing: u64,
    /// Its size in memory, in bytes.
    pub size: u64,
    /// Access rights.
    pub permissions: Permissions,
}

impl Segment {
    /// Whether `address` lies in the segment.
    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        self.position(address).is_some()
    }

    /// The first address after the segment.
    #[must_use]
    pub const fn end(&self) -> Address {
        self.address.offset(self.size)
    }

    /// The file-backed bytes from `address` on; empty outside of them.
    #[must_use]
    pub fn bytes_from(&self, address: Address) -> &[u8] {
        self.position(address)
            .and_then(|position| usize::try_from(position).ok())
            .and_then(|position| self.data.get(position..))
            .unwrap_or(&[])
    }

    /// The addresses of the bytes that the file should hold and does not: the first, and the one
    /// after the last.
    #[must_use]
    pub fn missing_range(&self) -> Range<Address> {
        let start = self.address.offset(self.data.len() as u64);
        start..start.offset(self.missing)
    }

    fn position(&self, address: Address) -> Option<u64> {
        address.distance_from(self.address).filter(|distance| *distance < self.size)
    }
}

/// All segments of an image.
#[derive(Clone, Debug, Default)]
pub(crate) struct SegmentMap {
    segments: Vec<Segment>,
    /// Bytes of zero tails that have become stored bytes.
    grown: usize,
}

/// How many bytes of zero tails writing relocations may turn into stored bytes, in all.
const TAIL_GROWTH: usize = 1 << 16;

impl SegmentMap {
    /// Takes segments that do not overlap, in any order.
    pub(crate) fn new(mut segments: Vec<Segment>) -> Self {
        segments.retain(|segment| segment.size > 0);
        segments.sort_by_key(|segment| segment.address);
        Self { segments, grown: 0 }
    }

    /// Takes one more segment, where none is.
    pub(crate) fn add(&mut self, segment: Segment) {
        let index = self.segments.partition_point(|other| other.address <= segment.address);
        self.segments.insert(index, segment);
    }

    pub(crate) fn as_slice(&self) -> &[Segment] {
        &self.segments
    }

    fn index_at(&self, address: Address) -> Option<usize> {
        let after = self.segments.partition_point(|segment| segment.address <= address);
        let index = after.checked_sub(1)?;
        self.segments.get(index)?.contains(address).then_some(index)
    }

    pub(crate) fn at(&self, address: Address) -> Option<&Segment> {
        self.segments.get(self.index_at(address)?)
    }

    pub(crate) fn at_mut(&mut self, address: Address) -> Option<&mut Segment> {
        let index = self.index_at(address)?;
        self.segments.get_mut(index)
    }

    pub(crate) fn bytes_from(&self, address: Address) -> &[u8] {
        self.at(address).map_or(&[], |segment| segment.bytes_from(address))
    }

    /// `length` bytes from `address`, across adjacent segments, zero tails included; `None` when
    /// any of them is unmapped or missing in the file.
    pub(crate) fn read(&self, address: Address, length: u64) -> Option<Cow<'_, [u8]>> {
        let stored = self.bytes_from(address);
        let wanted = usize::try_from(length).ok()?;
        if let Some(bytes) = stored.get(..wanted) {
            return Some(Cow::Borrowed(bytes));
        }
        self.check_mapped(address, length)?;
        let mut bytes = Vec::with_capacity(wanted);
        while let Some(missing) = wanted.checked_sub(bytes.len()).filter(|missing| *missing > 0) {
            let here = address.offset(bytes.len() as u64);
            let segment = self.at(here)?;
            let stored = segment.bytes_from(here);
            if stored.is_empty() {
                if segment.missing_range().contains(&here) {
                    return None;
                }
                let rest = segment.end().distance_from(here)?;
                let zeros = usize::try_from(rest).unwrap_or(missing).min(missing);
                bytes.resize(bytes.len() + zeros, 0);
            } else {
                bytes.extend(stored.iter().take(missing));
            }
        }
        Some(Cow::Owned(bytes))
    }

    /// `Some` when the whole range is mapped; makes the allocation that follows a bounded one.
    fn check_mapped(&self, address: Address, length: u64) -> Option<()> {
        let end = address.0.checked_add(length)?;
        let mut here = address;
        while here.0 < end {
            let next = self.at(here)?.end();
            here = (next > here).then_some(next)?;
        }
        Some(())
    }

    pub(crate) fn read_uint(&self, address: Address, size: u32, endian: Endian) -> Option<u64> {
        let bytes = self.read(address, u64::from(size.min(8)))?;
        Some(endian.read_uint(&bytes))
    }

    /// Overwrites bytes; `None`, with nothing written, when the range is not inside one segment,
    /// too much of zero tails would become stored bytes, or bytes that are missing would.
    pub(crate) fn write(&mut self, address: Address, bytes: &[u8]) -> Option<()> {
        let left = TAIL_GROWTH.saturating_sub(self.grown);
        let segment = self.at_mut(address)?;
        let start = usize::try_from(segment.position(address)?).ok()?;
        let end = start.checked_add(bytes.len())?;
        let growth = end.saturating_sub(segment.data.len());
        let hides_missing = growth > 0 && segment.missing > 0;
        if end as u64 > segment.size || growth > left || hides_missing {
            return None;
        }
        if growth > 0 {
            segment.data.resize(end, 0);
            self.grown += growth;
        }
        let segment = self.at_mut(address)?;
        segment.data.get_mut(start..end)?.copy_from_slice(bytes);
        Some(())
    }

    pub(crate) fn write_uint(
        &mut self,
        address: Address,
        size: u32,
        endian: Endian,
        value: u64,
    ) -> Option<()> {
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..size as usize)?;
        endian.write_uint(bytes, value);
        self.write(address, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Permissions, Segment, SegmentMap, TAIL_GROWTH};
    use crate::Address;

    #[test]
    fn writes_turn_a_bounded_part_of_a_zero_tail_into_stored_bytes() {
        let segment = Segment {
            address: Address(0x1000),
            data: vec![1; 16],
            missing: 0,
            size: 1 << 24,
            permissions: Permissions::WRITE,
        };
        let mut memory = SegmentMap::new(vec![segment]);
        // Each write lies within the growth of the one before; the sum does not.
        let half = TAIL_GROWTH as u64 / 2;
        assert_eq!(memory.write(Address(0x1000 + half), &[7; 8]), Some(()));
        assert_eq!(memory.write(Address(0x1000 + 2 * half), &[7; 8]), Some(()));
        assert_eq!(memory.write(Address(0x1000 + 3 * half), &[7; 8]), None);
        let stored = memory.as_slice().iter().map(|segment| segment.data.len()).sum::<usize>();
        assert_eq!(stored, TAIL_GROWTH + 8);
        // What is stored already can be overwritten.
        assert_eq!(memory.write(Address(0x1000 + half), &[8; 8]), Some(()));
    }
}
