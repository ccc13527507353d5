//! Which operations of a block do something that can be seen: followed backwards, from what is read
//! behind it.

use super::is_simple;
use crate::block::{MicroOp, Operand};
use crate::registers::RegisterMap;
use miyaburi_pcode::{Language, Opcode, Space, space_number};

/// Which bytes of the machine state are flags: registers of one byte that are part of no other.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// Of each byte of the registers, the number of the flag from 1, or 0.
    pub(super) number: Vec<u16>,
    pub(super) count: u16,
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
pub(super) fn needed(
    ops: &mut [MicroOp],
    is_target: &[bool],
    flags: &Flags,
    registers: u32,
) -> Vec<bool> {
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
