//! Constant tables of which the compiler left no routine that decodes or looks up: what describes their
//! entries is still in the file.
//!
//! How it works: of all pointers in the file those count that lead to text under one key ([`key`]).
//! Where the length of each text stands in the same place beside its pointer, and beside that a number
//! that no two have in common, the records say id, length and place ([`fields`]). Where the pointers
//! are an array and the lengths another one, the place in both is the id ([`arrays`]). An entry of two
//! bytes need not be text.
//!
//! False positives: other numbered texts under one key, such as a benign program's messages; that alone
//! is therefore never reported as a configuration. False negatives: records whose order no array shows;
//! tables of fewer than eight texts; texts whose end is not encoded; files with more pointers than
//! [`MAX_POINTERS`].

mod arrays;
mod fields;

use crate::cipher::{Cipher, Coding};
use crate::loose_strings::{keys_at, text_at};
use crate::string_table::constant_records::{self, Pointer};
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use crate::xor;
use miyaburi_image::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Most pointers of a file: several times those of the largest samples seen.
const MAX_POINTERS: usize = 1 << 17;

/// Fewest texts that make a table.
const MIN_TEXTS: usize = 8;

/// Longest entry, in bytes.
const MAX_LENGTH: u64 = 1024;

/// Bytes of an entry that is a port.
const PORT_LENGTH: u64 = 2;

/// Widths of numbers that are looked for, in bytes.
const WIDTHS: [u32; 3] = [2, 4, 1];

/// What describes one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Description {
    id: u64,
    cell: Address,
    source: Address,
    length: u64,
}

/// All that describe a table.
struct Descriptions {
    /// In the table's order.
    all: Vec<Description>,
    /// Where the pointer of the entry with id 0 stands, if it has a place.
    base: Option<Address>,
    /// Where code looks for them.
    anchor: Address,
}

/// Where descriptions are looked for.
struct Search<'s, 'a> {
    subject: &'s Subject<'a>,
    key: u8,
    pointers: &'s [Pointer],
    /// How long the text is, in bytes, that begins there.
    texts: BTreeMap<Address, u64>,
}

impl Search<'_, '_> {
    fn pointer_size(&self) -> u64 {
        self.subject.emulator.arch().pointer_size().into()
    }

    /// The number that stands there.
    fn number(&self, at: u64, width: u32) -> Option<u64> {
        self.subject.image.read_uint(Address(at), width)
    }

    /// Whether so many bytes there are a text under the key, or a port.
    fn may_be_entry(&self, source: Address, length: u64) -> bool {
        let is_text = |bytes: &[u8]| xor::is_text(&xor::apply(bytes, self.key));
        let encoded = self.subject.image.bytes_from(source).get(..length as usize);
        (1..=MAX_LENGTH).contains(&length)
            && encoded.is_some_and(|bytes| length == PORT_LENGTH || is_text(bytes))
    }
}

/// Looks for a table that is described under one key.
pub(super) fn extract<'a>(subject: &mut Subject<'a>) -> Option<Table<'a>> {
    let pointers = constant_records::pointers(subject);
    if pointers.len() > MAX_POINTERS {
        return None;
    }
    let key = key(subject, &pointers)?;
    let length = |at: Address| Some((at, text_at(subject.image, at, key)?.len() as u64));
    let texts = pointers.iter().filter_map(|(_, target)| length(*target)).collect();
    let search = Search { subject, key, pointers: &pointers, texts };
    let found = fields::find(&search).or_else(|| arrays::find(&search))?;
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
