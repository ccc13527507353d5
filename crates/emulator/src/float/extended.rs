//! Formats wider than a double: x87 and 68881 (64 bits of significand) and quadruple precision.

use crate::block::MicroOp;
use crate::interpreter::Trouble;
use crate::machine::State;
use crate::wide::{self, Wide};
use miyaburi_pcode::Opcode;
use rustc_apfloat::ieee::{Double, Quad, Single, X87DoubleExtended};
use rustc_apfloat::{Float, FloatConvert, Round, Status};

const NEAREST: Round = Round::NearestTiesToEven;

/// A format by its size in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Single,
    Double,
    /// Registers of the x87 and the 68881: sign, 15 bits of exponent, 64 bits of significand.
    Extended,
    /// The same in the 68881's memory: two zero bytes behind sign and exponent.
    PaddedExtended,
    Quad,
}

impl Format {
    fn of_size(size: u32) -> Option<Self> {
        Some(match size {
            4 => Self::Single,
            8 => Self::Double,
            10 => Self::Extended,
            12 => Self::PaddedExtended,
            16 => Self::Quad,
            _ => return None,
        })
    }

    /// The number, which quadruple precision holds exactly.
    fn decode(self, bits: u128) -> Quad {
        let mut inexact = false;
        match self {
            Self::Single => Single::from_bits(bits).convert(&mut inexact).value,
            Self::Double => Double::from_bits(bits).convert(&mut inexact).value,
            Self::Extended => X87DoubleExtended::from_bits(bits).convert(&mut inexact).value,
            Self::PaddedExtended => {
                let significand = bits & u128::from(u64::MAX);
                Self::Extended.decode((bits >> 80 << 64) | significand)
            }
            Self::Quad => Quad::from_bits(bits),
        }
    }

    /// Rounds to this format.
    fn encode(self, value: Quad) -> u128 {
        let mut inexact = false;
        match self {
            Self::Single => Single::to_bits(value.convert_r(NEAREST, &mut inexact).value),
            Self::Double => Double::to_bits(value.convert_r(NEAREST, &mut inexact).value),
            Self::Extended => extended(value).to_bits(),
            Self::PaddedExtended => {
                let bits = extended(value).to_bits();
                (bits >> 64 << 80) | (bits & u128::from(u64::MAX))
            }
            Self::Quad => value.to_bits(),
        }
    }

    /// Applies `operation` in this format, so that it rounds once.
    fn arithmetic(self, opcode: Opcode, a: Quad, b: Quad) -> Quad {
        match self {
            Self::Quad => calculate(opcode, a, b, NEAREST),
            _ => quad(calculate(opcode, extended(a), extended(b), NEAREST)),
        }
    }

    /// Bits of the significand, when it fits into 64.
    fn precision(self) -> Option<i32> {
        match self {
            Self::Single => Some(24),
            Self::Double => Some(53),
            Self::Extended | Self::PaddedExtended => Some(64),
            Self::Quad => None,
        }
    }
}

fn extended(value: Quad) -> X87DoubleExtended {
    value.convert_r(NEAREST, &mut false).value
}

fn quad(value: X87DoubleExtended) -> Quad {
    value.convert(&mut false).value
}

fn calculate<F: Float>(opcode: Opcode, a: F, b: F, round: Round) -> F {
    match opcode {
        Opcode::FLOAT_ADD => a.add_r(b, round).value,
        Opcode::FLOAT_SUB => a.sub_r(b, round).value,
        Opcode::FLOAT_MULT => a.mul_r(b, round).value,
        _ => a.div_r(b, round).value,
    }
}

/// One of the four operations on singles or doubles, rounded as `round` says; all are bits.
pub(super) fn directed(op: &MicroOp, left: u64, right: u64, round: Round) -> u64 {
    let (left, right) = (u128::from(left), u128::from(right));
    let bits = if op.sizes[0] == 4 {
        let (a, b) = (Single::from_bits(left), Single::from_bits(right));
        calculate(op.opcode, a, b, round).to_bits()
    } else {
        let (a, b) = (Double::from_bits(left), Double::from_bits(right));
        calculate(op.opcode, a, b, round).to_bits()
    };
    bits as u64
}

/// Executes a floating-point operation that has an operand of more than eight bytes; anything else
/// is unimplemented.
pub(crate) fn step(state: &mut State<'_>, op: &MicroOp) -> Result<(), Trouble> {
    use Opcode as O;
    let unimplemented = Trouble::Unimplemented(op.opcode);
    let left = wide::input(state, op, 0)?.low();
    if op.opcode == O::FLOAT_INT2FLOAT {
        let format = Format::of_size(op.output_size).ok_or(unimplemented)?;
        let bits = of_integer(sign_extend(left, op.sizes[0]), format);
        return Ok(wide::output(state, op, &Wide::from_low(bits))?);
    }
    let format = Format::of_size(op.sizes[0]).ok_or(unimplemented)?;
    let a = format.decode(left);
    let value = match op.opcode {
        O::FLOAT_TRUNC => {
            let bits = truncate(a, op.output_size);
            return Ok(wide::output(state, op, &Wide::from_low(bits))?);
        }
        O::FLOAT_NAN => return Ok(state.output(op, u64::from(a.is_nan()))?),
        O::FLOAT_EQUAL | O::FLOAT_NOTEQUAL | O::FLOAT_LESS | O::FLOAT_LESSEQUAL => {
            let b = second(state, op)?;
            let holds = match op.opcode {
                O::FLOAT_EQUAL => a == b,
                O::FLOAT_NOTEQUAL => a != b,
                O::FLOAT_LESS => a < b,
                _ => a <= b,
            };
            return Ok(state.output(op, u64::from(holds))?);
        }
        O::FLOAT_ADD | O::FLOAT_SUB | O::FLOAT_MULT | O::FLOAT_DIV => {
            let b = second(state, op)?;
            format.arithmetic(op.opcode, a, b)
        }
        O::FLOAT_NEG => -a,
        O::FLOAT_ABS => a.abs(),
        O::FLOAT_SQRT => square_root(a, format.precision().ok_or(unimplemented)?),
        O::FLOAT_CEIL => a.round_to_integral(Round::TowardPositive).value,
        O::FLOAT_FLOOR => a.round_to_integral(Round::TowardNegative).value,
        O::FLOAT_ROUND => a.round_to_integral(NEAREST).value,
        O::FLOAT_FLOAT2FLOAT => a,
        _ => return Err(unimplemented),
    };
    let target = Format::of_size(op.output_size).ok_or(unimplemented)?;
    // A number that is copied within a format keeps its bits, not-a-numbers included.
    let bits = match op.opcode {
        O::FLOAT_FLOAT2FLOAT if target == format => left,
        _ => target.encode(value),
    };
    Ok(wide::output(state, op, &Wide::from_low(bits))?)
}

fn second(state: &mut State<'_>, op: &MicroOp) -> Result<Quad, Trouble> {
    let format = Format::of_size(op.sizes[1]).ok_or(Trouble::Unimplemented(op.opcode))?;
    Ok(format.decode(wide::input(state, op, 1)?.low()))
}

fn sign_extend(value: u128, size: u32) -> i128 {
    let unused = 128 - 8 * size.clamp(1, 16);
    (value << unused) as i128 >> unused
}

fn of_integer(value: i128, format: Format) -> u128 {
    match format {
        Format::Single => Single::from_i128_r(value, NEAREST).value.to_bits(),
        Format::Double => Double::from_i128_r(value, NEAREST).value.to_bits(),
        Format::Extended => X87DoubleExtended::from_i128_r(value, NEAREST).value.to_bits(),
        Format::PaddedExtended | Format::Quad => {
            format.encode(Quad::from_i128_r(value, NEAREST).value)
        }
    }
}

/// The integer part as a number of `size` bytes, as [`super::truncate`] gives it.
fn truncate(value: Quad, size: u32) -> u128 {
    let width = 8 * size.clamp(1, 16) as usize;
    let mask = if size >= 16 { u128::MAX } else { (1 << width) - 1 };
    let whole = value.round_to_integral(Round::TowardZero).value;
    if !whole.is_negative() {
        let unsigned = whole.to_u128_r(width, Round::TowardZero, &mut false);
        if !unsigned.status.contains(Status::INVALID_OP) {
            return unsigned.value;
        }
    }
    whole.to_i128_r(width, Round::TowardZero, &mut false).value as u128 & mask
}

/// The square root, rounded to `precision` bits, of a number that has no more.
fn square_root(value: Quad, precision: i32) -> Quad {
    if value.is_zero() || value.is_nan() || (value.is_infinite() && !value.is_negative()) {
        return value;
    }
    if value.is_negative() {
        return Quad::NAN;
    }
    // value = significand * 2^(exponent - shift), an even power, with twice the root's bits.
    let exponent = value.ilogb();
    let shift = 2 * precision - 2 + (exponent & 1);
    let scaled = value.scalbn_r(shift - exponent, NEAREST);
    let significand = scaled.to_u128_r(128, Round::TowardZero, &mut false).value;
    let root = significand.isqrt();
    // Nearest: up when the remainder is beyond root + 1/2; a tie cannot be.
    let root = root + u128::from(significand - root * root > root);
    let half = (exponent - shift) / 2;
    Quad::from_u128_r(root, NEAREST).value.scalbn_r(half, NEAREST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_roots_are_those_of_the_host() {
        for value in [1.0_f64, 2.0, 3.0, 4.0, 0.1, 1e300, 5e-320, 123_456.789] {
            let input = Format::Double.decode(u128::from(value.to_bits()));
            let root = Format::Double.encode(square_root(input, 53));
            assert_eq!(root, u128::from(value.sqrt().to_bits()), "{value}");
        }
        let four = Format::Double.decode(u128::from(4.0_f64.to_bits()));
        assert_eq!(Format::Extended.encode(square_root(four, 64)), (0x4000 << 64) | (1 << 63));
        let minus = Format::Double.decode(u128::from((-1.0_f64).to_bits()));
        assert!(square_root(minus, 53).is_nan());
    }

    #[test]
    fn extended_numbers_survive_the_way_through_memory() {
        // 1.5, as register and in the 68881's memory.
        let (register, memory) = (0x3fff_c000_0000_0000_0000_u128, 0x3fff_0000_c000_0000_0000_0000);
        assert_eq!(Format::PaddedExtended.encode(Format::Extended.decode(register)), memory);
        assert_eq!(Format::Extended.encode(Format::PaddedExtended.decode(memory)), register);
    }

    #[test]
    fn integers_saturate() {
        let large = Format::Double.decode(u128::from(1e30_f64.to_bits()));
        assert_eq!(truncate(large, 4), 0x7fff_ffff);
        assert_eq!(truncate(-large, 8) as u64, 1 << 63);
        assert_eq!(truncate(Quad::NAN, 8), 0);
    }
}
