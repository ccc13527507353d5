//! Routines that are handed an entry's bytes, or its record, and decode them in place.
//!
//! How it works: of the calls that a user of the table makes, one is looked for that is handed the
//! address of an entry's bytes or record and leaves text there. The same routine is then called for
//! every entry, with that entry's addresses and length in the same places.
//!
//! False positives: as for accessors, a routine that changes an entry for another reason than
//! decoding. False negatives: routines that are handed something else of the entry, too.

use crate::cipher::Sample;
use crate::material;
use crate::string_table::decoding::{self, Decoded, Outcome};
use crate::string_table::records::{Record, Records};
use crate::subject::{Convention, Subject};
use crate::trace::{CallRecord, Policy, SystemCalls, Trace};
use crate::xor;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

/// Calls of one run that are looked at.
const MAX_CALLS: usize = 64;

/// What decoding one entry may spend: some ciphers take as many.
const LIMITS: Limits =
    Limits { instructions: 1_500_000, call_instructions: 750_000, ..Limits::DEFAULT };

/// What a routine is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handed {
    /// Where an entry's bytes are.
    Bytes,
    /// Where its record begins.
    Record,
    /// How many bytes it has.
    Length,
    /// Something else, the same for all.
    Other(u64),
}

/// A routine, and how it is called.
#[derive(Clone, Debug)]
pub(super) struct Template {
    routine: Address,
    convention: Convention,
    handed: Vec<Handed>,
}

/// A call of the run that decodes an entry it is handed.
pub(super) fn find(
    subject: &Subject<'_>,
    trace: &mut Trace<'_>,
    records: &Records,
    encoded: &[Vec<u8>],
) -> Option<Template> {
    let names = |record: &Record, value: u64| {
        value == record.buffer.0 || value == record.cell.0.wrapping_sub(records.pointer_offset)
    };
    let entry_of = |call: &CallRecord| {
        let mut values = call.possible_arguments();
        values.find_map(|value| records.records.iter().position(|it| names(it, value)))
    };
    let calls: Vec<(CallRecord, usize)> = trace
        .calls
        .iter()
        .filter(|call| !call.is_undone && call.after != call.before)
        .filter_map(|call| Some((call.clone(), entry_of(call)?)))
        .take(MAX_CALLS)
        .collect();
    let mut memory = trace.state.memory.clone();
    calls.into_iter().rev().find_map(|(call, number)| {
        memory.roll_back(call.after);
        let record = records.records.get(number)?;
        let text = memory.bytes(record.buffer, record.length as usize)?;
        let is_decoded = encoded.get(number) != Some(&text) && xor::is_text(&text);
        is_decoded.then(|| template(subject, &call, record, records)).flatten()
    })
}

fn template(
    subject: &Subject<'_>,
    call: &CallRecord,
    record: &Record,
    records: &Records,
) -> Option<Template> {
    let by_platform = std::iter::once(call.arguments.as_slice());
    let local = call.local_arguments.iter().map(Vec::as_slice);
    let ways = subject.conventions().into_iter().zip(by_platform.chain(local));
    ways.into_iter().find_map(|(convention, arguments)| {
        let handed: Vec<Handed> = arguments
            .iter()
            .map(|value| match *value {
                it if it == record.buffer.0 => Handed::Bytes,
                it if it == record.cell.0.wrapping_sub(records.pointer_offset) => Handed::Record,
                it if it == record.length => Handed::Length,
                it => Handed::Other(it),
            })
            .collect();
        let is_told = handed.iter().any(|it| matches!(it, Handed::Bytes | Handed::Record));
        let routine = call.call.callee;
        is_told.then_some(Template { routine, convention, handed })
    })
}

/// What the routine makes of every entry.
pub(super) fn decode<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    template: &Template,
    records: &Records,
    encoded: &[Vec<u8>],
) -> Option<Outcome> {
    let policy = Policy { system_calls: SystemCalls::ReturnZero, limits: LIMITS };
    let mut logs = Vec::new();
    let mut fills_permutation = false;
    let mut entries = Vec::new();
    for (record, stored) in records.records.iter().zip(encoded) {
        let arguments: Vec<u64> = template
            .handed
            .iter()
            .map(|handed| match handed {
                Handed::Bytes => record.buffer.0,
                Handed::Record => record.cell.0.wrapping_sub(records.pointer_offset),
                Handed::Length => record.length,
                Handed::Other(value) => *value,
            })
            .collect();
        let mut state = filled.clone();
        state.memory.start_read_log();
        let Template { routine, convention, .. } = template;
        let mut trace = subject.run_by(convention, state, *routine, &arguments, &policy);
        let reads = trace.state.memory.take_read_log();
        if logs.len() < decoding::LOOKED_AT {
            fills_permutation |= material::fills_permutation(&mut trace);
            logs.push(reads);
        }
        let text = trace.state.memory.bytes(record.buffer, record.length as usize);
        let text = text.filter(|text| trace.completed() && !trace.is_spent() && text != stored);
        entries.push(text.map(|text| Decoded {
            sample: Some(Sample { encoded: stored.clone(), decoded: text.clone() }),
            ..Decoded::of(text)
        }));
    }
    let sensible = entries.iter().flatten().filter(|entry| xor::is_text(&entry.text)).count();
    if sensible * 2 < entries.len() {
        return None;
    }
    let samples: Vec<Sample> =
        entries.iter().flatten().filter_map(|entry| entry.sample.clone()).collect();
    let coding = decoding::recognise(subject, template.routine, &samples, &logs, fills_permutation);
    Some(Outcome { entries, coding, is_observed: true })
}
