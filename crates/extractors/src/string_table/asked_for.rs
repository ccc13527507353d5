//! Texts that a routine gives by number, whatever they are stored under.
//!
//! How it works: every routine that the program gives different small numbers is run with them, in
//! a bare machine and in one in which a block of data was decoded ([`blocks`]). Where what it returns
//! leads to text that does not stand in the file as it is, and for each number comes from bytes of its
//! own, the numbers are ids and the texts entries.
//!
//! False positives: another routine that makes texts from numbered data, such as a benign program's
//! messages; that alone is therefore never reported as a configuration. False negatives: fewer than
//! five entries; ids that the program never names.

use crate::cipher::Sample;
use crate::material;
use crate::recognition::{self, Seen};
use crate::string_table::accessors::{self, Access, Accessor, Candidate, Routine};
use crate::string_table::blocks;
use crate::string_table::offsets;
use crate::string_table::{Entry, SENSIBLE_PERCENT, Table};
use crate::subject::Subject;
use crate::trace::Trace;
use crate::written::WrittenRanges;
use crate::xor;
use miyaburi_emulator::State;
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// Fewest entries that make a table.
pub(super) const MIN_ENTRIES: usize = 5;

/// Numbers that a routine is tried with first.
const TRIED_IDS: usize = 3;

/// Ids that are asked for behind the last one that the program names.
const MORE_IDS: u64 = 64;

/// Highest id that is asked for without being named.
const MAX_ID: u64 = 1024;

/// Longest entry, in bytes.
const MAX_LENGTH: u64 = 1024;

/// Arguments that may be the id.
const ID_ARGUMENTS: usize = 2;

/// A load: where, and how many bytes.
type Read = (Address, u32);

/// What a routine gave for one id.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) id: u64,
    pub(super) text: Vec<u8>,
    /// Everything that was written or changed from where the text is.
    whole: Vec<u8>,
    pub(super) at: Address,
    reads: Vec<Read>,
    fills_permutation: bool,
}

/// A text with the bytes of the file that it was made from.
pub(super) struct Sourced {
    pub(super) given: Given,
    source: Address,
    cell: Option<Address>,
}

/// Looks for the routine that gives most entries.
pub fn extract<'a>(subject: &mut Subject<'a>) -> Option<Table<'a>> {
    let bare = subject.bare_state();
    if let Some((routine, entries)) = most_given(subject, &bare, false) {
        return table(subject, &bare, routine, entries);
    }
    let block = blocks::find(subject)?;
    let asked = most_given(subject, &block.state, true);
    offsets::table(subject, block, asked)
}

/// The routine that gives most entries, with these. Of those in a block that `is_decoded` none has
/// a source but its place there.
fn most_given<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    is_decoded: bool,
) -> Option<(Routine, Vec<Sourced>)> {
    let mut best: Option<(Routine, Vec<Sourced>)> = None;
    for convention in subject.conventions() {
        for id_argument in 0..ID_ARGUMENTS {
            for candidate in accessors::candidates(subject, state, &convention, id_argument) {
                if best.as_ref().is_some_and(|(_, best)| best.len() >= candidate.ids.len()) {
                    continue;
                }
                let found = entries(subject, state, candidate, is_decoded);
                let Some((routine, entries)) = found else { continue };
                if best.as_ref().is_none_or(|(_, best)| entries.len() > best.len()) {
                    best = Some((routine, entries));
                }
            }
        }
    }
    best
}

/// The entries that a routine gives, by id.
fn entries<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    candidate: Candidate,
    is_decoded: bool,
) -> Option<(Routine, Vec<Sourced>)> {
    let Candidate { mut routine, ids } = candidate;
    // Where no length is wanted, one is given all the same.
    routine.arguments.iter_mut().for_each(|it| *it = it.filter(|value| *value != 0));
    if ids.len() < MIN_ENTRIES {
        return None;
    }
    let (mut sensible, mut is_unfinished) = (0, false);
    for id in ids.iter().take(TRIED_IDS) {
        match give(subject, state, &routine, *id) {
            Ok(given) => sensible += usize::from(xor::is_text(&given.text)),
            Err(Failure::Unfinished) => is_unfinished = true,
            Err(Failure::Nothing) => {}
        }
    }
    if sensible == 0 {
        if !is_unfinished || !subject.may_be_laborious() {
            return None;
        }
        routine = routine.laborious();
    }
    let mut given: Vec<Given> = Vec::new();
    let mut has_longer = false;
    let mut refused = 0;
    for id in &ids {
        match give(subject, state, &routine, *id) {
            Ok(text) => given.push(text),
            Err(failure) => {
                let may_be = failure == Failure::Unfinished && !routine.is_laborious();
                let longer = || give(subject, state, &routine.laborious(), *id).ok();
                match may_be.then(longer).flatten() {
                    Some(text) => {
                        has_longer = true;
                        given.push(text);
                    }
                    None => refused += 1,
                }
            }
        }
        if refused > given.len() + TRIED_IDS {
            return None;
        }
    }
    if has_longer {
        routine = routine.laborious();
    }
    let is_sensible = |given: &[Given]| {
        let sensible = given.iter().filter(|given| xor::is_text(&given.text)).count();
        given.len() >= MIN_ENTRIES && sensible * 100 >= given.len() * SENSIBLE_PERCENT
    };
    if !is_sensible(&given) {
        return None;
    }
    if !is_decoded {
        let known: BTreeSet<u64> = ids.iter().copied().collect();
        let highest = *ids.last()?;
        for id in (0..=(highest + MORE_IDS).min(MAX_ID)).filter(|id| !known.contains(id)) {
            given.extend(give(subject, state, &routine, id).ok());
        }
        given.sort_by_key(|given| given.id);
    }
    let entries = sourced(subject, given, &known_ids(&ids), is_decoded);
    let sources: BTreeSet<Address> = entries.iter().map(|entry| entry.source).collect();
    let is_plain =
        |entry: &&Sourced| subject.image.bytes_from(entry.source).starts_with(&entry.given.text);
    let plain = entries.iter().filter(is_plain).count();
    if routine.is_laborious() {
        subject.laborious += 1;
    }
    let is_table = entries.len() >= MIN_ENTRIES
        && sources.len() * 10 >= entries.len() * 9
        && plain * 2 < entries.len();
    is_table.then_some((routine, entries))
}

fn known_ids(ids: &[u64]) -> BTreeSet<u64> {
    ids.iter().copied().collect()
}

/// Why a routine gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// It has not come to its end.
    Unfinished,
    /// It gives no bytes that it has made.
    Nothing,
}

/// What `routine` gives for `id`.
fn give<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    routine: &Routine,
    id: u64,
) -> Result<Given, Failure> {
    let layout = *subject.emulator.layout();
    let mut probe = state.clone();
    let scratch: Vec<Address> = (0..2).map(|_| layout.fresh_block(&mut probe)).collect();
    let mut state = state.clone();
    state.memory.start_read_log();
    let mut trace = routine.call(subject, state, id);
    let reads = trace.state.memory.take_read_log();
    if trace.is_spent() {
        return Err(Failure::Unfinished);
    }
    let nothing = Failure::Nothing;
    if !trace.completed() {
        return Err(nothing);
    }
    let at = Address(trace.outcome.result);
    let ranges = WrittenRanges::new(trace.writes());
    let written = ranges.length_from(at);
    if layout.is_stack(at) || written > MAX_LENGTH {
        return Err(nothing);
    }
    let is_written = written > 0;
    let fills_permutation = material::fills_permutation(&mut trace);
    let whole = match is_written {
        true => trace.state.memory.bytes(at, written as usize),
        false => decoded_before(subject, &mut trace, at),
    };
    let whole = whole.ok_or(nothing)?;
    let told = scratch.into_iter().filter(|block| ranges.contains(*block)).find_map(|block| {
        let length = trace.state.memory.load(block, 4).ok()? as usize;
        (1..=whole.len()).contains(&length).then_some(length)
    });
    let length = told.or_else(|| Some(whole.iter().position(|byte| *byte == 0)? + 1));
    let text = length.and_then(|length| whole.get(..length)).unwrap_or(&whole).to_vec();
    Ok(Given { id, text, whole, at, reads, fills_permutation })
}

/// The text at a place of the program's own data that is not what the file has there.
fn decoded_before(subject: &Subject<'_>, trace: &mut Trace<'_>, at: Address) -> Option<Vec<u8>> {
    let stored = subject.image.bytes_from(at);
    let mut text = Vec::new();
    for place in (at.0..at.0.saturating_add(MAX_LENGTH)).map(Address) {
        let byte = trace.state.memory.load(place, 1).ok()? as u8;
        text.push(byte);
        if byte == 0 {
            break;
        }
    }
    (text.len() > 1 && !stored.starts_with(&text) && subject.image.is_writable(at)).then_some(text)
}

/// The texts with what they were made from: bytes whose address was read, or that were read for them
/// alone.
fn sourced(
    subject: &Subject<'_>,
    given: Vec<Given>,
    named: &BTreeSet<u64>,
    is_decoded: bool,
) -> Vec<Sourced> {
    let bytes_of = |given: &Given| -> BTreeSet<u64> {
        let reads = given.reads.iter().filter(|(address, _)| subject.image.is_mapped(*address));
        reads
            .flat_map(|(address, size)| (0..u64::from(*size)).map(|it| address.offset(it).0))
            .collect()
    };
    let all: Vec<BTreeSet<u64>> = given.iter().map(bytes_of).collect();
    let mut readers: rustc_hash::FxHashMap<u64, usize> = rustc_hash::FxHashMap::default();
    for bytes in &all {
        for byte in bytes {
            *readers.entry(*byte).or_default() += 1;
        }
    }
    let pointer = subject.emulator.arch().pointer_size();
    let mut found: Vec<Sourced> = Vec::new();
    for (given, bytes) in given.into_iter().zip(&all) {
        if is_decoded {
            let source = given.at;
            found.push(Sourced { given, source, cell: None });
            continue;
        }
        let cells = given.reads.iter().filter(|(_, size)| *size == pointer);
        let behind: Vec<(Address, Address)> = cells
            .filter_map(|(cell, _)| Some((*cell, subject.image.read_pointer(*cell)?)))
            .filter(|(cell, target)| bytes.contains(&target.0) && bytes.contains(&cell.0))
            .filter(|(_, target)| subject.program.function_at(*target).is_none())
            .collect();
        let is_alone = |at: Address| readers.get(&at.0) == Some(&1);
        // Code has the address of the first record, which is no text.
        let of_both = behind.iter().find(|(cell, target)| is_alone(*cell) && is_alone(*target));
        // The end of one text may be another, which linkers store once.
        let of_own_bytes = || behind.iter().find(|(_, target)| is_alone(*target));
        let of_own_cell = || behind.iter().find(|(cell, _)| is_alone(*cell));
        let pointed = of_both.or_else(of_own_bytes).or_else(of_own_cell).copied();
        let own = || bytes.iter().copied().find(|byte| readers.get(byte) == Some(&1)).map(Address);
        let source = pointed.map(|(_, target)| target).or_else(own);
        if let Some(source) = source {
            found.push(Sourced { given, source, cell: pointed.map(|(cell, _)| cell) });
        }
    }
    let of_named = found.iter().filter(|it| named.contains(&it.given.id)).map(|it| it.source);
    let (first, last) = (of_named.clone().min(), of_named.max());
    let places: Vec<(u64, u64)> = found
        .iter()
        .filter(|it| named.contains(&it.given.id))
        .map(|it| (it.given.id, it.source.0))
        .collect();
    let slots = evenly_spaced(&places);
    let is_in_place = |it: &Sourced| {
        it.cell.is_some()
            || slots.is_some_and(|(base, stride)| {
                it.source.0.checked_sub(base.0) == it.given.id.checked_mul(stride)
            })
    };
    found.retain(|it| {
        let is_among = first.zip(last).is_some_and(|(first, last)| {
            let near =
                it.source.0.abs_diff(first.0).min(it.source.0.abs_diff(last.0)) <= MAX_LENGTH;
            let is_text = xor::is_text(&it.given.text);
            // Only a pointer, or the place at which the next one would lie, tells that what lies
            // beyond the last one named is of the same table.
            let is_long = it.given.text.len() > 3 && is_text && is_in_place(it);
            let is_value = is_text || it.given.text.len() == 2;
            (first..=last).contains(&it.source) && is_value || near && is_long
        });
        named.contains(&it.given.id) || is_among
    });
    if slots.is_some() { without_far_ids(found, named) } else { found }
}

/// Without what lies beyond a gap outside of the ids that are named: a list that follows.
fn without_far_ids(found: Vec<Sourced>, named: &BTreeSet<u64>) -> Vec<Sourced> {
    let (Some(first), Some(last)) = (named.first().copied(), named.last().copied()) else {
        return found;
    };
    let ids: BTreeSet<u64> = found.iter().map(|it| it.given.id).collect();
    let lowest = (0..first).rev().take_while(|id| ids.contains(id)).last().unwrap_or(first);
    let highest = (last + 1..=MAX_ID).take_while(|id| ids.contains(id)).last().unwrap_or(last);
    found.into_iter().filter(|it| (lowest..=highest).contains(&it.given.id)).collect()
}

fn table<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    routine: Routine,
    entries: Vec<Sourced>,
) -> Option<Table<'a>> {
    let stored = |entry: &Sourced, length: usize| {
        let stored = subject.image.bytes_from(entry.source);
        stored.get(..length.min(stored.len())).unwrap_or(&[]).to_vec()
    };
    let samples: Vec<Sample> = entries
        .iter()
        .map(|entry| {
            // Digits are twice as long as what they stand for.
            let length = entry.given.whole.len().max(entry.given.text.len()) * 2;
            Sample { encoded: stored(entry, length), decoded: entry.given.whole.clone() }
        })
        .collect();
    let logs: Vec<Vec<Read>> =
        entries.iter().take(TRIED_IDS * 2).map(|entry| entry.given.reads.clone()).collect();
    let fills_permutation = entries.iter().any(|entry| entry.given.fills_permutation);
    let seen =
        Seen { routine: routine.function, samples: &samples, logs: &logs, fills_permutation };
    let coding = recognition::recognise(subject, &seen);
    let (base, stride) = place(&entries).or_else(|| Some((entries.first()?.source, 0)))?;
    let has_cells = stride > 0;
    let entries = entries
        .into_iter()
        .map(|entry| Entry {
            id: entry.given.id as u32,
            cell: entry.cell.filter(|_| has_cells).unwrap_or(entry.source),
            buffer: entry.source,
            encoded: stored(&entry, entry.given.text.len()),
            decoded: entry.given.text,
            added_at: None,
            stale_key: None,
            own_key: None,
            made_of: None,
        })
        .collect();
    Some(Table {
        initialiser: routine.function,
        is_filled: false,
        is_allocated: false,
        base,
        base_is_certain: true,
        stride,
        pointer_offset: 0,
        coding,
        is_observed: true,
        inferred_key: None,
        accessors: vec![Accessor { routine, access: Access::Retrieves }],
        entries,
        gaps: Vec::new(),
        filled: state.clone(),
    })
}

/// Address of the record with id 0 and the distance between records, when all agree on it.
fn place(entries: &[Sourced]) -> Option<(Address, u64)> {
    let cells: Option<Vec<(u64, u64)>> =
        entries.iter().map(|entry| Some((entry.given.id, entry.cell?.0))).collect();
    evenly_spaced(&cells?)
}

/// Where id 0 would lie and how far each lies from the next, when all `(id, place)`, in order of
/// ids, agree.
fn evenly_spaced(places: &[(u64, u64)]) -> Option<(Address, u64)> {
    let [(first_id, first), .., (last_id, last)] = *places else { return None };
    let stride = last.checked_sub(first)?.checked_div(last_id.checked_sub(first_id)?)?;
    let base = first.checked_sub(first_id.checked_mul(stride)?)?;
    let place_of = |id: u64| id.checked_mul(stride).and_then(|distance| base.checked_add(distance));
    let agree = places.iter().all(|(id, place)| place_of(*id) == Some(*place));
    (agree && stride > 0).then_some((Address(base), stride))
}
