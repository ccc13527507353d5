//! The calls under way.

use crate::memory::JournalMark;
use crate::windows::Windows;
use miyaburi_image::Address;
use miyaburi_pcode::Context;

/// One call that code makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The call instruction.
    pub site: Address,
    /// Whom it calls.
    pub callee: Address,
    /// Where the callee returns to.
    pub return_to: Address,
    /// Calls under way when it is made: 0 for those of the function that was started.
    pub depth: usize,
}

/// What it takes to undo a call. Memory that hooks mapped during it stays mapped.
pub(crate) struct Frame {
    pub(crate) call: Call,
    pub(crate) return_context: Context,
    /// Instruction count at which the call's budget is spent.
    pub(crate) deadline: u64,
    pub(crate) started: u64,
    pub(crate) registers: Option<Box<[u8]>>,
    pub(crate) windows: Windows,
    pub(crate) journal: JournalMark,
    pub(crate) fresh_blocks: u64,
    pub(crate) thread_pointer: u64,
}

/// The stack of calls under way, innermost last.
#[derive(Default)]
pub(crate) struct Frames(Vec<Frame>);

impl Frames {
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        self.0.push(frame);
    }

    pub(crate) fn pop(&mut self) -> Option<Frame> {
        self.0.pop()
    }

    pub(crate) fn deadline(&self) -> u64 {
        self.0.last().map_or(u64::MAX, |frame| frame.deadline)
    }

    /// Ends the innermost call that returns to `target`, and those within it.
    pub(crate) fn pop_returning_to(&mut self, target: Address) -> Option<Call> {
        let index = self.0.iter().rposition(|frame| frame.call.return_to == target)?;
        let call = self.0.get(index).map(|frame| frame.call);
        self.0.truncate(index);
        call
    }
}
