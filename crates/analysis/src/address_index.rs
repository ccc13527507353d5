//! Dense numbering of the addresses at which code can lie.

use crate::diagnostic::AnalysisDiagnostic;
use miyaburi_image::{Address, Image, Permissions, Segment};

/// The most bytes of code that are indexed; what lies beyond is not analysed. The segment of the
/// entry point comes first, then the smaller ones: filler costs an attacker nothing.
const MAX_CODE_BYTES: usize = 32 << 20;

/// Instructions begin at multiples of this from a segment's start.
const WINDOW_ALIGNMENT: u64 = 16;

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
    left_out: u64,
}

impl AddressIndex {
    /// Numbers the addresses of `image`, one slot per instruction alignment.
    pub(crate) fn new(image: &Image) -> Self {
        let shift = image.arch().instruction_alignment().trailing_zeros();
        let mut index = Self { ranges: Vec::new(), shift, slots: 0, left_out: 0 };
        let is_code = |segment: &&Segment| segment.permissions.contains(Permissions::EXECUTE);
        let mut segments: Vec<&Segment> = image.segments().iter().filter(is_code).collect();
        segments.sort_by_key(|segment| (!segment.contains(image.entry()), segment.data.len()));
        let mut left = MAX_CODE_BYTES;
        let mut indexed: Vec<(u64, u64)> = Vec::new();
        for segment in segments {
            let length = segment.data.len().min(left);
            left -= length;
            index.left_out += (segment.data.len() - length) as u64;
            let start = window_start(segment, length, image.entry());
            if let Some(end) = start.checked_add(length as u64).filter(|end| *end > start) {
                indexed.push((start, end));
            }
        }
        indexed.sort_unstable();
        for (start, end) in indexed {
            index.ranges.push(CodeRange { start, end, first_slot: index.slots });
            index.slots += ((end - start) >> shift) as usize + 1;
        }
        index
    }

    /// How many slots there are.
    pub(crate) const fn slots(&self) -> usize {
        self.slots
    }

    /// What tells of code that is not indexed.
    pub(crate) fn left_out(&self) -> Option<AnalysisDiagnostic> {
        let bytes = self.left_out;
        (bytes > 0).then_some(AnalysisDiagnostic::CodeLeftOut { bytes })
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

/// Where to begin with `length` bytes of a segment, so that the entry point is in their middle.
fn window_start(segment: &Segment, length: usize, entry: Address) -> u64 {
    let before = entry.distance_from(segment.address).filter(|_| segment.contains(entry));
    let first = before.unwrap_or(0).saturating_sub(length as u64 / 2);
    let skipped = first.min((segment.data.len() - length) as u64);
    segment.address.0 + skipped / WINDOW_ALIGNMENT * WINDOW_ALIGNMENT
}

/// A set of slots, one bit each. Neighbours are found in a few steps, however far they are.
#[derive(Clone, Debug)]
pub(crate) struct SlotSet {
    /// The bits, and above each level one bit for every word of it that is not zero.
    levels: Vec<Vec<u64>>,
}

impl SlotSet {
    /// The empty set over `slots` slots.
    pub(crate) fn new(slots: usize) -> Self {
        let mut levels = vec![vec![0; slots / 64 + 1]];
        while let Some(words) = levels.last().map(Vec::len).filter(|words| *words > 1) {
            levels.push(vec![0; words.div_ceil(64)]);
        }
        Self { levels }
    }

    /// Adds a slot; true when it was not in the set.
    pub(crate) fn insert(&mut self, slot: usize) -> bool {
        let mut is_new = false;
        let mut place = slot;
        for words in &mut self.levels {
            let Some(word) = words.get_mut(place / 64) else { return false };
            let bit = 1 << (place % 64);
            if *word & bit != 0 {
                break;
            }
            is_new = true;
            *word |= bit;
            place /= 64;
        }
        is_new
    }

    /// Whether the slot is in the set.
    pub(crate) fn contains(&self, slot: usize) -> bool {
        let word = self.levels.first().and_then(|words| words.get(slot / 64));
        word.is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The smallest member that is at least `slot`.
    pub(crate) fn next_from(&self, slot: usize) -> Option<usize> {
        let mut place = slot;
        for (level, words) in self.levels.iter().enumerate() {
            let found = words.get(place / 64)? & (u64::MAX << (place % 64));
            if found != 0 {
                let found = place / 64 * 64 + found.trailing_zeros() as usize;
                return self.descend(level, found, u64::trailing_zeros);
            }
            place = place / 64 + 1;
        }
        None
    }

    /// The largest member that is at most `slot`.
    pub(crate) fn last_until(&self, slot: usize) -> Option<usize> {
        let mut place = slot.min(self.levels.first()?.len() * 64 - 1);
        for (level, words) in self.levels.iter().enumerate() {
            let found = words.get(place / 64)? & (u64::MAX >> (63 - place % 64));
            if found != 0 {
                let found = place / 64 * 64 + 63 - found.leading_zeros() as usize;
                return self.descend(level, found, |word| 63 - word.leading_zeros());
            }
            place = (place / 64).checked_sub(1)?;
        }
        None
    }

    /// The member below `place`, a bit of `level`, that `choose` picks in every word.
    fn descend(&self, level: usize, place: usize, choose: fn(u64) -> u32) -> Option<usize> {
        let below = self.levels.get(..level)?.iter().rev();
        below
            .into_iter()
            .try_fold(place, |place, words| Some(place * 64 + choose(*words.get(place)?) as usize))
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

    /// Three levels of words, members far apart.
    #[test]
    fn distant_neighbours_are_found() {
        let mut set = SlotSet::new(1_000_000);
        assert_eq!((set.next_from(0), set.last_until(999_999)), (None, None));
        let members = [5, 63, 64, 4095, 4096, 262_143, 262_144, 999_999];
        for member in members {
            assert!(set.insert(member));
        }
        for pair in members.windows(2) {
            assert_eq!(set.next_from(pair[0] + 1), Some(pair[1]));
            assert_eq!(set.last_until(pair[1] - 1), Some(pair[0]));
            assert_eq!(set.next_from(pair[1]), Some(pair[1]));
        }
        assert_eq!((set.last_until(4), set.next_from(1_000_000)), (None, None));
    }
}
