//! Entries of a block that was decoded as a whole: texts under their offsets.
//!
//! How it works: the routine that gives texts by number tells where offset 0 lies, as every text it
//! gives lies its number further; otherwise that is where the block begins. All texts of the block are
//! entries, whether the program names their offsets or not. The cipher is that of the whole block.
//!
//! False positives: numbers in the block that read as texts ([`Block::texts`]). False negatives: texts
//! under other numbers than offsets that the program does not name.

use crate::cipher::{self, Coding, Material, Sample};
use crate::material;
use crate::string_table::accessors::{Access, Accessor, Routine};
use crate::string_table::asked_for::{self, Sourced};
use crate::string_table::blocks::Block;
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use miyaburi_image::Address;
use std::collections::BTreeMap;

/// The table that a block is; `asked` is the routine that gives texts of it, with these.
pub(super) fn table<'a>(
    subject: &Subject<'a>,
    block: Block<'a>,
    asked: Option<(Routine, Vec<Sourced>)>,
) -> Option<Table<'a>> {
    let coding = coding(subject, &block);
    let (routine, given) = asked.map_or_else(Default::default, |(routine, given)| {
        (Some(routine), given)
    });
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
        for (at, text) in block.texts() {
            let id = at.distance_from(base).filter(|_| is_apart(at, text.len()));
            found.extend(id.map(|id| (id, (at, text))));
        }
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

/// The cipher between the stored block and its texts.
fn coding(subject: &Subject<'_>, block: &Block<'_>) -> Coding {
    let stored = subject.image.bytes_from(block.start);
    let encoded = stored.get(..block.decoded.len()).unwrap_or(stored).to_vec();
    let samples = [Sample { encoded, decoded: block.decoded.clone() }];
    let regions = material::common_regions(subject.image, std::slice::from_ref(&block.reads));
    let constants = material::constants(subject, block.routine);
    let material = Material {
        regions: &regions,
        reads: &block.reads,
        constants: &constants,
        writes_identity: block.fills_permutation,
        endian: subject.emulator.arch().endian,
    };
    cipher::recognise(&samples, &material)
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
