//! What calls do to the known values.

use crate::code::InstructionId;
use crate::flow::{Flow, absolute_target};
use crate::values::Value;
use crate::values::observer::{CallEvent, Observer};
use crate::values::step::Step;
use miyaburi_emulator::ReturnAddress;
use miyaburi_image::Address;
use miyaburi_pcode::{Op, Opcode, Varnode};

/// The most instructions of a callee that is followed into instead of being summarised.
const MAX_INLINED: usize = 4;

/// Outgoing stack arguments that are looked at for addresses of the caller's frame.
const HANDED_OUT_SLOTS: u64 = 6;
impl<O: Observer> Step<'_, '_, O> {
    pub(crate) fn call(&mut self, op: &Op, id: InstructionId) {
        let Some(target) = op.inputs().first() else { return };
        let view = self.engine.code.instruction(id);
        let next = self.address.offset(u64::from(view.length));
        let is_direct = op.opcode == Opcode::CALL;
        let target = match absolute_target(op) {
            // The return address is what the program wants; nothing is called.
            Some(address) if is_direct && address == next => return,
            Some(address) if is_direct => Value::Constant(address.0),
            _ if !view.flow.contains(Flow::INDIRECT_CALL) => {
                return self.forget_results();
            }
            _ => self.computed_target(target),
        };
        self.observer.call(&CallEvent { site: self.address, target, state: self.state });
        if is_direct && self.call_inline(target, id) {
            return;
        }
        self.call_summarized(target);
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
            if view.flow == Flow::RETURN {
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
            let view = code.instruction(*found);
            for (op, matters) in view.ops.iter().zip(view.matters) {
                let is_exit =
                    matches!(op.opcode, Opcode::RETURN | Opcode::BRANCH | Opcode::CBRANCH);
                if *matters && !is_exit {
                    self.operation(op);
                }
            }
        }
        true
    }

    fn call_summarized(&mut self, target: Value) {
        let engine = self.engine;
        let written = target.address().and_then(|target| engine.effects.written_by(target));
        for argument in 0..engine.abi.argument_registers.len().max(HANDED_OUT_SLOTS as usize) {
            if let Value::StackOffset(offset) = engine.argument(self.state, argument) {
                self.state.stack.hand_out(offset);
            }
        }
        self.state.registers.clobber(engine.cells, written);
        let result = Value::CallResult { site: self.address, offset: 0 };
        let is_written = |register: &&Varnode| {
            let cells = engine.cells.touched(register);
            written.is_none_or(|written| !written.intersection(cells).is_empty())
        };
        let results = [Some(engine.abi.result), engine.abi.pointer_result];
        for register in results.iter().flatten().filter(is_written) {
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

    pub(crate) fn forget_results(&mut self) {
        let abi = self.engine.abi;
        for register in [Some(abi.result), abi.result_high].iter().flatten() {
            if let Some(place) = self.engine.cells.locate(register) {
                self.write_place(place, Value::Unknown);
            }
        }
    }
}
