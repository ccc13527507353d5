//! A constant table whose entries are decoded by a routine that is handed their bytes.
//!
//! How it works: of the arrays of constant records ([`constant_records`]) one is looked for whose
//! bytes' addresses are handed to the same routine by several calls. That routine is run for every
//! record: with the address and the length of its bytes where calls have them, and with memory of
//! its own wherever calls have what is not known. Text that it leaves there is the entry. The
//! number of its record is the id.
//!
//! False positives: another routine that makes text of numbered data; that alone is therefore never
//! reported as a configuration. False negatives: ids of arrays that the compiler has left out, since
//! nothing looks records up by number; routines that calls hand other values that are not known.

use crate::cipher::{Cipher, Sample};
use crate::string_table::constant_records::{self, Array, Record};
use crate::string_table::decoding::{self, LOOKED_AT};
use crate::string_table::{Entry, SENSIBLE_PERCENT, Table};
use crate::subject::{Convention, Subject};
use crate::trace::{Policy, SystemCalls};
use crate::written::WrittenRanges;
use crate::{material, xor};
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Arguments looked at.
const ARGUMENTS: usize = 4;

/// Fewest different entries that calls must hand over.
const MIN_HANDED: usize = 4;

/// Records that are tried before the others.
const TRIED: usize = 6;

/// Bytes that ciphers work on at a time, at most.
const BLOCK: usize = 16;

/// What decoding one entry may spend.
const LIMITS: Limits =
    Limits { instructions: 1_500_000, call_instructions: 750_000, ..Limits::DEFAULT };

/// What a routine is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handed {
    /// Where an entry's bytes are.
    Source,
    /// How many they are.
    Length,
    /// The same for all.
    Other(u64),
    /// What is not known: memory for the text.
    Unknown,
}

/// A routine, and how it is called.
struct Decoder {
    routine: Address,
    convention: Convention,
    handed: Vec<Handed>,
}

/// The arguments of a call that are constants, with the record whose bytes it hands over.
type Call<'r> = ([Option<u64>; ARGUMENTS], &'r Record);

/// What the routine made of one record.
struct Made<'r> {
    record: &'r Record,
    text: Vec<u8>,
    reads: Vec<(Address, u32)>,
    fills_permutation: bool,
}

/// Looks for the largest array that is decoded this way.
pub(super) fn extract<'a>(subject: &mut Subject<'a>) -> Option<Table<'a>> {
    constant_records::find(subject).into_iter().find_map(|array| {
        let decoder = decoder(subject, &array)?;
        table(subject, &array, &decoder)
    })
}

/// The routine that most calls hand bytes of different records.
fn decoder(subject: &Subject<'_>, array: &Array) -> Option<Decoder> {
    let by_source: FxHashMap<u64, &Record> =
        array.records.iter().map(|record| (record.source.0, record)).collect();
    let mut best: Option<(usize, Decoder)> = None;
    for convention in subject.conventions() {
        let mut calls: BTreeMap<(Address, usize), Vec<Call<'_>>> = BTreeMap::new();
        for site in subject.program.call_sites() {
            let Some(target) = site.target else { continue };
            let arguments: [Option<u64>; ARGUMENTS] = std::array::from_fn(|index| {
                subject.constant_argument(&convention, site.caller, site.address, index)
            });
            for (index, argument) in arguments.iter().enumerate() {
                let record = argument.and_then(|argument| by_source.get(&argument));
                if let Some(record) = record {
                    calls.entry((target, index)).or_default().push((arguments, record));
                }
            }
        }
        for ((routine, source), calls) in calls {
            let mut ids: Vec<u64> = calls.iter().map(|(_, record)| record.id).collect();
            ids.sort_unstable();
            ids.dedup();
            let most = best.as_ref().map_or(MIN_HANDED - 1, |(most, _)| *most);
            if ids.len() > most {
                let handed = (0..ARGUMENTS).map(|index| handed(&calls, index, source)).collect();
                let convention = convention.clone();
                best = Some((ids.len(), Decoder { routine, convention, handed }));
            }
        }
    }
    best.map(|(_, decoder)| decoder)
}

/// What stands at place `index` of the calls.
fn handed(calls: &[Call<'_>], index: usize, source: usize) -> Handed {
    if index == source {
        return Handed::Source;
    }
    let known: Vec<(u64, u64)> = calls
        .iter()
        .filter_map(|(arguments, record)| Some(((*arguments.get(index)?)?, record.length)))
        .collect();
    let lengths = known.iter().filter(|(value, length)| value == length).count();
    match known.first() {
        Some(_) if lengths * 10 >= known.len() * 9 => Handed::Length,
        Some((first, _)) if known.iter().all(|(value, _)| value == first) => Handed::Other(*first),
        _ => Handed::Unknown,
    }
}

fn table<'a>(subject: &mut Subject<'a>, array: &Array, decoder: &Decoder) -> Option<Table<'a>> {
    let state = subject.bare_state();
    let mut made: Vec<Made<'_>> = Vec::new();
    for (tried, record) in array.records.iter().enumerate() {
        made.extend(make(subject, &state, decoder, record));
        if tried >= TRIED && made.is_empty() {
            return None;
        }
    }
    without_ends(&mut made);
    let stored = |record: &Record, length: usize| {
        let stored = subject.image.bytes_from(record.source);
        stored.get(..length.min(stored.len())).unwrap_or(&[]).to_vec()
    };
    let is_plain = |it: &&Made<'_>| stored(it.record, it.text.len()) == it.text;
    let sensible = made.iter().filter(|it| xor::is_text(&it.text)).count();
    if sensible * 100 < made.len() * SENSIBLE_PERCENT
        || sensible * 2 < array.records.len()
        || made.iter().filter(is_plain).count() * 2 > made.len()
    {
        return None;
    }
    let samples: Vec<Sample> = made
        .iter()
        .map(|it| {
            let length = it.text.len().next_multiple_of(BLOCK);
            Sample { encoded: stored(it.record, length), decoded: it.text.clone() }
        })
        .collect();
    let logs: Vec<Vec<(Address, u32)>> =
        made.iter().take(LOOKED_AT).map(|it| it.reads.clone()).collect();
    let fills_permutation = made.iter().any(|it| it.fills_permutation);
    let coding = decoding::recognise(subject, decoder.routine, &samples, &logs, fills_permutation);
    let is_own_key = coding.cipher == Cipher::Xor && coding.effective_key.is_none();
    let entry = |it: Made<'_>| {
        let encoded = stored(it.record, it.text.len());
        let own_key = xor::key_between(&encoded, &it.text).filter(|_| is_own_key);
        Entry {
            id: it.record.id as u32,
            decoded: it.text,
            encoded,
            cell: it.record.cell,
            buffer: it.record.source,
            added_at: None,
            stale_key: None,
            own_key,
            made_of: None,
        }
    };
    Some(Table {
        initialiser: decoder.routine,
        is_filled: false,
        is_allocated: false,
        base: array.base,
        base_is_certain: array.base_is_certain,
        stride: array.stride,
        pointer_offset: array.pointer_offset,
        coding,
        is_observed: true,
        inferred_key: None,
        accessors: Vec::new(),
        entries: made.into_iter().map(entry).collect(),
        gaps: Vec::new(),
        filled: state,
    })
}

/// Leaves out what is neither text nor as long as a port at either end: records of an array that lies
/// beside the table.
fn without_ends(made: &mut Vec<Made<'_>>) {
    let may_be_entry = |it: &Made<'_>| xor::is_text(&it.text) || it.text.len() == 2;
    while made.last().is_some_and(|it| !may_be_entry(it)) {
        made.pop();
    }
    let first = made.iter().position(may_be_entry).unwrap_or(made.len());
    made.drain(..first);
}

/// What the routine makes of a record's bytes.
fn make<'a, 'r>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    decoder: &Decoder,
    record: &'r Record,
) -> Option<Made<'r>> {
    let layout = *subject.emulator.layout();
    let mut state = state.clone();
    let mut blocks = Vec::new();
    let arguments: Vec<u64> = decoder
        .handed
        .iter()
        .map(|handed| match handed {
            Handed::Source => record.source.0,
            Handed::Length => record.length,
            Handed::Other(value) => *value,
            Handed::Unknown => {
                let block = layout.fresh_block(&mut state);
                blocks.push(block);
                block.0
            }
        })
        .collect();
    state.memory.start_read_log();
    let policy = Policy { system_calls: SystemCalls::ReturnZero, limits: LIMITS };
    let Decoder { routine, convention, .. } = decoder;
    let mut trace = subject.run_by(convention, state, *routine, &arguments, &policy);
    let reads = trace.state.memory.take_read_log();
    if !trace.completed() || trace.is_spent() {
        return None;
    }
    let ranges = WrittenRanges::new(trace.writes());
    let result = Address(trace.outcome.result);
    let fits = |at: &Address| ranges.length_from(*at) >= record.length && !layout.is_stack(*at);
    let at = std::iter::once(result).chain(blocks).find(fits)?;
    let text = trace.state.memory.bytes(at, record.length as usize)?;
    let fills_permutation = material::fills_permutation(&mut trace);
    Some(Made { record, text, reads, fills_permutation })
}
