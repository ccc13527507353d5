//! Expressions over instruction and context bits.

use super::{Constructor, Id};

/// A run of bits of an instruction token.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct TokenField {
    pub(in crate::sleigh) big_endian: bool,
    pub(in crate::sleigh) signed: bool,
    /// Number of bits, 1 to 64.
    pub(in crate::sleigh) bits: u8,
    /// First byte of the token that holds bits of the field.
    pub(in crate::sleigh) first_byte: u8,
    /// Bytes that hold bits of the field, 1 to 8.
    pub(in crate::sleigh) bytes: u8,
    /// Bits below the field in those bytes.
    pub(in crate::sleigh) shift: u8,
}

/// A run of context bits; bit 0 is the most significant of the first word.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct ContextField {
    pub(in crate::sleigh) signed: bool,
    pub(in crate::sleigh) start: u16,
    /// Number of bits, 1 to 32.
    pub(in crate::sleigh) bits: u8,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    ShiftLeft,
    ShiftRight,
    And,
    Or,
    Xor,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum Expression {
    Token(TokenField),
    Context(ContextField),
    Constant(i64),
    /// The value of an operand of an enclosing constructor.
    Operand {
        constructor: Id<Constructor>,
        operand: u8,
    },
    /// The instruction's address.
    Start,
    /// The address after the instruction.
    Next,
    Binary(BinaryOperator, Id<Expression>, Id<Expression>),
    Negate(Id<Expression>),
    Complement(Id<Expression>),
}

/// A step of an expression written as a list: it takes its operands from the end of the values so
/// far and appends its result.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum Step {
    /// Bits of the instruction, from the constructor's start.
    Token(TokenField),
    Context(ContextField),
    Constant(i64),
    /// The instruction's address.
    Start,
    /// The address after the instruction.
    Next,
    Binary(BinaryOperator),
    Negate,
    Complement,
}
