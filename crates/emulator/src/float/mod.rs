//! IEEE 754 arithmetic: singles and doubles on the host's own, wider formats in software.
//!
//! Rounding is to nearest, ties to even, but for the four operations on CPUs whose compilers change
//! the mode; exceptions are not modelled, and which not-a-number a
//! result is follows the host, not the CPU.

mod extended;

use crate::block::{MicroOp, sign_extend, size_mask};
use crate::interpreter::Trouble;
use crate::machine::State;
use crate::user_op::UserOp;
use miyaburi_pcode::Opcode;
use rustc_apfloat::Round;

pub(crate) use extended::step as step_wide;

/// Executes a floating-point operation on at most eight bytes; anything else is unimplemented.
pub(crate) fn step(state: &mut State<'_>, op: &MicroOp) -> Result<(), Trouble> {
    use Opcode as O;
    let left = state.input(op, 0)?;
    let size = op.sizes[0];
    if op.opcode == O::FLOAT_INT2FLOAT {
        let value = sign_extend(left, size);
        // Rounded once, in the width of the result.
        let bits = match op.output_size {
            4 => u64::from((value as f32).to_bits()),
            8 => (value as f64).to_bits(),
            _ => return Err(Trouble::Unimplemented(op.opcode)),
        };
        return Ok(state.output(op, bits)?);
    }
    if !matches!(size, 4 | 8) {
        return Err(Trouble::Unimplemented(op.opcode));
    }
    let a = decode(left, size);
    let value = match op.opcode {
        O::FLOAT_TRUNC => return Ok(state.output(op, truncate(a, op.output_size))?),
        O::FLOAT_NAN => return Ok(state.output(op, u64::from(a.is_nan()))?),
        O::FLOAT_EQUAL | O::FLOAT_NOTEQUAL | O::FLOAT_LESS | O::FLOAT_LESSEQUAL => {
            let b = decode(state.input(op, 1)?, op.sizes[1]);
            let holds = match op.opcode {
                O::FLOAT_EQUAL => a == b,
                O::FLOAT_NOTEQUAL => a != b,
                O::FLOAT_LESS => a < b,
                _ => a <= b,
            };
            return Ok(state.output(op, u64::from(holds))?);
        }
        O::FLOAT_ADD | O::FLOAT_SUB if op.user_op != UserOp::None => {
            let b = decode(state.input(op, 1)?, op.sizes[1]);
            let c = decode(state.input(op, 2)?, op.sizes[2]);
            return Ok(state.output(op, fused(op, a, b, c))?);
        }
        O::FLOAT_ADD | O::FLOAT_SUB | O::FLOAT_MULT | O::FLOAT_DIV => {
            let right = state.input(op, 1)?;
            if let Some(round) = directed_rounding(state) {
                let bits = extended::directed(op, left, right, round);
                return Ok(state.output(op, bits)?);
            }
            let b = decode(right, op.sizes[1]);
            match op.opcode {
                O::FLOAT_ADD => a + b,
                O::FLOAT_SUB => a - b,
                O::FLOAT_MULT => a * b,
                _ => a / b,
            }
        }
        O::FLOAT_NEG => -a,
        O::FLOAT_ABS => a.abs(),
        O::FLOAT_SQRT => a.sqrt(),
        O::FLOAT_CEIL => a.ceil(),
        O::FLOAT_FLOOR => a.floor(),
        O::FLOAT_ROUND => a.round_ties_even(),
        O::FLOAT_FLOAT2FLOAT => a,
        _ => return Err(Trouble::Unimplemented(op.opcode)),
    };
    // Double arithmetic on singles rounds the same after conversion: 53 >= 2 * 24 + 2 bits.
    let bits = match op.output_size {
        4 => u64::from((value as f32).to_bits()),
        8 => value.to_bits(),
        _ => return Err(Trouble::Unimplemented(op.opcode)),
    };
    Ok(state.output(op, bits)?)
}

/// The rounding mode, when it is not to nearest.
fn directed_rounding(state: &State<'_>) -> Option<Round> {
    let at = state.rounding_mode?;
    match (state.read_state(at, 1), state.read_state(at + 1, 1)) {
        (0, 0) => None,
        (0, _) => Some(Round::TowardZero),
        (_, 0) => Some(Round::TowardPositive),
        _ => Some(Round::TowardNegative),
    }
}

/// A product and a sum that are rounded once, as the bits of the result.
fn fused(op: &MicroOp, a: f64, b: f64, c: f64) -> u64 {
    let (a, c) = match op.user_op {
        UserOp::ProductPlus => (a, c),
        UserOp::ProductMinus => (a, -c),
        UserOp::MinusProductMinus => (-a, -c),
        _ => (-a, c),
    };
    if op.output_size == 4 {
        u64::from((a as f32).mul_add(b as f32, c as f32).to_bits())
    } else {
        a.mul_add(b, c).to_bits()
    }
}

fn decode(bits: u64, size: u32) -> f64 {
    if size == 4 { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) }
}

/// The integer part as a number of `size` bytes: P-code has one operation for signed and unsigned
/// ones, so that the bits of either are right; what neither holds is saturated as a signed one.
fn truncate(value: f64, size: u32) -> u64 {
    let bits = 8 * size.clamp(1, 8);
    if value < (bits as f64).exp2() && value >= -((bits - 1) as f64).exp2() {
        value as i128 as u64
    } else if value > 0.0 {
        size_mask(size) >> 1
    } else {
        u64::from(value < 0.0) << (bits - 1)
    }
}
