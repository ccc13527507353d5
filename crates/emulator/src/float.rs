//! IEEE 754 single and double arithmetic on the host's own. Extended formats are not modelled:
//! an instruction that needs them ends the run as unimplemented.

use crate::block::MicroOp;
use crate::interpreter::Trouble;
use crate::machine::State;
use miyaburi_pcode::Opcode;

/// Executes a floating-point operation; anything else is unimplemented.
pub(crate) fn step(state: &mut State<'_>, op: &MicroOp) -> Result<(), Trouble> {
    use Opcode as O;
    let left = state.input(op, 0)?;
    let size = op.sizes[0];
    if !matches!(size, 4 | 8) && op.opcode != O::FLOAT_INT2FLOAT {
        return Err(Trouble::Unimplemented(op.opcode));
    }
    if op.opcode == O::FLOAT_INT2FLOAT {
        let value = crate::block::sign_extend(left, size);
        // Rounded once, in the width of the result.
        let bits = match op.output_size {
            4 => u64::from((value as f32).to_bits()),
            8 => (value as f64).to_bits(),
            _ => return Err(Trouble::Unimplemented(op.opcode)),
        };
        return Ok(state.output(op, bits)?);
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
        O::FLOAT_ADD | O::FLOAT_SUB | O::FLOAT_MULT | O::FLOAT_DIV => {
            let b = decode(state.input(op, 1)?, op.sizes[1]);
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
        O::FLOAT_ROUND => (a + 0.5).floor(),
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

fn decode(bits: u64, size: u32) -> f64 {
    if size == 4 { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) }
}

fn truncate(value: f64, size: u32) -> u64 {
    match size {
        4 => i64::from(value as i32) as u64,
        _ => value as i64 as u64,
    }
}
