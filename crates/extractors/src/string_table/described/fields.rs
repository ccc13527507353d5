//! Records of a pointer, the length of what it leads to, and an id.

use super::{Description, Descriptions, MAX_LENGTH, MIN_TEXTS, PORT_LENGTH, Search, WIDTHS};
use crate::string_table::constant_records::{self, Pointer};
use miyaburi_image::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Ids are below this.
const MAX_ID: u64 = 4096;

/// Most bytes between a record's pointer and its numbers.
const AROUND: i64 = 8;

/// Most bytes between a record's length and its id.
const APART: u64 = 4;

/// A number of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    /// How far from the pointer it stands, in bytes.
    distance: i64,
    /// How wide it is, in bytes.
    width: u32,
}

impl Field {
    fn of(self, search: &Search<'_, '_>, cell: u64) -> Option<u64> {
        search.number(cell.wrapping_add_signed(self.distance), self.width)
    }

    fn id(self, search: &Search<'_, '_>, cell: u64) -> Option<u64> {
        self.of(search, cell).filter(|id| *id < MAX_ID)
    }
}

/// What records say, in the order of an array.
pub(super) fn find(search: &Search<'_, '_>) -> Option<Descriptions> {
    let size = search.pointer_size() as i64;
    let places = (-AROUND..0).chain(size..size + AROUND);
    let fields: Vec<Field> =
        places.flat_map(|distance| WIDTHS.map(|width| Field { distance, width })).collect();
    let (length, members) = length_field(search, &fields)?;
    let id = id_field(search, &fields, length, &members)?;
    let all = described(search, length, id, &members)?;
    in_order(search, length.distance.min(id.distance).min(0), all)
}

/// The field that holds the length of most texts, with the pointers to these.
fn length_field(search: &Search<'_, '_>, fields: &[Field]) -> Option<(Field, Vec<Pointer>)> {
    let text = |it: &Pointer| Some((*it, *search.texts.get(&it.1)?));
    let texts: Vec<(Pointer, u64)> = search.pointers.iter().filter_map(text).collect();
    let told = |field: &Field| -> Vec<Pointer> {
        let is_told =
            |((cell, _), length): &&(Pointer, u64)| field.of(search, *cell) == Some(*length);
        texts.iter().filter(is_told).map(|(pointer, _)| *pointer).collect()
    };
    let told = fields.iter().map(|field| (*field, told(field)));
    told.max_by_key(|(_, told)| told.len()).filter(|(_, told)| told.len() >= MIN_TEXTS)
}

/// The field beside the length that differs between all members; `None` when several do, and say
/// different.
fn id_field(
    search: &Search<'_, '_>,
    fields: &[Field],
    length: Field,
    members: &[Pointer],
) -> Option<Field> {
    let ids = |field: Field| -> Option<Vec<u64>> {
        let ids = members.iter().map(|(cell, _)| field.id(search, *cell));
        let ids: Vec<u64> = ids.collect::<Option<_>>()?;
        (ids.iter().collect::<BTreeSet<_>>().len() == ids.len()).then_some(ids)
    };
    let beside = fields.iter().copied().filter(|field| {
        let is_same_side = (field.distance < 0) == (length.distance < 0);
        is_same_side && field.distance.abs_diff(length.distance) <= APART
    });
    let mut possible = beside.filter_map(|field| Some((field, ids(field)?)));
    let (id, ids) = possible.next()?;
    possible.all(|(_, other)| other == ids).then_some(id)
}

/// All that is described near the members; `None` where two texts have one id.
fn described(
    search: &Search<'_, '_>,
    length: Field,
    id: Field,
    members: &[Pointer],
) -> Option<Vec<Description>> {
    let (first, last) = (members.first()?.0, members.last()?.0);
    let near = first.saturating_sub(MAX_LENGTH)..=last.saturating_add(MAX_LENGTH);
    let near = search.pointers.iter().filter(|(cell, _)| near.contains(cell));
    let (mut texts, ports): (Vec<Description>, Vec<Description>) = near
        .filter_map(|(cell, source)| {
            let (id, length) = (id.id(search, *cell)?, length.of(search, *cell)?);
            let it = Description { id, cell: Address(*cell), source: *source, length };
            search.may_be_entry(*source, length).then_some(it)
        })
        .partition(|it| it.length != PORT_LENGTH);
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    for it in texts.iter().chain(&ports) {
        *times.entry(it.id).or_default() += 1;
    }
    let ids: BTreeSet<u64> = texts.iter().map(|it| it.id).collect();
    if ids.len() != texts.len() {
        return None;
    }
    texts.extend(ports.into_iter().filter(|it| times.get(&it.id) == Some(&1)));
    Some(texts)
}

/// Records, each beginning so far from its pointer, in the order of an array: of themselves, or of what
/// points to them.
fn in_order(
    search: &Search<'_, '_>,
    begin: i64,
    mut all: Vec<Description>,
) -> Option<Descriptions> {
    all.sort_by_key(|it| it.cell);
    let start = |it: &Description| Address(it.cell.0.wrapping_add_signed(begin));
    let mut distances = all.windows(2).map(|pair| match pair {
        [one, next] => next.cell.0 - one.cell.0,
        _ => 0,
    });
    let stride = distances.next()?;
    if distances.all(|distance| distance == stride) {
        let anchor = all.first().map(start)?;
        return Some(Descriptions { all, base: None, anchor });
    }
    let by_start: BTreeMap<Address, Description> = all.iter().map(|it| (start(it), *it)).collect();
    let is_whole = |row: &Vec<Pointer>| {
        let targets: BTreeSet<Address> = row.iter().map(|(_, target)| *target).collect();
        row.len() == all.len() && targets.iter().eq(by_start.keys())
    };
    let rows = constant_records::rows(search.subject, search.pointers, search.pointer_size());
    let row = rows.into_iter().find(is_whole)?;
    let all = row.iter().filter_map(|(_, target)| by_start.get(target).copied()).collect();
    Some(Descriptions { all, base: None, anchor: Address(row.first()?.0) })
}
