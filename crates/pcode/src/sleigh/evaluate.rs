//! Values of expressions over an instruction's bits.

use super::fault::Fault;
use super::model::{
    BinaryOperator, Constructor, ContextField, Definition, Expression, Id, Specification, Step,
    Symbol, TokenField,
};
use super::parse::{NodeIndex, Parse};

/// Nesting of expressions, references to operands included.
const MAX_DEPTH: u32 = 128;

/// The most values that a list of steps needs at the same time.
pub(super) const MAX_STEP_VALUES: usize = 16;

/// Evaluates expressions of one instruction.
#[derive(Clone, Copy)]
pub(super) struct Evaluator<'a> {
    pub(super) specification: &'a Specification,
    pub(super) parse: &'a Parse,
}

/// Where an expression is evaluated: a node, and the byte that its token fields count from.
#[derive(Clone, Copy)]
struct Place {
    node: NodeIndex,
    offset: u32,
}

impl Evaluator<'_> {
    /// The value of an expression that belongs to `node`.
    #[inline]
    pub(super) fn value(self, expression: Id<Expression>, node: NodeIndex) -> Result<i64, Fault> {
        let offset = self.parse.node(node)?.offset;
        match self.specification.expressions.get(expression) {
            // Nearly all expressions are a field.
            Some(Expression::Token(field)) => self.token(*field, offset),
            Some(Expression::Context(field)) => Ok(self.context(*field)),
            _ => self.evaluate(expression, Place { node, offset }, 0),
        }
    }

    /// The value of an expression of the constructor at `node`, given as a list of steps.
    pub(super) fn run(self, steps: &[Step], node: NodeIndex) -> Result<i64, Fault> {
        let offset = self.parse.node(node)?.offset;
        let mut values = [0i64; MAX_STEP_VALUES];
        let mut count = 0;
        for step in steps {
            let value = match *step {
                Step::Token(field) => self.token(field, offset)?,
                Step::Context(field) => self.context(field),
                Step::Constant(value) => value,
                Step::Start => self.word_address(self.parse.address()),
                Step::Next => self.word_address(self.parse.next()),
                Step::Negate => pop(&values, &mut count).wrapping_neg(),
                Step::Complement => !pop(&values, &mut count),
                Step::Binary(operator) => {
                    let right = pop(&values, &mut count);
                    binary(operator, pop(&values, &mut count), right)?
                }
            };
            let place = values.get_mut(count).ok_or(Fault::Limit("depth of an expression"))?;
            *place = value;
            count += 1;
        }
        Ok(pop(&values, &mut count))
    }

    fn evaluate(self, id: Id<Expression>, at: Place, depth: u32) -> Result<i64, Fault> {
        self.parse.evaluate_once()?;
        if depth > MAX_DEPTH {
            return Err(Fault::Limit("depth of an expression"));
        }
        let expression = *self.specification.expressions.get(id).ok_or(Fault::Undecodable)?;
        Ok(match expression {
            Expression::Token(field) => self.token(field, at.offset)?,
            Expression::Context(field) => self.context(field),
            Expression::Constant(value) => value,
            Expression::Start => self.word_address(self.parse.address()),
            Expression::Next => self.word_address(self.parse.next()),
            Expression::Operand { constructor, operand } => {
                self.operand(constructor, operand, at, depth)?
            }
            Expression::Negate(operand) => self.evaluate(operand, at, depth + 1)?.wrapping_neg(),
            Expression::Complement(operand) => !self.evaluate(operand, at, depth + 1)?,
            Expression::Binary(operator, left, right) => {
                let left = self.evaluate(left, at, depth + 1)?;
                let right = self.evaluate(right, at, depth + 1)?;
                binary(operator, left, right)?
            }
        })
    }

    #[inline]
    fn token(self, field: TokenField, offset: u32) -> Result<i64, Fault> {
        let bytes = self.parse.bytes(offset + u32::from(field.first_byte), field.bytes)?;
        let value = if field.big_endian {
            bytes
        } else {
            bytes.swap_bytes() >> (64 - 8 * u32::from(field.bytes))
        };
        // The reference shifts a signed value; a field of eight whole bytes has no shift.
        Ok(extend(value >> field.shift, field.bits, field.signed))
    }

    #[inline]
    fn context(self, field: ContextField) -> i64 {
        let value = self.parse.context_bits(field.start, field.bits);
        extend(u64::from(value), field.bits, field.signed)
    }

    /// An address in the units in which the code space counts.
    fn word_address(self, address: u64) -> i64 {
        let word_size =
            self.specification.space(self.specification.code_space).map_or(1, |s| s.word_size);
        (address / u64::from(word_size.max(1))).cast_signed()
    }

    /// The value of an operand of the nearest enclosing constructor of that kind.
    fn operand(
        self,
        constructor: Id<Constructor>,
        operand: u8,
        at: Place,
        depth: u32,
    ) -> Result<i64, Fault> {
        let mut base = at;
        loop {
            let node = self.parse.node(base.node)?;
            if node.constructor == Some(constructor) {
                break;
            }
            let parent = node.parent.ok_or(Fault::Undecodable)?;
            base = Place { node: parent, offset: self.parse.node(parent)?.offset };
        }
        let operands =
            self.specification.constructors.get(constructor).ok_or(Fault::Undecodable)?.operands;
        let described = operands
            .id(u32::from(operand))
            .and_then(|id| self.specification.operands.get(id))
            .ok_or(Fault::Undecodable)?;
        let offset = match described.base {
            // The operand's node may not exist yet, so that its offset is worked out here.
            None => base.offset + described.offset,
            Some(_) => {
                let first = self.parse.node(base.node)?.operands;
                self.parse.node(first + NodeIndex::from(operand))?.offset
            }
        };
        let place = Place { node: base.node, offset };
        match described.definition {
            Definition::Expression(expression) => self.evaluate(expression, place, depth + 1),
            Definition::Symbol(symbol) => self.symbol(symbol, place, depth),
            Definition::Table(_) | Definition::Nothing => Ok(0),
        }
    }

    fn symbol(self, symbol: Id<Symbol>, at: Place, depth: u32) -> Result<i64, Fault> {
        match self.specification.symbols.get(symbol) {
            Some(
                Symbol::Value(index)
                | Symbol::ValueMap { index, .. }
                | Symbol::Names { index, .. }
                | Symbol::Varnodes { index, .. },
            ) => self.evaluate(*index, at, depth + 1),
            Some(Symbol::Start) => Ok(self.word_address(self.parse.address())),
            Some(Symbol::Next) => Ok(self.word_address(self.parse.next())),
            _ => Ok(0),
        }
    }
}

/// Takes the last value; a list that takes more than it gives gets zeros.
#[inline]
fn pop(values: &[i64], count: &mut usize) -> i64 {
    *count = count.saturating_sub(1);
    values.get(*count).copied().unwrap_or_default()
}

#[inline]
fn extend(value: u64, bits: u8, signed: bool) -> i64 {
    let unused = 64 - u32::from(bits.clamp(1, 64));
    if signed {
        (value << unused).cast_signed() >> unused
    } else {
        (value << unused >> unused).cast_signed()
    }
}

#[inline]
fn binary(operator: BinaryOperator, left: i64, right: i64) -> Result<i64, Fault> {
    Ok(match operator {
        BinaryOperator::Add => left.wrapping_add(right),
        BinaryOperator::Subtract => left.wrapping_sub(right),
        BinaryOperator::Multiply => left.wrapping_mul(right),
        BinaryOperator::Divide if right == 0 => return Err(Fault::Undecodable),
        BinaryOperator::Divide => left.wrapping_div(right),
        BinaryOperator::ShiftLeft => left.wrapping_shl(right as u32),
        BinaryOperator::ShiftRight => left.wrapping_shr(right as u32),
        BinaryOperator::And => left & right,
        BinaryOperator::Or => left | right,
        BinaryOperator::Xor => left ^ right,
    })
}
