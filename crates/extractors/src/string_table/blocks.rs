//! Blocks of the program's own data that one routine decodes as a whole.
//!
//! How it works: routines with a loop that the program calls without constant arguments are run for a
//! while; one that changes a stretch of initialised data from something else into texts is such a
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
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

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

/// Shortest text that is told from the bytes of a number, without its NUL.
const MIN_TEXT: usize = 2;

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

impl Block<'_> {
    /// Where texts begin in the block, with their bytes and NUL: what stands between NULs. Other bytes
    /// count where they are two, as a port.
    ///
    /// False positives: bytes of other numbers that read as text. False negatives: texts of one
    /// character; ports of which a byte is 0.
    pub(super) fn texts(&self) -> Vec<(Address, Vec<u8>)> {
        let mut found = Vec::new();
        let mut at = 0;
        // The last one has to end, too.
        for text in self.decoded.split_inclusive(|byte| *byte == 0) {
            let length = text.len().saturating_sub(1);
            if length >= MIN_TEXT && (xor::is_text(text) || length == 2) && text.last() == Some(&0)
            {
                found.push((self.start.offset(at), text.to_vec()));
            }
            at += text.len() as u64;
        }
        found
    }
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

/// Routines with a loop, and those so small that they may hand a block to another.
fn candidates(subject: &Subject<'_>) -> Vec<Address> {
    let functions = subject.program.functions().iter();
    let small = functions.filter(|it| it.instruction_count() < 24).map(|it| it.entry);
    subject.functions_with_loop().into_iter().chain(small).take(MAX_CANDIDATES * 4).collect()
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
fn initialised(
    subject: &Subject<'_>,
    accesses: impl Iterator<Item = Read>,
) -> Vec<(Address, u64)> {
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
