//! One step of the value analysis: what an instruction does to the known values.

use crate::arithmetic::{self, mask};
use crate::code::{Code, InstructionId};
use crate::flow::{absolute_target, relative_target};
use crate::values::Value;
use crate::values::memory::{self, WrittenMemory};
use crate::values::registers::{Place, RegisterCells, Registers};
use crate::values::stack::StackMemory;
use crate::values::temporaries::Temporaries;
use miyaburi_emulator::{Abi, ReturnAddress};
use miyaburi_image::{Address, Endian, Image};
use miyaburi_pcode::{Language, Op, Opcode, Space, Varnode, space_number};

/// What is known at one point of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) registers: Registers,
    pub(crate) stack: StackMemory,
}

/// A call as the analysis meets it; the state is that at the callee's first instruction.
pub(crate) struct CallEvent<'a> {
    pub(crate) site: Address,
    pub(crate) target: Value,
    pub(crate) state: &'a State,
}

/// A store to memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreEvent {
    pub(crate) instruction: Address,
    pub(crate) to: Value,
    pub(crate) size: u32,
    pub(crate) value: Value,
}

/// Listens to one replay of a function's blocks.
pub(crate) trait Observer {
    /// A call, before its effects.
    fn call(&mut self, _event: &CallEvent<'_>) {}
    /// A store.
    fn store(&mut self, _event: StoreEvent) {}
    /// A load of `size` bytes.
    fn load(&mut self, _instruction: Address, _from: Value, _size: u32) {}
    /// A constant that ended up in a register.
    fn constant(&mut self, _instruction: Address, _value: u64, _register: &Varnode) {}
    /// A jump, to a constant or computed address.
    fn jump(&mut self, _instruction: Address, _target: Value, _state: &State) {}
}

/// Listens to nothing.
pub(crate) struct Silent;
impl Observer for Silent {}

/// The most instructions of a callee that is followed into instead of being summarised.
const MAX_INLINED: usize = 4;

/// Outgoing stack arguments that are looked at for addresses of the caller's frame.
const HANDED_OUT_SLOTS: u64 = 6;

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
}

/// Working memory of a step, reused between steps.
#[derive(Default)]
pub(crate) struct Scratch {
    temporaries: Temporaries,
}

struct Step<'a, 'b, O> {
    engine: &'b Engine<'a>,
    state: &'b mut State,
    temporaries: &'b mut Temporaries,
    observer: &'b mut O,
    address: Address,
    /// Writes may not happen: an earlier branch of the instruction may skip them.
    is_conditional: bool,
}

impl<'a> Engine<'a> {
    pub(crate) fn endian(&self) -> Endian {
        self.image.arch().endian
    }

    /// What is known when the function at `entry` is entered.
    pub(crate) fn entry_state(&self, entry: Address) -> State {
        let mut registers = Registers::at_entry(self.cells);
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
        let temporaries = &mut scratch.temporaries;
        let mut step =
            Step { engine: self, state, temporaries, observer, address, is_conditional: false };
        let mut conditional_until = 0;
        for (position, op) in ops.iter().enumerate() {
            step.is_conditional = position < conditional_until;
            match op.opcode {
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

    fn incoming_argument(&self, offset: i64, size: u32) -> Value {
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

impl<O: Observer> Step<'_, '_, O> {
    fn operation(&mut self, op: &Op) {
        let inputs = op.inputs();
        match (op.opcode, inputs, op.output) {
            (Opcode::STORE, [space, to, value], _) => {
                if space.as_constant() == Some(space_number(Space::Ram)) {
                    let to = self.read(to);
                    self.store_wide(to, value);
                }
            }
            (Opcode::LOAD, [space, from], Some(output)) => {
                if space.as_constant() == Some(space_number(Space::Ram)) {
                    let from = self.read(from);
                    self.load_wide(from, &output);
                } else {
                    self.forget(&output);
                }
            }
            (Opcode::BRANCHIND, [target], _) => {
                let target = self.read(target);
                self.observer.jump(self.address, target, self.state);
            }
            (Opcode::CALLOTHER, [number, ..], output) => {
                if let Some(output) = output {
                    self.forget(&output);
                } else if number.as_constant().is_some_and(|number| self.is_system_op(number)) {
                    self.forget_results();
                }
            }
            (Opcode::COPY, [from], Some(output)) if output.size > 8 => {
                self.copy_wide(from, &output)
            }
            (_, _, Some(output)) if self.is_followed(&output) => {
                let value = self.compute(op, &output);
                self.write(&output, value);
            }
            _ => {}
        }
    }

    fn is_followed(&self, output: &Varnode) -> bool {
        match output.space {
            Space::Unique | Space::Ram => true,
            // Registers that are not followed between instructions still carry values within one.
            Space::Register => output.size >= self.engine.cells.width() || self.is_cell(output),
            _ => false,
        }
    }

    fn is_cell(&self, register: &Varnode) -> bool {
        self.engine.cells.locate(register).is_some()
    }

    fn is_system_op(&self, number: u64) -> bool {
        const SYSTEM: [&str; 6] =
            ["sys", "swi", "software_interrupt", "svc", "trap", "CallSupervisor"];
        let name = self.engine.language.user_op(number).unwrap_or("");
        SYSTEM.iter().any(|part| name.contains(part))
    }

    fn compute(&mut self, op: &Op, output: &Varnode) -> Value {
        let size = output.size;
        match *op.inputs() {
            [ref only] => {
                let value = self.read(only);
                match op.opcode {
                    Opcode::COPY | Opcode::INT_ZEXT => value.truncated(size.min(only.size)),
                    Opcode::INT_SEXT if value.constant().is_none() => value,
                    _ => value
                        .constant()
                        .and_then(|value| arithmetic::unary(op.opcode, value, only.size, size))
                        .map_or(Value::Unknown, Value::Constant),
                }
            }
            [ref first, ref second] => {
                let same = first == second;
                let (a, b) = (self.read(first), self.read(second));
                if let (Value::Constant(x), Value::Constant(y)) = (a, b) {
                    return arithmetic::binary(op.opcode, x, first.size, y, second.size, size)
                        .map_or(Value::Unknown, Value::Constant);
                }
                combine(op.opcode, (a, first), (b, second), same, size)
            }
            _ => Value::Unknown,
        }
    }

    /// The value of a varnode of at most eight bytes.
    fn read(&mut self, varnode: &Varnode) -> Value {
        match varnode.space {
            Space::Constant => Value::Constant(varnode.offset & mask(varnode.size)),
            Space::Unique => self.temporaries.read(varnode, self.engine.endian()),
            Space::Register => match self.engine.cells.locate(varnode) {
                Some(place) => self.state.registers.read(place),
                None => self.temporaries.read(varnode, self.engine.endian()),
            },
            Space::Ram => {
                let from = Value::Constant(varnode.offset);
                self.observer.load(self.address, from, varnode.size);
                self.load(from, varnode.size)
            }
            Space::Other(_) => Value::Unknown,
        }
    }

    fn write(&mut self, output: &Varnode, value: Value) {
        match output.space {
            Space::Unique => self.temporaries.write(output, value),
            Space::Register if output.size > self.engine.cells.width() && output.size != 8 => {
                self.forget(output);
            }
            Space::Register => self.write_register(output, value),
            Space::Ram => self.store(Value::Constant(output.offset), output.size, value),
            _ => {}
        }
    }

    fn write_register(&mut self, output: &Varnode, value: Value) {
        let cells = self.engine.cells;
        let Some(place) = cells.locate(output) else {
            self.forget(output);
            self.temporaries.write(output, value);
            return;
        };
        if let Value::Constant(constant) = value {
            self.observer.constant(self.address, constant, output);
        }
        self.write_place(place, value);
    }

    fn write_place(&mut self, place: Place, value: Value) {
        let registers = &mut self.state.registers;
        let value = if self.is_conditional { registers.read(place).join(value) } else { value };
        registers.write(self.engine.cells, place, value);
    }

    /// Loses the value of a varnode of any size.
    fn forget(&mut self, output: &Varnode) {
        for piece in pieces(output, self.engine.cells.width()) {
            match piece.space {
                Space::Unique => self.temporaries.write(&piece, Value::Unknown),
                Space::Register => {
                    if let Some(place) = self.engine.cells.locate(&piece) {
                        self.write_place(place, Value::Unknown);
                    }
                }
                Space::Ram => self.store(Value::Constant(piece.offset), piece.size, Value::Unknown),
                _ => {}
            }
        }
    }

    fn copy_wide(&mut self, from: &Varnode, output: &Varnode) {
        let width = self.engine.cells.width();
        if from.size != output.size || from.space == Space::Constant {
            self.forget(output);
            return;
        }
        for (from, to) in pieces(from, width).zip(pieces(output, width)) {
            let value = self.read(&from);
            self.write(&to, value);
        }
    }

    fn load_wide(&mut self, from: Value, output: &Varnode) {
        self.observer.load(self.address, from, output.size);
        if output.size <= 8 {
            let value = self.load(from, output.size);
            self.write(output, value);
            return;
        }
        for (offset, piece) in piece_offsets(output, self.engine.cells.width()) {
            let value = self.load(from.plus(offset, 8), piece.size);
            self.write(&piece, value);
        }
    }

    fn load(&mut self, from: Value, size: u32) -> Value {
        let engine = self.engine;
        match from {
            Value::Constant(address) if size <= 8 => {
                memory::load(engine.image, engine.written, Address(address), size)
            }
            Value::StackOffset(offset) if size <= 8 => self
                .state
                .stack
                .load(offset, size as u8, engine.endian())
                .unwrap_or_else(|| engine.incoming_argument(offset, size)),
            _ => Value::Unknown,
        }
    }

    fn store_wide(&mut self, to: Value, value: &Varnode) {
        if value.size <= 8 {
            let stored = self.read(value);
            self.store(to, value.size, stored);
            return;
        }
        for (offset, piece) in piece_offsets(value, self.engine.cells.width()) {
            let stored = self.read(&piece);
            self.store(to.plus(offset, 8), piece.size, stored);
        }
    }

    fn store(&mut self, to: Value, size: u32, value: Value) {
        self.observer.store(StoreEvent { instruction: self.address, to, size, value });
        if let Value::StackOffset(offset) = to
            && let Ok(size) = u8::try_from(size)
        {
            let endian = self.engine.endian();
            let stack = &mut self.state.stack;
            let stored = if self.is_conditional {
                stack.load(offset, size, endian).map_or(Value::Unknown, |old| old.join(value))
            } else {
                value
            };
            stack.store(offset, size, stored, endian);
        }
    }

    fn call(&mut self, op: &Op, id: InstructionId) {
        let Some(target) = op.inputs().first() else { return };
        let view = self.engine.code.instruction(id);
        let next = self.address.offset(u64::from(view.length));
        let is_direct = op.opcode == Opcode::CALL;
        let target = match absolute_target(op) {
            // The return address is what the program wants; nothing is called.
            Some(address) if is_direct && address == next => return,
            Some(address) if is_direct => Value::Constant(address.0),
            _ if !view.flow.contains(crate::flow::Flow::INDIRECT_CALL) => {
                return self.forget_results();
            }
            _ => self.read(target),
        };
        self.observer.call(&CallEvent { site: self.address, target, state: self.state });
        if is_direct && self.call_inline(target, id) {
            return;
        }
        self.call_summarized();
    }

    /// Follows a callee of a few plain instructions, such as those that yield their return
    /// address to position-independent code.
    fn call_inline(&mut self, target: Value, id: InstructionId) -> bool {
        let Some(start) = target.address() else { return false };
        let code = self.engine.code;
        let mut context = code.context_after(id, start);
        let mut body = [(Address(0), id); MAX_INLINED];
        let mut count = 0;
        let mut here = start;
        loop {
            let Some(found) = code.find(here, context) else { return false };
            let Some(place) = body.get_mut(count) else { return false };
            *place = (here, found);
            count += 1;
            let view = code.instruction(found);
            if view.ops.iter().any(|op| matches!(op.opcode, Opcode::STORE | Opcode::CALLOTHER)) {
                return false;
            }
            if view.flow == crate::flow::Flow::RETURN {
                break;
            }
            if !view.flow.is_plain() {
                return false;
            }
            here = here.offset(u64::from(view.length));
            context = code.context_after(found, here);
        }
        for (_, found) in body.iter().take(count) {
            // Temporaries belong to one instruction, and the call has no further use for its own.
            self.temporaries.clear();
            for op in code.instruction(*found).ops {
                if !matches!(op.opcode, Opcode::RETURN | Opcode::BRANCH | Opcode::CBRANCH) {
                    self.operation(op);
                }
            }
        }
        true
    }

    fn call_summarized(&mut self) {
        let engine = self.engine;
        for argument in 0..engine.abi.argument_registers.len().max(HANDED_OUT_SLOTS as usize) {
            if let Value::StackOffset(offset) = engine.argument(self.state, argument) {
                self.state.stack.hand_out(offset);
            }
        }
        self.state.registers.clobber(engine.cells);
        let result = Value::CallResult { site: self.address, offset: 0 };
        for register in [Some(engine.abi.result), engine.abi.pointer_result].iter().flatten() {
            if let Some(place) = engine.cells.locate(register) {
                self.write_place(place, if self.is_conditional { Value::Unknown } else { result });
            }
        }
        if engine.abi.return_address == ReturnAddress::Stack
            && let Some(place) = engine.cells.locate(&engine.abi.stack_pointer)
        {
            let size = engine.abi.stack_pointer.size;
            let popped =
                self.state.registers.read(place).plus(u64::from(engine.abi.slot_size), size);
            self.state.registers.write(engine.cells, place, popped);
        }
    }

    fn forget_results(&mut self) {
        let abi = self.engine.abi;
        for register in [Some(abi.result), abi.result_high].iter().flatten() {
            if let Some(place) = self.engine.cells.locate(register) {
                self.write_place(place, Value::Unknown);
            }
        }
    }
}

/// The result of an operation when not both operands are constants.
fn combine(
    opcode: Opcode,
    (a, first): (Value, &Varnode),
    (b, second): (Value, &Varnode),
    same: bool,
    size: u32,
) -> Value {
    match (opcode, a, b) {
        (Opcode::INT_XOR | Opcode::INT_SUB, ..) if same => Value::Constant(0),
        (Opcode::INT_AND | Opcode::INT_OR, ..) if same => a,
        (Opcode::INT_ADD, value, Value::Constant(added))
        | (Opcode::INT_ADD, Value::Constant(added), value) => value.plus(added, size),
        (Opcode::INT_SUB, value, Value::Constant(taken)) => value.plus(taken.wrapping_neg(), size),
        (Opcode::INT_SUB, a, b) => a
            .distance_from(b)
            .map_or(Value::Unknown, |distance| Value::Constant(distance & mask(size))),
        (Opcode::INT_AND | Opcode::INT_MULT, _, Value::Constant(0))
        | (Opcode::INT_AND | Opcode::INT_MULT, Value::Constant(0), _) => Value::Constant(0),
        (Opcode::INT_AND, value, Value::Constant(bits))
        | (Opcode::INT_AND, Value::Constant(bits), value) => masked(value, bits, size),
        (Opcode::INT_OR | Opcode::INT_XOR, value, Value::Constant(0))
        | (Opcode::INT_OR | Opcode::INT_XOR, Value::Constant(0), value) => value,
        (
            Opcode::INT_LEFT | Opcode::INT_RIGHT | Opcode::INT_SRIGHT | Opcode::SUBPIECE,
            value,
            Value::Constant(0),
        ) => value.truncated(size),
        (Opcode::PIECE, Value::Constant(0), value) => {
            value.truncated(second.size.min(first.size + second.size))
        }
        _ => Value::Unknown,
    }
}

/// A value with a mask laid over it: rounding a stack pointer down keeps it one (the frame is then
/// relative to the rounded pointer), and cutting a value to its low bytes keeps its name.
fn masked(value: Value, bits: u64, size: u32) -> Value {
    let cleared = !bits & mask(size);
    match value {
        Value::StackOffset(offset) if cleared & cleared.wrapping_add(1) == 0 && cleared < 4096 => {
            Value::StackOffset(offset & !(cleared as i64))
        }
        Value::StackOffset(_) => Value::Unknown,
        value if matches!(bits, 0xff | 0xffff | 0xffff_ffff) => value,
        // Code pointers lose their mode bit so, and aligned pointers nothing.
        value if cleared == 0 || cleared == 1 => value,
        _ => Value::Unknown,
    }
}

/// A varnode cut into pieces of at most `width` bytes, in memory order.
fn pieces(varnode: &Varnode, width: u32) -> impl Iterator<Item = Varnode> + use<> {
    piece_offsets(varnode, width).map(|(_, piece)| piece)
}

fn piece_offsets(varnode: &Varnode, width: u32) -> impl Iterator<Item = (u64, Varnode)> + use<> {
    let Varnode { space, offset, size } = *varnode;
    (0..size).step_by(width as usize).map(move |start| {
        let piece = Varnode {
            space,
            offset: offset.wrapping_add(u64::from(start)),
            size: width.min(size - start),
        };
        (u64::from(start), piece)
    })
}
