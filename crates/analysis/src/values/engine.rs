//! The value analysis of one program: what every step needs, and the state at function entry.

use crate::code::{Code, InstructionId};
use crate::flow::{Flow, absolute_target, relative_target};
use crate::values::Value;
use crate::values::effects::CalleeEffects;
use crate::values::memory::WrittenMemory;
use crate::values::observer::{Observer, State};
use crate::values::registers::RegisterCells;
use crate::values::stack::StackMemory;
use crate::values::step::Step;
use crate::values::temporaries::Temporaries;
use miyaburi_emulator::Abi;
use miyaburi_image::{Address, Endian, Image};
use miyaburi_pcode::{Language, Op, Opcode, Varnode};

/// Everything a step needs and none changes.
#[derive(Clone, Copy)]
pub(crate) struct Engine<'a> {
    pub(crate) image: &'a Image,
    pub(crate) language: &'a dyn Language,
    pub(crate) code: &'a Code,
    pub(crate) abi: &'a Abi,
    pub(crate) cells: &'a RegisterCells,
    pub(crate) written: &'a WrittenMemory,
    pub(crate) global_pointer: Option<u64>,
    /// What is known of the registers that callees write.
    pub(crate) effects: &'a CalleeEffects,
}

/// Whether a conditional jump leaves an instruction of `count` operations past some that have
/// effects before the last, which jumps.
fn leaves(position: usize, op: &Op, count: usize, next: Address) -> bool {
    let is_out = match absolute_target(op) {
        Some(target) => target == next,
        None => relative_target(position, op) == Some(count),
    };
    is_out && position + 2 < count
}

/// Working memory of a step, reused between steps.
#[derive(Default)]
pub(crate) struct Scratch {
    temporaries: Temporaries,
    /// Writable memory that was taken as constant: where, how many bytes.
    pub(crate) assumed: Vec<(Address, u32)>,
    /// The state behind the last instruction when its jump is not made, where that differs: on some
    /// CPUs a delay slot is run for jumps that are made alone.
    pub(crate) untaken: Option<State>,
}

impl<'a> Engine<'a> {
    pub(crate) fn endian(&self) -> Endian {
        self.image.arch().endian
    }

    /// What is known when the function at `entry` is entered.
    pub(crate) fn entry_state(&self, entry: Address) -> State {
        let mut registers = self.cells.at_entry();
        let mut set = |register: &Varnode, value| {
            if let Some(place) = self.cells.locate(register) {
                registers.write(self.cells, place, value);
            }
        };
        for (index, register) in (0..).zip(&self.abi.argument_registers) {
            set(register, Value::Argument { index, offset: 0 });
        }
        set(&self.abi.stack_pointer, Value::StackOffset(0));
        if let Some(register) = &self.abi.callee_address {
            set(register, Value::Constant(entry.0));
        }
        if let (Some(register), Some(value)) = (&self.abi.global_pointer, self.global_pointer) {
            set(register, Value::Constant(value));
        }
        State { registers, stack: StackMemory::default() }
    }

    /// Applies one instruction to `state`.
    pub(crate) fn step<O: Observer>(
        &self,
        state: &mut State,
        scratch: &mut Scratch,
        address: Address,
        id: InstructionId,
        observer: &mut O,
    ) {
        scratch.temporaries.clear();
        let view = self.code.instruction(id);
        let ops = view.ops;
        let next = address.offset(u64::from(view.length));
        let is_computed = view.flow.intersects(Flow::INDIRECT_CALL | Flow::INDIRECT_JUMP);
        let untaken = &mut scratch.untaken;
        let mut step = Step {
            engine: self,
            state,
            temporaries: &mut scratch.temporaries,
            assumed: &mut scratch.assumed,
            observer,
            address,
            is_conditional: false,
            may_switch_mode: is_computed && self.abi.mode_switch.is_some(),
        };
        let mut conditional_until = 0;
        let ends_in_jump = ops.last().is_some_and(|last| {
            last.opcode == Opcode::BRANCH && absolute_target(last).is_some_and(|to| to != next)
        });
        for ((position, op), matters) in ops.iter().enumerate().zip(view.matters) {
            if !matters {
                continue;
            }
            step.is_conditional = position < conditional_until;
            match op.opcode {
                // The jump and what runs in its delay slot happen together or not at all.
                Opcode::CBRANCH
                    if ends_in_jump
                        && conditional_until == 0
                        && leaves(position, op, ops.len(), next) =>
                {
                    *untaken = Some(step.state.clone());
                }
                Opcode::CBRANCH | Opcode::BRANCH => {
                    let skipped_to = match absolute_target(op) {
                        None => relative_target(position, op).unwrap_or(0),
                        // A jump out of the instruction that may not happen: what follows may not.
                        Some(target) => {
                            if target != next {
                                let target = Value::Constant(target.0);
                                step.observer.jump(address, target, step.state);
                            }
                            if op.opcode == Opcode::CBRANCH { ops.len() } else { 0 }
                        }
                    };
                    conditional_until = conditional_until.max(skipped_to);
                }
                Opcode::CALL | Opcode::CALLIND => step.call(op, id),
                _ => step.operation(op),
            }
        }
    }

    /// The value of argument `index` when the state is that at a callee's first instruction.
    pub(crate) fn argument(&self, state: &State, index: usize) -> Value {
        if let Some(register) = self.abi.argument_registers.get(index) {
            return self.register(state, register);
        }
        let slot = index - self.abi.argument_registers.len();
        let distance = self.abi.stack_arguments + slot as u64 * u64::from(self.abi.slot_size);
        let Value::StackOffset(top) = self.register(state, &self.abi.stack_pointer) else {
            return Value::Unknown;
        };
        let size = self.abi.slot_size as u8;
        let offset = top.wrapping_add_unsigned(distance);
        state.stack.load(offset, size, self.endian()).unwrap_or(Value::Unknown)
    }

    /// The value of a register, `Unknown` when it is not followed.
    pub(crate) fn register(&self, state: &State, register: &Varnode) -> Value {
        self.cells.locate(register).map_or(Value::Unknown, |place| state.registers.read(place))
    }

    pub(crate) fn incoming_argument(&self, offset: i64, size: u32) -> Value {
        let slot_size = u64::from(self.abi.slot_size);
        let index = u64::try_from(offset)
            .ok()
            .and_then(|offset| offset.checked_sub(self.abi.stack_arguments))
            .filter(|distance| size <= self.abi.slot_size && self.is_low_part(*distance, size))
            .map(|distance| distance / slot_size + self.abi.argument_registers.len() as u64)
            .and_then(|index| u8::try_from(index).ok());
        index.map_or(Value::Unknown, |index| Value::Argument { index, offset: 0 })
    }

    /// Whether `size` bytes at a distance from a slot's border are the slot's low bytes.
    fn is_low_part(&self, distance: u64, size: u32) -> bool {
        let slot_size = u64::from(self.abi.slot_size);
        let low_start = match self.endian() {
            Endian::Little => 0,
            Endian::Big => slot_size - u64::from(size),
        };
        distance % slot_size == low_start
    }
}
