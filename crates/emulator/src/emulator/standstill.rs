//! Tells when a run goes round without changing anything, so that it would never end.
//!
//! How it works (Brent's search for cycles): from time to time the registers are kept; when the run
//! comes to the same place with the same registers, and every byte written since holds again what it
//! held, everything that follows repeats itself. What hooks answer may change, so that a run which
//! has asked them since is not judged.
//!
//! False positives: none, as nothing else decides what code does; only that a run which would first
//! have filled the journal of writes ends by its instructions instead. False negatives: loops that
//! count or draw numbers, that write to more than [`MAX_WRITES`] places or that call; they end by the
//! budget. So do runs without a journal.

use super::steps::Run;
use crate::exit::{Exit, Reason};
use crate::machine::State;
use crate::memory::JournalMark;
use crate::windows::Windows;
use miyaburi_image::Address;
use miyaburi_pcode::Context;

/// Instructions in known blocks before the machine is looked at for the first time.
const FIRST: u64 = 128;

/// Writes of one time round that are looked at.
const MAX_WRITES: usize = 64;

/// The machine at one time.
struct Kept {
    pc: Address,
    context: Context,
    registers: Box<[u8]>,
    windows: Windows,
    journal: JournalMark,
}

/// What is remembered to notice a standstill.
pub(super) struct Standstill {
    kept: Option<Kept>,
    /// Instructions in known blocks when the machine is kept next.
    due: u64,
}

impl Default for Standstill {
    fn default() -> Self {
        Self { kept: None, due: FIRST }
    }
}

impl Standstill {
    /// Hooks were asked: what was kept tells nothing any more.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    /// Whether the machine is where it was before. `repeated` is the number of instructions since a
    /// block was last new to the run, `size` that of all registers in bytes.
    #[inline]
    pub(super) fn is_reached(&mut self, state: &mut State<'_>, repeated: u64, size: usize) -> bool {
        if repeated < FIRST {
            *self = Self::default();
            return false;
        }
        if self.kept.as_ref().is_some_and(|kept| kept.pc == state.pc && kept.is(state, size)) {
            return true;
        }
        if repeated >= self.due {
            self.due = repeated.saturating_mul(2);
            self.kept = Kept::of(state, size);
        }
        false
    }
}

impl Kept {
    fn of(state: &State<'_>, size: usize) -> Option<Self> {
        Some(Self {
            pc: state.pc,
            context: state.context,
            registers: state.bytes.get(..size)?.into(),
            windows: state.windows.clone(),
            journal: state.memory.has_journal().then(|| state.memory.journal_mark())?,
        })
    }

    fn is(&self, state: &mut State<'_>, size: usize) -> bool {
        self.context == state.context
            && state.bytes.get(..size) == Some(&self.registers)
            && self.windows.is(&state.windows)
            && state.memory.is_as_at(self.journal, MAX_WRITES)
    }
}

impl Run {
    /// How a run ends that stands still, with the instructions spent that it would take: the call
    /// that it is in by its budget, when that is the first to be spent.
    pub(super) fn stand_still(&mut self, at: Address) -> Exit {
        let repetition = self.new_block_at.saturating_add(self.limits.repetition);
        let limit = repetition.min(self.limits.instructions);
        let deadline = self.frames.deadline();
        self.instructions = limit.min(deadline).saturating_add(1);
        self.standstill.forget();
        if limit <= deadline {
            Exit::Budget { at }
        } else {
            Exit::Failed { at, reason: Reason::CallBudget }
        }
    }
}
