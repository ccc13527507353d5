//! The memory a run wrote, as runs of bytes.

use miyaburi_image::Address;

/// Ranges of written bytes, ascending, disjoint and not adjacent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenRanges(Vec<(u64, u64)>);

impl WrittenRanges {
    /// The ranges of the given writes (address and size in bytes).
    pub fn new(writes: impl Iterator<Item = (Address, u32)>) -> Self {
        let mut spans: Vec<(u64, u64)> = writes
            .map(|(address, size)| (address.0, address.0.saturating_add(u64::from(size))))
            .collect();
        spans.sort_unstable();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (start, end) in spans {
            match ranges.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => ranges.push((start, end)),
            }
        }
        Self(ranges)
    }

    /// Start and end of each range.
    pub fn iter(&self) -> impl Iterator<Item = (Address, Address)> + '_ {
        self.0.iter().map(|(start, end)| (Address(*start), Address(*end)))
    }

    /// How many bytes from `address` on were written without a gap; 0 when it was not written.
    #[must_use]
    pub fn length_from(&self, address: Address) -> u64 {
        let after = self.0.partition_point(|(start, _)| *start <= address.0);
        match after.checked_sub(1).and_then(|index| self.0.get(index)) {
            Some((_, end)) if address.0 < *end => end - address.0,
            _ => 0,
        }
    }

    /// Whether the byte at `address` was written.
    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        self.length_from(address) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_writes_join_and_gaps_stay() {
        let writes = [(Address(10), 4), (Address(14), 2), (Address(20), 1), (Address(8), 2)];
        let ranges = WrittenRanges::new(writes.into_iter());
        assert_eq!(ranges.length_from(Address(8)), 8);
        assert_eq!(ranges.length_from(Address(15)), 1);
        assert_eq!(ranges.length_from(Address(16)), 0);
        assert!(ranges.contains(Address(20)));
        assert!(!ranges.contains(Address(7)));
    }
}
