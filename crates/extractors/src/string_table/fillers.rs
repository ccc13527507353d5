//! Routines that fill a table in a loop or from several others, found by whose data they share.
//!
//! How it works: a routine that the program gives many different small numbers looks something up
//! by them. The writable data that it reads when it is run with two of them, or that its callers
//! load an argument from (the object it works on), is the table's or leads there. Routines with a
//! loop, and those that refer to that data, are run for a short while each; those that write
//! there are run to their end.
//!
//! False positives: whoever else writes to data that is looked up by number; what the routines
//! leave behind decides. False negatives: tables whose accessors were inlined everywhere or are
//! reached through pointers only; routines that write there only behind a condition that a bare
//! machine does not meet, or after a long time.

use crate::initialisers::{self, Initialiser};
use crate::string_table::accessors::{self, Candidate};
use crate::subject::Subject;
use crate::trace::Trace;
use miyaburi_analysis::{ReferenceKind, Value};
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// A routine that is given at least this many different numbers looks something up by them.
const MIN_NUMBERS: usize = 6;

/// Arguments among which the numbers are looked for.
const ID_ARGUMENTS: usize = 3;

/// Arguments that may be the object that is worked on.
const ARGUMENTS: usize = 3;

/// Most routines whose data are looked for.
const MAX_LOOKUPS: usize = 12;

/// Most routines that are run.
const MAX_CANDIDATES: usize = 96;

/// Most routines that are run to their end.
const MAX_FILLERS: usize = 16;

/// How far from a place another write may be to belong to the same record, in bytes.
const NEARBY: u64 = 32;

/// What a routine may spend before it writes to the data.
const FIRST: Limits = Limits { instructions: 20_000, call_instructions: 10_000, ..Limits::DEFAULT };

/// What a routine may spend that does: all entries may be added by one loop, or by one callee for
/// each third of them.
const WHOLE: Limits =
    Limits { instructions: 400_000, call_instructions: 130_000, ..Limits::DEFAULT };

/// Runs the routines that fill what others look up.
pub fn run<'a>(subject: &mut Subject<'a>) -> Vec<Initialiser<'a>> {
    let state = subject.bare_state();
    let lookups = lookups(subject, &state);
    let places = places(subject, &state, &lookups);
    if places.is_empty() {
        return Vec::new();
    }
    let lookups: Vec<Address> =
        lookups.iter().map(|candidate| candidate.routine.function).collect();
    let mut runs = Vec::new();
    for function in candidates(subject, &places, &lookups) {
        if runs.len() >= MAX_FILLERS {
            break;
        }
        let first = initialisers::run_one(subject, function, FIRST);
        if writes_to(&first.trace, &places) {
            runs.push(initialisers::run_one(subject, function, WHOLE));
        }
    }
    runs
}

/// Routines that are given many different numbers, most numbers first.
fn lookups<'a>(subject: &Subject<'a>, state: &State<'a>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for convention in subject.conventions() {
        for id_argument in 0..ID_ARGUMENTS {
            let candidates = accessors::candidates(subject, state, &convention, id_argument);
            found.extend(candidates.into_iter().filter(|it| it.ids.len() >= MIN_NUMBERS));
        }
    }
    found.sort_by_key(|it| (std::cmp::Reverse(it.ids.len()), it.routine.function));
    found.truncate(MAX_LOOKUPS);
    found
}

/// The writable data that `lookups` read, and that their callers load arguments from.
fn places<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    lookups: &[Candidate],
) -> BTreeSet<Address> {
    let mut places = BTreeSet::new();
    for Candidate { routine, ids } in lookups {
        for id in ids.first().into_iter().chain(ids.last()) {
            let mut state = state.clone();
            state.memory.start_read_log();
            let mut trace = routine.call(subject, state, *id);
            let reads = trace.state.memory.take_read_log();
            places.extend(reads.into_iter().map(|(address, _)| address));
        }
        let Some(callee) = subject.program.function_at(routine.function) else { continue };
        for site in subject.program.callers(callee) {
            places.extend((0..ARGUMENTS).filter_map(|index| {
                let convention = &routine.convention;
                match subject.argument(convention, site.caller, site.address, index) {
                    Value::Loaded { from, .. } => Some(from),
                    _ => None,
                }
            }));
        }
    }
    places.retain(|place| subject.image.is_writable(*place));
    places
}

/// Whether a run wrote to the data, or beside it.
fn writes_to(trace: &Trace<'_>, places: &BTreeSet<Address>) -> bool {
    trace.writes().any(|(address, _)| {
        let nearby = Address(address.0.saturating_sub(NEARBY))..=address.offset(NEARBY);
        places.range(nearby).next().is_some()
    })
}

/// The routines that refer to the data, then the others that have a loop.
fn candidates(
    subject: &Subject<'_>,
    places: &BTreeSet<Address>,
    lookups: &[Address],
) -> Vec<Address> {
    let program = subject.program;
    let mut chosen: Vec<Address> = Vec::new();
    let mut seen: FxHashSet<Address> = lookups.iter().copied().collect();
    for place in places {
        for reference in program.references().to(*place, place.offset(1)) {
            let function = program.function_containing(reference.from);
            let function = function.filter(|_| reference.kind != ReferenceKind::Read);
            let function = function.and_then(|function| program.function(function));
            chosen.extend(function.map(|it| it.entry).filter(|entry| seen.insert(*entry)));
        }
    }
    chosen.extend(subject.functions_with_loop().into_iter().filter(|it| seen.insert(*it)));
    chosen.truncate(MAX_CANDIDATES);
    chosen
}
