//! Constant tables of which the compiler left no routine that decodes or looks up: what describes their
//! entries is still in the file.
//!
//! How it works: of all pointers in the file those count that lead to text under one key ([`key`]).
//! Where the length of each text stands in the same place beside its pointer, and beside that a number
//! that no two have in common, the records say id, length and place ([`by_fields`]). Where the pointers
//! are an array and the lengths another one, the place in both is the id ([`by_place`]). An entry of two
//! bytes need not be text.
//!
//! False positives: other numbered texts under one key, such as a benign program's messages; that alone
//! is therefore never reported as a configuration. False negatives: records whose order no array shows;
//! tables of fewer than eight texts; texts whose end is not encoded.

use crate::cipher::{Cipher, Coding};
use crate::loose_strings::{keys_at, text_at};
use crate::string_table::constant_records::{self, Pointer};
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use crate::xor;
use miyaburi_image::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest texts that make a table.
const MIN_TEXTS: usize = 8;

/// Share of texts among what an array of pointers leads to, in percent: the others are ports.
const TEXTS_PERCENT: usize = 75;

/// Ids are below this.
const MAX_ID: u64 = 4096;

/// Longest entry, in bytes.
const MAX_LENGTH: u64 = 1024;

/// Bytes of an entry that is a port.
const PORT_LENGTH: u64 = 2;

/// Widths of numbers that are looked for, in bytes.
const WIDTHS: [u32; 3] = [2, 4, 1];

/// Most bytes between a record's pointer and its numbers.
const FIELDS_AROUND: i64 = 8;

/// Most bytes between a record's length and its id.
const FIELDS_APART: u64 = 4;

/// Arrays whose begins are multiples of two to this power, and of so much no other, begin there.
const ALIGNED: u32 = 4;

/// What describes one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Description {
    id: u64,
    cell: Address,
    source: Address,
    length: u64,
}

impl Description {
    /// Whether it describes a text under `key`, or a port.
    fn may_be_entry(&self, subject: &Subject<'_>, key: u8) -> bool {
        let encoded = subject.image.bytes_from(self.source).get(..self.length as usize);
        let is_text = |bytes: &[u8]| xor::is_text(&xor::apply(bytes, key));
        let is_sized = (1..=MAX_LENGTH).contains(&self.length);
        is_sized && encoded.is_some_and(|bytes| bytes.len() as u64 == PORT_LENGTH || is_text(bytes))
    }
}

/// All that describe a table.
struct Descriptions {
    all: Vec<Description>,
    /// Where the pointer of the entry with id 0 stands, if it has a place.
    base: Option<Address>,
    /// Where code looks for them.
    anchor: Address,
}

/// Looks for a table that is described under one key.
pub(super) fn extract<'a>(subject: &mut Subject<'a>) -> Option<Table<'a>> {
    let pointers = constant_records::pointers(subject);
    let key = key(subject, &pointers)?;
    let texts: BTreeMap<Address, u64> = pointers
        .iter()
        .filter_map(|(_, target)| {
            Some((*target, text_at(subject.image, *target, key)?.len() as u64))
        })
        .collect();
    let found = by_fields(subject, key, &pointers, &texts)
        .or_else(|| by_place(subject, key, &pointers, &texts))?;
    table(subject, key, found)
}

/// The key under which most of what is pointed to is text.
fn key(subject: &Subject<'_>, pointers: &[Pointer]) -> Option<u8> {
    let targets: BTreeSet<Address> = pointers.iter().map(|(_, target)| *target).collect();
    let mut votes = [0_usize; 256];
    for key in targets.into_iter().flat_map(|target| keys_at(subject.image, target)) {
        votes[usize::from(key)] += 1;
    }
    let (key, count) = votes.into_iter().enumerate().skip(1).max_by_key(|(_, count)| *count)?;
    (count >= MIN_TEXTS).then_some(key as u8)
}

/// A number so far from a pointer, so wide.
type Field = (i64, u32);

fn number(subject: &Subject<'_>, cell: u64, (distance, width): Field) -> Option<u64> {
    subject.image.read_uint(Address(cell.wrapping_add_signed(distance)), width)
}

/// Records of a pointer, the length of what it leads to, and an id.
fn by_fields(
    subject: &Subject<'_>,
    key: u8,
    pointers: &[Pointer],
    texts: &BTreeMap<Address, u64>,
) -> Option<Descriptions> {
    let size = i64::from(subject.emulator.arch().pointer_size());
    let places = (-FIELDS_AROUND..0).chain(size..size + FIELDS_AROUND);
    let fields: Vec<Field> =
        places.flat_map(|distance| WIDTHS.map(|width| (distance, width))).collect();
    let told = |field: Field| -> Vec<&Pointer> {
        let is_told = |(cell, target): &&Pointer| {
            texts.get(target).is_some_and(|it| number(subject, *cell, field) == Some(*it))
        };
        pointers.iter().filter(is_told).collect()
    };
    let (length, members) =
        fields.iter().map(|field| (*field, told(*field))).max_by_key(|(_, told)| told.len())?;
    if members.len() < MIN_TEXTS {
        return None;
    }
    let ids = |field: Field| -> Option<BTreeSet<u64>> {
        let ids: Option<BTreeSet<u64>> = members
            .iter()
            .map(|(cell, _)| number(subject, *cell, field).filter(|id| *id < MAX_ID))
            .collect();
        ids.filter(|ids| ids.len() == members.len())
    };
    let beside = fields.iter().filter(|(distance, _)| {
        (*distance < 0) == (length.0 < 0) && distance.abs_diff(length.0) <= FIELDS_APART
    });
    let mut possible = beside.filter_map(|field| Some((*field, ids(*field)?)));
    let (id, ids) = possible.next()?;
    if possible.any(|(_, other)| other != ids) {
        return None;
    }
    let (first, last) = (members.first()?.0, members.last()?.0);
    let near = first.saturating_sub(MAX_LENGTH)..=last + MAX_LENGTH;
    let described = pointers.iter().filter(|(cell, _)| near.contains(cell));
    let (mut all, ports): (Vec<Description>, Vec<Description>) = described
        .filter_map(|(cell, source)| {
            let id = number(subject, *cell, id).filter(|id| *id < MAX_ID)?;
            let length = number(subject, *cell, length)?;
            let it = Description { id, cell: Address(*cell), source: *source, length };
            it.may_be_entry(subject, key).then_some(it)
        })
        .partition(|it| it.length != PORT_LENGTH);
    let times = |id: u64| all.iter().chain(&ports).filter(|it| it.id == id).count();
    let ports: Vec<Description> = ports.iter().filter(|it| times(it.id) == 1).copied().collect();
    all.extend(ports);
    let begin = length.0.min(id.0).min(0);
    in_order(subject, pointers, begin, all)
}

/// Records, each beginning so far from its pointer, in the order of an array: of themselves, or of what
/// points to them.
fn in_order(
    subject: &Subject<'_>,
    pointers: &[Pointer],
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
    let size = u64::from(subject.emulator.arch().pointer_size());
    let is_whole = |row: &Vec<Pointer>| {
        row.len() == all.len() && row.iter().all(|(_, target)| by_start.contains_key(target))
    };
    let row = constant_records::rows(subject, pointers, size).into_iter().find(is_whole)?;
    let all = row.iter().filter_map(|(_, target)| by_start.get(target).copied()).collect();
    Some(Descriptions { all, base: None, anchor: Address(row.first()?.0) })
}

/// An array of pointers and one of the lengths of what they lead to.
fn by_place(
    subject: &Subject<'_>,
    key: u8,
    pointers: &[Pointer],
    texts: &BTreeMap<Address, u64>,
) -> Option<Descriptions> {
    let size = u64::from(subject.emulator.arch().pointer_size());
    let mut rows = constant_records::rows(subject, pointers, size);
    rows.retain(|row| {
        let found = row.iter().filter(|(_, target)| texts.contains_key(target)).count();
        found >= MIN_TEXTS && found * 100 >= row.len() * TEXTS_PERCENT
    });
    let row = rows.into_iter().max_by_key(Vec::len)?;
    let (lengths, width) = WIDTHS.iter().find_map(|width| {
        lengths_of(subject, key, &row, texts, *width).map(|lengths| (lengths, *width))
    })?;
    let (first, stride) = (row.first()?.0, u64::from(width));
    let before = before(subject, [(first, size), (lengths, stride)])?;
    let all = row.iter().filter_map(|(cell, source)| {
        let place = (cell - first) / size;
        let length = subject.image.read_uint(Address(lengths + place * stride), width)?;
        Some(Description { id: place + before, cell: Address(*cell), source: *source, length })
    });
    let anchor = Address(first.checked_sub(before * size)?);
    Some(Descriptions { all: all.collect(), base: Some(anchor), anchor })
}

/// How many ids come before the first that is used, by two arrays: each with where that one stands, and
/// its stride. Code refers to where arrays begin, or both are aligned there as nowhere else.
///
/// False positives: zeros before an array that end at such an alignment.
fn before(subject: &Subject<'_>, arrays: [(u64, u64); 2]) -> Option<u64> {
    let bases = arrays.map(|(first, stride)| {
        let (base, is_certain) = constant_records::base(subject, first, stride, 0);
        ((first - base.0) / stride, is_certain)
    });
    match bases {
        [(one, true), (other, true)] => (one == other).then_some(one),
        [(before, true), _] | [_, (before, true)] => Some(before),
        [(one, _), (other, _)] => {
            let alignment = |before: u64| {
                let zeros =
                    arrays.map(|(first, stride)| (first - before * stride).trailing_zeros());
                zeros[0].min(zeros[1])
            };
            let mut possible: Vec<(u32, u64)> =
                (0..=one.min(other)).map(|before| (alignment(before), before)).collect();
            possible.sort_unstable_by(|one, other| other.cmp(one));
            let (best, before) = *possible.first()?;
            let next = possible.get(1).map_or(0, |(next, _)| *next);
            (best >= ALIGNED && next + 1 < best).then_some(before)
        }
    }
}

/// Where the numbers begin that are the lengths of what a row of pointers leads to, and 0 where it has
/// none.
fn lengths_of(
    subject: &Subject<'_>,
    key: u8,
    row: &[Pointer],
    texts: &BTreeMap<Address, u64>,
    width: u32,
) -> Option<u64> {
    let size = u64::from(subject.emulator.arch().pointer_size());
    let (first, last) = (row.first()?.0, row.last()?.0);
    let targets: BTreeMap<u64, Address> = row.iter().copied().collect();
    let is_length = |start: u64, cell: u64| {
        let at = Address(start + (cell - first) / size * u64::from(width));
        let Some(length) = subject.image.read_uint(at, width) else { return false };
        let Some(source) = targets.get(&cell).copied() else { return length == 0 };
        let it = Description { id: 0, cell: Address(cell), source, length };
        texts.get(&source) == Some(&length) || it.may_be_entry(subject, key)
    };
    let cells = || (first..=last).step_by(size as usize);
    let starts = subject.image.segments().iter().flat_map(|segment| {
        let end = segment.address.0 + segment.data.len() as u64;
        (segment.address.0..end).step_by(width.min(2) as usize)
    });
    let mut fitting = starts.filter(|start| cells().all(|cell| is_length(*start, cell)));
    let found = fitting.next()?;
    fitting.next().is_none().then_some(found)
}

fn table<'a>(subject: &Subject<'a>, key: u8, found: Descriptions) -> Option<Table<'a>> {
    let Descriptions { all, base, anchor } = found;
    let references = subject.program.references();
    let texts = all.iter().map(|it| (it.source, it.source.offset(it.length)));
    let reader =
        std::iter::once((anchor, anchor.offset(1))).chain(texts).find_map(|(start, end)| {
            let mut from = references.to(start, end).iter().map(|reference| reference.from);
            let function = from.find_map(|from| subject.program.function_containing(from))?;
            Some(subject.program.function(function)?.entry)
        })?;
    let entry = |it: &Description| {
        let encoded = subject.image.bytes_from(it.source).get(..it.length as usize)?;
        Some(Entry {
            id: it.id as u32,
            decoded: xor::apply(encoded, key),
            encoded: encoded.to_vec(),
            made_of: None,
            cell: it.cell,
            buffer: it.source,
            added_at: None,
            stale_key: None,
            own_key: None,
        })
    };
    let stride = base.map_or(0, |_| u64::from(subject.emulator.arch().pointer_size()));
    Some(Table {
        initialiser: reader,
        is_filled: false,
        is_allocated: false,
        base: anchor,
        base_is_certain: true,
        stride,
        pointer_offset: 0,
        coding: Coding { effective_key: Some(key), ..Coding::of(Cipher::Xor) },
        is_observed: false,
        inferred_key: Some(key),
        accessors: Vec::new(),
        entries: all.iter().filter_map(entry).collect(),
        gaps: Vec::new(),
        filled: subject.bare_state(),
    })
}
