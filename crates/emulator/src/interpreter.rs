//! Executes the operations of one block on the machine state.

use crate::block::{Block, MicroOp, Operand, sign_extend, size_mask};
use crate::float;
use crate::machine::State;
use crate::memory::MemoryError;
use crate::user_op::UserOp;
use crate::wide;
use miyaburi_image::Address;
use miyaburi_pcode::{Opcode, Space, space_number};

/// How control leaves a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Runs on at the end of the block.
    End,
    /// Jumps to a fixed address.
    Jump(Address),
    /// Jumps to a computed address.
    JumpIndirect(u64),
    /// Calls a fixed address.
    Call(Address),
    /// Calls a computed address.
    CallIndirect(u64),
    /// Returns to a computed address.
    Return(u64),
    /// Enters the kernel; goes on at the next operation.
    SystemCall {
        /// The first argument of the trap instruction, its number where it has one.
        number: u64,
    },
    /// A breakpoint, a failed check or an instruction that there is not; goes on behind the
    /// instruction where somebody answers it.
    Trap {
        /// The first argument of the operation, the instruction's number where it has one.
        number: u64,
    },
    /// A user-op that is not modelled; goes on at the next operation.
    UserOp,
    /// Goes on within the block, at the operation named.
    Resume,
    /// The instruction cannot be executed.
    Trouble(Trouble),
}

/// Why an operation could not be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Memory(MemoryError),
    DivisionByZero,
    Unimplemented(Opcode),
    /// Register windows nest too deep.
    Depth,
}

impl From<MemoryError> for Trouble {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

/// Where a block was left.
pub(crate) struct Left {
    pub(crate) how: Leave,
    /// Index of the operation at which it was left; the number of operations at the end.
    pub(crate) at: usize,
    /// Operations executed.
    pub(crate) executed: u64,
}

/// What one operation did.
enum Step {
    Next,
    To(u32),
    Leave(Leave),
}

/// Executes `block` from operation `from`, at most `budget` operations.
pub(crate) fn execute(state: &mut State<'_>, block: &Block, from: usize, budget: u64) -> Left {
    let mut index = from;
    let mut executed = 0;
    while let Some(op) = block.ops.get(index) {
        executed += 1;
        if let Some(routine) = op.routine {
            routine(state, op);
            index += 1;
            continue;
        }
        match step(state, op) {
            Ok(Step::Next) => index += 1,
            Ok(Step::To(target)) => {
                index = target as usize;
                if executed > budget {
                    break;
                }
            }
            Ok(Step::Leave(how)) => return Left { how, at: index, executed },
            Err(trouble) => return Left { how: Leave::Trouble(trouble), at: index, executed },
        }
    }
    Left { how: Leave::End, at: index, executed }
}

/// Executes one operation of `block`.
pub(crate) fn execute_one(state: &mut State<'_>, block: &Block, at: usize) -> Left {
    let Some(op) = block.ops.get(at) else { return Left { how: Leave::End, at, executed: 0 } };
    let (how, at) = match step(state, op) {
        Ok(Step::Next) => (Leave::Resume, at + 1),
        Ok(Step::To(target)) => (Leave::Resume, target as usize),
        Ok(Step::Leave(how)) => (how, at),
        Err(trouble) => (Leave::Trouble(trouble), at),
    };
    Left { how, at, executed: 1 }
}

impl State<'_> {
    /// The value of input `slot`, at most eight bytes.
    #[inline(always)]
    pub(crate) fn input(&mut self, op: &MicroOp, slot: usize) -> Result<u64, MemoryError> {
        self.operand(op.inputs[slot], op.sizes[slot])
    }

    #[inline(always)]
    fn operand(&mut self, operand: Operand, size: u32) -> Result<u64, MemoryError> {
        match operand {
            Operand::State(offset) => Ok(self.read_state(offset, size)),
            Operand::Constant(value) => Ok(value),
            Operand::Memory(address) => self.memory.load(address, size),
            Operand::None | Operand::Local(_) | Operand::Target(_) => Ok(0),
        }
    }

    #[inline(always)]
    pub(crate) fn output(&mut self, op: &MicroOp, value: u64) -> Result<(), MemoryError> {
        match op.output {
            Operand::State(offset) => self.write_state(offset, op.output_size, value),
            Operand::Memory(address) => self.memory.store(address, op.output_size, value)?,
            _ => {}
        }
        Ok(())
    }
}

#[inline(always)]
fn step(state: &mut State<'_>, op: &MicroOp) -> Result<Step, Trouble> {
    use Opcode as O;
    if op.wide {
        return match op.opcode {
            // What is not modelled has no result, which a wide one is likelier to depend on.
            O::CALLOTHER if op.user_op != UserOp::Unmodelled => user_op(state, op),
            opcode if is_float(opcode) => float::step_wide(state, op).map(|()| Step::Next),
            _ => wide::step(state, op).map(|()| Step::Next),
        };
    }
    let size = op.sizes[0];
    macro_rules! a {
        () => {
            state.input(op, 0)?
        };
    }
    macro_rules! b {
        () => {
            state.input(op, 1)?
        };
    }
    macro_rules! signed {
        ($slot:literal) => {
            sign_extend(state.input(op, $slot)?, op.sizes[$slot])
        };
    }
    let value = match op.opcode {
        O::COPY | O::INT_ZEXT => a!(),
        O::LOAD => return load(state, op),
        O::STORE => return store(state, op),
        O::INT_ADD => a!().wrapping_add(b!()),
        O::INT_SUB => a!().wrapping_sub(b!()),
        O::INT_AND | O::BOOL_AND => a!() & b!(),
        O::INT_OR | O::BOOL_OR => a!() | b!(),
        O::INT_XOR | O::BOOL_XOR => a!() ^ b!(),
        O::INT_EQUAL => u64::from(a!() == b!()),
        O::INT_NOTEQUAL => u64::from(a!() != b!()),
        O::INT_LESS => u64::from(a!() < b!()),
        O::INT_LESSEQUAL => u64::from(a!() <= b!()),
        O::INT_SLESS => u64::from(signed!(0) < signed!(1)),
        O::INT_SLESSEQUAL => u64::from(signed!(0) <= signed!(1)),
        O::INT_SEXT => signed!(0) as u64,
        O::INT_CARRY => {
            let left = a!();
            u64::from(left.wrapping_add(b!()) & size_mask(size) < left)
        }
        O::INT_SCARRY => overflows(i128::from(signed!(0)) + i128::from(signed!(1)), size),
        O::INT_SBORROW => overflows(i128::from(signed!(0)) - i128::from(signed!(1)), size),
        O::INT_2COMP => a!().wrapping_neg(),
        O::INT_NEGATE => !a!(),
        O::BOOL_NEGATE => a!() ^ 1,
        O::INT_LEFT => shift_left(a!(), b!(), size),
        O::INT_RIGHT => shift_right(a!(), b!(), size),
        O::INT_SRIGHT => (signed!(0) >> b!().min(63)) as u64,
        O::INT_MULT => a!().wrapping_mul(b!()),
        O::INT_DIV => a!().checked_div(b!()).ok_or(Trouble::DivisionByZero)?,
        O::INT_REM => a!().checked_rem(b!()).ok_or(Trouble::DivisionByZero)?,
        O::INT_SDIV | O::INT_SREM => {
            let (left, right) = (signed!(0), signed!(1));
            if right == 0 {
                return Err(Trouble::DivisionByZero);
            }
            match op.opcode {
                O::INT_SDIV => left.wrapping_div(right) as u64,
                _ => left.wrapping_rem(right) as u64,
            }
        }
        O::PIECE => a!().checked_shl(8 * op.sizes[1]).unwrap_or(0) | b!(),
        O::SUBPIECE => shift_right(a!(), b!().saturating_mul(8), size),
        O::POPCOUNT => u64::from(a!().count_ones()),
        O::LZCOUNT => {
            u64::from(a!().leading_zeros()).saturating_sub(64 - 8 * u64::from(size.min(8)))
        }
        O::BRANCH | O::CBRANCH | O::CALL => return branch(state, op),
        O::BRANCHIND => return Ok(Step::Leave(Leave::JumpIndirect(a!()))),
        O::CALLIND => return Ok(Step::Leave(Leave::CallIndirect(a!()))),
        O::RETURN => return Ok(Step::Leave(Leave::Return(a!()))),
        O::CALLOTHER => return user_op(state, op),
        _ => return float::step(state, op).map(|()| Step::Next),
    };
    state.output(op, value)?;
    Ok(Step::Next)
}

/// Whether an operation works on floating-point numbers.
const fn is_float(opcode: Opcode) -> bool {
    use Opcode as O;
    matches!(
        opcode,
        O::FLOAT_EQUAL
            | O::FLOAT_NOTEQUAL
            | O::FLOAT_LESS
            | O::FLOAT_LESSEQUAL
            | O::FLOAT_NAN
            | O::FLOAT_ADD
            | O::FLOAT_DIV
            | O::FLOAT_MULT
            | O::FLOAT_SUB
            | O::FLOAT_NEG
            | O::FLOAT_ABS
            | O::FLOAT_SQRT
            | O::FLOAT_INT2FLOAT
            | O::FLOAT_FLOAT2FLOAT
            | O::FLOAT_TRUNC
            | O::FLOAT_CEIL
            | O::FLOAT_FLOOR
            | O::FLOAT_ROUND
    )
}

fn overflows(value: i128, size: u32) -> u64 {
    let half = 1i128 << (8 * size.clamp(1, 8) - 1);
    u64::from(value >= half || value < -half)
}

fn shift_left(value: u64, count: u64, size: u32) -> u64 {
    if count >= u64::from(8 * size) { 0 } else { value << count }
}

fn shift_right(value: u64, count: u64, size: u32) -> u64 {
    if count >= u64::from(8 * size) { 0 } else { value >> count }
}

fn load(state: &mut State<'_>, op: &MicroOp) -> Result<Step, Trouble> {
    let address = state.input(op, 1)? & state.address_mask;
    let value = match accessed(state, op, address, op.output_size)? {
        Accessed::Memory(address) => state.memory.load(address, op.output_size)?,
        Accessed::Registers(at) => state.read_state(at, op.output_size),
    };
    state.output(op, value)?;
    Ok(Step::Next)
}

fn store(state: &mut State<'_>, op: &MicroOp) -> Result<Step, Trouble> {
    let address = state.input(op, 1)? & state.address_mask;
    let value = state.input(op, 2)?;
    match accessed(state, op, address, op.sizes[2])? {
        Accessed::Memory(address) => state.memory.store(address, op.sizes[2], value)?,
        Accessed::Registers(at) => state.write_state(at, op.sizes[2], value),
    }
    Ok(Step::Next)
}

/// What a load or store reaches.
pub(crate) enum Accessed {
    Memory(Address),
    /// Registers chosen by number, at this offset of the state.
    Registers(u32),
}

/// What a load or store of `size` bytes reaches through the space that its first input names.
pub(crate) fn accessed(
    state: &State<'_>,
    op: &MicroOp,
    address: u64,
    size: u32,
) -> Result<Accessed, Trouble> {
    let Operand::Constant(space) = op.inputs[0] else {
        return Err(Trouble::Unimplemented(op.opcode));
    };
    if space == space_number(Space::Ram) {
        return Ok(Accessed::Memory(Address(address)));
    }
    let registers = space == space_number(Space::Register);
    let place = registers.then(|| state.registers.place(address, size)).flatten();
    place.map(Accessed::Registers).ok_or(Trouble::Unimplemented(op.opcode))
}

fn branch(state: &mut State<'_>, op: &MicroOp) -> Result<Step, Trouble> {
    match op.user_op {
        UserOp::WindowSave if !state.save_window() => return Err(Trouble::Depth),
        UserOp::WindowRestore => state.restore_window(),
        _ => {}
    }
    if op.opcode == Opcode::CBRANCH && state.input(op, 1)? & 0xff == 0 {
        return Ok(Step::Next);
    }
    Ok(match op.inputs[0] {
        Operand::Local(target) => Step::To(target),
        Operand::Target(address) if op.opcode == Opcode::CALL => Step::Leave(Leave::Call(address)),
        Operand::Target(address) => Step::Leave(Leave::Jump(address)),
        _ => Step::Next,
    })
}

fn user_op(state: &mut State<'_>, op: &MicroOp) -> Result<Step, Trouble> {
    match op.user_op {
        UserOp::SystemCall => {
            let number = state.operand(op.inputs[1], op.sizes[1])?;
            state.output(op, 0)?;
            return Ok(Step::Leave(Leave::SystemCall { number }));
        }
        UserOp::Trap => {
            let number = state.operand(op.inputs[1], op.sizes[1])?;
            return Ok(Step::Leave(Leave::Trap { number }));
        }
        UserOp::Succeeds => state.output(op, 1)?,
        UserOp::ThreadPointer => state.output(op, state.thread_pointer)?,
        UserOp::FirstArgument => {
            let value = state.operand(op.inputs[1], op.sizes[1])?;
            state.output(op, value)?;
        }
        UserOp::SignedSaturate
        | UserOp::UnsignedSaturate
        | UserOp::SignedDoesSaturate
        | UserOp::UnsignedDoesSaturate => {
            let value = sign_extend(state.operand(op.inputs[1], op.sizes[1])?, op.sizes[1]);
            let bits = state.operand(op.inputs[2], op.sizes[2])?;
            let result = match op.user_op {
                UserOp::SignedSaturate => saturate(value, bits, true),
                UserOp::UnsignedSaturate => saturate(value, bits, false),
                UserOp::SignedDoesSaturate => i64::from(saturate(value, bits, true) != value),
                _ => i64::from(saturate(value, bits, false) != value),
            };
            state.output(op, result as u64)?;
        }
        UserOp::Unmodelled => return Ok(Step::Leave(Leave::UserOp)),
        _ => state.output(op, 0)?,
    }
    Ok(Step::Next)
}

/// The nearest number that `bits` bits hold.
fn saturate(value: i64, bits: u64, signed: bool) -> i64 {
    if signed {
        let half = 1_i64 << (bits.clamp(1, 32) - 1);
        value.clamp(-half, half - 1)
    } else {
        value.clamp(0, (1 << bits.min(32)) - 1)
    }
}
