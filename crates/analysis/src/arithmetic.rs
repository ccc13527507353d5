//! Integer P-code operations on known operands of at most eight bytes.

use miyaburi_pcode::Opcode;

/// All ones over `size` bytes; everything from eight bytes on is 64 bits.
pub(crate) const fn mask(size: u32) -> u64 {
    if size >= 8 { u64::MAX } else { (1 << (size * 8)) - 1 }
}

/// The low `size` bytes of `value` as a signed number.
pub(crate) const fn signed(value: u64, size: u32) -> i64 {
    if size == 0 || size >= 8 {
        return value as i64;
    }
    let unused = 64 - size * 8;
    ((value << unused) as i64) >> unused
}

/// The result of an operation on one operand, or `None` when it is not integer arithmetic.
pub(crate) fn unary(opcode: Opcode, value: u64, size: u32, out: u32) -> Option<u64> {
    let value = value & mask(size);
    let result = match opcode {
        Opcode::COPY | Opcode::INT_ZEXT => value,
        Opcode::INT_SEXT => signed(value, size) as u64,
        Opcode::INT_2COMP => value.wrapping_neg(),
        Opcode::INT_NEGATE => !value,
        Opcode::BOOL_NEGATE => u64::from(value & 1 == 0),
        Opcode::POPCOUNT => u64::from(value.count_ones()),
        Opcode::LZCOUNT => {
            u64::from(value.leading_zeros()).checked_sub(64 - u64::from(size.min(8)) * 8)?
        }
        _ => return None,
    };
    Some(result & mask(out))
}

/// The result of an operation on two operands of which the first has `size` bytes and the second
/// `second_size`; `None` when it is not integer arithmetic or undefined.
pub(crate) fn binary(
    opcode: Opcode,
    first: u64,
    size: u32,
    second: u64,
    second_size: u32,
    out: u32,
) -> Option<u64> {
    let (a, b) = (first & mask(size), second & mask(second_size));
    let (signed_a, signed_b) = (signed(a, size), signed(b, second_size));
    let result = match opcode {
        Opcode::INT_ADD => a.wrapping_add(b),
        Opcode::INT_SUB => a.wrapping_sub(b),
        Opcode::INT_MULT => a.wrapping_mul(b),
        Opcode::INT_AND | Opcode::BOOL_AND => a & b,
        Opcode::INT_OR | Opcode::BOOL_OR => a | b,
        Opcode::INT_XOR | Opcode::BOOL_XOR => a ^ b,
        Opcode::INT_LEFT => shift(a, b, size, |a, b| a << b),
        Opcode::INT_RIGHT => shift(a, b, size, |a, b| a >> b),
        Opcode::INT_SRIGHT => (signed_a >> b.min(63)) as u64,
        Opcode::INT_DIV => a.checked_div(b)?,
        Opcode::INT_REM => a.checked_rem(b)?,
        Opcode::INT_SDIV => signed_a.checked_div(signed_b)? as u64,
        Opcode::INT_SREM => signed_a.checked_rem(signed_b)? as u64,
        Opcode::INT_EQUAL => u64::from(a == b),
        Opcode::INT_NOTEQUAL => u64::from(a != b),
        Opcode::INT_LESS => u64::from(a < b),
        Opcode::INT_LESSEQUAL => u64::from(a <= b),
        Opcode::INT_SLESS => u64::from(signed_a < signed_b),
        Opcode::INT_SLESSEQUAL => u64::from(signed_a <= signed_b),
        Opcode::INT_CARRY => u64::from(a.wrapping_add(b) & mask(size) < a),
        Opcode::INT_SCARRY => overflow(i128::from(signed_a) + i128::from(signed_b), size),
        Opcode::INT_SBORROW => overflow(i128::from(signed_a) - i128::from(signed_b), size),
        Opcode::PIECE if second_size < 8 => a << (second_size * 8) | b,
        Opcode::SUBPIECE if b < 8 => a >> (b * 8),
        Opcode::SUBPIECE => 0,
        _ => return None,
    };
    Some(result & mask(out))
}

fn shift(value: u64, count: u64, size: u32, by: impl Fn(u64, u32) -> u64) -> u64 {
    if count < u64::from(size.min(8)) * 8 { by(value, count as u32) } else { 0 }
}

fn overflow(exact: i128, size: u32) -> u64 {
    let limit = 1i128 << (size.clamp(1, 8) * 8 - 1);
    u64::from(exact < -limit || exact >= limit)
}

#[cfg(test)]
mod tests {
    use super::{binary, signed, unary};
    use miyaburi_pcode::Opcode;

    #[test]
    fn results_wrap_at_their_size() {
        assert_eq!(binary(Opcode::INT_ADD, 0xffff_ffff, 4, 2, 4, 4), Some(1));
        assert_eq!(binary(Opcode::INT_LEFT, 1, 4, 32, 4, 4), Some(0));
        assert_eq!(binary(Opcode::INT_SRIGHT, 0x8000_0000, 4, 40, 4, 4), Some(0xffff_ffff));
        assert_eq!(unary(Opcode::INT_SEXT, 0x80, 1, 4), Some(0xffff_ff80));
        assert_eq!(unary(Opcode::LZCOUNT, 1, 4, 4), Some(31));
        assert_eq!(signed(0xfffe, 2), -2);
    }

    #[test]
    fn flags_follow_the_manual() {
        assert_eq!(binary(Opcode::INT_CARRY, 0xff, 1, 1, 1, 1), Some(1));
        assert_eq!(binary(Opcode::INT_SCARRY, 0x7f, 1, 1, 1, 1), Some(1));
        assert_eq!(binary(Opcode::INT_SBORROW, 0x80, 1, 1, 1, 1), Some(1));
        assert_eq!(binary(Opcode::INT_SBORROW, 5, 4, 7, 4, 1), Some(0));
    }

    #[test]
    fn undefined_and_other_operations_have_no_result() {
        assert_eq!(binary(Opcode::INT_DIV, 1, 4, 0, 4, 4), None);
        assert_eq!(binary(Opcode::INT_SDIV, 1 << 63, 8, u64::MAX, 8, 8), None);
        assert_eq!(binary(Opcode::FLOAT_ADD, 1, 4, 1, 4, 4), None);
        assert_eq!(unary(Opcode::LOAD, 1, 4, 4), None);
    }
}
