//! Operations on values wider than eight bytes: vector registers and double-width results.

use crate::block::{MicroOp, Operand, size_mask};
use crate::interpreter::{Accessed, Trouble, accessed};
use crate::machine::State;
use crate::memory::MemoryError;
use miyaburi_image::{Address, Endian};
use miyaburi_pcode::Opcode;

/// Widest operand, in bytes: an AVX-512 register.
const MAX_WIDTH: usize = 64;

/// A value of up to 64 bytes, least significant first, zero beyond its size.
#[derive(Clone, Copy)]
pub(crate) struct Wide([u8; MAX_WIDTH]);

impl Wide {
    /// The low 16 bytes.
    pub(crate) fn low(&self) -> u128 {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0[..16]);
        u128::from_le_bytes(bytes)
    }

    pub(crate) fn from_low(value: u128) -> Self {
        let mut bytes = [0; MAX_WIDTH];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        Self(bytes)
    }

    fn map2(&self, other: &Self, combine: impl Fn(u8, u8) -> u8) -> Self {
        let mut bytes = [0; MAX_WIDTH];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = combine(self.0[index], other.0[index]);
        }
        Self(bytes)
    }

    /// Moves bytes towards the less significant end, zeros coming in.
    fn bytes_down(&self, count: usize) -> Self {
        let mut bytes = [0; MAX_WIDTH];
        let count = count.min(MAX_WIDTH);
        bytes[..MAX_WIDTH - count].copy_from_slice(&self.0[count..]);
        Self(bytes)
    }

    /// Moves bytes towards the more significant end, zeros coming in.
    fn bytes_up(&self, count: usize) -> Self {
        let mut bytes = [0; MAX_WIDTH];
        let count = count.min(MAX_WIDTH);
        bytes[count..].copy_from_slice(&self.0[..MAX_WIDTH - count]);
        Self(bytes)
    }
}

/// Executes one operation that has a wide operand.
pub(crate) fn step(state: &mut State<'_>, op: &MicroOp) -> Result<(), Trouble> {
    use Opcode as O;
    let size = op.sizes[0];
    if op.sizes.iter().chain([&op.output_size]).any(|size| *size as usize > MAX_WIDTH) {
        return Err(Trouble::Unimplemented(op.opcode));
    }
    let fits = op.sizes.iter().all(|size| *size <= 16) && op.output_size <= 16;
    let value = match op.opcode {
        O::COPY | O::INT_ZEXT => input(state, op, 0)?,
        O::LOAD => {
            let address = state.input(op, 1)? & state.address_mask;
            match accessed(state, op, address, op.output_size)? {
                Accessed::Memory(address) => read_memory(state, address, op.output_size)?,
                Accessed::Registers(at) => {
                    from_bytes(state.endian, state.state_bytes(at, op.output_size))
                }
            }
        }
        O::STORE => {
            let address = state.input(op, 1)? & state.address_mask;
            let value = input(state, op, 2)?;
            match accessed(state, op, address, op.sizes[2])? {
                Accessed::Memory(address) => write_memory(state, address, op.sizes[2], &value)?,
                Accessed::Registers(at) => write_registers(state, at, op.sizes[2], &value),
            }
            return Ok(());
        }
        O::INT_AND => input(state, op, 0)?.map2(&input(state, op, 1)?, |a, b| a & b),
        O::INT_OR => input(state, op, 0)?.map2(&input(state, op, 1)?, |a, b| a | b),
        O::INT_XOR => input(state, op, 0)?.map2(&input(state, op, 1)?, |a, b| a ^ b),
        O::INT_NEGATE => {
            let mask = Wide([0xff; MAX_WIDTH]);
            input(state, op, 0)?.map2(&mask, |a, b| a ^ b)
        }
        O::INT_EQUAL | O::INT_NOTEQUAL => {
            let equal = input(state, op, 0)?.0 == input(state, op, 1)?.0;
            Wide::from_low(u128::from(equal == (op.opcode == O::INT_EQUAL)))
        }
        O::PIECE => {
            let low = input(state, op, 1)?;
            let high = input(state, op, 0)?.bytes_up(op.sizes[1] as usize);
            low.map2(&high, |a, b| a | b)
        }
        O::SUBPIECE => {
            let skip = usize::try_from(state.input(op, 1)?).unwrap_or(MAX_WIDTH);
            input(state, op, 0)?.bytes_down(skip)
        }
        O::INT_LEFT | O::INT_RIGHT if !fits => {
            let count = input(state, op, 1)?.low();
            if count % 8 != 0 {
                return Err(Trouble::Unimplemented(op.opcode));
            }
            let bytes = usize::try_from(count / 8).unwrap_or(MAX_WIDTH);
            let value = input(state, op, 0)?;
            if op.opcode == O::INT_LEFT { value.bytes_up(bytes) } else { value.bytes_down(bytes) }
        }
        _ if fits && size > 0 => {
            let left = input(state, op, 0)?.low();
            let right = input(state, op, 1)?.low();
            Wide::from_low(double_word(op, left, right, size)?)
        }
        _ => return Err(Trouble::Unimplemented(op.opcode)),
    };
    Ok(output(state, op, &value)?)
}

/// Arithmetic on 1 to 16 bytes.
fn double_word(op: &MicroOp, left: u128, right: u128, size: u32) -> Result<u128, Trouble> {
    use Opcode as O;
    let bits = 8 * size;
    let signed = |value: u128| ((value << (128 - bits)) as i128) >> (128 - bits);
    Ok(match op.opcode {
        O::INT_ADD => left.wrapping_add(right),
        O::INT_SUB => left.wrapping_sub(right),
        O::INT_MULT => left.wrapping_mul(right),
        O::INT_DIV => left.checked_div(right).ok_or(Trouble::DivisionByZero)?,
        O::INT_REM => left.checked_rem(right).ok_or(Trouble::DivisionByZero)?,
        O::INT_SDIV | O::INT_SREM => {
            let (left, right) = (signed(left), signed(right));
            if right == 0 {
                return Err(Trouble::DivisionByZero);
            }
            let divide = op.opcode == O::INT_SDIV;
            (if divide { left.wrapping_div(right) } else { left.wrapping_rem(right) }) as u128
        }
        O::INT_SEXT => signed(left) as u128,
        O::INT_2COMP => left.wrapping_neg(),
        O::INT_LEFT if right < u128::from(bits) => left << right,
        O::INT_RIGHT if right < u128::from(bits) => left >> right,
        O::INT_LEFT | O::INT_RIGHT => 0,
        O::INT_SRIGHT => (signed(left) >> right.min(127)) as u128,
        O::INT_LESS => u128::from(left < right),
        O::INT_LESSEQUAL => u128::from(left <= right),
        O::INT_SLESS => u128::from(signed(left) < signed(right)),
        O::INT_SLESSEQUAL => u128::from(signed(left) <= signed(right)),
        O::INT_CARRY => {
            let mask = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
            u128::from(left.wrapping_add(right) & mask < left)
        }
        O::POPCOUNT => u128::from(left.count_ones()),
        O::LZCOUNT => u128::from(left.leading_zeros().saturating_sub(128 - bits)),
        _ => return Err(Trouble::Unimplemented(op.opcode)),
    })
}

/// Input `slot`, of any width.
pub(crate) fn input(state: &mut State<'_>, op: &MicroOp, slot: usize) -> Result<Wide, MemoryError> {
    let size = op.sizes[slot];
    if size <= 8 {
        return Ok(Wide::from_low(u128::from(state.input(op, slot)? & size_mask(size))));
    }
    match op.inputs[slot] {
        Operand::State(offset) => Ok(from_bytes(state.endian, state.state_bytes(offset, size))),
        Operand::Memory(address) => read_memory(state, address, size),
        Operand::Constant(value) => Ok(Wide::from_low(u128::from(value))),
        _ => Ok(Wide::from_low(0)),
    }
}

/// Sets the output, of any width.
pub(crate) fn output(state: &mut State<'_>, op: &MicroOp, value: &Wide) -> Result<(), MemoryError> {
    if op.output_size <= 8 {
        return state.output(op, value.low() as u64);
    }
    match op.output {
        Operand::State(offset) => {
            write_registers(state, offset, op.output_size, value);
            Ok(())
        }
        Operand::Memory(address) => write_memory(state, address, op.output_size, value),
        _ => Ok(()),
    }
}

fn write_registers(state: &mut State<'_>, offset: u32, size: u32, value: &Wide) {
    let bytes = to_bytes(state.endian, value, size);
    for (to, from) in state.state_bytes_mut(offset, size).iter_mut().zip(bytes) {
        *to = from;
    }
}

fn read_memory(state: &mut State<'_>, address: Address, size: u32) -> Result<Wide, MemoryError> {
    let mut bytes = [0; MAX_WIDTH];
    let length = (size as usize).min(MAX_WIDTH);
    state.memory.read(address, &mut bytes[..length])?;
    Ok(from_bytes(state.endian, &bytes[..length]))
}

fn write_memory(
    state: &mut State<'_>,
    address: Address,
    size: u32,
    value: &Wide,
) -> Result<(), MemoryError> {
    let bytes = to_bytes(state.endian, value, size);
    state.memory.write(address, &bytes[..(size as usize).min(MAX_WIDTH)])
}

fn from_bytes(endian: Endian, bytes: &[u8]) -> Wide {
    let mut value = [0; MAX_WIDTH];
    for (index, byte) in bytes.iter().take(MAX_WIDTH).enumerate() {
        let at = match endian {
            Endian::Little => index,
            Endian::Big => bytes.len().min(MAX_WIDTH) - 1 - index,
        };
        value[at] = *byte;
    }
    Wide(value)
}

fn to_bytes(endian: Endian, value: &Wide, size: u32) -> [u8; MAX_WIDTH] {
    let mut bytes = value.0;
    if endian == Endian::Big {
        bytes[..(size as usize).min(MAX_WIDTH)].reverse();
    }
    bytes
}
