//! What the operations of one instruction do to the known values.

use crate::arithmetic::{self, mask};
use crate::values::Value;
use crate::values::combine::combine;
use crate::values::engine::Engine;
use crate::values::memory;
use crate::values::observer::{Observer, State, StoreEvent};
use crate::values::registers::Place;
use crate::values::temporaries::Temporaries;
use miyaburi_image::Address;
use miyaburi_pcode::{Op, Opcode, Space, Varnode, space_number};

/// One instruction being applied.
pub(crate) struct Step<'a, 'b, O> {
    pub(crate) engine: &'b Engine<'a>,
    pub(crate) state: &'b mut State,
    pub(crate) temporaries: &'b mut Temporaries,
    /// Writable memory that was taken as constant: where, how many bytes.
    pub(crate) assumed: &'b mut Vec<(Address, u32)>,
    pub(crate) observer: &'b mut O,
    pub(crate) address: Address,
    /// Writes may not happen: an earlier branch of the instruction may skip them.
    pub(crate) is_conditional: bool,
    /// The instruction goes to a computed address and may switch the instruction set, which it
    /// notes in a register that is not followed otherwise.
    pub(crate) may_switch_mode: bool,
}

impl<O: Observer> Step<'_, '_, O> {
    pub(crate) fn operation(&mut self, op: &Op) {
        let inputs = op.inputs();
        match (op.opcode, inputs, op.output) {
            (Opcode::STORE, [space, to, value], _)
                if space.as_constant() == Some(space_number(Space::Ram)) =>
            {
                let to = self.read(to);
                self.store_wide(to, value);
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
                let target = self.computed_target(target);
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
            Space::Register => {
                self.may_switch_mode
                    || output.size >= self.engine.cells.width()
                    || self.is_cell(output)
            }
            _ => false,
        }
    }

    /// Where a computed jump or call goes, the instruction set mode in the lowest bit.
    pub(crate) fn computed_target(&mut self, target: &Varnode) -> Value {
        let address = self.read(target);
        let mode = self.engine.abi.mode_switch.as_ref().map(|switch| switch.register);
        let mode = mode.map(|register| self.temporaries.read(&register, self.engine.endian()));
        match (address, mode) {
            (Value::Constant(address), Some(Value::Constant(mode))) => {
                Value::Constant(address | mode & 1)
            }
            _ => address,
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
    pub(crate) fn read(&mut self, varnode: &Varnode) -> Value {
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

    pub(crate) fn write_place(&mut self, place: Place, value: Value) {
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
                let address = Address(address);
                let loaded = memory::load(engine.image, engine.written, address, size);
                if loaded.is_assumption {
                    self.assumed.push((address, size));
                }
                loaded.value
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
