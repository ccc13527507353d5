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
/// False negatives: routines that fill their items in a loop over constant data; those need no
/// running, the data says it.
pub fn run<'a>(subject: &mut Subject<'a>) -> Vec<Initialiser<'a>> {
    let policy = Policy {
        limits: Limits { instructions: 150_000, call_instructions: 20_000, ..Limits::default() },
        ..Policy::default()
    };
    let candidates = subject.repetitive_functions(MIN_REPEATED_CALLS);
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .map(|function| {
            let state = subject.bare_state();
            Initialiser { function, trace: subject.run(state, function, &[], &policy) }
        })
        .collect()
}
