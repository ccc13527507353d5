//! Routines that fill something item by item, run once for all extractors.

use crate::subject::Subject;
use crate::trace::{Policy, Trace};
use miyaburi_emulator::Limits;
use miyaburi_image::Address;

/// A routine is a candidate when it calls one other at least this often.
const MIN_REPEATED_CALLS: usize = 3;

/// Most candidates that are run.
const MAX_CANDIDATES: usize = 24;

/// A candidate and what running it did.
pub struct Initialiser<'a> {
    /// Its entry.
    pub function: Address,
    /// The run in a bare machine.
    pub trace: Trace<'a>,
}

/// Runs the routines that call one other again and again, most repetitive first.
///
/// False negatives: routines that fill their items in a loop over constant data
/// ([`crate::string_table::fillers`] finds those of tables).
pub fn run<'a>(subject: &mut Subject<'a>) -> Vec<Initialiser<'a>> {
    let candidates = subject.repetitive_functions(MIN_REPEATED_CALLS);
    let limits = Limits {
        instructions: 150_000,
        call_instructions: 10_000,
        repetition: 12_000,
        ..Limits::default()
    };
    let candidates = candidates.into_iter().take(MAX_CANDIDATES);
    candidates.map(|function| run_one(subject, function, limits)).collect()
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
