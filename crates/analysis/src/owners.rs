//! Which function's code covers an address.

use crate::functions::Function;
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// What happens to a function at an address, in the order in which it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// One of its blocks ends.
    Ends,
    /// One of its blocks starts.
    Starts,
    /// Its entry: from here on it is preferred.
    Entry,
}

/// The address space in ranges that one function owns, or none.
///
/// Functions may share code: of those that cover an address, that owns it whose entry is closest
/// before, else the first behind.
#[derive(Debug, Default)]
pub(crate) struct Owners(Vec<(Address, Option<u32>)>);

impl Owners {
    /// The owners of the code of functions in the order of their entries.
    pub(crate) fn of(functions: &[Function]) -> Self {
        let entries: Vec<Address> = functions.iter().map(|function| function.entry).collect();
        let ranges = (0..).zip(functions).flat_map(|(number, function)| {
            let blocks = function.blocks();
            blocks.iter().enumerate().map(move |(index, block)| {
                // Where blocks overlap the later one counts, as in `Function::contains`.
                let next = blocks.get(index + 1).map_or(block.end, |next| next.start);
                (number, block.start, block.end.min(next))
            })
        });
        Self::new(&entries, ranges)
    }

    fn new(entries: &[Address], ranges: impl Iterator<Item = (u32, Address, Address)>) -> Self {
        let entered = (0..).zip(entries).map(|(number, entry)| (*entry, Event::Entry, number));
        let covered =
            ranges.filter(|(_, start, end)| start < end).flat_map(|(number, start, end)| {
                [(start, Event::Starts, number), (end, Event::Ends, number)]
            });
        let mut events: Vec<(Address, Event, u32)> = covered.chain(entered).collect();
        events.sort_unstable();
        let mut owners = Vec::new();
        let mut covering = BTreeSet::new();
        let mut entered = 0;
        for of_address in events.chunk_by(|one, other| one.0 == other.0) {
            let Some((at, ..)) = of_address.first() else { continue };
            for (_, event, number) in of_address {
                match event {
                    Event::Ends => drop(covering.remove(number)),
                    Event::Starts => drop(covering.insert(*number)),
                    Event::Entry => entered = number + 1,
                }
            }
            let before = covering.range(..entered).next_back();
            let owner = before.or_else(|| covering.range(entered..).next()).copied();
            if owners.last().and_then(|(_, last)| *last) != owner {
                owners.push((*at, owner));
            }
        }
        Self(owners)
    }

    /// The number of the function that owns `address`.
    pub(crate) fn at(&self, address: Address) -> Option<u32> {
        let behind = self.0.partition_point(|(start, _)| *start <= address);
        self.0.get(behind.checked_sub(1)?)?.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(entries: &[u64], ranges: &[(u32, u64, u64)]) -> Owners {
        let entries: Vec<Address> = entries.iter().copied().map(Address).collect();
        let ranges =
            ranges.iter().map(|(number, start, end)| (*number, Address(*start), Address(*end)));
        Owners::new(&entries, ranges)
    }

    #[test]
    fn addresses_between_and_around_functions_are_nobodys() {
        let owners = owners(&[0x10, 0x30], &[(0, 0x10, 0x20), (1, 0x30, 0x34), (1, 0x34, 0x38)]);
        for (address, owner) in [
            (0, None),
            (0xf, None),
            (0x10, Some(0)),
            (0x1f, Some(0)),
            (0x20, None),
            (0x30, Some(1)),
            (0x34, Some(1)),
            (0x37, Some(1)),
            (0x38, None),
            (u64::MAX, None),
        ] {
            assert_eq!(owners.at(Address(address)), owner, "{address:#x}");
        }
        assert_eq!(Owners::default().at(Address(0)), None);
    }

    #[test]
    fn shared_code_belongs_to_the_entry_closest_before() {
        // 0x20..0x30 is the end of all three; the third function has a part before its entry, too.
        let ranges = [(0, 0x10, 0x30), (1, 0x18, 0x30), (2, 0x20, 0x30), (2, 0x8, 0xc)];
        let owners = owners(&[0x10, 0x18, 0x28], &ranges);
        for (address, owner) in
            [(0x8, Some(2)), (0xc, None), (0x10, Some(0)), (0x18, Some(1)), (0x20, Some(1))]
        {
            assert_eq!(owners.at(Address(address)), owner, "{address:#x}");
        }
        assert_eq!(owners.at(Address(0x28)), Some(2));
        assert_eq!(owners.at(Address(0x30)), None);
    }
}
