//! One block at a time, and where control goes from it.

use super::standstill::Standstill;
use super::{Emulator, Limits};
use crate::block::{Block, MicroOp, Operand};
use crate::exit::{Exit, Reason};
use crate::frames::Frames;
use crate::hooks::Hooks;
use crate::interpreter::{self, Leave, Left, Trouble};
use crate::machine::State;
use crate::memory::{MemoryError, WatchedAccess};
use miyaburi_image::Address;
use miyaburi_pcode::Context;
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// Operations of translated blocks that are kept; beyond, all are dropped and come again when they
/// are needed.
pub(super) const MAX_KEPT: u64 = 2 << 20;

/// Blocks that are found without a search, by address.
pub(super) const RECENT: usize = 1024;

/// Operations one block may execute before the budget is looked at: string instructions loop
/// within themselves. More than any of them takes to fill the memory that a run may touch; one
/// that is still at it ends its call, as it would never end.
const OPERATIONS_PER_BLOCK: u64 = 1 << 20;

/// More than the average instruction of any program takes.
const OPERATIONS_PER_INSTRUCTION: u64 = 64;

/// What changes in the course of one run, beside the machine state.
pub(super) struct Run {
    pub(super) frames: Frames,
    /// Which of the emulator's runs this is, from 1.
    number: u64,
    pub(super) instructions: u64,
    /// The instructions when a block was last new to the run.
    pub(super) new_block_at: u64,
    pub(super) standstill: Standstill,
    pub(super) operations: u64,
    pub(super) summarised: u32,
    /// Failures of each callee since it last returned.
    pub(super) failures: FxHashMap<Address, u32>,
    pub(super) limits: Limits,
    /// Whether nobody but the run looks at the journal of writes.
    pub(super) owns_journal: bool,
    /// Branches that hooks are told of.
    branches: FxHashSet<Address>,
    /// A block that was left amid an instruction, and the operation to go on with.
    pub(super) resume: Option<(Rc<Block>, usize)>,
}

impl Run {
    pub(super) fn new(number: u64, limits: Limits, branches: Vec<Address>) -> Self {
        Self {
            frames: Frames::default(),
            number,
            instructions: 0,
            new_block_at: 0,
            standstill: Standstill::default(),
            operations: 0,
            summarised: 0,
            failures: FxHashMap::default(),
            limits,
            owns_journal: false,
            branches: branches.into_iter().collect(),
            resume: None,
        }
    }
}

impl<'a> Emulator<'a> {
    /// Enters `context`, keeping the register that carries the mode bit in step with it.
    pub(super) fn set_mode(&self, state: &mut State<'a>, context: Context) {
        state.context = context;
        if let Some(switch) = &self.abi.mode_switch {
            let mode = self.language.context_field(context, switch.field).unwrap_or(0);
            state.set_register(&switch.register, u64::from(mode));
        }
    }

    /// Executes one block, or what is left of it, and follows its exit.
    pub(super) fn step_block(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
    ) -> Result<(), Exit> {
        let (block, from) = match run.resume.take() {
            Some(resume) => resume,
            None => {
                let repeated = run.instructions - run.new_block_at;
                let size = self.registers.size() as usize;
                if run.standstill.is_reached(state, repeated, size) {
                    return Err(run.stand_still(state.pc));
                }
                (self.block_of(state, hooks)?, 0)
            }
        };
        let needed = (self.registers.size() + block.temporaries) as usize;
        if state.bytes.len() < needed {
            state.bytes.resize(needed, 0);
        }
        let mut left = interpreter::execute(state, &block, from, OPERATIONS_PER_BLOCK);
        if let Leave::Trouble(Trouble::Memory(MemoryError::Watched(access))) = left.how {
            run.standstill.forget();
            left = self.let_through(state, hooks, &block, &left, &access);
        }
        run.operations += left.executed;
        let begun = block.instructions_before(from);
        // An instruction that is gone on with counts when it is done.
        let end = left.at + usize::from(!matches!(left.how, Leave::Resume));
        run.instructions += block.instructions_before(end).saturating_sub(begun);
        // One instruction can go round and round.
        run.instructions = run.instructions.max(run.operations / OPERATIONS_PER_INSTRUCTION);
        let place = block.place_of(left.at);
        state.pc = place.map_or(state.pc, |place| place.address);
        if block.last_run.replace(run.number) != run.number {
            run.new_block_at = run.instructions;
        }
        if run.instructions > run.frames.deadline() {
            return Err(Exit::Failed { at: state.pc, reason: Reason::CallBudget });
        }
        if run.owns_journal {
            state.memory.trim_journal(run.frames.oldest_journal_mark());
        }
        let next = place.map_or(state.pc, |place| place.next);
        self.leave(state, hooks, run, block, left, next)?;
        // Behind the block's last instruction: who goes on from here does none twice.
        let repeated = run.instructions - run.new_block_at;
        let is_spent =
            run.instructions > run.limits.instructions || repeated > run.limits.repetition;
        if is_spent && run.resume.is_none() {
            return Err(Exit::Budget { at: state.pc });
        }
        Ok(())
    }

    /// Goes where control goes from `block`; `next` follows the instruction that leaves it.
    fn leave(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        block: Rc<Block>,
        left: Left,
        next: Address,
    ) -> Result<(), Exit> {
        let site = state.pc;
        let failed = |reason| Err(Exit::Failed { at: site, reason });
        if !run.branches.is_empty() && self.is_diverted(state, hooks, run, &block, &left.how) {
            return Ok(());
        }
        match left.how {
            // One instruction that repeats itself without end.
            Leave::End if left.at < block.ops.len() => return failed(Reason::CallBudget),
            Leave::End => {
                if let Some(error) = &block.failure {
                    let reason = Reason::Lift(error.clone());
                    return Err(Exit::Failed { at: block.end, reason });
                }
                self.enter(state, block.end, block.end_context);
            }
            Leave::Jump(target) => self.enter(state, target, block.context_at(target)),
            // How position-independent code finds its own address.
            Leave::Call(target) if target == next => {
                self.enter(state, target, block.context_at(target));
            }
            Leave::Call(target) => {
                let context = block.context_at(target);
                return self.follow_call(state, hooks, run, (target, context), site, next);
            }
            Leave::CallIndirect(value) => {
                let target = self.indirect(state, value);
                return self.follow_call(state, hooks, run, target, site, next);
            }
            Leave::JumpIndirect(value) => {
                return self.follow_indirect(state, hooks, run, value, false, (site, next));
            }
            Leave::Return(value) => {
                return self.follow_indirect(state, hooks, run, value, true, (site, next));
            }
            Leave::SystemCall { .. } | Leave::Trap { .. } | Leave::UserOp => {
                return self.ask_hooks(state, hooks, run, block, left, next);
            }
            Leave::Resume => run.resume = Some((block, left.at)),
            Leave::Trouble(trouble) => return failed(trouble.into()),
        }
        Ok(())
    }

    /// Leaves a system call, a trap or a user-op to the hooks, and goes on behind it.
    fn ask_hooks(
        &mut self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        block: Rc<Block>,
        left: Left,
        next: Address,
    ) -> Result<(), Exit> {
        let site = state.pc;
        let failed = |reason| Err(Exit::Failed { at: site, reason });
        run.standstill.forget();
        match left.how {
            Leave::SystemCall { number } => {
                if !hooks.system_call(state, &self.abi, site, number) {
                    return failed(Reason::SystemCall);
                }
                if hooks.stops() {
                    state.pc = next;
                    return Err(Exit::Stopped { at: site });
                }
            }
            Leave::Trap { number } => {
                let name = block.ops.get(left.at).and_then(|op| self.user_op_name(op));
                if !hooks.trap(state, site, name.unwrap_or_default(), number) {
                    return failed(Reason::Trap);
                }
                state.pc = next;
                return if hooks.stops() { Err(Exit::Stopped { at: site }) } else { Ok(()) };
            }
            _ => {
                if let Some(op) = block.ops.get(left.at)
                    && let Err(reason) = self.user_op(state, hooks, op)
                {
                    return failed(reason);
                }
            }
        }
        run.resume = Some((block, left.at + 1));
        Ok(())
    }

    /// Tells hooks of a branch that they watch; whether they sent the run elsewhere.
    fn is_diverted(
        &self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        run: &mut Run,
        block: &Block,
        how: &Leave,
    ) -> bool {
        let to = match how {
            Leave::End => Some(block.end),
            Leave::Jump(target) => Some(*target),
            Leave::Return(_) | Leave::JumpIndirect(_) => None,
            _ => return false,
        };
        if !run.branches.contains(&state.pc) {
            return false;
        }
        // What the hooks answer may depend on how often they are asked.
        run.standstill.forget();
        let Some(instead) = hooks.branch(state, &self.abi, state.pc, to) else { return false };
        let context =
            if instead == block.end { block.end_context } else { block.context_at(instead) };
        self.enter(state, instead, context);
        true
    }

    /// Asks the hooks what a user-op without a model does. One that nobody knows cannot be executed:
    /// even without a result it may change memory or the machine.
    fn user_op(
        &self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        op: &MicroOp,
    ) -> Result<(), Reason> {
        let inputs: Vec<u64> = (1..op.inputs.len())
            .filter(|slot| op.sizes[*slot] > 0)
            .filter_map(|slot| state.input(op, slot).ok())
            .collect();
        let name = self.user_op_name(op).unwrap_or("of the specification");
        let answer = hooks.user_op(state, state.pc, name, &inputs);
        match answer {
            Some(value) => state.output(op, value).map_err(Reason::Memory),
            None => Err(Reason::UserOp(name.to_owned())),
        }
    }

    /// Tells of an access to watched memory, and executes the operation that makes it.
    pub(super) fn let_through(
        &self,
        state: &mut State<'a>,
        hooks: &mut dyn Hooks,
        block: &Block,
        left: &Left,
        access: &WatchedAccess,
    ) -> Left {
        let watched = state.memory.watch(Vec::new());
        let number = block.ops.get(left.at).map(|op| usize::from(op.instruction));
        let site = number.and_then(|number| block.places.get(number)).map(|place| place.address);
        hooks.access(state, &self.abi, site.unwrap_or(state.pc), access);
        let one = interpreter::execute_one(state, block, left.at);
        state.memory.watch(watched);
        Left { executed: left.executed + one.executed, ..one }
    }

    /// The specification's name of a user-op.
    pub(super) fn user_op_name(&self, op: &MicroOp) -> Option<&str> {
        match op.inputs.first() {
            Some(Operand::Constant(number)) => self.language.user_op(*number),
            _ => None,
        }
    }

    pub(super) fn block(&mut self, address: Address, context: Context) -> Rc<Block> {
        let place = (address.0 / 2) as usize % RECENT;
        if let Some((at, of, block)) = self.recent.get(place).and_then(Option::as_ref)
            && (*at, *of) == (address, context)
        {
            return Rc::clone(block);
        }
        let block = self.find_block(address, context);
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = Some((address, context, Rc::clone(&block)));
        }
        block
    }

    fn find_block(&mut self, address: Address, context: Context) -> Rc<Block> {
        if let Some(block) = self.blocks.get(&(address, context)) {
            return Rc::clone(block);
        }
        if self.is_spent() {
            return Rc::new(Block::missing(address, context));
        }
        let block = Rc::new(self.translator.translate(&self.code, address, context));
        self.translated += 1 + block.translated_ops;
        let size = 1 + block.ops.len() as u64;
        if self.kept + size > MAX_KEPT {
            self.blocks.clear();
            self.recent.fill(None);
            self.kept = 0;
        }
        self.kept += size;
        self.blocks.insert((address, context), Rc::clone(&block));
        block
    }

    pub(super) fn enter(&self, state: &mut State<'a>, target: Address, context: Context) {
        state.pc = target;
        if state.context != context {
            self.set_mode(state, context);
        }
    }

    /// Where an indirect transfer goes, with the mode its low bit selected.
    pub(super) fn indirect(&self, state: &State<'a>, value: u64) -> (Address, Context) {
        let Some(switch) = &self.abi.mode_switch else {
            return (Address(value & state.address_mask), state.context);
        };
        let mode = state.register(&switch.register) & 1;
        (Address(value & state.address_mask & !1), self.context(mode == 1))
    }
}
