//! Blocks of the program's own data that one routine decodes as a whole.
//!
//! How it works: routines with a loop that the program calls without constant arguments are run for a
//! while; one that changes a stretch of initialised data from something else into texts is such a
//! routine.
//!
//! False positives: a routine that fills initialised data with texts; what is then asked for by
//! number decides. False negatives: blocks that are decoded into another place, or by more code than
//! one run may take.

use crate::subject::Subject;
use crate::trace::{Policy, SystemCalls};
use crate::written::WrittenRanges;
use crate::xor;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

/// Routines that are run.
const MAX_CANDIDATES: usize = 48;

/// Fewest bytes of a block.
const MIN_BLOCK: u64 = 64;

/// Share of a block that must be text or its end, in percent.
const TEXT_PERCENT: usize = 90;

/// What a routine may spend.
const LIMITS: Limits = Limits {
    instructions: 3_000_000,
    call_instructions: 3_000_000,
    repetition: 500_000,
    ..Limits::DEFAULT
};

/// What a routine may spend until it changes initialised data.
const FIRST: Limits = Limits { instructions: 60_000, call_instructions: 60_000, ..Limits::DEFAULT };

/// A machine in which a block is decoded.
pub(super) struct Block<'a> {
    /// The routine.
    pub(super) routine: Address,
    /// The machine afterwards.
    pub(super) state: State<'a>,
}

/// The routine that decodes a block, with what it leaves behind.
pub(super) fn find<'a>(subject: &mut Subject<'a>) -> Option<Block<'a>> {
    let functions: Vec<Address> = subject
        .functions_with_loop()
        .into_iter()
        .chain(
            subject
                .program
                .functions()
                .iter()
                .filter(|it| it.instruction_count() < 24)
                .map(|it| it.entry),
        )
        .take(MAX_CANDIDATES * 4)
        .collect();
    let mut tried = 0;
    for routine in functions {
        if tried >= MAX_CANDIDATES || subject.budget.is_late() {
            break;
        }
        let policy = Policy { system_calls: SystemCalls::Undo, limits: FIRST };
        let state = subject.bare_state();
        let first = subject.run(state, routine, &[], &policy);
        if changed_blocks(subject, &first.writes().collect::<Vec<_>>()).is_empty() {
            continue;
        }
        tried += 1;
        let policy = Policy { limits: LIMITS, ..policy };
        let state = subject.bare_state();
        let mut trace = subject.run(state, routine, &[], &policy);
        let blocks = changed_blocks(subject, &trace.writes().collect::<Vec<_>>());
        let is_text = |(start, size): &(Address, u64)| {
            let bytes = trace.state.memory.bytes(*start, *size as usize).unwrap_or_default();
            let text = bytes.iter().filter(|byte| **byte == 0 || xor::is_text_byte(**byte)).count();
            let letters = bytes.iter().filter(|byte| **byte != 0).count();
            text * 100 >= bytes.len() * TEXT_PERCENT && letters * 2 >= bytes.len()
        };
        if blocks.iter().any(is_text) {
            trace.state.memory.stop_journal();
            return Some(Block { routine, state: trace.state });
        }
    }
    None
}

/// Stretches of initialised data that writes changed, with their sizes.
fn changed_blocks(subject: &Subject<'_>, writes: &[(Address, u32)]) -> Vec<(Address, u64)> {
    let ranges = WrittenRanges::new(writes.iter().copied());
    let is_initialised = |(start, size): &(Address, u64)| {
        let stored = subject.image.bytes_from(*start);
        let stored = stored.get(..*size as usize);
        *size >= MIN_BLOCK
            && subject.image.is_writable(*start)
            && stored.is_some_and(|stored| {
                stored.iter().filter(|byte| **byte != 0).count() * 2 > stored.len()
            })
    };
    let ranges = ranges.iter().map(|(start, end)| (start, end.0 - start.0));
    ranges.filter(is_initialised).collect()
}
