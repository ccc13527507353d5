//! Leaves out of a block what nobody sees: copies whose source can be read instead, and results
//! that are overwritten before they are read.
//!
//! Specifications spell out every flag of every instruction and copy operands to temporaries, which
//! makes up to half of the operations. Nothing is left out that a run could see: registers other
//! than flags are written as the specification says, and flags whenever control can leave the
//! block. Where an access to memory fails, or hooks are told of it, flags may still have an older
//! value.

mod needed;

pub(crate) use needed::Flags;

use crate::block::{MicroOp, Operand};
use crate::user_op::UserOp;
use miyaburi_pcode::Opcode;
use needed::needed;

/// Simplifies the operations of one block; `registers` is where temporaries begin in the machine
/// state.
pub(crate) fn simplify(ops: &mut Vec<MicroOp>, flags: &Flags, registers: u32) {
    let is_target = targets(ops);
    propagate_copies(ops, &is_target, registers);
    let is_needed = needed(ops, &is_target, flags, registers);
    remove(ops, &is_needed);
}

/// Which operations are reached by branches within the block; one more than there are operations.
fn targets(ops: &[MicroOp]) -> Vec<bool> {
    let mut is_target = vec![false; ops.len() + 1];
    for op in ops {
        if let Operand::Local(target) = op.inputs[0]
            && let Some(place) = is_target.get_mut(target as usize)
        {
            *place = true;
        }
    }
    is_target
}

/// Whether an operation is what its opcode says, on numbers of at most eight bytes.
fn is_simple(op: &MicroOp) -> bool {
    !op.wide && op.opcode != Opcode::CALLOTHER && op.user_op == UserOp::None
}

/// A temporary that is a copy of something.
struct Copy {
    at: u32,
    size: u32,
    source: Operand,
}

/// Lets operations read the source of a copy to a temporary instead of the copy.
fn propagate_copies(ops: &mut [MicroOp], is_target: &[bool], registers: u32) {
    let mut copies: Vec<Copy> = Vec::new();
    let mut instruction = 0;
    for (op, is_target) in ops.iter_mut().zip(is_target) {
        // Other ways lead here, on which other copies hold; the next instruction reads none.
        let is_next = std::mem::replace(&mut instruction, op.instruction) != op.instruction;
        if *is_target || is_next {
            copies.clear();
        }
        if is_simple(op) {
            for (input, size) in op.inputs.iter_mut().zip(op.sizes) {
                let Operand::State(at) = *input else { continue };
                let copy = copies.iter().find(|copy| (copy.at, copy.size) == (at, size));
                *input = copy.map_or(*input, |copy| copy.source);
            }
        }
        if let Operand::State(at) = op.output {
            let end = at + op.output_size;
            copies.retain(|copy| {
                let reads = matches!(copy.source, Operand::State(from)
                    if from < end && at < from + copy.size);
                !reads && (copy.at >= end || at >= copy.at + copy.size)
            });
        }
        match (op.opcode, op.output, op.inputs[0]) {
            (
                Opcode::COPY,
                Operand::State(at),
                source @ (Operand::State(_) | Operand::Constant(_)),
            ) if at >= registers && !op.wide && op.sizes[0] == op.output_size => {
                copies.push(Copy { at, size: op.output_size, source });
            }
            // Hooks see these, and may change registers; so may a store among the registers.
            (Opcode::CALLOTHER | Opcode::LOAD | Opcode::STORE, ..) => {
                copies.retain(|copy| matches!(copy.source, Operand::Constant(_)));
            }
            _ if op.user_op != UserOp::None => copies.clear(),
            _ => {}
        }
    }
}

/// Drops what is not needed, and leads branches to where their targets are then.
fn remove(ops: &mut Vec<MicroOp>, is_needed: &[bool]) {
    let mut place = 0;
    let mut places: Vec<u32> = Vec::with_capacity(ops.len() + 1);
    for is_needed in is_needed {
        places.push(place);
        place += u32::from(*is_needed);
    }
    places.push(place);
    let mut is_needed = is_needed.iter();
    ops.retain(|_| is_needed.next().copied().unwrap_or(true));
    for op in ops {
        if let Operand::Local(target) = &mut op.inputs[0] {
            *target = places.get(*target as usize).copied().unwrap_or(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Flags, simplify};
    use crate::block::{MicroOp, Operand};
    use crate::user_op::UserOp;
    use miyaburi_pcode::{Opcode, Space, space_number};

    /// Two registers of four bytes, a flag, and where temporaries begin.
    const A: Operand = Operand::State(0);
    const B: Operand = Operand::State(4);
    const FLAG: Operand = Operand::State(8);
    const REGISTERS: u32 = 16;
    const T: Operand = Operand::State(REGISTERS);
    const U: Operand = Operand::State(REGISTERS + 8);
    const ONE: Operand = Operand::Constant(1);

    fn flags() -> Flags {
        let mut number = vec![0; REGISTERS as usize];
        number[8] = 1;
        Flags { number, count: 1 }
    }

    /// An operation on four bytes, or on one where flags are concerned.
    fn op(opcode: Opcode, output: Operand, inputs: &[Operand]) -> MicroOp {
        let size = |operand: Operand| if operand == FLAG { 1 } else { 4 };
        let mut op = MicroOp {
            opcode,
            instruction: 0,
            output,
            output_size: size(output),
            inputs: [Operand::None; 3],
            sizes: [0; 3],
            user_op: UserOp::None,
            wide: false,
            routine: None,
        };
        for (slot, input) in inputs.iter().enumerate() {
            (op.inputs[slot], op.sizes[slot]) = (*input, size(*input));
        }
        op
    }

    /// Opcode, output and inputs of what is left.
    fn simplified(mut ops: Vec<MicroOp>) -> Vec<(Opcode, Operand, [Operand; 3])> {
        simplify(&mut ops, &flags(), REGISTERS);
        ops.into_iter().map(|op| (op.opcode, op.output, op.inputs)).collect()
    }

    #[test]
    fn an_address_is_read_where_it_was_made() {
        let ram = Operand::Constant(space_number(Space::Ram));
        let left = simplified(vec![
            op(Opcode::INT_ADD, T, &[A, ONE]),
            op(Opcode::COPY, U, &[ONE]),
            op(Opcode::COPY, U, &[T]),
            op(Opcode::LOAD, B, &[ram, U]),
        ]);
        let expected = [
            (Opcode::INT_ADD, T, [A, ONE, Operand::None]),
            (Opcode::LOAD, B, [ram, T, Operand::None]),
        ];
        assert_eq!(left, expected);
    }

    #[test]
    fn a_copy_of_what_has_changed_since_is_read() {
        let left = simplified(vec![
            op(Opcode::COPY, T, &[A]),
            op(Opcode::INT_ADD, A, &[A, ONE]),
            op(Opcode::INT_ADD, B, &[T, A]),
        ]);
        assert_eq!(left.len(), 3);
        assert_eq!(left[2].2, [T, A, Operand::None]);
    }

    #[test]
    fn a_register_that_a_hook_may_change_is_not_read_instead_of_its_copy() {
        let ram = Operand::Constant(space_number(Space::Ram));
        let left = simplified(vec![
            op(Opcode::COPY, T, &[A]),
            op(Opcode::LOAD, B, &[ram, B]),
            op(Opcode::INT_ADD, B, &[T, B]),
        ]);
        assert_eq!(left.len(), 3);
        assert_eq!(left[2].2, [T, B, Operand::None]);
    }

    #[test]
    fn a_result_that_is_copied_is_made_in_place() {
        let left = simplified(vec![op(Opcode::INT_ADD, T, &[A, ONE]), op(Opcode::COPY, B, &[T])]);
        assert_eq!(left, [(Opcode::INT_ADD, B, [A, ONE, Operand::None])]);
        // Unless it is read again.
        let left = simplified(vec![
            op(Opcode::INT_ADD, T, &[A, ONE]),
            op(Opcode::COPY, B, &[T]),
            op(Opcode::INT_ADD, A, &[T, T]),
        ]);
        assert_eq!(left.len(), 3);
    }

    #[test]
    fn flags_are_made_where_they_can_be_seen() {
        let zero = || op(Opcode::INT_EQUAL, FLAG, &[A, ONE]);
        let opcodes = |ops| simplified(ops).into_iter().map(|(opcode, ..)| opcode);
        let count = |ops| opcodes(ops).filter(|opcode| *opcode == Opcode::INT_EQUAL).count();
        let between = |op: MicroOp| vec![zero(), op, zero()];
        let leave = [Operand::Target(miyaburi_image::Address(0x1000)), B];
        let skip = [Operand::Local(2), B];
        let ram = Operand::Constant(space_number(Space::Ram));
        let registers = Operand::Constant(space_number(Space::Register));
        assert_eq!(count(vec![zero(), zero()]), 1);
        assert_eq!(count(between(op(Opcode::STORE, Operand::None, &[ram, A, B]))), 1);
        assert_eq!(count(between(op(Opcode::STORE, Operand::None, &[registers, A, B]))), 2);
        assert_eq!(count(between(op(Opcode::CBRANCH, Operand::None, &leave))), 2);
        assert_eq!(count(between(op(Opcode::CBRANCH, Operand::None, &skip))), 2);
        assert_eq!(count(between(op(Opcode::CALLOTHER, Operand::None, &[ONE]))), 2);
        assert_eq!(count(between(op(Opcode::INT_ZEXT, B, &[FLAG]))), 2);
    }

    #[test]
    fn registers_are_written_and_divisions_made() {
        let ops = vec![
            op(Opcode::COPY, A, &[ONE]),
            op(Opcode::COPY, A, &[B]),
            op(Opcode::INT_DIV, T, &[A, B]),
        ];
        assert_eq!(simplified(ops).len(), 3);
    }

    #[test]
    fn branches_lead_to_where_their_targets_are_then() {
        let left = simplified(vec![
            op(Opcode::COPY, T, &[ONE]),
            op(Opcode::CBRANCH, Operand::None, &[Operand::Local(4), B]),
            op(Opcode::INT_EQUAL, FLAG, &[A, B]),
            op(Opcode::INT_EQUAL, FLAG, &[A, ONE]),
            op(Opcode::COPY, A, &[B]),
        ]);
        let opcodes: Vec<Opcode> = left.iter().map(|(opcode, ..)| *opcode).collect();
        assert_eq!(
            opcodes,
            [Opcode::COPY, Opcode::CBRANCH, Opcode::INT_EQUAL, Opcode::COPY],
            "the first copy may be read at the target"
        );
        assert_eq!(left[1].2[0], Operand::Local(3));
    }
}
