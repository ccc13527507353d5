//! Calls, which hooks can observe and skip, and which are undone when they cannot be completed.

use super::Emulator;
use super::steps::Run;
use crate::abi::ReturnAddress;
use crate::exit::{Exit, Reason};
use crate::frames::{Call, Frame};
use crate::hooks::{CallAction, Hooks};
use crate::machine::State;
use miyaburi_image::{Address, Family};
use miyaburi_pcode::{CodeBytes, Context};

/// Calls to a callee are not even tried after it failed this often.
const FAILURES_BEFORE_SKIPPING: u32 = 6;

/// A failed call that cost more than this is not tried again.
const EXPENSIVE_FAILURE: u64 = 20_000;

/// What copying a page into fresh memory costs, in instructions.
const PAGE_COPY_COST: u64 = 64;

/// Callers keep one part in so many of what is left of their budget, to go on when a callee has
/// spent the rest.
const CALLER_SHARE: u64 = 2;

/// The same of who calls what is under way already: a hundred calls of a recursion leave a twentieth
/// to the innermost.
const RECURSIVE_CALLER_SHARE: u64 = 32;

/// Touched pages that are looked through in the time of an instruction.
const PAGES_PER_INSTRUCTION: u64 = 16;

impl<'a> Emulator<'a> {
    pub(super) fn follow_indirect(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        value: u64,
        is_return: bool,
        (site, next): (Address, Address),
    ) -> Result<(), Exit> {
        let target = self.indirect(state, value);
        if target.0 == self.layout.return_sentinel() {
            return Err(Exit::Returned);
        }
        let stack_pointer = state.register(&self.abi.stack_pointer);
        if let Some(returned) = run.frames.pop_returning_to(target.0, stack_pointer) {
            run.failures.remove(&returned.callee);
            run.standstill.forget();
            hooks.returned(state, &self.abi, &returned);
        } else if let ReturnAddress::Register(link, skip) = self.abi.return_address {
            // `mov lr,pc; bx r3` and its like.
            if state.register(&link).wrapping_add(skip) & state.address_mask & !1 == next.0 {
                return self.follow_call(state, hooks, run, target, site, next);
            }
            run.frames.drop_left(stack_pointer, is_return);
        } else {
            run.frames.drop_left(stack_pointer, false);
        }
        self.enter(state, target.0, target.1);
        Ok(())
    }

    pub(super) fn follow_call(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        (callee, context): (Address, Context),
        site: Address,
        next: Address,
    ) -> Result<(), Exit> {
        run.standstill.forget();
        let stack_pointer = state.register(&self.abi.stack_pointer);
        run.frames.drop_repeated(site, stack_pointer);
        run.frames.drop_left(stack_pointer, false);
        let return_to = self.behind_structure_size(next);
        let call = Call { site, callee, return_to, depth: run.frames.depth() };
        let hopeless = run.limits.undo
            && run.failures.get(&callee).is_some_and(|count| *count >= FAILURES_BEFORE_SKIPPING);
        match hooks.call(state, &self.abi, &call) {
            CallAction::Stop => return Err(Exit::Stopped { at: site }),
            CallAction::Return(value) => {
                self.return_from(state, &call, value);
                return Ok(());
            }
            CallAction::Enter if hopeless || !self.is_code(state, callee) => {
                let reason = match hopeless {
                    true => Reason::GivenUp(callee),
                    false => Reason::NotCode(callee),
                };
                if !run.limits.undo {
                    return Err(Exit::Failed { at: site, reason });
                }
                let value = self.summarise(state, run);
                hooks.summarised(state, &self.abi, &call, &reason, value);
                self.return_from(state, &call, value);
                return Ok(());
            }
            CallAction::Enter => {}
        }
        if run.frames.depth() >= run.limits.depth {
            return Err(Exit::Failed { at: site, reason: Reason::Depth });
        }
        self.push_frame(state, run, call, stack_pointer);
        self.enter(state, callee, context);
        Ok(())
    }

    /// Keeps what it takes to undo a call, and how far it may run.
    fn push_frame(&self, state: &State<'a>, run: &mut Run, call: Call, stack_pointer: u64) {
        let left = run.frames.deadline().min(run.limits.instructions);
        let left = left.saturating_sub(run.instructions);
        let is_recursive = run.frames.is_under_way(call.callee);
        let share = if is_recursive { RECURSIVE_CALLER_SHARE } else { CALLER_SHARE };
        let left = left - left / share;
        let deadline = match run.limits.undo {
            true => run.instructions + left.min(run.limits.call_instructions),
            false => u64::MAX,
        };
        run.frames.push(Frame {
            call,
            stack_pointer,
            return_context: state.context,
            deadline,
            started: run.instructions,
            registers: run
                .limits
                .undo
                .then(|| state.bytes[..self.registers.size() as usize].into()),
            windows: state.windows.clone(),
            journal: state.memory.journal_mark(),
            fresh_blocks: state.fresh_blocks,
            thread_pointer: state.thread_pointer,
        });
    }

    /// Where a call with `next` behind it returns to: behind the size of the structure that the
    /// caller wants, which 32-bit SPARC code keeps there as an `unimp`.
    fn behind_structure_size(&self, next: Address) -> Address {
        if !matches!(self.image.arch().family, Family::Sparc | Family::SparcV8Plus) {
            return next;
        }
        let word =
            self.code.code_at(next).first_chunk().map_or(0, |word| u32::from_be_bytes(*word));
        if word != 0 && word >> 22 == 0 { next.offset(4) } else { next }
    }

    /// Undoes the innermost call and gives it a summary result instead. False when no call is
    /// under way.
    pub(super) fn undo_call(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        reason: &Reason,
    ) -> bool {
        run.resume = None;
        run.standstill.forget();
        let Some(frame) = run.frames.pop() else { return false };
        let failures = run.failures.entry(frame.call.callee).or_default();
        let cost = run.instructions - frame.started;
        *failures += if cost > EXPENSIVE_FAILURE { FAILURES_BEFORE_SKIPPING } else { 1 };
        if let Some(registers) = &frame.registers {
            state.bytes[..registers.len()].copy_from_slice(registers);
        }
        state.windows = frame.windows;
        state.memory.roll_back(frame.journal);
        state.fresh_blocks = frame.fresh_blocks;
        state.thread_pointer = frame.thread_pointer;
        self.set_mode(state, frame.return_context);
        let value = self.summarise(state, run);
        hooks.summarised(state, &self.abi, &frame.call, reason, value);
        self.return_from(state, &frame.call, value);
        true
    }

    /// Fresh zeroed memory, or a copy of the old block when the first argument is one: what
    /// allocators give and most other callers ignore.
    pub(super) fn summarise(&self, state: &mut State<'a>, run: &mut Run) -> u64 {
        run.summarised += 1;
        run.instructions += 1;
        let first = self.abi.argument(state, 0);
        let fresh = self.layout.fresh_block(state);
        if let Some(old) = self.layout.fresh_block_at(Address(first)) {
            let mut page = [0; 4096];
            run.instructions += state.memory.page_count() as u64 / PAGES_PER_INSTRUCTION;
            // Only what was touched can differ from zero; the rest stays virtual.
            for at in state.memory.touched(old, self.layout.fresh_block_size()) {
                run.instructions += PAGE_COPY_COST;
                let offset = at.0.wrapping_sub(old.0);
                if state.memory.read(at, &mut page).is_ok() {
                    let _ = state.memory.write(fresh.offset(offset), &page);
                }
            }
        }
        fresh.0
    }

    /// Makes the machine look as if the call had returned `value`.
    pub(super) fn return_from(&self, state: &mut State<'a>, call: &Call, value: u64) {
        if self.abi.return_address == ReturnAddress::Stack {
            let stack_pointer = state.register(&self.abi.stack_pointer);
            let popped = stack_pointer.wrapping_add(u64::from(self.abi.slot_size));
            state.set_register(&self.abi.stack_pointer, popped & state.address_mask);
        }
        state.set_register(&self.abi.result, value);
        if let Some(register) = &self.abi.pointer_result {
            state.set_register(register, value);
        }
        state.pc = call.return_to;
    }
}
