//! The routines that decode an entry and give it out, found by running them.

use crate::subject::Subject;
use crate::trace::{self, Policy, SystemCalls};
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

/// Instructions that an accessor may take.
const INSTRUCTIONS: u64 = 30_000;

/// Most routines that are tried.
const MAX_CANDIDATES: usize = 48;

/// What a routine does when given an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It changes the bytes of that entry in place.
    Toggles,
    /// It gives the address of that entry's bytes.
    Retrieves,
}

/// A routine that handles entries by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accessor {
    /// Its entry.
    pub function: Address,
    /// What it does.
    pub access: Access,
}

/// An entry as the accessors see it: its id, and where its bytes are.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// The id handed over.
    pub id: u64,
    /// The entry's bytes.
    pub buffer: Address,
    /// How many.
    pub length: u64,
}

/// Runs every candidate with the ids of two entries on the filled table and keeps those that
/// treat exactly the entry they were given.
///
/// False positives: a routine that changes the entry of the given id for another reason than
/// decoding (none is known). False negatives: accessors that take the id in another place than
/// their first argument, or that were inlined everywhere.
pub fn find<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    candidates: &[Address],
    probes: [Probe; 2],
) -> Vec<Accessor> {
    let mut found = Vec::new();
    for function in candidates.iter().take(MAX_CANDIDATES) {
        let first = effect(subject, filled, *function, probes[0], probes[1]);
        if first.is_some() && first == effect(subject, filled, *function, probes[1], probes[0]) {
            found.extend(first.map(|access| Accessor { function: *function, access }));
        }
    }
    found
}

/// What `function` does to the entry `own` when given its id; `None` when it also touches `other`.
fn effect<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    function: Address,
    own: Probe,
    other: Probe,
) -> Option<Access> {
    let mut before = filled.clone();
    let own_before = before.memory.bytes(own.buffer, own.length as usize)?;
    let other_before = before.memory.bytes(other.buffer, other.length as usize)?;
    let trace = call_with_id(subject, before, function, own.id);
    if !trace.completed() {
        return None;
    }
    let result = trace.outcome.result;
    let mut after = trace.state;
    let own_after = after.memory.bytes(own.buffer, own.length as usize)?;
    let other_after = after.memory.bytes(other.buffer, other.length as usize)?;
    if other_after != other_before {
        return None;
    }
    if own_after != own_before {
        return Some(Access::Toggles);
    }
    (result == own.buffer.0).then_some(Access::Retrieves)
}

/// Runs an accessor on a copy of the filled table. The second argument, where accessors put a
/// length, points to scratch memory.
pub fn call_with_id<'a>(
    subject: &mut Subject<'a>,
    mut state: State<'a>,
    function: Address,
    id: u64,
) -> trace::Trace<'a> {
    let scratch = subject.emulator.layout().fresh_block(&mut state);
    let policy = Policy {
        system_calls: SystemCalls::ReturnZero,
        limits: Limits {
            instructions: INSTRUCTIONS,
            call_instructions: INSTRUCTIONS / 2,
            ..Limits::default()
        },
        ..Policy::default()
    };
    subject.run(state, function, &[id, scratch.0], &policy)
}
