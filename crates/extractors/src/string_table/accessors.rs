//! The routines that decode an entry and give it out, found by running them.

use crate::string_table::records::Records;
use crate::subject::{Convention, Subject};
use crate::trace::{self, Policy, SystemCalls};
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

/// Instructions that an accessor may take.
const INSTRUCTIONS: u64 = 30_000;

/// Most routines that are tried.
const MAX_CANDIDATES: usize = 48;

/// Ids are below this.
const MAX_ID: u64 = 4096;

/// A routine is tried when the program gives it at least this many different numbers.
const MIN_IDS: usize = 2;

/// What a routine does when given an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It changes the bytes of that entry in place.
    Toggles,
    /// It gives the address of that entry's bytes.
    Retrieves,
}

/// A routine that handles entries by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessor {
    /// Its entry.
    pub function: Address,
    /// Where it looks for the id.
    pub convention: Convention,
    /// What it does.
    pub access: Access,
}

/// An accessor, and where its table begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The routine.
    pub accessor: Accessor,
    /// Address of the record with id 0.
    pub base: Address,
}

/// Runs every routine that the program gives different small numbers, with two of those, on the
/// filled table, and keeps those that each time treat exactly one entry, at places that agree on
/// where the table begins.
///
/// False positives: a routine that changes an entry for another reason than decoding (none is
/// known). False negatives: accessors that take the id in another place than their first
/// argument, that are called with fewer than two different ids, or that were inlined everywhere.
pub fn locate<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    records: &Records,
) -> Vec<Located> {
    let mut found: Vec<Located> = Vec::new();
    for convention in subject.conventions() {
        let candidates = subject.functions_given_numbers(&convention, MAX_ID, MIN_IDS);
        for (function, ids) in candidates.into_iter().take(MAX_CANDIDATES) {
            let (Some(first), Some(last)) = (ids.first(), ids.last()) else { continue };
            if found.iter().any(|known| known.accessor.function == function) {
                continue;
            }
            let routine = (function, &convention);
            let one = treated(subject, filled, records, routine, *first);
            let Some((access, base)) = one else { continue };
            if treated(subject, filled, records, routine, *last) == Some((access, base)) {
                let convention = convention.clone();
                found.push(Located { accessor: Accessor { function, convention, access }, base });
            }
        }
    }
    found
}

/// What `function` does with the id, and the base that follows from the entry it treats.
fn treated<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    records: &Records,
    routine: (Address, &Convention),
    id: u64,
) -> Option<(Access, Address)> {
    let mut before = filled.clone();
    let trace = call_with_id(subject, filled.clone(), routine, id);
    if !trace.completed() {
        return None;
    }
    let result = trace.outcome.result;
    let mut after = trace.state;
    let mut changed = records.records.iter().filter(|record| {
        let length = record.length as usize;
        before.memory.bytes(record.buffer, length) != after.memory.bytes(record.buffer, length)
    });
    let (access, record) = match (changed.next(), changed.next()) {
        (Some(record), None) => (Access::Toggles, record),
        (None, _) => {
            let given = records.records.iter().find(|record| record.buffer.0 == result)?;
            (Access::Retrieves, given)
        }
        _ => return None,
    };
    let base = record.cell.0.checked_sub(id * records.stride)?;
    Some((access, Address(base)))
}

/// Runs an accessor on a copy of the filled table. The second argument, where accessors put a
/// length, points to scratch memory.
pub fn call_with_id<'a>(
    subject: &mut Subject<'a>,
    mut state: State<'a>,
    (function, convention): (Address, &Convention),
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
    };
    subject.run_by(convention, state, function, &[id, scratch.0], &policy)
}
