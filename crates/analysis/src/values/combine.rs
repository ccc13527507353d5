//! Operations on values that are not both constants.

use crate::arithmetic::mask;
use crate::values::Value;
use miyaburi_pcode::{Opcode, Varnode};

/// The result of an operation when not both operands are constants.
pub(crate) fn combine(
    opcode: Opcode,
    (a, first): (Value, &Varnode),
    (b, second): (Value, &Varnode),
    same: bool,
    size: u32,
) -> Value {
    match (opcode, a, b) {
        (Opcode::INT_XOR | Opcode::INT_SUB, ..) if same => Value::Constant(0),
        (Opcode::INT_AND | Opcode::INT_OR, ..) if same => a,
        (Opcode::INT_ADD, value, Value::Constant(added))
        | (Opcode::INT_ADD, Value::Constant(added), value) => value.plus(added, size),
        (Opcode::INT_SUB, value, Value::Constant(taken)) => value.plus(taken.wrapping_neg(), size),
        (Opcode::INT_SUB, a, b) => a
            .distance_from(b)
            .map_or(Value::Unknown, |distance| Value::Constant(distance & mask(size))),
        (Opcode::INT_AND | Opcode::INT_MULT, _, Value::Constant(0))
        | (Opcode::INT_AND | Opcode::INT_MULT, Value::Constant(0), _) => Value::Constant(0),
        (Opcode::INT_AND, value, Value::Constant(bits))
        | (Opcode::INT_AND, Value::Constant(bits), value) => masked(value, bits, size),
        (Opcode::INT_OR | Opcode::INT_XOR, value, Value::Constant(0))
        | (Opcode::INT_OR | Opcode::INT_XOR, Value::Constant(0), value) => value,
        (
            Opcode::INT_LEFT | Opcode::INT_RIGHT | Opcode::INT_SRIGHT | Opcode::SUBPIECE,
            value,
            Value::Constant(0),
        ) => value.truncated(size),
        (Opcode::PIECE, Value::Constant(0), value) => {
            value.truncated(second.size.min(first.size + second.size))
        }
        _ => Value::Unknown,
    }
}

/// A value with a mask laid over it: rounding a stack pointer down keeps it one (the frame is then
/// relative to the rounded pointer), and cutting a value to its low bytes keeps its name.
fn masked(value: Value, bits: u64, size: u32) -> Value {
    let cleared = !bits & mask(size);
    match value {
        Value::StackOffset(offset) if cleared & cleared.wrapping_add(1) == 0 && cleared < 4096 => {
            Value::StackOffset(offset & !(cleared as i64))
        }
        Value::StackOffset(_) => Value::Unknown,
        value if matches!(bits, 0xff | 0xffff | 0xffff_ffff) => value,
        // Code pointers lose their mode bit so, and aligned pointers nothing.
        value if cleared == 0 || cleared == 1 => value,
        _ => Value::Unknown,
    }
}
