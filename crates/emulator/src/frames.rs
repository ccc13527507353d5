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
    /// As the callee finds it.
    pub(crate) stack_pointer: u64,
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

    /// Whether a call of `callee` is under way.
    pub(crate) fn is_under_way(&self, callee: Address) -> bool {
        self.0.iter().any(|frame| frame.call.callee == callee)
    }

    /// Ends the call that returns to `target` with this stack pointer, and those within it. Of
    /// several, as recursion has them, it is the outermost whose stack is given back: the others
    /// were left without a return. Where the stack tells nothing it is the innermost.
    pub(crate) fn pop_returning_to(&mut self, target: Address, stack_pointer: u64) -> Option<Call> {
        let returns = |frame: &Frame| frame.call.return_to == target;
        let given_back =
            self.0.iter().rev().take_while(|frame| frame.stack_pointer <= stack_pointer);
        let inner = given_back.enumerate().filter(|(_, frame)| returns(frame)).last();
        let index = match inner {
            Some((inner, _)) => self.0.len() - 1 - inner,
            None => self.0.iter().rposition(returns)?,
        };
        let call = self.0.get(index).map(|frame| frame.call);
        self.0.truncate(index);
        call
    }

    /// Drops the calls that were left without a return, as by `longjmp`: their stack is given back.
    /// A callee that has used none yet stands where its caller did, so that equal stack pointers
    /// count only when code `has_returned` to where no call returns to.
    ///
    /// Code that goes on with another stack, higher up, loses the calls under way; they are not told
    /// of when they return and cannot be undone.
    pub(crate) fn drop_left(&mut self, stack_pointer: u64, has_returned: bool) {
        let is_left = |frame: &Frame| {
            frame.stack_pointer < stack_pointer
                || has_returned && frame.stack_pointer == stack_pointer
        };
        while self.0.last().is_some_and(is_left) {
            self.0.pop();
        }
    }

    /// Drops the innermost call when `site` makes the same call again on the same stack.
    pub(crate) fn drop_repeated(&mut self, site: Address, stack_pointer: u64) {
        let is_same =
            |frame: &Frame| (frame.call.site, frame.stack_pointer) == (site, stack_pointer);
        if self.0.last().is_some_and(is_same) {
            self.0.pop();
        }
    }

    /// The journal where the outermost call began.
    pub(crate) fn oldest_journal_mark(&self) -> Option<JournalMark> {
        self.0.first().map(|frame| frame.journal)
    }
}
