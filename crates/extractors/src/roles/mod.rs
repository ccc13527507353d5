//! What texts are for, those of the string table and loose ones: by who reads them, and what is done
//! with them.
//!
//! How it works: the routine that adds credentials belongs to the scanner, registered handlers are
//! attacks, who reads paths of `/proc` looks for processes, who reads several HTTP fields makes or
//! reads HTTP messages; what these call belongs to them ([`readers`]). Some texts say by a standard
//! what they are for, whoever reads them ([`texts`]). A text handed to a call on standard output is a message.
//! User agents that nobody asks for by their ids are those among which an attack chooses by an id
//! that it computes.
//!
//! False positives: a text that a part reads for another purpose than its own; a path of `/proc` or a
//! field of HTTP that a part reads which is not known, such as an exploit; a text read beside a
//! call whose first argument is 1 by chance; a user agent that nobody reads, beside an attack that
//! computes the id of something else. False negatives: texts that nobody reads or that two parts
//! read, other texts than user agents whose id is computed; a message whose line is ended by the
//! same call, when nothing accesses it behind; messages in functions of more than [`MAX_CALLS`]
//! calls; parts that were inlined into start-up code, where every part meets. Among more than
//! [`MAX_TEXTS`] texts, which no sample of the family has, none has a purpose.

pub mod loose;
pub mod readers;
pub mod texts;

use crate::endpoints::consumers::{EntryReference, choosing_functions, references_to};
use crate::string_table::{Entry, Table};
use crate::subject::Subject;
use crate::xor;
use miyaburi_image::Address;
use readers::{Part, Parts};
use rustc_hash::{FxHashMap, FxHashSet};

/// HTTP fields or user agents that one function reads before it counts as handling HTTP messages.
const MIN_FIELDS: usize = 2;

/// Standard output's descriptor (POSIX).
const STANDARD_OUTPUT: u64 = 1;

/// Calls on standard output that follow a text's only access: one for the text, one for what ends
/// the line.
const PRINTING_CALLS: usize = 2;

/// Most texts whose purpose is asked for: fifty times those of the largest tables seen.
const MAX_TEXTS: usize = 4096;

/// Calls of a function in which printing is looked for.
const MAX_CALLS: usize = 1024;

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
    let texts: FxHashMap<u32, Text> =
        table.entries.iter().map(|entry| (entry.id, text(entry))).collect();
    let parts = Parts::around(subject, &known_parts(&texts, references, known));
    let mut purposes = purposes(subject, &parts, &texts, references, known);
    let is_attack = |function: &Address| {
        let part = subject.program.function_at(*function).and_then(|id| parts.of(id));
        matches!(part, Some(Part::Http | Part::Attack))
    };
    if choosing_functions(subject, table).iter().any(is_attack) {
        let asked_for: FxHashSet<u32> = references.iter().map(|reference| reference.id).collect();
        let chosen = texts
            .iter()
            .filter(|(id, text)| !asked_for.contains(id) && texts::is_user_agent(&text.bytes));
        purposes.extend(chosen.map(|(id, _)| (*id, Purpose::UserAgent)));
    }
    purposes
}

/// The purposes of the texts that have one; `references`, ordered by id, name them by their numbers.
fn purposes(
    subject: &Subject<'_>,
    parts: &Parts,
    texts: &FxHashMap<u32, Text>,
    references: &[EntryReference],
    known: &KnownRoutines,
) -> FxHashMap<u32, Purpose> {
    let mut purposes = FxHashMap::default();
    if texts.len() > MAX_TEXTS {
        return purposes;
    }
    for (id, text) in texts {
        let readers = references_to(references, *id);
        let purpose = purpose_of(subject, parts, text, readers)
            .or_else(|| purpose_by_grammar(&text.bytes, known));
        if let Some(purpose) = purpose {
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

/// The purpose of a text that no single part is seen reading, by what it says itself, where the
/// program has the part that such texts are for.
fn purpose_by_grammar(text: &[u8], known: &KnownRoutines) -> Option<Purpose> {
    let is_dialogue = texts::is_missing_applet(text) || texts::is_shell_dialogue(text);
    let has_attacks = !known.handlers.is_empty();
    match text {
        _ if is_dialogue => known.scanner.map(|_| Purpose::ScannerDialogue),
        _ if texts::is_process_path(text) => Some(Purpose::Killer),
        _ if !has_attacks => None,
        _ if texts::is_user_agent(text) => Some(Purpose::UserAgent),
        _ if texts::is_http_field(text) => Some(Purpose::HttpFragment),
        _ if texts::is_resolver_configuration(text) => Some(Purpose::Resolver),
        _ => None,
    }
}

fn purpose_of(
    subject: &Subject<'_>,
    parts: &Parts,
    Text { bytes: text, name }: &Text,
    readers: &[EntryReference],
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

/// Whether every access to a text prints it: all that is called between its accesses is for
/// standard output or, where nothing is called between them, the [`PRINTING_CALLS`] calls behind.
/// One of these calls takes what may be the text, not another constant. A function may hold several
/// copies of this, with other calls between them.
///
/// The routine that hands out a text is called for it as well, by its `name`.
fn is_printed(subject: &Subject<'_>, name: u64, readers: &[EntryReference]) -> bool {
    let Some(function) = readers.first().map(|reader| reader.function) else { return false };
    if readers.iter().any(|reader| reader.function != function) {
        return false;
    }
    let Some(id) = subject.program.function_at(function) else { return false };
    let Some(values) = subject.program.values(id) else { return false };
    let mut accesses: Vec<Address> = readers.iter().map(|reader| reader.site).collect();
    accesses.sort_unstable();
    if subject.program.calls_of(id).nth(MAX_CALLS).is_some() {
        return false;
    }
    let argument = |site, index| values.argument(site, index).constant();
    let mut calls: Vec<Address> = subject
        .program
        .calls_of(id)
        .map(|call| call.address)
        .filter(|site| accesses.binary_search(site).is_err() && argument(*site, 0) != Some(name))
        .collect();
    calls.sort_unstable();
    let behind = |access: Address| &calls[calls.partition_point(|site| *site < access)..];
    let between = |from: Address, to: Address| {
        let behind = behind(from);
        &behind[..behind.partition_point(|site| *site < to)]
    };
    let are_output =
        |calls: &[Address]| calls.iter().all(|site| argument(*site, 0) == Some(STANDARD_OUTPUT));
    // A call may be an access itself, when it is handed the text's own place.
    let is_output_of =
        |site: &Address| name != STANDARD_OUTPUT && argument(*site, 0) == Some(STANDARD_OUTPUT);
    let prints = |copy: &[Address], calls: &[Address]| {
        let takes_text = |site: &Address| argument(*site, 1).is_none_or(|other| other == name);
        are_output(calls) && (calls.iter().any(takes_text) || copy.iter().any(is_output_of))
    };
    accesses.chunk_by(|one, next| are_output(between(*one, *next))).all(|copy| {
        let Some((first, last)) = copy.first().zip(copy.last()) else { return false };
        match between(*first, *last) {
            [] => {
                let next = behind(*last).get(..PRINTING_CALLS);
                next.is_some_and(|calls| prints(copy, calls))
            }
            calls => prints(copy, calls),
        }
    })
}
