//! Blocks of the program's own data that one routine decodes as a whole.
//!
//! How it works: routines that refer to such data are run for a while without arguments; one that changes a stretch of initialised data from something else into texts is such a
//! routine. Some that only read such a stretch at first are run longer, as ciphers may work on a copy.
//!
//! False positives: a routine that fills initialised data with texts; what is then asked for by
//! number decides. False negatives: blocks that are decoded into another place, or by more code than
//! one run may take.

use crate::material;
use crate::subject::Subject;
use crate::trace::{Policy, SystemCalls};
use crate::written::WrittenRanges;
use crate::xor;
use miyaburi_analysis::Function;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;
use rustc_hash::FxHashSet;

/// Routines that are run.
const MAX_CANDIDATES: usize = 48;

/// Routines that are run longer because of what they read alone.
const MAX_READING: usize = 12;

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

/// A load: where, and how many bytes.
type Read = (Address, u32);

/// A machine in which a block is decoded.
pub(super) struct Block<'a> {
    /// The routine.
    pub(super) routine: Address,
    /// Where it lies.
    pub(super) start: Address,
    /// Its bytes afterwards.
    pub(super) decoded: Vec<u8>,
    /// What was read of the file besides the block.
    pub(super) reads: Vec<Read>,
    /// Whether a permutation of all bytes was set up.
    pub(super) fills_permutation: bool,
    /// The machine afterwards.
    pub(super) state: State<'a>,
}

/// Where texts begin in the block that lies at `start`, with their bytes and NUL: what stands between
/// NULs. Other bytes count where they are two, as a port, and texts of two characters where these are
/// small letters.
///
/// False positives: bytes of other numbers that read as text, such as one port in a hundred. False
/// negatives: texts of one character, others of two; ports of which a byte is 0 or both are
/// characters.
pub(super) fn texts(start: Address, decoded: &[u8]) -> Vec<(Address, Vec<u8>)> {
    let mut found = Vec::new();
    let mut at = 0;
    for text in decoded.split_inclusive(|byte| *byte == 0) {
        let is_entry = match text {
            [one, other, 0] => {
                let is_word = one.is_ascii_lowercase() && other.is_ascii_lowercase();
                is_word || !xor::is_text(text)
            }
            _ => text.len() > 2 && xor::is_text(text),
        };
        if is_entry {
            found.push((start.offset(at), text.to_vec()));
        }
        at += text.len() as u64;
    }
    found
}

/// The routine that decodes a block, with what it leaves behind.
pub(super) fn find<'a>(subject: &mut Subject<'a>) -> Option<Block<'a>> {
    let (mut tried, mut reading) = (0, 0);
    for routine in candidates(subject) {
        if tried >= MAX_CANDIDATES || subject.budget.is_late() {
            break;
        }
        match first_steps(subject, routine) {
            FirstSteps::Writes => {}
            FirstSteps::Reads if reading < MAX_READING => reading += 1,
            FirstSteps::Reads | FirstSteps::Nothing => continue,
        }
        tried += 1;
        if let Some(block) = decoded_by(subject, routine) {
            return Some(block);
        }
    }
    None
}

/// Routines that refer to initialised data which may be changed and have a loop or call another, the
/// small ones first.
fn candidates(subject: &Subject<'_>) -> Vec<Address> {
    let program = subject.program;
    let with_loop: FxHashSet<Address> = subject.functions_with_loop().into_iter().collect();
    let refers = |function: &Function| {
        function.blocks().iter().any(|block| {
            let references = program.references().from(block.start, block.end).iter();
            let mut places = references.map(|reference| reference.to);
            places.any(|to| {
                subject.image.is_writable(to)
                    && subject.image.bytes_from(to).len() as u64 >= MIN_BLOCK
            })
        })
    };
    let goes_on = |function: &Function| {
        let calls = || program.function_at(function.entry).into_iter();
        with_loop.contains(&function.entry)
            || calls().any(|id| program.calls_of(id).next().is_some())
    };
    let mut found: Vec<&Function> =
        program.functions().iter().filter(|it| refers(it) && goes_on(it)).collect();
    found.sort_by_key(|function| (function.instruction_count(), function.entry));
    found.into_iter().map(|function| function.entry).take(MAX_CANDIDATES * 4).collect()
}

/// What a routine does with initialised data at first.
enum FirstSteps {
    Writes,
    /// It does no more until its steps are spent.
    Reads,
    Nothing,
}

fn first_steps(subject: &mut Subject<'_>, routine: Address) -> FirstSteps {
    let policy = Policy { system_calls: SystemCalls::Undo, limits: FIRST };
    let mut state = subject.bare_state();
    state.memory.start_read_log();
    let mut first = subject.run(state, routine, &[], &policy);
    let reads = first.state.memory.take_read_log();
    if !initialised(subject, first.writes()).is_empty() {
        FirstSteps::Writes
    } else if first.is_spent() && !initialised(subject, reads.into_iter()).is_empty() {
        FirstSteps::Reads
    } else {
        FirstSteps::Nothing
    }
}

/// The block that a routine decodes.
fn decoded_by<'a>(subject: &mut Subject<'a>, routine: Address) -> Option<Block<'a>> {
    let policy = Policy { system_calls: SystemCalls::Undo, limits: LIMITS };
    let mut state = subject.bare_state();
    state.memory.start_read_log();
    let mut trace = subject.run(state, routine, &[], &policy);
    let mut reads = trace.state.memory.take_read_log();
    let blocks = initialised(subject, trace.writes());
    let (start, decoded) = blocks.into_iter().find_map(|(start, size)| {
        let bytes = trace.state.memory.bytes(start, size as usize)?;
        let text = bytes.iter().filter(|byte| **byte == 0 || xor::is_text_byte(**byte)).count();
        let letters = bytes.iter().filter(|byte| **byte != 0).count();
        let is_text = text * 100 >= bytes.len() * TEXT_PERCENT && letters * 2 >= bytes.len();
        is_text.then_some((start, bytes))
    })?;
    let end = start.offset(decoded.len() as u64);
    reads.retain(|(address, _)| !(start..end).contains(address));
    let fills_permutation = material::fills_permutation(&mut trace);
    let mut state = trace.state;
    state.memory.stop_journal();
    Some(Block { routine, start, decoded, reads, fills_permutation, state })
}

/// Stretches of initialised data among those that were written or read, with their sizes.
fn initialised(subject: &Subject<'_>, accesses: impl Iterator<Item = Read>) -> Vec<(Address, u64)> {
    let stretch = |(start, end): (Address, Address)| {
        let stored = subject.image.bytes_from(start);
        // Memory that begins as zeros may follow.
        let size = (end.0 - start.0).min(stored.len() as u64);
        let stored = stored.get(..size as usize)?;
        let is_initialised = stored.iter().filter(|byte| **byte != 0).count() * 2 > stored.len();
        (size >= MIN_BLOCK && subject.image.is_writable(start) && is_initialised)
            .then_some((start, size))
    };
    WrittenRanges::new(accesses).iter().filter_map(stretch).collect()
}

#[cfg(test)]
mod tests {
    use super::texts;
    use miyaburi_image::Address;

    #[test]
    fn texts_stand_between_nuls() {
        let found = texts(Address(0x100), b"shell\0\0\0sh\0\0\x9c\x40\0\0/proc/\0a\0end");
        let at: Vec<(u64, &[u8])> = found.iter().map(|(at, it)| (at.0, it.as_slice())).collect();
        let port: &[u8] = b"\x9c\x40\0";
        assert_eq!(
            at,
            [(0x100, b"shell\0".as_slice()), (0x108, b"sh\0"), (0x10c, port), (0x110, b"/proc/\0")]
        );
    }

    #[test]
    fn two_characters_that_may_be_a_port_are_no_text() {
        assert_eq!(texts(Address(0), b"Qj\0\0%\"\0\0\x01\x02\x03\0"), []);
    }
}
