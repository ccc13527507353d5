//! Routines that fill something item by item, run once for all extractors.

use crate::subject::Subject;
use crate::trace::{Policy, Trace};
use miyaburi_emulator::Limits;
use miyaburi_image::Address;
use rustc_hash::FxHashSet;

/// A routine is a candidate when it calls one other at least this often.
const MIN_REPEATED_CALLS: usize = 3;

/// Most candidates that are run.
const MAX_CANDIDATES: usize = 24;

/// Most further ones that are run because they hand over code pointers.
const MAX_REGISTERING: usize = 8;

/// Arguments among which a code pointer is looked for.
const HANDLER_ARGUMENTS: usize = 3;

/// Fewest calls that took too long for a candidate to be run again.
const MIN_SPENT: usize = 5;

/// Candidates that are.
const MAX_LABORIOUS: usize = 2;

/// Ids and lengths are below this.
const MAX_NUMBER: u64 = 4096;

/// What these may spend.
const LABORIOUS: Limits =
    Limits { instructions: 8_000_000, call_instructions: 1_000_000, ..Limits::DEFAULT };

/// A candidate and what running it did.
pub struct Initialiser<'a> {
    /// Its entry.
    pub function: Address,
    /// The run in a bare machine.
    pub trace: Trace<'a>,
}

/// Runs the routines that call one other again and again, most repetitive first, and of the less
/// repetitive ones those that hand over code pointers.
///
/// False negatives: routines that fill their items in a loop over constant data
/// ([`crate::string_table::fillers`] finds those of tables).
pub fn run<'a>(subject: &mut Subject<'a>) -> Vec<Initialiser<'a>> {
    let mut candidates = subject.repetitive_functions(MIN_REPEATED_CALLS);
    let rest = candidates.split_off(candidates.len().min(MAX_CANDIDATES));
    if !rest.is_empty() {
        let registering = registering_functions(subject);
        let registering = rest.into_iter().filter(|function| registering.contains(function));
        candidates.extend(registering.take(MAX_REGISTERING));
    }
    let limits = Limits {
        instructions: 150_000,
        call_instructions: 10_000,
        repetition: 12_000,
        ..Limits::default()
    };
    let mut laborious = 0;
    let mut runs = Vec::new();
    for function in candidates {
        let mut run = run_one(subject, function, limits);
        if laborious < MAX_LABORIOUS && may_add_coded(subject, &run.trace) {
            laborious += 1;
            run = subject.attempt(|subject| run_longer(subject, function)).unwrap_or(run);
        }
        runs.push(run);
    }
    runs
}

/// Whether several calls took too long, of which each was handed a number and data of the file: as
/// those are that decode what they add.
fn may_add_coded(subject: &Subject<'_>, trace: &Trace<'_>) -> bool {
    if trace.spent_calls < MIN_SPENT {
        return false;
    }
    let is_data = |value: u64| {
        let at = Address(value);
        subject.image.is_mapped(at) && subject.program.function_containing(at).is_none()
    };
    let mut numbers = FxHashSet::default();
    for call in &trace.calls {
        let number = call.arguments.iter().find(|value| (1..MAX_NUMBER).contains(*value));
        if call.arguments.iter().any(|value| is_data(*value)) {
            numbers.extend(number.copied());
        }
    }
    numbers.len() >= MIN_SPENT
}

/// The functions that hand different code pointers to one routine, as those do that register
/// handlers.
fn registering_functions(subject: &Subject<'_>) -> FxHashSet<Address> {
    let mut registering = FxHashSet::default();
    for group in subject.repeated_calls(MIN_REPEATED_CALLS) {
        for convention in subject.conventions() {
            let calls = subject.constant_arguments::<HANDLER_ARGUMENTS>(
                &convention,
                group.function,
                &group.sites,
            );
            let pointers: FxHashSet<Address> = calls
                .into_iter()
                .flat_map(|(_, arguments)| arguments)
                .flatten()
                .filter_map(|value| subject.function_at_pointer(value))
                .collect();
            if pointers.len() >= MIN_REPEATED_CALLS {
                registering.insert(group.function);
            }
        }
    }
    registering
}

/// Runs one routine in a bare machine.
pub fn run_one<'a>(
    subject: &mut Subject<'a>,
    function: Address,
    limits: Limits,
) -> Initialiser<'a> {
    let policy = Policy { limits, ..Policy::default() };
    let state = subject.bare_state();
    Initialiser { function, trace: subject.run(state, function, &[], &policy) }
}

/// Runs one routine for as long as decoding all that it adds may take.
pub fn run_longer<'a>(subject: &mut Subject<'a>, function: Address) -> Option<Initialiser<'a>> {
    let run = run_one(subject, function, LABORIOUS);
    // What has taken all memory leaves none to look at it with.
    (!subject.emulator.is_memory_spent()).then_some(run)
}

/// Runs one routine once more for as long as decoding all that it adds may take, with what it reads,
/// in order.
pub fn run_reading<'a>(
    subject: &mut Subject<'a>,
    function: Address,
) -> (Initialiser<'a>, Vec<(Address, u32)>) {
    let policy = Policy { limits: LABORIOUS, ..Policy::default() };
    let mut state = subject.bare_state();
    state.memory.start_read_log();
    let mut trace = subject.run(state, function, &[], &policy);
    let reads = trace.state.memory.take_read_log();
    (Initialiser { function, trace }, reads)
}
