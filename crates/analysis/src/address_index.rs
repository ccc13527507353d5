//! Dense numbering of the addresses at which code can lie.

use miyaburi_image::{Address, Image, Permissions};

/// The most bytes of code that are indexed; what lies beyond is not analysed.
const MAX_CODE_BYTES: usize = 64 << 20;

/// The file-backed part of one executable segment.
#[derive(Clone, Debug)]
struct CodeRange {
    start: u64,
    end: u64,
    first_slot: usize,
}

/// Numbers every possible instruction address of the executable segments, so that tables indexed
/// by address are plain vectors.
#[derive(Clone, Debug)]
pub(crate) struct AddressIndex {
    ranges: Vec<CodeRange>,
    shift: u32,
    slots: usize,
    /// Bytes of code that are not indexed.
    left_out: usize,
}

impl AddressIndex {
    /// Numbers the addresses of `image`, one slot per instruction alignment.
    pub(crate) fn new(image: &Image) -> Self {
        let shift = image.arch().instruction_alignment().trailing_zeros();
        let mut index = Self { ranges: Vec::new(), shift, slots: 0, left_out: 0 };
        let mut left = MAX_CODE_BYTES;
        for segment in image.segments() {
            if !segment.permissions.contains(Permissions::EXECUTE) {
                continue;
            }
            let length = segment.data.len().min(left);
            left -= length;
            index.left_out += segment.data.len() - length;
            let start = segment.address.0;
            let Some(end) = start.checked_add(length as u64).filter(|end| *end > start) else {
                continue;
            };
            index.ranges.push(CodeRange { start, end, first_slot: index.slots });
            index.slots += (length >> shift) + 1;
        }
        index
    }

    /// How many slots there are.
    pub(crate) const fn slots(&self) -> usize {
        self.slots
    }

    /// Whether there is more code than is indexed.
    pub(crate) const fn is_cut(&self) -> bool {
        self.left_out > 0
    }

    /// The slot of `address`, or `None` when no instruction can lie there.
    pub(crate) fn slot(&self, address: Address) -> Option<usize> {
        // Most files have one range; damaged ones can have hundreds.
        let after = self.ranges.partition_point(|range| range.start <= address.0);
        let range = self.ranges.get(after.checked_sub(1)?)?;
        let distance = address.0 - range.start;
        (address.0 < range.end).then_some(range.first_slot + (distance >> self.shift) as usize)
    }

    /// The address of a slot.
    pub(crate) fn address(&self, slot: usize) -> Option<Address> {
        let after = self.ranges.partition_point(|range| range.first_slot <= slot);
        let range = self.ranges.get(after.checked_sub(1)?)?;
        let address = range.start + (((slot - range.first_slot) as u64) << self.shift);
        (address < range.end).then_some(Address(address))
    }

    /// Whether an instruction can lie at `address`, alignment included.
    pub(crate) fn is_code_address(&self, address: Address) -> bool {
        address.0.trailing_zeros() >= self.shift && self.slot(address).is_some()
    }

    /// First and last-plus-one address of each range of code, ascending.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (Address, Address)> + '_ {
        self.ranges.iter().map(|range| (Address(range.start), Address(range.end)))
    }
}

/// A set of slots, one bit each.
#[derive(Clone, Debug)]
pub(crate) struct SlotSet {
    words: Vec<u64>,
}

impl SlotSet {
    /// The empty set over `slots` slots.
    pub(crate) fn new(slots: usize) -> Self {
        Self { words: vec![0; slots / 64 + 1] }
    }

    /// Adds a slot; true when it was not in the set.
    pub(crate) fn insert(&mut self, slot: usize) -> bool {
        let Some(word) = self.words.get_mut(slot / 64) else { return false };
        let bit = 1 << (slot % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Whether the slot is in the set.
    pub(crate) fn contains(&self, slot: usize) -> bool {
        self.words.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The smallest member that is at least `slot`.
    pub(crate) fn next_from(&self, slot: usize) -> Option<usize> {
        let first = slot / 64;
        let head = self.words.get(first)? & (u64::MAX << (slot % 64));
        let tail = self.words.get(first + 1..)?.iter().copied();
        std::iter::once(head)
            .chain(tail)
            .enumerate()
            .find(|(_, word)| *word != 0)
            .map(|(word, bits)| (first + word) * 64 + bits.trailing_zeros() as usize)
    }

    /// The largest member that is at most `slot`.
    pub(crate) fn last_until(&self, slot: usize) -> Option<usize> {
        let last = (slot / 64).min(self.words.len().checked_sub(1)?);
        let keep = if slot / 64 > last { u64::MAX } else { u64::MAX >> (63 - slot % 64) };
        let head = self.words.get(last)? & keep;
        let rest = self.words.get(..last)?.iter().rev().copied();
        std::iter::once(head)
            .chain(rest)
            .enumerate()
            .find(|(_, word)| *word != 0)
            .map(|(back, bits)| (last - back) * 64 + 63 - bits.leading_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::SlotSet;

    #[test]
    fn neighbours_are_found_over_word_borders() {
        let mut set = SlotSet::new(300);
        assert!(set.insert(3));
        assert!(set.insert(200));
        assert!(!set.insert(200));
        assert_eq!(set.next_from(0), Some(3));
        assert_eq!(set.next_from(4), Some(200));
        assert_eq!(set.next_from(201), None);
        assert_eq!(set.last_until(199), Some(3));
        assert_eq!(set.last_until(200), Some(200));
        assert_eq!(set.last_until(2), None);
        assert_eq!(set.last_until(100_000), Some(200));
        assert!(!set.contains(4));
    }
}
