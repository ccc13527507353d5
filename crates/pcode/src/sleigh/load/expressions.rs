//! Expressions.

use super::{Loader, MAX_DEPTH, OperandReference, Result};
use crate::lifter::CONTEXT_WORDS;
use crate::sleigh::format::{attribute, element};
use crate::sleigh::model::{BinaryOperator, ContextField, Expression, Id, TokenField};

impl Loader<'_> {
    pub(super) fn read_expression(&mut self, depth: u32) -> Result<Id<Expression>> {
        let kind = self.reader.open()?;
        if depth > MAX_DEPTH {
            return Err(self.reader.unsupported("an expression this deep"));
        }
        let expression = match kind {
            element::TOKENFIELD => Expression::Token(self.token_field()?),
            element::CONTEXTFIELD => Expression::Context(self.context_field()?),
            element::INTB => Expression::Constant(self.reader.signed(attribute::VAL)?),
            element::OPERAND_EXP => return self.read_operand_reference(),
            element::START_EXP => Expression::Start,
            element::END_EXP => Expression::Next,
            element::NEXT2_EXP => return Err(self.reader.unsupported("inst_next2")),
            element::MINUS_EXP => Expression::Negate(self.read_expression(depth + 1)?),
            element::NOT_EXP => Expression::Complement(self.read_expression(depth + 1)?),
            _ => {
                let Some(operator) = binary_operator(kind) else {
                    return Err(self.reader.malformed("unknown kind of expression"));
                };
                let left = self.read_expression(depth + 1)?;
                let right = self.read_expression(depth + 1)?;
                Expression::Binary(operator, left, right)
            }
        };
        self.reader.close()?;
        Ok(self.specification.expressions.push(expression))
    }

    /// The bits from `STARTBIT` to `ENDBIT`, of which there are at most `most`.
    fn bits(&self, most: u8) -> Result<(u16, u8)> {
        let start: u16 = self.reader.small(attribute::STARTBIT)?;
        let end: u16 = self.reader.small(attribute::ENDBIT)?;
        match end.checked_sub(start) {
            Some(distance) if distance < u16::from(most) => Ok((start, distance as u8 + 1)),
            _ => Err(self.reader.malformed("bits of a field")),
        }
    }

    fn token_field(&self) -> Result<TokenField> {
        let (_, bits) = self.bits(64)?;
        let first_byte: u8 = self.reader.small(attribute::STARTBYTE)?;
        let last_byte: u8 = self.reader.small(attribute::ENDBYTE)?;
        let bytes = match last_byte.checked_sub(first_byte) {
            Some(distance @ 0..8) => distance + 1,
            _ => return Err(self.reader.malformed("bytes of a field")),
        };
        let shift: u8 = self.reader.small(attribute::SHIFT)?;
        if shift > 63 {
            return Err(self.reader.malformed("shift of a field"));
        }
        Ok(TokenField {
            big_endian: self.reader.flag(attribute::BIGENDIAN)?,
            signed: self.reader.flag(attribute::SIGNBIT)?,
            bits,
            first_byte,
            bytes,
            shift,
        })
    }

    fn context_field(&self) -> Result<ContextField> {
        let (start, bits) = self.bits(32)?;
        if usize::from(start) + usize::from(bits) > 32 * CONTEXT_WORDS {
            return Err(self.reader.unsupported("this much context"));
        }
        Ok(ContextField { signed: self.reader.flag(attribute::SIGNBIT)?, start, bits })
    }

    fn read_operand_reference(&mut self) -> Result<Id<Expression>> {
        let operand = self.reader.small(attribute::INDEX)?;
        let table = self.reader.small(attribute::TABLE)?;
        let constructor = self.reader.small(attribute::CT)?;
        self.reader.close()?;
        // The constructor is filled in when every table is read.
        let unresolved = Expression::Operand { constructor: Id::new(u32::MAX), operand };
        let expression = self.specification.expressions.push(unresolved);
        self.operand_references.push(OperandReference { expression, table, constructor });
        Ok(expression)
    }
}

fn binary_operator(kind: u16) -> Option<BinaryOperator> {
    Some(match kind {
        element::PLUS_EXP => BinaryOperator::Add,
        element::SUB_EXP => BinaryOperator::Subtract,
        element::MULT_EXP => BinaryOperator::Multiply,
        element::DIV_EXP => BinaryOperator::Divide,
        element::LSHIFT_EXP => BinaryOperator::ShiftLeft,
        element::RSHIFT_EXP => BinaryOperator::ShiftRight,
        element::AND_EXP => BinaryOperator::And,
        element::OR_EXP => BinaryOperator::Or,
        element::XOR_EXP => BinaryOperator::Xor,
        _ => return None,
    })
}
