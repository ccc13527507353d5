//! Who uses loose strings, and what these are for.
//!
//! How it works: a call that is handed a string's address uses it, so that compilers which reach
//! several strings from the address of one leave that one to its own users; of strings that are
//! handed to nobody, because decoding was inlined, whoever refers to their bytes. What is put together
//! on the stack is used by who is handed it first.
//!
//! Where all text is encoded, helpers that attacks call have texts of their own, such as the alphabet
//! that names are drawn from: what a handler reads itself is a payload, no more.
//!
//! Loops of CPUs that step a pointer before they load begin one byte before a text, and end at its last
//! byte, which is one before the text behind.
//!
//! False positives: an address that a register still holds at a later call in the same function; the
//! first step of another address that `auipc` makes; whoever refers to the last byte of what lies
//! before a text and is no text.
//! False negatives: strings whose address is computed, and those that only data leads to; payloads
//! that helpers read.

use crate::endpoints::consumers::EntryReference;
use crate::loose_strings::{LooseString, Source};
use crate::roles::readers::Parts;
use crate::roles::{KnownRoutines, Purpose, Text, known_parts, purposes};
use crate::subject::Subject;
use miyaburi_analysis::{Reference, ReferenceKind};
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};

/// The first step of an address that is put together in several (`lui`, `sethi`, `lis`, `adrp`) is a
/// multiple of this. Amid a text it is no address of that text.
const UPPER_PART: u64 = 0x400;

/// Arguments that may be a string.
const ARGUMENTS: usize = 4;

/// The uses of `strings`, each string named by its number among them; by number and address.
#[must_use]
pub fn references(subject: &Subject<'_>, strings: &[LooseString]) -> Vec<EntryReference> {
    if strings.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<EntryReference> = Vec::new();
    let mut numbers: FxHashMap<u64, u32> = FxHashMap::default();
    for (number, string) in (0..).zip(strings) {
        match string.source {
            Source::OnStack { site, function } => {
                found.push(EntryReference { id: number, site, function });
            }
            _ => {
                numbers.insert(string.address.0, number);
            }
        }
    }
    for convention in subject.conventions() {
        for site in subject.program.call_sites() {
            let Some(caller) = subject.program.function(site.caller) else { continue };
            let arguments = (0..ARGUMENTS).filter_map(|index| {
                subject.constant_argument(&convention, site.caller, site.address, index)
            });
            found.extend(arguments.filter_map(|argument| numbers.get(&argument)).map(|number| {
                EntryReference { id: *number, site: site.address, function: caller.entry }
            }));
        }
    }
    let handed: FxHashSet<u32> = found.iter().map(|reference| reference.id).collect();
    let ends = strings.iter().map(|string| (end_of(string), string.address));
    let layout = Layout { starts: &numbers, before: &ends.collect() };
    for (string, number) in strings.iter().zip(0..).filter(|(_, number)| !handed.contains(number)) {
        for reference in layout.references(subject, string) {
            let function = function_of(subject, reference);
            found.extend(function.map(|function| EntryReference {
                id: number,
                site: reference.from,
                function,
            }));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Where strings lie.
struct Layout<'l> {
    /// Numbers of strings, by address.
    starts: &'l FxHashMap<u64, u32>,
    /// Where a string begins, by its end.
    before: &'l FxHashMap<Address, Address>,
}

impl Layout<'_> {
    /// The references to a string's bytes, and to the byte before it.
    fn references<'s>(
        &self,
        subject: &'s Subject<'_>,
        string: &LooseString,
    ) -> impl Iterator<Item = &'s Reference> {
        let (start, end) = (string.address, end_of(string));
        let ahead = Address(start.0.saturating_sub(1));
        let has_next = self.starts.contains_key(&end.0);
        let references = subject.program.references();
        let neighbour = self.before.get(&start).copied();
        // Who refers to the start of the text before goes towards its end.
        let is_end = move |reference: &Reference| {
            neighbour.is_some_and(|other| {
                let to_start = references.to(Address(other.0.saturating_sub(1)), other.offset(1));
                let function = function_of(subject, reference);
                to_start.iter().any(|start| function_of(subject, start) == function)
            })
        };
        references.to(ahead, end).iter().filter(move |reference| match reference.kind {
            ReferenceKind::Address if reference.to == start => true,
            ReferenceKind::Address if reference.to.0.is_multiple_of(UPPER_PART) => false,
            ReferenceKind::Address if reference.to == ahead => !is_end(reference),
            ReferenceKind::Address => !(has_next && reference.to.offset(1) == end),
            _ => reference.to != ahead,
        })
    }
}

/// The first address behind a string.
const fn end_of(string: &LooseString) -> Address {
    string.address.offset(string.decoded.len() as u64)
}

/// The entry of the function around a reference.
fn function_of(subject: &Subject<'_>, reference: &Reference) -> Option<Address> {
    let function = subject.program.function_containing(reference.from);
    function.and_then(|function| subject.program.function(function)).map(|function| function.entry)
}

/// The purposes of the `strings` that have one, by their numbers.
#[must_use]
pub fn find(
    subject: &Subject<'_>,
    strings: &[LooseString],
    references: &[EntryReference],
    known: &KnownRoutines,
) -> FxHashMap<u32, Purpose> {
    let text = |string: &LooseString| {
        let bytes = string.decoded.strip_suffix(&[0]).unwrap_or(&string.decoded).to_vec();
        Text { bytes, name: string.address.0 }
    };
    let texts: FxHashMap<u32, Text> =
        (0..).zip(strings).map(|(number, string)| (number, text(string))).collect();
    let parts = Parts::around(subject, &known_parts(&texts, references, known));
    let mut found = purposes(subject, &parts, &texts, references, known);
    let is_other = |reader: &&EntryReference| !known.handlers.contains(&reader.function);
    let read_by_others: FxHashSet<u32> =
        references.iter().filter(is_other).map(|reader| reader.id).collect();
    found.retain(|number, purpose| {
        *purpose != Purpose::AttackPayload || !read_by_others.contains(number)
    });
    found
}
