//! What texts are for, those of the string table and loose ones: by who reads them, and what is done
//! with them.
//!
//! How it works: the routine that adds credentials belongs to the scanner, registered handlers are
//! attacks, who reads paths of `/proc` looks for processes, who reads several HTTP fields makes or
//! reads HTTP messages; what these call belongs to them ([`readers`]). A few texts say by a standard
//! what reading them is for ([`texts`]). A text handed to a call on standard output is a message.
//!
//! False positives: a text that a part reads for another purpose than its own; a text read beside a
//! call whose first argument is 1 by chance. False negatives: texts that nobody reads or that two
//! parts read; a message whose line is ended by the same call, when it is accessed once; parts that
//! were inlined into start-up code, where every part meets.

pub mod loose;
pub mod readers;
pub mod texts;

use crate::endpoints::consumers::EntryReference;
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use crate::xor;
use miyaburi_image::Address;
use readers::{Part, Parts};
use rustc_hash::FxHashMap;

/// HTTP fields or user agents that one function reads before it counts as handling HTTP messages.
const MIN_FIELDS: usize = 2;

/// Standard output's descriptor (POSIX).
const STANDARD_OUTPUT: u64 = 1;

/// Calls on standard output that follow a text's only access: one for the text, one for what ends
/// the line.
const PRINTING_CALLS: usize = 2;

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Finding a DNS resolver.
    Resolver,
    /// Said to or expected from a scanned device.
    ScannerDialogue,
    /// Finding processes to kill.
    Killer,
    /// Reaching the watchdog.
    Watchdog,
    /// Payload of an attack.
    AttackPayload,
    /// Part of an HTTP message.
    HttpFragment,
    /// User agent of an HTTP request.
    UserAgent,
    /// Printed at start.
    ExecutionMessage,
}

/// Routines whose purpose other extractors know.
#[derive(Clone, Debug, Default)]
pub struct KnownRoutines {
    /// Adds the credentials.
    pub scanner: Option<Address>,
    /// Attack handlers.
    pub handlers: Vec<Address>,
    /// Fill tables and registries when the program starts.
    pub setup: Vec<Address>,
}

/// A text whose purpose is asked for.
struct Text {
    bytes: Vec<u8>,
    /// What code names it by to have it decoded: its id or its address.
    name: u64,
}

/// The purposes of the entries of `table` that have one, by id.
#[must_use]
pub fn find(
    subject: &Subject<'_>,
    table: &Table<'_>,
    references: &[EntryReference],
    known: &KnownRoutines,
) -> FxHashMap<u32, Purpose> {
    let text = |entry: &Entry| Text { bytes: meant_text(entry), name: u64::from(entry.id) };
    let texts = table.entries.iter().map(|entry| (entry.id, text(entry))).collect();
    purposes(subject, &texts, references, known)
}

/// The purposes of the texts that have one; `references` name them by their numbers.
fn purposes(
    subject: &Subject<'_>,
    texts: &FxHashMap<u32, Text>,
    references: &[EntryReference],
    known: &KnownRoutines,
) -> FxHashMap<u32, Purpose> {
    let parts = Parts::around(subject, &known_parts(texts, references, known));
    let mut purposes = FxHashMap::default();
    for (id, text) in texts {
        let readers: Vec<&EntryReference> =
            references.iter().filter(|reference| reference.id == *id).collect();
        if let Some(purpose) = purpose_of(subject, &parts, text, &readers) {
            purposes.insert(*id, purpose);
        }
    }
    purposes
}

/// The text of an entry without its terminator, under the key under which it makes sense.
fn meant_text(entry: &Entry) -> Vec<u8> {
    let mut text = match entry.stale_key {
        Some(key) => xor::apply(&entry.encoded, key),
        None => entry.decoded.clone(),
    };
    if text.last() == Some(&0) {
        text.pop();
    }
    text
}

/// Functions whose part is known by what other extractors found and by the texts they read.
fn known_parts(
    texts: &FxHashMap<u32, Text>,
    references: &[EntryReference],
    known: &KnownRoutines,
) -> Vec<(Part, Address)> {
    let mut parts: Vec<(Part, Address)> = Vec::new();
    parts.extend(known.scanner.map(|function| (Part::Scanner, function)));
    parts.extend(known.handlers.iter().map(|function| (Part::Attack, *function)));
    parts.extend(known.setup.iter().map(|function| (Part::Setup, *function)));
    let mut fields: FxHashMap<Address, Vec<u32>> = FxHashMap::default();
    for reference in references {
        let Some(Text { bytes: text, .. }) = texts.get(&reference.id) else { continue };
        if texts::is_process_path(text) {
            parts.push((Part::Killer, reference.function));
        } else if texts::is_http_field(text) || texts::is_user_agent(text) {
            fields.entry(reference.function).or_default().push(reference.id);
        }
    }
    for (function, mut ids) in fields {
        ids.sort_unstable();
        ids.dedup();
        if ids.len() >= MIN_FIELDS {
            parts.push((Part::Http, function));
        }
    }
    parts.sort_unstable();
    parts.dedup();
    parts
}

fn purpose_of(
    subject: &Subject<'_>,
    parts: &Parts,
    Text { bytes: text, name }: &Text,
    readers: &[&EntryReference],
) -> Option<Purpose> {
    let first = readers.first()?;
    if texts::is_resolver_configuration(text) {
        return Some(Purpose::Resolver);
    }
    if texts::is_watchdog_device(text) {
        return Some(Purpose::Watchdog);
    }
    let part_of = |reader: &EntryReference| {
        subject.program.function_at(reader.function).and_then(|function| parts.of(function))
    };
    let part = part_of(first);
    if readers.iter().any(|reader| part_of(reader) != part) {
        return None;
    }
    match part {
        Some(Part::Scanner) => Some(Purpose::ScannerDialogue),
        Some(Part::Killer) => Some(Purpose::Killer),
        Some(Part::Http | Part::Attack) if texts::is_user_agent(text) => Some(Purpose::UserAgent),
        Some(Part::Attack) if texts::is_http_field(text) => Some(Purpose::HttpFragment),
        Some(Part::Http) => Some(Purpose::HttpFragment),
        Some(Part::Attack) => Some(Purpose::AttackPayload),
        Some(Part::Setup) => None,
        None => is_printed(subject, *name, readers).then_some(Purpose::ExecutionMessage),
    }
}

/// Whether all that is called between the first and the last access to a text is for standard
/// output; or, when it is accessed only once, the [`PRINTING_CALLS`] calls behind.
///
/// The routine that hands out a text is called for it as well, by its `name`.
fn is_printed(subject: &Subject<'_>, name: u64, readers: &[&EntryReference]) -> bool {
    let Some((first, last)) = readers.first().zip(readers.last()) else { return false };
    let Some(function) = subject.program.function_at(first.function) else { return false };
    let Some(values) = subject.program.values(function) else { return false };
    if first.function != last.function {
        return false;
    }
    let is_access = |site: Address| readers.iter().any(|reader| reader.site == site);
    let calls = subject
        .program
        .calls_of(function)
        .filter(|call| call.address > first.site && !is_access(call.address))
        .map(|call| (call.address, values.argument(call.address, 0).constant()));
    let mut calls: Vec<(Address, Option<u64>)> =
        calls.filter(|(_, argument)| *argument != Some(name)).collect();
    calls.sort_unstable();
    let (fewest, calls) = match first.site == last.site {
        true => (PRINTING_CALLS, calls.get(..PRINTING_CALLS).unwrap_or(&[])),
        false => (1, &calls[..calls.partition_point(|(site, _)| *site < last.site)]),
    };
    let is_output = |(_, argument): &(Address, Option<u64>)| *argument == Some(STANDARD_OUTPUT);
    calls.len() >= fewest && calls.iter().all(is_output)
}
