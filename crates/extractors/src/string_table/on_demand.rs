//! A table that nothing fills: constant data, decoded into a buffer whenever an entry is asked for.
//!
//! How it works: every routine that the program gives different small numbers is run in a bare
//! machine with each of them. Where it leaves bytes at the address that it returns (or in memory
//! that it was handed), and those bytes stand in the file under one key for all numbers, the
//! numbers are ids and the bytes entries. The ids between and behind those that the program names
//! are asked for as well; what they give counts when it was read from among the other entries'
//! bytes, or is text. Nothing adds the entries, so they stand in the order of their ids.
//!
//! False positives: another decoder of numbered texts, such as a benign program's messages; that
//! alone is therefore never reported as a configuration. False negatives: fewer than five entries;
//! routines whose caller says where the encoded bytes are; ids behind the last one that the program
//! names, unless what they give is text.

use crate::cipher::{Cipher, Coding};
use crate::string_table::accessors::{self, Access, Accessor, Candidate, Routine};
use crate::string_table::gaps::Gap;
use crate::string_table::{Entry, SENSIBLE_PERCENT, Table, key_word};
use crate::subject::Subject;
use crate::written::WrittenRanges;
use crate::xor;
use miyaburi_emulator::State;
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// Fewest entries that make a table.
const MIN_ENTRIES: usize = 5;

/// Ids that are asked for behind the last one that the program names.
const MORE_IDS: u64 = 64;

/// Highest id that is asked for.
const MAX_ID: u64 = 1024;

/// Longest entry, in bytes.
const MAX_LENGTH: u64 = 1024;

/// Arguments that may be the id.
const ID_ARGUMENTS: usize = 2;

/// Ids that a routine is tried with before it is given up.
const TRIED_IDS: usize = 6;

/// What a routine gave for one id.
#[derive(Clone, Debug)]
struct Given {
    id: u64,
    decoded: Vec<u8>,
    /// Where the encoded bytes are, and what they are.
    source: Address,
    encoded: Vec<u8>,
    /// Where the address of the encoded bytes was read from.
    cell: Option<Address>,
    key: u8,
}

/// Looks for the routine that gives most entries.
pub fn extract<'a>(subject: &mut Subject<'a>) -> Option<Table<'a>> {
    let state = subject.bare_state();
    let mut best: Option<(Routine, Vec<Given>)> = None;
    for convention in subject.conventions() {
        for id_argument in 0..ID_ARGUMENTS {
            for candidate in accessors::candidates(subject, &state, &convention, id_argument) {
                if best.as_ref().is_some_and(|(_, best)| best.len() >= candidate.ids.len()) {
                    continue;
                }
                let Some(given) = entries(subject, &state, &candidate) else { continue };
                if best.as_ref().is_none_or(|(_, best)| given.len() > best.len()) {
                    best = Some((candidate.routine, given));
                }
            }
        }
    }
    let (routine, given) = best?;
    table(subject, state, routine, given)
}

/// The entries that a routine gives, by id, all under one key.
fn entries<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    candidate: &Candidate,
) -> Option<Vec<Given>> {
    let Candidate { routine, ids } = candidate;
    if ids.len() < MIN_ENTRIES {
        return None;
    }
    let tried = ids.iter().take(TRIED_IDS);
    let key = tried.filter_map(|id| give(subject, state, routine, *id, None)).next()?.key;
    let mut named: Vec<Given> = Vec::new();
    let mut refused = 0;
    for id in ids {
        match give(subject, state, routine, *id, Some(key)) {
            Some(given) => named.push(given),
            None => refused += 1,
        }
        if refused > named.len() + TRIED_IDS {
            return None;
        }
    }
    if named.len() < MIN_ENTRIES || named.len() * 100 < ids.len() * SENSIBLE_PERCENT {
        return None;
    }
    // A number that says how much of one text to decode is no id.
    let is_longer = |one: &Given, other: &Given| {
        one.source == other.source && one.encoded.len() != other.encoded.len()
    };
    // Nor is one that most often makes no difference; a linker may join a few equal texts.
    let different: BTreeSet<Address> = named.iter().map(|given| given.source).collect();
    if different.len() < MIN_ENTRIES
        || different.len() * 2 < named.len()
        || named.iter().any(|one| named.iter().any(|other| is_longer(one, other)))
    {
        return None;
    }
    let first = named.iter().map(|given| given.source).min()?;
    let last = named.iter().map(|given| given.source).max()?;
    let highest = *ids.last()?;
    let known: BTreeSet<u64> = ids.iter().copied().collect();
    let mut all = named;
    for id in (0..=(highest + MORE_IDS).min(MAX_ID)).filter(|id| !known.contains(id)) {
        let Some(given) = give(subject, state, routine, id, Some(key)) else { continue };
        let is_among = (first..=last).contains(&given.source);
        // Linkers keep long texts apart, and the first and the last may be named by no one.
        let distance = given.source.0.abs_diff(first.0).min(given.source.0.abs_diff(last.0));
        let is_text = xor::is_text(&given.decoded) && (id < highest || distance <= MAX_LENGTH);
        let is_own = !all.iter().any(|other| overlaps(other, &given));
        // Beyond the last that is named, padding between texts is no entry.
        let is_value = id < highest || given.decoded.len() == 2 || xor::is_text(&given.decoded);
        if is_own && (is_among && is_value || is_text) {
            all.push(given);
        }
    }
    all.sort_by_key(|given| given.id);
    let sensible = all.iter().filter(|given| xor::is_text(&given.decoded)).count();
    (sensible * 100 >= all.len() * SENSIBLE_PERCENT).then_some(all)
}

fn overlaps(one: &Given, other: &Given) -> bool {
    one.source < other.source.offset(other.encoded.len() as u64)
        && other.source < one.source.offset(one.encoded.len() as u64)
}

/// What `routine` gives for `id`: bytes that it writes, which it has read from the file under
/// `key`, or under any when that is not known yet.
fn give<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    routine: &Routine,
    id: u64,
    key: Option<u8>,
) -> Option<Given> {
    let mut state = state.clone();
    state.memory.start_read_log();
    let mut trace = routine.call(subject, state, id);
    let reads = trace.state.memory.take_read_log();
    if !trace.completed() {
        return None;
    }
    let result = Address(trace.outcome.result);
    let layout = *subject.emulator.layout();
    let ranges = WrittenRanges::new(trace.writes());
    let length = ranges.length_from(result);
    if !(1..=MAX_LENGTH).contains(&length) || layout.is_stack(result) {
        return None;
    }
    let decoded = trace.state.memory.bytes(result, length as usize)?;
    let (source, found, length) = source_of(subject, &reads, &decoded, key).or_else(|| {
        // A NUL that the routine has put behind.
        let (_, text) = decoded.split_last().filter(|(end, _)| **end == 0)?;
        source_of(subject, &reads, text, key)
    })?;
    let encoded = subject.image.read(source, length)?.into_owned();
    let pointer = subject.emulator.arch().pointer_size();
    let cell = reads
        .iter()
        .filter(|(_, size)| *size == pointer)
        .map(|(address, _)| *address)
        .find(|address| subject.image.read_pointer(*address) == Some(source));
    Some(Given { id, decoded, source, encoded, cell, key: found })
}

/// Where in the file the bytes stand that were read and decoded, the key between (never 0, which
/// is a copy), and how many bytes. Of several places the one that was read first.
fn source_of(
    subject: &Subject<'_>,
    reads: &[(Address, u32)],
    decoded: &[u8],
    key: Option<u8>,
) -> Option<(Address, u8, u64)> {
    let mut seen = BTreeSet::new();
    reads.iter().map(|(address, _)| *address).filter(|address| seen.insert(*address)).find_map(
        |address| {
            let encoded = subject.image.bytes_from(address).get(..decoded.len())?;
            let found = xor::key_between(encoded, decoded)?;
            let fits = match key {
                Some(key) => key == found,
                // One byte goes over into any other.
                None => decoded.len() > 3,
            };
            (found != 0 && fits).then_some((address, found, decoded.len() as u64))
        },
    )
}

fn table<'a>(
    subject: &mut Subject<'a>,
    state: State<'a>,
    routine: Routine,
    given: Vec<Given>,
) -> Option<Table<'a>> {
    let key = given.first()?.key;
    let place = place(&given);
    let entries: Vec<Entry> = given
        .into_iter()
        .map(|given| Entry {
            id: given.id as u32,
            cell: given.cell.filter(|_| place.is_some()).unwrap_or(given.source),
            buffer: given.source,
            decoded: given.decoded,
            encoded: given.encoded,
            added_at: None,
            stale_key: None,
            own_key: None,
            made_of: None,
        })
        .collect();
    let inferred_key = xor::infer_key(entries.iter().map(|entry| entry.encoded.as_slice()));
    let (base, stride) = place.or_else(|| Some((entries.first()?.cell, 0)))?;
    let accessor = Accessor { routine, access: Access::Retrieves };
    let first = u64::from(entries.first()?.id);
    let encoded = entries.first().map(|it| (it.buffer, it.encoded.len() as u64))?;
    let key_word = key_word::find(subject, &state, &accessor, first, encoded, key);
    // What is decoded on demand does not tell an entry that cannot be read from none.
    let missing = subject.image.missing_ranges().next().map(|range| Gap {
        at: range.start,
        what: "the file lacks bytes in which more may lie".to_owned(),
    });
    Some(Table {
        initialiser: accessor.routine.function,
        is_filled: false,
        is_allocated: false,
        base,
        base_is_certain: true,
        stride,
        pointer_offset: 0,
        coding: Coding {
            cipher: Cipher::Xor,
            key: key_word.map(|word| word.to_be_bytes().to_vec()),
            key_address: None,
            nonce: None,
            effective_key: Some(key),
            delta: None,
        },
        is_observed: true,
        inferred_key: inferred_key.map(|(key, _)| key),
        accessors: vec![accessor],
        entries,
        gaps: missing.into_iter().collect(),
        filled: state,
    })
}

/// Address of the record with id 0 and the distance between records, when all agree on it.
fn place(given: &[Given]) -> Option<(Address, u64)> {
    let cells: Option<Vec<(u64, u64)>> =
        given.iter().map(|given| Some((given.id, given.cell?.0))).collect();
    let cells = cells?;
    let [(first_id, first), .., (last_id, last)] = *cells.as_slice() else { return None };
    let stride = last.checked_sub(first)?.checked_div(last_id.checked_sub(first_id)?)?;
    let base = first.checked_sub(first_id.checked_mul(stride)?)?;
    let place_of = |id: u64| id.checked_mul(stride).and_then(|distance| base.checked_add(distance));
    let agree = cells.iter().all(|(id, cell)| place_of(*id) == Some(*cell));
    (agree && stride > 0).then_some((Address(base), stride))
}
