//! Entries of a block that was decoded as a whole: texts under their offsets.
//!
//! How it works: the routine that gives texts by number tells where offset 0 lies, as every text it
//! gives lies its number further; otherwise that is where the block begins. All texts of the block are
//! entries, whether the program names their offsets or not. The cipher is that of the whole block.
//!
//! False positives: numbers in the block that read as texts ([`blocks::texts`]). False negatives: texts
//! under other numbers than offsets that the program does not name.

use crate::cipher::{Coding, Sample};
use crate::recognition::{self, Seen};
use crate::string_table::accessors::{Access, Accessor, Routine};
use crate::string_table::asked_for::{self, Sourced};
use crate::string_table::blocks::{self, Block};
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use crate::{endpoints::host, xor};
use miyaburi_analysis::FunctionId;
use miyaburi_image::Address;
use std::collections::{BTreeMap, BTreeSet};

/// The table that a block is; `asked` is the routine that gives texts of it, with these.
pub(super) fn table<'a>(
    subject: &Subject<'a>,
    block: Block<'a>,
    asked: Option<(Routine, Vec<Sourced>)>,
) -> Option<Table<'a>> {
    let coding = coding(subject, &block);
    let (routine, given) =
        asked.map_or_else(Default::default, |(routine, given)| (Some(routine), given));
    let mut found: BTreeMap<u64, (Address, Vec<u8>)> = BTreeMap::new();
    for given in given.into_iter().map(|it| it.given) {
        found.insert(given.id, (given.at, given.text));
    }
    let base = match found.is_empty() {
        true => Some(block.start),
        false => base(found.iter().map(|(id, (at, _))| (*id, *at))),
    };
    if let Some(base) = base {
        let named: Vec<(Address, usize)> =
            found.values().map(|(at, text)| (*at, text.len())).collect();
        let is_apart = |start: Address, length: usize| {
            named.iter().all(|(at, other)| {
                start.offset(length as u64) <= *at || at.offset(*other as u64) <= start
            })
        };
        for (at, text) in blocks::texts(block.start, &block.decoded) {
            let id = at.distance_from(base).filter(|_| is_apart(at, text.len()));
            found.extend(id.map(|id| (id, (at, text))));
        }
    }
    if let Some(routine) = &routine {
        tell_ports(subject, routine, &mut found);
    }
    if found.len() < asked_for::MIN_ENTRIES {
        return None;
    }
    let stored = |at: Address, length: usize| {
        let stored = subject.image.bytes_from(at);
        stored.get(..length.min(stored.len())).unwrap_or(&[]).to_vec()
    };
    let entry = |(id, (at, text)): (u64, (Address, Vec<u8>))| Entry {
        id: id as u32,
        encoded: stored(at, text.len()),
        decoded: text,
        cell: at,
        buffer: at,
        added_at: None,
        stale_key: None,
        own_key: None,
        made_of: None,
    };
    let accessor = |routine| Accessor { routine, access: Access::Retrieves };
    Some(Table {
        initialiser: block.routine,
        is_filled: true,
        is_allocated: false,
        base: base.unwrap_or(block.start),
        base_is_certain: true,
        stride: 0,
        pointer_offset: 0,
        coding,
        is_observed: true,
        inferred_key: None,
        accessors: routine.map(accessor).into_iter().collect(),
        entries: found.into_iter().map(entry).collect(),
        gaps: Vec::new(),
        filled: block.state,
    })
}

/// Takes two characters for a port where somebody asks for them who asks for a host, too, and leaves
/// them out where they may be a word all the same.
///
/// False positives: a text of two characters that is no word of small letters, asked for by a function
/// that uses a host.
fn tell_ports(
    subject: &Subject<'_>,
    routine: &Routine,
    found: &mut BTreeMap<u64, (Address, Vec<u8>)>,
) {
    let mut asked: BTreeMap<FunctionId, BTreeSet<u64>> = BTreeMap::new();
    let callee = subject.program.function_at(routine.function).into_iter();
    for site in callee.flat_map(|callee| subject.program.callers(callee)) {
        let id = routine.id_at(subject, site.caller, site.address);
        asked.entry(site.caller).or_default().extend(id);
    }
    let is_host = |id: &u64| found.get(id).is_some_and(|(_, text)| host::parse(text).is_some());
    let beside_host: BTreeSet<u64> =
        asked.into_values().filter(|ids| ids.iter().any(is_host)).flatten().collect();
    let mut doubtful = Vec::new();
    for (id, (_, text)) in found.iter_mut().filter(|(id, _)| beside_host.contains(id)) {
        if let [one, other, 0] = text.as_slice()
            && xor::is_text(text)
        {
            if one.is_ascii_lowercase() && other.is_ascii_lowercase() {
                doubtful.push(*id);
            }
            // Without an end it is no text.
            text.truncate(2);
        }
    }
    found.retain(|id, _| !doubtful.contains(id));
}

/// The cipher between the stored block and its texts.
fn coding(subject: &Subject<'_>, block: &Block<'_>) -> Coding {
    let stored = subject.image.bytes_from(block.start);
    let encoded = stored.get(..block.decoded.len()).unwrap_or(stored).to_vec();
    let samples = [Sample { encoded, decoded: block.decoded.clone() }];
    let seen = Seen {
        routine: block.routine,
        samples: &samples,
        logs: std::slice::from_ref(&block.reads),
        fills_permutation: block.fills_permutation,
    };
    recognition::recognise(subject, &seen)
}

/// Where offset 0 lies, when all `(id, place)` agree.
fn base(places: impl Iterator<Item = (u64, Address)>) -> Option<Address> {
    let mut bases = places.map(|(id, at)| at.0.checked_sub(id));
    let first = bases.next()??;
    bases.all(|base| base == Some(first)).then_some(Address(first))
}

#[cfg(test)]
mod tests {
    use super::base;
    use miyaburi_image::Address;

    #[test]
    fn numbers_are_offsets_where_all_agree() {
        let of = |places: &[(u64, u64)]| base(places.iter().map(|(id, at)| (*id, Address(*at))));
        assert_eq!(of(&[(0, 0x100), (24, 0x118), (96, 0x160)]), Some(Address(0x100)));
        assert_eq!(of(&[(1, 0x108), (2, 0x118), (3, 0x160)]), None);
        assert_eq!(of(&[(0x200, 0x100)]), None);
        assert_eq!(of(&[]), None);
    }
}
