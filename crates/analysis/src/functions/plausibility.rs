//! Whether code nobody calls looks like a function.

use crate::code::{ContextId, InstructionId};
use crate::flow::{Flow, absolute_target};
use crate::functions::discovery::Discovery;
use crate::values::Value;
use crate::values::engine::{Engine, Scratch};
use crate::values::observer::{Observer, Silent, State, StoreEvent};
use miyaburi_emulator::ReturnAddress;
use miyaburi_image::Address;
use miyaburi_pcode::{Op, Opcode, Space, Varnode};

/// How many instructions are looked at.
const MAX_LOOK: usize = 160;
/// Within how many instructions a function sets up its frame.
const PROLOGUE: usize = 12;
/// Bytes from a function's start from which on a jump is taken to leave it.
const FAR: u64 = 0x800;
/// The most bytes that a jump over padding passes.
const MAX_PADDING: u64 = 64;
/// How far back the end of what lies before is looked for, in bytes.
const LOOK_BACK: u64 = 32;

/// Bytes of an address that is known to make no room on the stack.
const FRAMELESS_BYTES: usize = 32;

/// Registers that a whole thread or program shares, so that callees use them without more ado: the
/// thread and global pointers of RISC-V, MIPS, SPARC and PowerPC.
const SHARED_REGISTERS: [&str; 7] = ["tp", "gp", "g7", "g6", "g2", "r2", "r13"];

/// What the first instructions of a possible function do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    /// After how many instructions it makes room on the stack, if it does so.
    pub(crate) prologue: Option<usize>,
    /// It follows a pointer in a register that no caller hands anything over in, or releases a
    /// frame that it has not made.
    pub(crate) trusts_strangers: bool,
}

/// What code from a possible start on looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Its first instructions.
    pub(crate) opening: Opening,
    /// It calls a known function.
    pub(crate) calls_known: bool,
    /// It returns, on some path.
    pub(crate) returns: bool,
    /// It returns or jumps to a known function or far away, on some path.
    pub(crate) leaves_properly: bool,
    /// It jumps into the middle of a known function, goes on into one, or into what is no code.
    pub(crate) intrudes: bool,
    /// It is a single return, as some macros leave behind jumps.
    pub(crate) is_lone_return: bool,
    /// All of it was looked at.
    pub(crate) is_complete: bool,
    /// Instructions looked at.
    pub(crate) length: usize,
}

impl Look {
    /// Whether all of it is as functions are: with a frame, and leaving on every path that ends.
    pub(crate) fn is_proper(&self) -> bool {
        self.opening.prologue.is_some()
            && self.is_complete
            && self.leaves_properly
            && !self.intrudes
    }
}

/// Notices pointers taken from registers that belong to the caller.
struct Suspicion<'a> {
    engine: Engine<'a>,
    is_raised: bool,
}

impl Suspicion<'_> {
    fn consider(&mut self, address: Value) {
        if let Value::AtEntry { register, .. } = address {
            let is_callers = |kept: &Varnode| kept.offset == u64::from(register);
            let is_shared = |name: &&str| {
                self.engine.language.register(name).is_some_and(|shared| is_callers(&shared))
            };
            self.is_raised |= self.engine.abi.preserved.iter().any(is_callers)
                && !SHARED_REGISTERS.iter().any(is_shared);
        }
    }
}

impl Observer for Suspicion<'_> {
    fn load(&mut self, _instruction: Address, from: Value, _size: u32) {
        self.consider(from);
    }

    fn store(&mut self, event: StoreEvent) {
        self.consider(event.to);
    }
}

impl Discovery<'_> {
    /// Decodes what can be reached from `start` before known code; `None` as for
    /// [`Discovery::opening`].
    pub(crate) fn look(&mut self, start: Address, context: ContextId) -> Option<Look> {
        let opening = self.opening(start, context)?;
        let mut look = Look { opening, is_complete: true, ..Look::default() };
        let mut open = vec![(start, context)];
        let mut seen: Vec<Address> = Vec::new();
        while let Some((mut address, mut context)) = open.pop() {
            let mut follows_call = false;
            while !seen.contains(&address) {
                if address != start && self.is_reached(address) {
                    // A call that does not return can end a function.
                    look.intrudes |= !(follows_call && self.number_at(address).is_some());
                    break;
                }
                if seen.len() >= MAX_LOOK {
                    look.is_complete = false;
                    open.clear();
                    break;
                }
                seen.push(address);
                self.code.work.spend(1);
                let lifted = self.lift(address, context);
                let exits = lifted.and_then(|id| Some((id, self.exits(start, id, &mut look)?)));
                let Some((id, exits)) = exits else {
                    // Behind a call that does not return anything may lie.
                    look.intrudes = true;
                    break;
                };
                for target in exits {
                    open.push((target, self.code.context_after(id, target)));
                }
                let view = self.code.instruction(id);
                if !view.flow.contains(Flow::NEXT) {
                    break;
                }
                follows_call = view.flow.intersects(Flow::CALL | Flow::INDIRECT_CALL);
                let next = address.offset(u64::from(view.length));
                context = self.code.context_after(id, next);
                address = next;
            }
        }
        look.length = seen.len();
        look.is_lone_return = look.length == 1 && look.returns && self.has_no_slot(start, context);
        Some(look)
    }

    /// Whether nothing runs in a delay slot of the instruction.
    fn has_no_slot(&mut self, address: Address, context: ContextId) -> bool {
        let view = self.lift(address, context).map(|id| self.code.instruction(id));
        view.is_some_and(|view| view.length == view.own_length)
    }

    /// Notes how an instruction leaves; yields the jump targets that belong to the same function.
    fn exits(&self, start: Address, id: InstructionId, look: &mut Look) -> Option<Vec<Address>> {
        let view = self.code.instruction(id);
        let mut inside = Vec::new();
        look.returns |= view.flow.contains(Flow::RETURN);
        look.leaves_properly |= view.flow.contains(Flow::RETURN);
        for op in view.ops {
            if self.is_invalid(op) {
                return None;
            }
            let is_call = op.opcode == Opcode::CALL;
            if !is_call && !matches!(op.opcode, Opcode::BRANCH | Opcode::CBRANCH) {
                continue;
            }
            let Some(target) = absolute_target(op) else { continue };
            if !self.code.index.is_code_address(target) {
                return None;
            }
            let is_function = self.number_at(target).is_some();
            let is_far = target.0.abs_diff(start.0) > FAR;
            if is_call {
                look.calls_known |= is_function;
            } else if is_function {
                look.leaves_properly = true;
            } else if self.is_reached(target) {
                look.intrudes = true;
            } else if is_far {
                look.leaves_properly |= op.opcode == Opcode::BRANCH;
            } else if target >= start {
                inside.push(target);
            }
        }
        Some(inside)
    }

    /// Runs the first instructions, past early ways out, up to the first that jumps or calls;
    /// `None` when one of them is no code: bytes that do not decode, calls and jumps to where no
    /// code can lie, user-ops that stand for invalid instructions.
    pub(crate) fn opening(&mut self, start: Address, context: ContextId) -> Option<Opening> {
        let mut opening = Opening::default();
        let opened = self.open(start, context, false, &mut opening);
        if opening.prologue.is_none() && self.frameless.insert((start, context)) {
            self.code.work.keep(FRAMELESS_BYTES);
        }
        opened.map(|()| opening)
    }

    /// As [`Discovery::opening`], of code that a known function reaches.
    pub(crate) fn opening_of_known(
        &mut self,
        start: Address,
        context: ContextId,
    ) -> Option<Opening> {
        let mut opening = Opening::default();
        self.open(start, context, true, &mut opening).map(|()| opening)
    }

    /// Notes in `opening` what the first instructions do, up to what is no code.
    fn open(
        &mut self,
        start: Address,
        context: ContextId,
        is_known: bool,
        opening: &mut Opening,
    ) -> Option<()> {
        let mut state = self.engine().entry_state(start);
        let mut scratch = Scratch::default();
        let (mut address, mut context) = (start, context);
        for count in 0..PROLOGUE {
            if count > 0 && !is_known && self.is_reached(address) {
                break;
            }
            self.code.work.spend(1);
            let id = self.lift(address, context)?;
            self.exits(start, id, &mut Look::default())?;
            let engine = self.engine();
            let mut suspicion = Suspicion { engine, is_raised: false };
            engine.step(&mut state, &mut scratch, address, id, &mut suspicion);
            opening.trusts_strangers |= suspicion.is_raised;
            if opening.prologue.is_none() && self.has_frame(&state) {
                opening.prologue = Some(count);
            }
            let view = self.code.instruction(id);
            if view.flow == Flow::RETURN {
                // Unreachable ends of functions release frames that were never made.
                opening.trusts_strangers |= !self.is_balanced(&state);
            }
            // Compilers move the frame behind an early way out.
            let passes_by = view.flow == (Flow::NEXT | Flow::JUMP);
            if !view.flow.is_plain() && !passes_by {
                break;
            }
            let next = address.offset(u64::from(view.length));
            context = self.code.context_after(id, next);
            address = next;
        }
        Some(())
    }

    /// Whether a known function reaches `address`.
    pub(crate) fn is_reached(&self, address: Address) -> bool {
        let slot = self.code.index.slot(address);
        slot.is_some_and(|slot| self.ownership.owner(slot).is_some())
    }

    fn is_invalid(&self, op: &Op) -> bool {
        let number = op.inputs().first().and_then(Varnode::as_constant);
        op.opcode == Opcode::CALLOTHER
            && number
                .and_then(|number| self.language.user_op(number))
                .is_some_and(|name| name.contains("invalid") || name.contains("nimplemented"))
    }

    /// Whether the stack pointer lies below where it was at entry.
    fn has_frame(&self, state: &State) -> bool {
        let engine = self.engine();
        let top = engine.register(state, &engine.abi.stack_pointer);
        top.stack_offset().is_some_and(|offset| offset < 0)
    }

    /// Whether a function that has just returned left the stack pointer as its caller expects.
    fn is_balanced(&self, state: &State) -> bool {
        let abi = &self.abi;
        let popped = match abi.return_address {
            ReturnAddress::Stack => i64::from(abi.slot_size),
            ReturnAddress::Register(..) => 0,
        };
        let top = self.engine().register(state, &abi.stack_pointer).stack_offset();
        top.is_some_and(|top| top == popped)
    }

    /// Whether a function could start at `address`, by what lies before it: code that goes on
    /// into it says no.
    pub(crate) fn is_boundary(&self, address: Address) -> bool {
        let Some(slot) = self.code.index.slot(address) else { return false };
        let step: u64 = self.image.arch().instruction_alignment();
        for distance in (step..=LOOK_BACK).step_by(step as usize) {
            let before = Address(address.0.wrapping_sub(distance));
            let Some(slot_before) = self.code.index.slot(before).filter(|other| *other < slot)
            else {
                return true;
            };
            if self.ownership.owner(slot_before).is_none() {
                continue;
            }
            let Some(id) = self.code.instruction_at(before) else { return true };
            let view = self.code.instruction(id);
            let end = before.offset(u64::from(view.length));
            if end.0 > address.0 {
                // Inside of an instruction, or of its delay slot.
                return false;
            }
            let goes_on = view.flow.contains(Flow::NEXT) && !view.flow.contains(Flow::CALL);
            return end != address || !goes_on;
        }
        true
    }

    /// The bytes of padding that start at `address`: an instruction that does nothing, zeros, or a
    /// jump over nothing but such, as SPARC assemblers fill gaps.
    pub(crate) fn padding_length(&mut self, address: Address, context: ContextId) -> Option<u64> {
        let idle = self.idle_length(address, context);
        idle.or_else(|| {
            let id = self.lift(address, context)?;
            let view = self.code.instruction(id);
            let branch = view.ops.iter().find(|op| op.opcode == Opcode::BRANCH)?;
            let target = absolute_target(branch).filter(|_| view.flow == Flow::JUMP)?;
            let length = target.distance_from(address).filter(|length| *length <= MAX_PADDING)?;
            let mut passed = u64::from(view.own_length);
            while passed < length {
                passed += self.idle_length(address.offset(passed), context)?;
            }
            (length > 0 && passed == length).then_some(length)
        })
    }

    fn idle_length(&mut self, address: Address, context: ContextId) -> Option<u64> {
        let step = self.image.arch().instruction_alignment();
        let bytes = self.image.bytes_from(address);
        let is_zero = bytes.get(..4)?.iter().all(|byte| *byte == 0);
        if is_zero || bytes.first() == Some(&0xcc) && step == 1 {
            return Some(step);
        }
        let id = self.lift(address, context)?;
        let view = self.code.instruction(id);
        let engine = self.engine();
        let has_effect = |op: &Op| {
            let to_unfollowed = |output: Varnode| {
                output.space != Space::Unique && engine.cells.locate(&output).is_none()
            };
            matches!(op.opcode, Opcode::STORE | Opcode::LOAD | Opcode::CALLOTHER)
                || op.output.is_some_and(to_unfollowed)
                || op.inputs().iter().any(|input| input.space == Space::Ram)
        };
        if !view.flow.is_plain() || view.ops.iter().any(has_effect) {
            return None;
        }
        if view.ops.iter().all(|op| op.output.is_none_or(|to| to.space == Space::Unique)) {
            return Some(u64::from(view.length));
        }
        let before = engine.entry_state(Address(0));
        let mut after = before.clone();
        engine.step(&mut after, &mut Scratch::default(), address, id, &mut Silent);
        let is_padding = before == after;
        is_padding.then_some(u64::from(view.length))
    }
}
