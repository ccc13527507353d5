//! Expressions of context changes as straight lists of steps.
//!
//! Some specifications change the context a dozen times for every instruction, by expressions over
//! the constructor's own operands. Those need no tree walk: which bits an operand reads is known
//! when the specification is.

use crate::sleigh::model::{
    BinaryOperator, Constructor, ContextChange, Definition, Expression, Id, Specification, Step,
    Symbol,
};

/// The most steps of a list.
const MAX_STEPS: usize = 64;

/// Nesting of what is made a list.
const MAX_DEPTH: u32 = 32;

/// Gives every context change its steps where it can have some.
pub(super) fn flatten_changes(specification: &mut Specification) {
    for constructor in 0..specification.constructors.end() {
        let constructor = Id::new(constructor);
        let Some(changes) = specification.constructors.get(constructor).map(|c| c.changes) else {
            continue;
        };
        for change in (0..changes.length()).filter_map(|index| changes.id(index)) {
            let Some(&ContextChange::Set { expression, .. }) = specification.changes.get(change)
            else {
                continue;
            };
            let mut flattener = Flattener { specification, constructor, steps: Vec::new() };
            if flattener.flatten(expression, 0, 0).is_none() {
                continue;
            }
            let flat = specification.steps.extend(flattener.steps);
            if let Some(ContextChange::Set { steps, .. }) = specification.changes.get_mut(change) {
                *steps = flat;
            }
        }
    }
}

struct Flattener<'a> {
    specification: &'a Specification,
    /// The constructor that changes the context.
    constructor: Id<Constructor>,
    steps: Vec<Step>,
}

/// Functions yield `None` for what needs the tree.
impl Flattener<'_> {
    /// Appends the steps of an expression whose tokens count from `offset` bytes behind the start
    /// of the constructor.
    fn flatten(&mut self, id: Id<Expression>, offset: u32, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match *self.specification.expressions.get(id)? {
            Expression::Token(mut field) => {
                field.first_byte = u8::try_from(u32::from(field.first_byte) + offset).ok()?;
                self.push(Step::Token(field))
            }
            Expression::Context(field) => self.push(Step::Context(field)),
            Expression::Constant(value) => self.push(Step::Constant(value)),
            Expression::Start => self.push(Step::Start),
            Expression::Next => self.push(Step::Next),
            Expression::Operand { constructor, operand } => {
                if constructor != self.constructor {
                    return None;
                }
                self.operand(operand, offset, depth)
            }
            Expression::Negate(operand) => {
                self.flatten(operand, offset, depth + 1)?;
                self.push(Step::Negate)
            }
            Expression::Complement(operand) => {
                self.flatten(operand, offset, depth + 1)?;
                self.push(Step::Complement)
            }
            // What can fail keeps to the tree.
            Expression::Binary(BinaryOperator::Divide, ..) => None,
            Expression::Binary(operator, left, right) => {
                self.flatten(left, offset, depth + 1)?;
                self.flatten(right, offset, depth + 1)?;
                self.push(Step::Binary(operator))
            }
        }
    }

    fn operand(&mut self, operand: u8, offset: u32, depth: u32) -> Option<()> {
        let specification = self.specification;
        let operands = specification.constructors.get(self.constructor)?.operands;
        let described = specification.operands.get(operands.id(u32::from(operand))?)?;
        if described.base.is_some() {
            return None;
        }
        let offset = offset.checked_add(described.offset)?;
        match described.definition {
            Definition::Expression(expression) => self.flatten(expression, offset, depth + 1),
            Definition::Symbol(symbol) => match specification.symbols.get(symbol) {
                Some(
                    Symbol::Value(index)
                    | Symbol::ValueMap { index, .. }
                    | Symbol::Names { index, .. }
                    | Symbol::Varnodes { index, .. },
                ) => self.flatten(*index, offset, depth + 1),
                Some(Symbol::Start) => self.push(Step::Start),
                Some(Symbol::Next) => self.push(Step::Next),
                _ => self.push(Step::Constant(0)),
            },
            Definition::Table(_) | Definition::Nothing => self.push(Step::Constant(0)),
        }
    }

    fn push(&mut self, step: Step) -> Option<()> {
        self.steps.push(step);
        (self.steps.len() <= MAX_STEPS).then_some(())
    }
}
