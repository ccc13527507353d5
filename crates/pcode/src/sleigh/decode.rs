//! Finding the constructors that an instruction consists of.

use super::evaluate::Evaluator;
use super::fault::Fault;
use super::load::element_at;
use super::model::{
    Arena, Constructor, ContextChange, Decision, Definition, Expression, Id, MaskWord, Operand,
    Pattern, PatternBlock, Span, Specification, Symbol, Table,
};
use super::parse::{NodeIndex, Parse, PendingCommit};
use super::shapes::Shapes;

/// Nesting of constructors; the reference allows 32.
const MAX_DEPTH: u32 = 64;

/// Decodes the instruction that `parse` was reset to, or takes it from those in `shapes`.
pub(super) fn decode(
    specification: &Specification,
    shapes: &mut Shapes,
    parse: &mut Parse,
) -> Result<(), Fault> {
    if !shapes.find(parse) {
        let context = parse.context;
        let root = specification.root.ok_or(Fault::Undecodable)?;
        Decoder { specification, parse }.table(root, 0, 0)?;
        shapes.add(parse, context);
    }
    let space = specification.space(specification.code_space).ok_or(Fault::Undecodable)?;
    parse.set_next(space.wrap(parse.address_behind(parse.length())));
    Ok(())
}

struct Decoder<'a> {
    specification: &'a Specification,
    parse: &'a mut Parse,
}

impl Decoder<'_> {
    fn evaluator(&self) -> Evaluator<'_> {
        Evaluator { specification: self.specification, parse: self.parse }
    }

    /// Decodes `node` as one of the constructors of `table`.
    fn table(&mut self, table: Id<Table>, node: NodeIndex, depth: u32) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::Limit("nesting of an instruction"));
        }
        let specification = self.specification;
        let offset = self.parse.node(node)?.offset;
        let id = self.choose(table, offset)?;
        let constructor = specification.constructors.get(id).ok_or(Fault::Undecodable)?;
        let first = self.parse.add_operands(node, constructor.operands.length())?;
        let decoded = self.parse.node_mut(node)?;
        decoded.constructor = Some(id);
        decoded.operands = first;
        self.change_context(constructor, node)?;
        let operands = specification.operands.slice(constructor.operands);
        for (operand, child) in operands.iter().zip(first..) {
            self.operand(operand, node, child, depth)?;
        }
        self.measure(constructor, node, first)?;
        if let Some(template) = constructor.template
            && let Some(template) = specification.templates.get(template)
            && template.delay_bytes > 0
        {
            self.parse.delay_bytes = template.delay_bytes;
        }
        Ok(())
    }

    /// The constructor of `table` that matches at byte `offset`.
    #[inline]
    fn choose(&self, table: Id<Table>, offset: u32) -> Result<Id<Constructor>, Fault> {
        let specification = self.specification;
        let table = specification.tables.get(table).ok_or(Fault::Undecodable)?;
        let mut current = table.root.ok_or(Fault::Undecodable)?;
        // Children have lower indices than their parents, so that this ends.
        loop {
            match *specification.decisions.get(current).ok_or(Fault::Undecodable)? {
                Decision::Test { in_context, start, size, children } => {
                    let value = if in_context {
                        self.parse.context_bits(start, size)
                    } else {
                        self.parse.bits(offset, start, size)?
                    };
                    current = *children
                        .id(value)
                        .and_then(|child| specification.decision_children.get(child))
                        .ok_or(Fault::Undecodable)?;
                }
                Decision::Match(patterns) => return self.first_match(patterns, offset),
            }
        }
    }

    #[inline]
    fn first_match(&self, patterns: Span<Pattern>, offset: u32) -> Result<Id<Constructor>, Fault> {
        for pattern in self.specification.patterns.slice(patterns) {
            if self.matches_context(pattern.context)
                && self.matches_instruction(pattern.instruction, offset)?
            {
                return Ok(pattern.constructor);
            }
        }
        Err(Fault::Undecodable)
    }

    #[inline]
    fn matches_context(&self, block: PatternBlock) -> bool {
        match block {
            PatternBlock::Always => true,
            PatternBlock::Never => false,
            PatternBlock::Words { offset, words } => {
                let words = self.specification.mask_words.slice(words);
                words.iter().zip((offset..).step_by(4)).all(|(MaskWord { mask, value }, byte)| {
                    self.parse.context_bits(byte.saturating_mul(8), 32) & mask == *value
                })
            }
        }
    }

    #[inline]
    fn matches_instruction(&self, block: PatternBlock, at: u32) -> Result<bool, Fault> {
        match block {
            PatternBlock::Always => Ok(true),
            PatternBlock::Never => Ok(false),
            PatternBlock::Words { offset, words } => {
                let first = at + u32::from(offset);
                let words = self.specification.mask_words.slice(words);
                for (MaskWord { mask, value }, byte) in words.iter().zip((first..).step_by(4)) {
                    if !self.parse.matches(byte, *mask, *value)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn change_context(&mut self, constructor: &Constructor, node: NodeIndex) -> Result<(), Fault> {
        let specification = self.specification;
        for change in specification.changes.slice(constructor.changes) {
            match *change {
                ContextChange::Set { word, shift, mask, expression, steps } => {
                    let value = match specification.steps.slice(steps) {
                        [] => self.evaluator().value(expression, node)?,
                        steps => self.evaluator().run(steps, node)?,
                    } as u32;
                    if let Some(word) = self.parse.context.get_mut(usize::from(word)) {
                        *word = *word & !mask | value << (shift & 31) & mask;
                    }
                }
                ContextChange::Commit { target, word, mask, flows } => {
                    let current = self.parse.context.get(usize::from(word)).copied();
                    let value = current.unwrap_or(0) & mask;
                    let commit = PendingCommit { node, target, word, mask, value, flows };
                    self.parse.commits.push(commit);
                }
            }
        }
        Ok(())
    }

    fn operand(
        &mut self,
        operand: &Operand,
        node: NodeIndex,
        child: NodeIndex,
        depth: u32,
    ) -> Result<(), Fault> {
        let base = self.parse.node(node)?;
        let offset = match operand.base {
            None => base.offset,
            Some(sibling) => {
                let sibling = self.parse.node(base.operands + NodeIndex::from(sibling))?;
                sibling.offset + sibling.length
            }
        };
        let decoded = self.parse.node_mut(child)?;
        decoded.offset = offset + operand.offset;
        decoded.length = operand.minimum_length;
        match operand.definition {
            Definition::Table(table) => self.table(table, child, depth + 1),
            Definition::Symbol(symbol) => self.check_symbol(symbol, child),
            Definition::Expression(_) | Definition::Nothing => Ok(()),
        }
    }

    /// Whether a symbol that looks its value up has one here.
    fn check_symbol(&self, symbol: Id<Symbol>, node: NodeIndex) -> Result<(), Fault> {
        let specification = self.specification;
        let found = match specification.symbols.get(symbol) {
            Some(Symbol::ValueMap { index, values }) => {
                self.has_element(&specification.map_values, *values, *index, node)?
            }
            Some(Symbol::Names { index, names }) => {
                self.has_element(&specification.list_names, *names, *index, node)?
            }
            Some(Symbol::Varnodes { index, varnodes }) => {
                self.has_element(&specification.list_varnodes, *varnodes, *index, node)?
            }
            _ => true,
        };
        if found { Ok(()) } else { Err(Fault::Undecodable) }
    }

    /// Whether a list has an element at `index`. That a list has one at any is found without
    /// looking at the instruction, whose shape then does not depend on it.
    fn has_element<T>(
        &self,
        lists: &Arena<Option<T>>,
        list: Span<Option<T>>,
        index: Id<Expression>,
        node: NodeIndex,
    ) -> Result<bool, Fault> {
        let count = match self.specification.expressions.get(index) {
            Some(Expression::Token(field)) if !field.signed => 1 << field.bits.min(31),
            _ => usize::MAX,
        };
        let elements = lists.slice(list);
        if elements.len() >= count && elements.iter().all(Option::is_some) {
            return Ok(true);
        }
        let index = self.evaluator().value(index, node)?;
        Ok(element_at(lists, list, index).is_some_and(Option::is_some))
    }

    /// Sets the length of a constructor whose operands are decoded.
    fn measure(
        &mut self,
        constructor: &Constructor,
        node: NodeIndex,
        first: NodeIndex,
    ) -> Result<(), Fault> {
        let start = self.parse.node(node)?.offset;
        let mut end = start + constructor.minimum_length;
        for operand in 0..constructor.operands.length() {
            let operand = self.parse.node(first + operand)?;
            end = end.max(operand.offset + operand.length);
        }
        self.parse.node_mut(node)?.length = end - start;
        Ok(())
    }
}
