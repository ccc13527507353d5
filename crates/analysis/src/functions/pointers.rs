//! Functions that only pointers refer to: handlers passed as arguments, tables of functions.

use crate::code::ContextId;
use crate::diagnostic::AnalysisDiagnostic;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::functions::learnt::ComputedJump;
use crate::functions::plausibility::Opening;
use miyaburi_image::{Address, Family};
use std::sync::Arc;

/// Images that start below this have code addresses that look like everyday numbers.
const LOW_BASE: u64 = 0x10_0000;

/// In such images, within how many instructions a function must make room on the stack.
const LOW_BASE_PROLOGUE: usize = 3;

/// The longest function without a frame that is believed, in instructions.
const MAX_FRAMELESS: usize = 64;

/// The most bytes of data that are searched for pointers.
const MAX_DATA: usize = 32 << 20;

/// Instructions that are looked through in the time of a step.
const INSTRUCTIONS_PER_STEP: u64 = 16;

/// Words of data that are looked at in the time of a step.
const WORDS_PER_STEP: u64 = 8;

/// Bytes of a word in the lists made of those that point to code.
const WORD_BYTES: usize = 32;

/// In such images, numbers this close to each other are no addresses of functions.
const LOW_BASE_DISTANCE: u64 = 8;

/// Within how many words of such numbers.
const LOW_BASE_RUN: usize = 4;

/// A word of the file that is an address at which code can lie.
pub(crate) struct PointerCandidate {
    /// Where it stands.
    here: Address,
    word: u64,
    /// The slot that it names.
    slot: usize,
    /// It stands where code can lie.
    is_in_code: bool,
}

/// What makes pointed-to code a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// It makes room on the stack.
    Frame,
    /// It is short and returns.
    Return,
    /// The pointer lies beside one to a known function.
    Table,
}

impl Discovery<'_> {
    /// Adds the functions that `constants` of the code or words of data point to, from the surest
    /// source that yields any; false when none does. With what that one has found explored, fewer
    /// numbers are taken for addresses by the next.
    ///
    /// False positives: numbers that happen to be the address of unreached code that decodes,
    /// beside a function's address whatever it looks like; addresses of labels; the cases of a
    /// switch whose table was not understood. False negatives: pointers to code that is reached
    /// from elsewhere as part of another function, stored relative to something, or unaligned;
    /// functions far behind all that is known; in low images pointers close to each other.
    pub(crate) fn add_pointed(&mut self, constants: &[u64]) -> bool {
        self.add_pointed_by(constants, Origin::Constant, Evidence::Frame)
            || self.add_pointers(Evidence::Frame)
            || self.add_pointed_by(constants, Origin::Constant, Evidence::Return)
            || self.add_pointers(Evidence::Return)
            || self.add_neighbours()
    }

    /// Adds the functions of tables that other sources have found others of.
    ///
    /// False positives: addresses of labels and read-only data that decodes, beside the address of
    /// a function. False negatives: functions whose neighbours in the table are unknown, too; those
    /// that use a register of the caller's at once.
    fn add_neighbours(&mut self) -> bool {
        let (_, in_tables) = self.data_words();
        self.add_pointed_by(&in_tables, Origin::Pointer, Evidence::Table)
    }

    fn add_pointers(&mut self, evidence: Evidence) -> bool {
        let (mut words, _) = self.data_words();
        let before = words.len();
        words.retain(|word| !self.add_case(*word));
        self.explore();
        let has_cases = words.len() < before;
        self.add_pointed_by(&words, Origin::Pointer, evidence) || has_cases
    }

    fn add_pointed_by(&mut self, pointers: &[u64], origin: Origin, evidence: Evidence) -> bool {
        let before = self.drafts.len();
        for &pointer in pointers {
            if !self.code.work.spend(1) {
                break;
            }
            if let Some((address, context)) = self.pointed_function(pointer, evidence, origin) {
                self.add(address, context, origin);
                self.explore();
            }
        }
        self.drafts.len() > before
    }

    /// Takes a pointer into a function with a switch, or behind one with a computed jump nobody
    /// understands and before the next function, as one of the jump's targets, unless a frame is
    /// set up there.
    fn add_case(&mut self, pointer: u64) -> bool {
        let Some((address, _)) = self.code_pointer(pointer) else { return false };
        let Some(slot) = self.code.index.slot(address) else { return false };
        let start =
            self.ownership.starts.last_until(slot).and_then(|slot| self.code.index.address(slot));
        let Some(number) = start.and_then(|start| self.number_at(start)) else { return false };
        let Some(draft) = self.drafts.get(number as usize) else { return false };
        self.code.work.spend(1 + draft.visited.len() as u64 / INSTRUCTIONS_PER_STEP);
        let last = draft.visited.iter().map(|(address, _)| *address).max();
        let is_within = last.is_some_and(|last| address < last);
        let is_switch = |at: &&(Address, _)| {
            matches!(self.learnt.jumps.get(&at.0), Some(ComputedJump::Switch(_)))
        };
        let switch = || draft.visited.iter().find(is_switch).filter(|_| is_within);
        let jump = draft.unknown_jumps.first().copied().or_else(|| switch().map(|(at, _)| *at));
        let Some(jump) = jump else { return false };
        if self.ownership.owner(slot).is_some() {
            return true;
        }
        let Some(id) = self.code.instruction_at(jump) else { return false };
        let context = self.code.context_after(id, address);
        let is_function =
            |opening: Opening| opening.prologue.is_some_and(|after| after <= LOW_BASE_PROLOGUE);
        if self.opening(address, context).is_none_or(is_function) {
            return false;
        }
        self.enter(number, address, context);
        true
    }

    /// The words of all segments that are addresses at which code can lie; they are looked for
    /// once.
    fn pointer_candidates(&mut self) -> Arc<Vec<PointerCandidate>> {
        if let Some(known) = &self.pointer_candidates {
            return known.clone();
        }
        let arch = self.image.arch();
        let size = arch.pointer_size() as usize;
        let step = if arch.family == Family::M68k { 2 } else { size };
        let mut candidates = Vec::new();
        let (mut left, mut left_out) = (MAX_DATA, 0);
        for segment in self.image.segments() {
            let data = segment.data.get(..left).unwrap_or(&segment.data);
            left -= data.len();
            left_out += (segment.data.len() - data.len()) as u64;
            if !self.code.work.spend((data.len() / step) as u64 / WORDS_PER_STEP) {
                break;
            }
            let skew = (segment.address.0 as usize).wrapping_neg() % step;
            for offset in (skew..data.len()).step_by(step) {
                let Some(bytes) = data.get(offset..offset.saturating_add(size)) else { break };
                let word = arch.endian.read_uint(bytes);
                let Some(slot) = self.code.index.slot(Address(word)) else { continue };
                let here = segment.address.offset(offset as u64);
                let is_in_code = self.code.index.slot(here).is_some();
                if !self.code.work.reserve(&mut candidates, 1) {
                    break;
                }
                candidates.push(PointerCandidate { here, word, slot, is_in_code });
            }
        }
        if left_out > 0 {
            self.diagnostics.push(AnalysisDiagnostic::PointersLeftOut { bytes: left_out });
        }
        self.code.work.keep(candidates.len() * WORD_BYTES);
        let candidates = Arc::new(candidates);
        self.pointer_candidates = Some(candidates.clone());
        candidates
    }

    /// The word of pointer size that the file has at an address.
    fn word_at(&self, address: u64) -> Option<u64> {
        let arch = self.image.arch();
        let bytes = self.image.bytes_from(Address(address)).get(..arch.pointer_size() as usize)?;
        Some(arch.endian.read_uint(bytes))
    }

    /// Whether numbers close to a word stand near it.
    fn is_among_numbers(&self, candidate: &PointerCandidate) -> bool {
        let size = u64::from(self.image.arch().pointer_size());
        (1..=LOW_BASE_RUN as u64)
            .flat_map(|count| {
                let distance = count * size;
                let here = candidate.here.0;
                [here.checked_add(distance), here.checked_sub(distance)]
            })
            .flatten()
            .filter_map(|at| self.word_at(at))
            .any(|other| (1..LOW_BASE_DISTANCE).contains(&other.abs_diff(candidate.word)))
    }

    /// The words of data, and of those parts of executable segments that are no code, that could
    /// be addresses of unreached code, and those among them that lie beside the address of a known
    /// function.
    fn data_words(&mut self) -> (Vec<u64>, Vec<u64>) {
        let candidates = self.pointer_candidates();
        let is_low = self.is_low();
        let (mut words, mut in_tables) = (Vec::new(), Vec::new());
        let last_code = self.last_start();
        self.code.work.spend(candidates.len() as u64 / WORDS_PER_STEP);
        for candidate in candidates.iter() {
            // Words between functions are literals of functions that are not known yet, and
            // offsets as often as addresses.
            let is_in_code = candidate.is_in_code && Some(candidate.here) <= last_code;
            if is_in_code || self.ownership.owner(candidate.slot).is_some() {
                continue;
            }
            let (word, size) = (candidate.word, u64::from(self.image.arch().pointer_size()));
            let beside = [candidate.here.0.checked_sub(size), candidate.here.0.checked_add(size)];
            let is_start = |word: u64| self.is_start(word);
            if beside.into_iter().flatten().filter_map(|at| self.word_at(at)).any(is_start) {
                in_tables.push(word);
            }
            if !is_low || !self.is_among_numbers(candidate) {
                words.push(word);
            }
        }
        for list in [&mut words, &mut in_tables] {
            list.sort_unstable();
            list.dedup();
        }
        (words, in_tables)
    }

    /// Whether a pointer is that to a known function.
    fn is_start(&self, pointer: u64) -> bool {
        let mode_bit = u64::from(self.abi.mode_switch.is_some());
        self.number_at(Address(pointer & !mode_bit)).is_some()
    }

    /// The last known start of a function.
    fn last_start(&self) -> Option<Address> {
        let last = self.ownership.starts.last_until(usize::MAX)?;
        self.code.index.address(last)
    }

    /// Whether the bytes at `address` are printable: strings lie in executable segments, too.
    fn looks_like_text(&self, address: Address) -> bool {
        let bytes = self.image.bytes_from(address);
        let is_text = |byte: &&u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        let text = bytes.iter().take(8).take_while(is_text).count();
        text >= 8 || text >= 2 && bytes.get(text) == Some(&0)
    }

    /// Whether code addresses look like everyday numbers.
    pub(crate) fn is_low(&self) -> bool {
        self.code.index.ranges().next().is_some_and(|(start, _)| start.0 < LOW_BASE)
    }

    fn pointed_function(
        &mut self,
        pointer: u64,
        evidence: Evidence,
        origin: Origin,
    ) -> Option<(Address, ContextId)> {
        let (address, context) = self.code_pointer(pointer)?;
        if self.is_reached(address) || !self.is_boundary(address) || self.is_amid_unwound(address) {
            return None;
        }
        // Behind the last function read-only data may lie.
        let is_behind = self.last_start().is_some_and(|last| address > last);
        let needs_frame = is_behind && !self.follows_known(address);
        let is_frameless = self.frameless.contains(&(address, context));
        if is_frameless && (needs_frame || evidence == Evidence::Frame) {
            return None;
        }
        if needs_frame && !self.look(address, context)?.is_proper() {
            return None;
        }
        // Odd numbers in data are pointers to compressed code only where there is such code.
        if origin == Origin::Pointer && !self.modes.contains(&context) {
            return None;
        }
        if self.image.bytes_from(address).iter().take(4).all(|byte| *byte == 0) {
            return None;
        }
        let is_low = self.is_low();
        let opening = self.opening(address, context)?;
        let is_function = match evidence {
            Evidence::Table => !self.looks_like_text(address),
            Evidence::Frame => {
                opening.prologue.is_some_and(|after| !is_low || after <= LOW_BASE_PROLOGUE)
            }
            Evidence::Return => {
                let look = self.look(address, context)?;
                let is_short = look.is_complete && look.length <= MAX_FRAMELESS;
                let ends = if is_low { look.returns } else { look.leaves_properly };
                let is_adjacent = !is_low || self.follows_known(address);
                is_short && ends && !look.intrudes && is_adjacent && !self.looks_like_text(address)
            }
        };
        (is_function && !opening.trusts_strangers).then_some((address, context))
    }
}
