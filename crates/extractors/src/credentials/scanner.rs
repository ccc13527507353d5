//! The routine that uses the credentials, told from the one that adds them.
//!
//! How it works: who adds them is the scanner itself, as in the leak, or is called by it alone. The
//! scanner talks to others, a routine that only fills a list does not. When nobody calls who adds
//! them, it is what a compiler leaves of a function that was inlined: the one function that calls
//! all that it calls stands for its caller.
//!
//! False positives: a routine between the two that talks, too; a function that calls all that an
//! uncalled one calls for another purpose. False negatives: a list that is
//! filled by a routine whose callers do not talk; then the filling routine stands for the scanner.

use crate::endpoints::socket_calls::SocketCalls;
use crate::subject::Subject;
use miyaburi_analysis::{FunctionId, Program};
use miyaburi_image::Address;
use rustc_hash::FxHashSet;

/// How many callers are gone up.
const MAX_LEVELS: usize = 3;

/// How deep the calls lie in which talking is looked for.
const MAX_DEPTH: usize = 4;

/// Most routines that are looked at below one.
const MAX_CALLEES: usize = 64;

/// The scanner, given the routine that fills its list.
pub fn of(subject: &mut Subject<'_>, initialiser: Address) -> Address {
    let mut calls = SocketCalls::default();
    let program = subject.program;
    let Some(mut function) = program.function_at(initialiser) else { return initialiser };
    for _ in 0..=MAX_LEVELS {
        if talks(subject, &mut calls, function) {
            let function = program.function(function);
            return function.map_or(initialiser, |function| function.entry);
        }
        let mut callers = program.callers(function).map(|site| site.caller);
        let caller = match callers.next() {
            Some(first) => callers.all(|other| other == first).then_some(first),
            None => inlined_into(program, function),
        };
        let Some(caller) = caller else { break };
        function = caller;
    }
    initialiser
}

/// The one other function that calls all routines that `function` calls.
fn inlined_into(program: &Program<'_>, function: FunctionId) -> Option<FunctionId> {
    let callees_of = |function| -> FxHashSet<Address> {
        program.calls_of(function).filter_map(|site| site.target).collect()
    };
    let wanted = callees_of(function);
    let first = wanted.iter().min().and_then(|callee| program.function_at(*callee))?;
    let callers: FxHashSet<FunctionId> = program.callers(first).map(|site| site.caller).collect();
    let mut callers =
        callers.into_iter().filter(|id| *id != function && wanted.is_subset(&callees_of(*id)));
    callers.next().filter(|_| callers.next().is_none())
}

/// Whether a function, or one that it leads to, is seen to hand a socket address to the kernel.
fn talks(subject: &mut Subject<'_>, calls: &mut SocketCalls, function: FunctionId) -> bool {
    let program = subject.program;
    let mut level = vec![function];
    let mut seen: FxHashSet<FunctionId> = level.iter().copied().collect();
    for _ in 0..=MAX_DEPTH {
        let mut next = Vec::new();
        for function in level {
            let entry = program.function(function).map(|function| function.entry);
            if entry.is_some_and(|entry| calls.of(subject, entry).is_some()) {
                return true;
            }
            let callees = program.calls_of(function).filter_map(|site| site.target);
            let callees = callees.filter_map(|callee| program.function_at(callee));
            next.extend(callees.filter(|callee| seen.len() < MAX_CALLEES && seen.insert(*callee)));
        }
        level = next;
    }
    false
}
