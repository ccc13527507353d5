//! The string table: which values the program keeps encoded, under which ids.
//!
//! How it works: routines that call one other routine again and again are run in a bare machine;
//! the one that leaves a table behind ([`records`]) is the initialiser. The table's place gives
//! the ids ([`base`]). The sample's own accessors then decode each entry ([`accessors`]); where
//! the compiler left none to call, the key follows from the encoded terminators.

pub mod accessors;
pub mod base;
pub mod records;

use crate::subject::Subject;
use crate::trace::{Policy, Trace};
use crate::xor;
use accessors::{Access, Accessor, Probe};
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;
use records::{Record, Records};

/// A routine is a candidate when it calls one other at least this often.
const MIN_REPEATED_CALLS: usize = 5;

/// Most candidates that are run.
const MAX_INITIALISERS: usize = 16;

/// Fewest entries whose decoding must make sense, in percent, before a table is believed.
const SENSIBLE_PERCENT: usize = 60;

/// One decoded entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: u32,
    /// Its bytes as the running program would see them.
    pub decoded: Vec<u8>,
    /// Its bytes as stored.
    pub encoded: Vec<u8>,
    /// Where the record is.
    pub cell: Address,
    /// Where its bytes are once the table is filled.
    pub buffer: Address,
    /// The instruction that added it, when one can be named.
    pub added_at: Option<Address>,
    /// The key under which the entry makes sense, when that is not the code's.
    pub stale_key: Option<u8>,
}

/// The table, and the machine with the table filled.
pub struct Table<'a> {
    /// The routine that fills it.
    pub initialiser: Address,
    /// Address of the record with id 0.
    pub base: Address,
    /// Whether the base is known; otherwise ids count from the first record.
    pub base_is_certain: bool,
    /// Distance between records, in bytes.
    pub stride: u64,
    /// The key as one byte.
    pub effective_key: u8,
    /// Whether the sample's own routine was seen to decode with that key.
    pub key_observed: bool,
    /// The key word in memory, when the file holds it.
    pub key_word: Option<u32>,
    /// Routines that handle entries.
    pub accessors: Vec<Accessor>,
    /// In the order in which the code adds them.
    pub entries: Vec<Entry>,
    /// The machine after the initialiser ran.
    pub filled: State<'a>,
}

/// Looks for the table.
pub fn extract<'a>(subject: &mut Subject<'a>) -> Option<Table<'a>> {
    let (initialiser, trace, records) = fill(subject)?;
    let writes: usize = trace.writes().count();
    debug_assert!(writes >= records.records.len());
    let known_base = base::from_arguments(&trace, &records);
    let base = known_base.or_else(|| base_from_references(subject, &records));
    let lowest = records.records.iter().map(|record| record.cell).min()?;
    let end = records.records.iter().map(|record| record.cell).max()?.offset(records.stride);
    let base_is_certain = base.is_some();
    let base = base.unwrap_or(lowest);
    let id_of = |record: &Record| (record.cell.0.wrapping_sub(base.0)) / records.stride;
    let candidates: Vec<Address> = subject
        .functions_referring_to(base, end)
        .into_iter()
        .filter(|function| *function != initialiser)
        .collect();
    let accessors = match probes(&records, id_of) {
        Some(probes) => accessors::find(subject, &trace.state, &candidates, probes),
        None => Vec::new(),
    };
    let mut filled = trace.state.clone();
    let encoded: Vec<Vec<u8>> = records
        .records
        .iter()
        .map(|record| filled.memory.bytes(record.buffer, record.length as usize).unwrap_or_default())
        .collect();
    let toggle = accessors.iter().find(|accessor| accessor.access == Access::Toggles);
    let observed = toggle.and_then(|toggle| {
        let record = records.records.first()?;
        let decoded = decode(subject, &trace.state, toggle.function, id_of(record), record)?;
        xor::key_between(encoded.first()?, &decoded)
    });
    let inferred = xor::infer_key(encoded.iter().map(Vec::as_slice));
    let effective_key = observed.or(inferred.map(|(key, _)| key))?;
    let sensible = encoded.iter().filter(|entry| xor::is_text(&xor::apply(entry, effective_key)));
    if sensible.count() * 100 < encoded.len() * SENSIBLE_PERCENT {
        return None;
    }
    let entries = records
        .records
        .iter()
        .zip(&encoded)
        .map(|(record, encoded)| {
            let decoded = toggle
                .and_then(|toggle| decode(subject, &trace.state, toggle.function, id_of(record), record))
                .unwrap_or_else(|| xor::apply(encoded, effective_key));
            Entry {
                id: id_of(record) as u32,
                stale_key: stale_key(encoded, &decoded),
                decoded,
                encoded: encoded.clone(),
                cell: record.cell,
                buffer: record.buffer,
                added_at: base::call_that_wrote(&trace, record.stored_by).map(|call| call.call.site),
            }
        })
        .collect();
    let key_word = toggle.and_then(|toggle| {
        let table = base..end;
        subject.key_words(toggle.function).into_iter().find_map(|(address, word)| {
            (!table.contains(&address) && xor::fold(word) == effective_key).then_some(word)
        })
    });
    Some(Table {
        initialiser,
        base,
        base_is_certain,
        stride: records.stride,
        effective_key,
        key_observed: observed.is_some(),
        key_word,
        accessors,
        entries,
        filled,
    })
}

/// Runs the candidates and keeps the one that leaves the largest table.
fn fill<'a>(subject: &mut Subject<'a>) -> Option<(Address, Trace<'a>, Records)> {
    let policy = Policy {
        limits: Limits {
            instructions: 400_000,
            call_instructions: 20_000,
            ..Limits::default()
        },
        ..Policy::default()
    };
    let mut best: Option<(Address, Trace<'a>, Records)> = None;
    for candidate in subject.repetitive_functions(MIN_REPEATED_CALLS).into_iter().take(MAX_INITIALISERS) {
        let state = subject.bare_state();
        let mut trace = subject.run(state, candidate, &[], &policy);
        let writes: Vec<_> = trace.writes().collect();
        let arch = subject.emulator.arch();
        let layout = *subject.emulator.layout();
        let Some(found) = records::find(arch, &layout, &mut trace.state.memory, &writes) else {
            continue;
        };
        let larger = best
            .as_ref()
            .is_none_or(|(_, _, best)| found.records.len() > best.records.len());
        if larger {
            best = Some((candidate, trace, found));
        }
    }
    best
}

/// Two entries to try accessors with: of different length where there are such.
fn probes(records: &Records, id_of: impl Fn(&Record) -> u64) -> Option<[Probe; 2]> {
    let probe = |record: &Record| Probe {
        id: id_of(record),
        buffer: record.buffer,
        length: record.length,
    };
    let first = records.records.first()?;
    let last = records.records.iter().rev().find(|record| record.cell != first.cell)?;
    Some([probe(first), probe(last)])
}

/// An entry decoded by the sample's own routine.
fn decode<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    toggle: Address,
    id: u64,
    record: &Record,
) -> Option<Vec<u8>> {
    let trace = accessors::call_with_id(subject, filled.clone(), toggle, id);
    if !trace.completed() {
        return None;
    }
    let mut state = trace.state;
    state.memory.bytes(record.buffer, record.length as usize)
}

/// The other key under which an entry makes sense, when under the code's key it does not.
fn stale_key(encoded: &[u8], decoded: &[u8]) -> Option<u8> {
    if encoded.len() < 3 || xor::is_text(decoded) {
        return None;
    }
    let key = *encoded.last()?;
    xor::is_text(&xor::apply(encoded, key)).then_some(key)
}

/// The base when no call names it: the nearest address below the first record that code refers
/// to, whole strides away.
///
/// False positives: another object that ends where the table begins, whole strides before the
/// first record; the accessors, run with the ids that follow, expose it.
fn base_from_references(subject: &mut Subject<'_>, records: &Records) -> Option<Address> {
    let lowest = records.records.iter().map(|record| record.cell).min()?;
    let from = Address(lowest.0.saturating_sub(records.stride * 256));
    subject
        .referenced_addresses(from, lowest.offset(1))
        .into_iter()
        .rev()
        .find(|address| (lowest.0 - address.0) % records.stride == 0)
}
