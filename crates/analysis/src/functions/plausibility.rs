//! Whether code nobody calls looks like a function.

use crate::code::ContextId;
use crate::flow::{Flow, absolute_target};
use crate::functions::discovery::Discovery;
use miyaburi_emulator::ReturnAddress;
use miyaburi_image::Address;
use miyaburi_pcode::{Op, Opcode, Space};

/// How many instructions are looked at.
const MAX_LOOK: usize = 48;
/// Within how many instructions a function sets up its frame.
const PROLOGUE: usize = 12;
/// How far back the end of what lies before is looked for, in bytes.
const LOOK_BACK: u64 = 32;

/// What a run of instructions from a possible start looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// It makes room on the stack, or saves the link register, early on.
    pub(crate) has_prologue: bool,
    /// It calls a known function.
    pub(crate) calls_known: bool,
    /// It ends in a return or a jump within the instructions looked at.
    pub(crate) ends: bool,
    /// Instructions looked at.
    pub(crate) length: usize,
    /// Bytes looked at.
    pub(crate) bytes: u64,
}

impl Discovery<'_> {
    /// Decodes straight-line code from `start`; `None` when what is reached is no code: bytes that
    /// do not decode, calls and jumps to where no code can lie, user-ops that stand for invalid
    /// instructions.
    pub(crate) fn look(&mut self, start: Address, context: ContextId) -> Option<Look> {
        let mut look =
            Look { has_prologue: false, calls_known: false, ends: false, length: 0, bytes: 0 };
        let (mut address, mut context) = (start, context);
        while look.length < MAX_LOOK {
            let id = self.lift(address, context)?;
            let view = self.code.instruction(id);
            let next = address.offset(u64::from(view.length));
            for op in view.ops {
                if let (Opcode::BRANCH | Opcode::CBRANCH | Opcode::CALL, Some(target)) =
                    (op.opcode, absolute_target(op))
                {
                    if !self.code.index.is_code_address(target) {
                        return None;
                    }
                    look.calls_known |=
                        op.opcode == Opcode::CALL && self.number_at(target).is_some();
                }
                if self.is_invalid(op) {
                    return None;
                }
                look.has_prologue |= look.length < PROLOGUE && self.sets_up_frame(op);
            }
            look.length += 1;
            look.bytes = next.0.wrapping_sub(start.0);
            if !view.flow.contains(Flow::NEXT) {
                look.ends = true;
                return Some(look);
            }
            context = self.code.context_after(id, next);
            address = next;
        }
        Some(look)
    }

    fn is_invalid(&self, op: &Op) -> bool {
        let number = op.inputs().first().and_then(miyaburi_pcode::Varnode::as_constant);
        op.opcode == Opcode::CALLOTHER
            && number
                .and_then(|number| self.language.user_op(number))
                .is_some_and(|name| name.contains("invalid") || name.contains("nimplemented"))
    }

    fn sets_up_frame(&self, op: &Op) -> bool {
        let stack_pointer = self.abi.stack_pointer;
        let grows = op.output == Some(stack_pointer)
            && match (op.opcode, op.inputs()) {
                (Opcode::INT_SUB, [_, amount]) => amount.space == Space::Constant,
                (Opcode::INT_ADD, [from, amount]) => {
                    *from == stack_pointer
                        && amount.as_constant().is_some_and(|number| {
                            crate::arithmetic::signed(number, amount.size) < 0
                        })
                }
                _ => false,
            };
        let saves_link = match (&self.abi.return_address, op.opcode, op.inputs()) {
            (ReturnAddress::Register(link, _), Opcode::STORE, [_, _, value]) => value == link,
            _ => false,
        };
        grows || saves_link
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

    /// Whether the instruction at `address` does nothing: compilers fill gaps with such.
    pub(crate) fn padding_length(&mut self, address: Address, context: ContextId) -> Option<u64> {
        let step = self.image.arch().instruction_alignment();
        let bytes = self.image.bytes_from(address);
        let word = bytes.get(..step as usize)?;
        if word.iter().all(|byte| *byte == 0) || word.first() == Some(&0xcc) && step == 1 {
            return Some(step);
        }
        let id = self.lift(address, context)?;
        let view = self.code.instruction(id);
        let is_idle = |op: &Op| match (op.opcode, op.output, op.inputs()) {
            (Opcode::COPY, Some(output), [from]) => {
                output.space == Space::Unique || output == *from
            }
            (Opcode::STORE | Opcode::CALLOTHER, ..) => false,
            (_, Some(output), _) => output.space == Space::Unique,
            _ => false,
        };
        let is_padding = view.flow.is_plain() && view.ops.iter().all(is_idle);
        is_padding.then_some(u64::from(view.length))
    }
}
