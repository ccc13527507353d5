//! Leaves out of a block what nobody sees: copies whose source can be read instead, and results
//! that are overwritten before they are read.
//!
//! Specifications spell out every flag of every instruction and copy operands to temporaries, which
//! makes up to half of the operations. Nothing is left out that a run could see: registers other
//! than flags are written as the specification says, and flags whenever control can leave the
//! block. Where an access to memory fails, or hooks are told of it, flags may still have an older
//! value.

use crate::block::{MicroOp, Operand};
use crate::registers::RegisterMap;
use crate::user_op::UserOp;
use miyaburi_pcode::{Language, Opcode, Space, space_number};

/// Which bytes of the machine state are flags: registers of one byte that are part of no other.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// Of each byte of the registers, the number of the flag from 1, or 0.
    number: Vec<u16>,
    count: u16,
}

impl Flags {
    /// Those of `language`.
    pub(crate) fn new(language: &dyn Language, registers: &RegisterMap) -> Self {
        let mut is_part = vec![false; registers.size() as usize];
        let mut is_single = is_part.clone();
        for (_, register) in language.registers() {
            let at = registers.place(register.offset, register.size);
            let Some(at) = at.filter(|_| register.space == Space::Register) else { continue };
            let kind = if register.size == 1 { &mut is_single } else { &mut is_part };
            let bytes = at as usize..at as usize + register.size as usize;
            kind.get_mut(bytes).into_iter().flatten().for_each(|byte| *byte = true);
        }
        let mut count = 0;
        let number = is_single.into_iter().zip(is_part).map(|(is_single, is_part)| {
            let is_flag = is_single && !is_part && count < u16::MAX;
            count += u16::from(is_flag);
            if is_flag { count } else { 0 }
        });
        Self { number: number.collect(), count }
    }

    /// The flag at a byte of the machine state.
    fn at(&self, byte: usize) -> Option<usize> {
        usize::from(*self.number.get(byte)?).checked_sub(1)
    }
}

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

/// The flags, and bytes of temporaries, that are read before they are written.
struct Live<'a> {
    numbers: &'a Flags,
    flags: Vec<bool>,
    /// Where temporaries begin in the machine state.
    registers: usize,
    temporaries: Vec<bool>,
}

impl<'a> Live<'a> {
    /// At the end of a block.
    fn at_end(ops: &[MicroOp], numbers: &'a Flags, registers: u32) -> Self {
        let end = |operand: Operand, size: u32| match operand {
            Operand::State(at) => at + size,
            _ => 0,
        };
        let last = |op: &MicroOp| {
            let inputs = op.inputs.iter().zip(op.sizes).map(|(input, size)| end(*input, size));
            inputs.fold(end(op.output, op.output_size), u32::max)
        };
        let end = ops.iter().map(last).fold(registers, u32::max);
        Self {
            numbers,
            flags: vec![true; usize::from(numbers.count)],
            registers: registers as usize,
            temporaries: vec![false; (end - registers) as usize],
        }
    }

    /// The place of a byte of the machine state when it is followed.
    fn of(&self, byte: usize) -> Option<&bool> {
        match byte.checked_sub(self.registers) {
            Some(temporary) => self.temporaries.get(temporary),
            None => self.flags.get(self.numbers.at(byte)?),
        }
    }

    fn set(&mut self, operand: Operand, size: u32, is_live: bool) {
        let Operand::State(at) = operand else { return };
        for byte in at as usize..at as usize + size as usize {
            let place = match byte.checked_sub(self.registers) {
                Some(temporary) => self.temporaries.get_mut(temporary),
                None => self.numbers.at(byte).and_then(|flag| self.flags.get_mut(flag)),
            };
            place.into_iter().for_each(|place| *place = is_live);
        }
    }

    /// Whether a result of `size` bytes is nothing but flags or temporaries that nobody reads.
    fn is_dead(&self, output: Operand, size: u32) -> bool {
        let Operand::State(at) = output else { return false };
        (at as usize..at as usize + size as usize).all(|byte| self.of(byte) == Some(&false))
    }

    /// Lets `maker` write where `copy`, which follows it, copies its result, when nobody else reads
    /// that result.
    fn writes_for(&self, maker: &mut MicroOp, copy: &MicroOp) -> bool {
        let is_own = matches!(copy.inputs[0], Operand::State(at) if at as usize >= self.registers);
        let fits = copy.opcode == Opcode::COPY
            && is_own
            && is_simple(copy)
            && is_simple(maker)
            && matches!(copy.output, Operand::State(_))
            && (maker.output, maker.output_size) == (copy.inputs[0], copy.output_size)
            && copy.sizes[0] == copy.output_size
            && maker.instruction == copy.instruction
            && self.is_dead(maker.output, maker.output_size);
        if fits {
            maker.output = copy.output;
        }
        fits
    }

    fn set_all(&mut self) {
        self.flags.fill(true);
        self.temporaries.fill(true);
    }

    /// From what is read behind an operation to what is read before it.
    fn step_back(&mut self, op: &MicroOp) {
        match op.opcode {
            // Hooks see all that there is; within the block other ways lead on.
            Opcode::CALLOTHER => self.set_all(),
            Opcode::BRANCH | Opcode::CBRANCH if matches!(op.inputs[0], Operand::Local(_)) => {
                self.set_all();
            }
            Opcode::BRANCH | Opcode::CBRANCH | Opcode::BRANCHIND => self.flags.fill(true),
            Opcode::CALL | Opcode::CALLIND | Opcode::RETURN => self.flags.fill(true),
            // Registers are reached by number.
            Opcode::LOAD | Opcode::STORE
                if op.inputs[0] != Operand::Constant(space_number(Space::Ram)) =>
            {
                self.flags.fill(true);
            }
            _ => {}
        }
        self.set(op.output, op.output_size, false);
        for (input, size) in op.inputs.iter().zip(op.sizes) {
            self.set(*input, size, true);
        }
    }
}

/// Which operations do something that can be seen. Where a result is only copied, the operation
/// that makes it writes where the copy would be.
fn needed(ops: &mut [MicroOp], is_target: &[bool], flags: &Flags, registers: u32) -> Vec<bool> {
    let mut live = Live::at_end(ops, flags, registers);
    let mut is_needed = vec![true; ops.len()];
    for at in (0..ops.len()).rev() {
        let (before, rest) = ops.split_at_mut(at);
        let (Some(op), Some(is_needed)) = (rest.first(), is_needed.get_mut(at)) else { break };
        let is_target = is_target.get(at).copied().unwrap_or(true);
        let is_dead = is_pure(op) && live.is_dead(op.output, op.output_size);
        let maker = before.last_mut().filter(|_| !is_target);
        if is_dead || maker.is_some_and(|maker| live.writes_for(maker, op)) {
            *is_needed = false;
        } else {
            live.step_back(op);
        }
    }
    is_needed
}

/// Whether an operation does nothing but make its result, and cannot fail.
fn is_pure(op: &MicroOp) -> bool {
    use Opcode as O;
    let is_known = matches!(
        op.opcode,
        O::COPY
            | O::INT_EQUAL
            | O::INT_NOTEQUAL
            | O::INT_SLESS
            | O::INT_SLESSEQUAL
            | O::INT_LESS
            | O::INT_LESSEQUAL
            | O::INT_ZEXT
            | O::INT_SEXT
            | O::INT_ADD
            | O::INT_SUB
            | O::INT_CARRY
            | O::INT_SCARRY
            | O::INT_SBORROW
            | O::INT_2COMP
            | O::INT_NEGATE
            | O::INT_XOR
            | O::INT_AND
            | O::INT_OR
            | O::INT_LEFT
            | O::INT_RIGHT
            | O::INT_SRIGHT
            | O::INT_MULT
            | O::BOOL_NEGATE
            | O::BOOL_XOR
            | O::BOOL_AND
            | O::BOOL_OR
            | O::PIECE
            | O::SUBPIECE
            | O::POPCOUNT
            | O::LZCOUNT
    );
    let reads_memory = op.inputs.iter().any(|input| matches!(input, Operand::Memory(_)));
    is_known && is_simple(op) && !reads_memory
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
