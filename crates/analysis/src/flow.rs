//! Where control can go from one instruction.

use crate::arithmetic::{binary, unary};
use crate::final_traps::FinalTrap;
use miyaburi_image::Address;
use miyaburi_pcode::{Op, Opcode, Space, Varnode};

bitflags::bitflags! {
    /// How control can leave an instruction.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flow: u8 {
        /// To the next instruction in sequence (calls return).
        const NEXT = 1;
        /// To a constant address that is not the next instruction.
        const JUMP = 2;
        /// To a computed address.
        const INDIRECT_JUMP = 4;
        /// Into a callee at a constant address.
        const CALL = 8;
        /// Into a callee at a computed address.
        const INDIRECT_CALL = 16;
        /// Back to the caller.
        const RETURN = 32;
        /// Into the system or a trap handler, which the specification writes as a user-op.
        const SYSTEM = 64;
    }
}

impl Flow {
    /// Whether control goes on to the next instruction and nowhere else.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        self.symmetric_difference(Self::NEXT).is_empty()
    }

    /// Whether it ends a basic block: a call does not.
    #[must_use]
    pub const fn ends_block(self) -> bool {
        let jumps = Self::JUMP.union(Self::INDIRECT_JUMP).union(Self::RETURN);
        self.intersects(jumps) || !self.contains(Self::NEXT)
    }
}

/// The place within the instruction that a branch goes to, when it stays in it.
pub(crate) fn relative_target(position: usize, op: &Op) -> Option<usize> {
    let target = op.inputs().first()?;
    let distance = target.as_constant()?;
    let signed = crate::arithmetic::signed(distance, target.size);
    i64::try_from(position).ok()?.checked_add(signed).and_then(|place| usize::try_from(place).ok())
}

/// The constant address that a branch or call goes to.
pub(crate) fn absolute_target(op: &Op) -> Option<Address> {
    let target = op.inputs().first()?;
    (target.space == Space::Ram).then_some(Address(target.offset))
}

/// How control can leave an instruction with these operations whose sequel is at `next`.
pub(crate) fn summarize(ops: &[Op], next: Address, final_trap: FinalTrap) -> Flow {
    let has_flow = |op: &Op| matches!(op.opcode as u8, 4..=10);
    if !ops.iter().any(has_flow) {
        return Flow::NEXT;
    }
    let mut flow = Flow::empty();
    let mut reached = vec![false; ops.len() + 1];
    let mut constants: Vec<(Varnode, u64)> = Vec::new();
    mark(&mut reached, 0);
    for (position, op) in ops.iter().enumerate() {
        if !reached.get(position).copied().unwrap_or_default() {
            continue;
        }
        note_constant(&mut constants, op);
        let falls_through = match op.opcode {
            Opcode::CBRANCH if condition(&constants, op) == Some(0) => true,
            Opcode::BRANCH | Opcode::CBRANCH => {
                match (absolute_target(op), relative_target(position, op)) {
                    (Some(target), _) if target == next => mark(&mut reached, ops.len()),
                    (Some(_), _) => flow |= Flow::JUMP,
                    // A jump back within the instruction is a loop: what it reaches has been.
                    (None, Some(place)) => mark(&mut reached, place.min(ops.len())),
                    (None, None) => {}
                }
                op.opcode == Opcode::CBRANCH && condition(&constants, op).is_none()
            }
            Opcode::BRANCHIND => {
                let is_trap = is_system_call(ops, position);
                flow |= if is_trap { Flow::SYSTEM } else { Flow::INDIRECT_JUMP };
                false
            }
            Opcode::CALL if absolute_target(op) == Some(next) => true,
            Opcode::CALL => {
                flow |= Flow::CALL;
                true
            }
            Opcode::CALLIND if is_system_call(ops, position) => {
                flow |= Flow::SYSTEM;
                true
            }
            Opcode::CALLIND => {
                flow |= Flow::INDIRECT_CALL;
                true
            }
            Opcode::CALLOTHER if is_final(final_trap, &constants, op) => {
                flow |= Flow::SYSTEM;
                false
            }
            Opcode::CALLOTHER => {
                flow |= if op.output.is_none() { Flow::SYSTEM } else { Flow::empty() };
                true
            }
            Opcode::RETURN => {
                flow |= Flow::RETURN;
                false
            }
            _ => true,
        };
        if falls_through {
            mark(&mut reached, position + 1);
        }
    }
    if reached.last().copied().unwrap_or_default() {
        flow |= Flow::NEXT;
    }
    flow
}

/// Follows what an instruction sets to constants for its own use, such as SPARC's note of whether
/// the delay slot of a call restores the register window.
fn note_constant(constants: &mut Vec<(Varnode, u64)>, op: &Op) {
    let Some(output) = op.output else { return };
    let value = |input: &Varnode| known(constants, input);
    let result = match op.inputs() {
        [only] => value(only).and_then(|value| unary(op.opcode, value, only.size, output.size)),
        [first, second] => value(first)
            .zip(value(second))
            .and_then(|(a, b)| binary(op.opcode, a, first.size, b, second.size, output.size)),
        _ => None,
    };
    constants.retain(|(place, _)| !place.overlaps(&output));
    constants.extend(result.map(|result| (output, result)));
}

fn is_final(trap: FinalTrap, constants: &[(Varnode, u64)], op: &Op) -> bool {
    let input = |index: usize| op.inputs().get(index).and_then(|input| known(constants, input));
    trap.is(input(0), input(1))
}

fn known(constants: &[(Varnode, u64)], varnode: &Varnode) -> Option<u64> {
    let noted = || constants.iter().find(|(place, _)| place == varnode).map(|(_, value)| *value);
    varnode.as_constant().or_else(noted)
}

/// The condition of a branch, when it is constant.
fn condition(constants: &[(Varnode, u64)], op: &Op) -> Option<u64> {
    known(constants, op.inputs().get(1)?)
}

fn mark(reached: &mut [bool], position: usize) {
    if let Some(place) = reached.get_mut(position) {
        *place = true;
    }
}

/// Traps are written as a user-op that yields the handler, and a call of it.
fn is_system_call(ops: &[Op], position: usize) -> bool {
    let target = ops.get(position).and_then(|op| op.inputs().first());
    ops.get(..position).unwrap_or(&[]).iter().any(|op| {
        op.opcode == Opcode::CALLOTHER && op.output.is_some() && op.output.as_ref() == target
    })
}

#[cfg(test)]
mod tests {
    use super::{FinalTrap, Flow, summarize};
    use miyaburi_image::Address;
    use miyaburi_pcode::{Op, Opcode, Space, Varnode};

    const NEXT: Address = Address(0x1004);

    fn ram(offset: u64) -> Varnode {
        Varnode { space: Space::Ram, offset, size: 4 }
    }

    fn temporary(offset: u64) -> Varnode {
        Varnode { space: Space::Unique, offset, size: 4 }
    }

    #[test]
    fn a_conditional_return_can_fall_through() {
        let ops = [
            Op::new(Opcode::CBRANCH, None, &[Varnode::constant(2, 4), temporary(0)]),
            Op::new(Opcode::RETURN, None, &[temporary(8)]),
        ];
        assert_eq!(summarize(&ops, NEXT, FinalTrap::default()), Flow::RETURN | Flow::NEXT);
        assert_eq!(summarize(&ops[1..], NEXT, FinalTrap::default()), Flow::RETURN);
    }

    #[test]
    fn a_call_of_the_next_instruction_is_none() {
        let call = |target| [Op::new(Opcode::CALL, None, &[ram(target)])];
        assert_eq!(summarize(&call(0x1004), NEXT, FinalTrap::default()), Flow::NEXT);
        assert_eq!(summarize(&call(0x2000), NEXT, FinalTrap::default()), Flow::NEXT | Flow::CALL);
    }

    #[test]
    fn a_trap_is_no_indirect_call() {
        let ops = [
            Op::new(Opcode::CALLOTHER, Some(temporary(0)), &[Varnode::constant(3, 4)]),
            Op::new(Opcode::CALLIND, None, &[temporary(0)]),
        ];
        assert_eq!(summarize(&ops, NEXT, FinalTrap::default()), Flow::NEXT | Flow::SYSTEM);
        assert_eq!(
            summarize(&ops[1..], NEXT, FinalTrap::default()),
            Flow::NEXT | Flow::INDIRECT_CALL
        );
    }

    #[test]
    fn a_jump_ends_a_block_and_a_call_does_not() {
        let jump = [Op::new(Opcode::BRANCH, None, &[ram(0x2000)])];
        assert_eq!(summarize(&jump, NEXT, FinalTrap::default()), Flow::JUMP);
        assert!(Flow::JUMP.ends_block());
        assert!(!(Flow::CALL | Flow::NEXT).ends_block());
    }
}
