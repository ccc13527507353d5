//! Writing the assembly text of a decoded instruction.

use super::evaluate::Evaluator;
use super::fault::Fault;
use super::load::element_at;
use super::model::{Constructor, Definition, Id, Operand, Piece, Specification, Symbol};
use super::parse::{NodeIndex, Parse};
use std::fmt::Write as _;

/// Bytes of one instruction's text.
const MAX_TEXT: usize = 4096;

/// The mnemonic, and after a space the operands, of a decoded instruction.
pub(super) fn disassemble(specification: &Specification, parse: &Parse) -> Result<String, Fault> {
    let mut printer = Printer { specification, parse, text: String::new() };
    let (constructor, node) = printer.named_constructor(0)?;
    let pieces = specification.pieces.slice(constructor.pieces);
    let space = constructor.first_space.map_or(pieces.len(), |at| at as usize);
    let (mnemonic, rest) = pieces.split_at_checked(space).unwrap_or((pieces, &[]));
    printer.pieces(mnemonic, constructor, node)?;
    if rest.len() > 1 {
        printer.text.push(' ');
        printer.pieces(rest.get(1..).unwrap_or(&[]), constructor, node)?;
    }
    let length = printer.text.trim_end().len();
    printer.text.truncate(length);
    Ok(printer.text)
}

struct Printer<'a> {
    specification: &'a Specification,
    parse: &'a Parse,
    text: String,
}

impl<'a> Printer<'a> {
    fn constructor(&self, node: NodeIndex) -> Result<&'a Constructor, Fault> {
        self.parse
            .node(node)?
            .constructor
            .and_then(|id| self.specification.constructors.get(id))
            .ok_or(Fault::Undecodable)
    }

    fn described(&self, constructor: &Constructor, operand: u8) -> Result<&'a Operand, Fault> {
        constructor
            .operands
            .id(u32::from(operand))
            .and_then(|id| self.specification.operands.get(id))
            .ok_or(Fault::Undecodable)
    }

    /// The constructor at `node`, or the one below it that is all of its text (a prefix shows as
    /// the instruction that it precedes).
    fn named_constructor(&self, node: NodeIndex) -> Result<(&'a Constructor, NodeIndex), Fault> {
        let mut node = node;
        // Every step goes down the tree.
        loop {
            let constructor = self.constructor(node)?;
            let [Piece::Operand(operand)] = self.specification.pieces.slice(constructor.pieces)
            else {
                return Ok((constructor, node));
            };
            let described = self.described(constructor, *operand)?;
            if !matches!(described.definition, Definition::Table(_)) {
                return Ok((constructor, node));
            }
            node = self.parse.node(node)?.operands + NodeIndex::from(*operand);
        }
    }

    fn pieces(
        &mut self,
        pieces: &[Piece],
        constructor: &Constructor,
        node: NodeIndex,
    ) -> Result<(), Fault> {
        for piece in pieces {
            match *piece {
                Piece::Literal(text) => self.text.push_str(self.specification.text(text)),
                Piece::Operand(operand) => self.operand(constructor, node, operand)?,
            }
            if self.text.len() > MAX_TEXT {
                return Err(Fault::Limit("assembly text"));
            }
        }
        Ok(())
    }

    fn operand(
        &mut self,
        constructor: &Constructor,
        node: NodeIndex,
        operand: u8,
    ) -> Result<(), Fault> {
        let described = self.described(constructor, operand)?;
        let child = self.parse.node(node)?.operands + NodeIndex::from(operand);
        match described.definition {
            Definition::Table(_) => {
                let below = self.constructor(child)?;
                let pieces = self.specification.pieces.slice(below.pieces);
                // As deep as decoding went, which is bounded.
                self.pieces(pieces, below, child)
            }
            Definition::Symbol(symbol) => self.symbol(symbol, child),
            Definition::Expression(expression) => {
                let value = self.evaluator().value(expression, child)?;
                self.number(value);
                Ok(())
            }
            Definition::Nothing => Ok(()),
        }
    }

    fn evaluator(&self) -> Evaluator<'a> {
        Evaluator { specification: self.specification, parse: self.parse }
    }

    fn symbol(&mut self, symbol: Id<Symbol>, node: NodeIndex) -> Result<(), Fault> {
        let specification = self.specification;
        let value = |index| self.evaluator().value(index, node);
        match *specification.symbols.get(symbol).ok_or(Fault::Undecodable)? {
            Symbol::Epsilon => self.text.push('0'),
            Symbol::Value(index) => self.number(value(index)?),
            Symbol::ValueMap { index, values } => {
                let value = element_at(&specification.map_values, values, value(index)?);
                self.number(value.copied().flatten().ok_or(Fault::Undecodable)?);
            }
            Symbol::Names { index, names } => {
                let name = element_at(&specification.list_names, names, value(index)?);
                let name = name.copied().flatten().ok_or(Fault::Undecodable)?;
                self.text.push_str(specification.text(name));
            }
            Symbol::Varnode { name, .. } => self.text.push_str(specification.text(name)),
            Symbol::Varnodes { index, varnodes } => {
                let varnode = element_at(&specification.list_varnodes, varnodes, value(index)?)
                    .copied()
                    .flatten()
                    .and_then(|id| specification.symbols.get(id));
                let Some(Symbol::Varnode { name, .. }) = varnode else {
                    return Err(Fault::Undecodable);
                };
                self.text.push_str(specification.text(*name));
            }
            Symbol::Start => self.number(self.parse.address().cast_signed()),
            Symbol::Next => self.number(self.parse.next().cast_signed()),
            Symbol::Operand(_) | Symbol::Table(_) | Symbol::Other => {
                return Err(Fault::Undecodable);
            }
        }
        Ok(())
    }

    fn number(&mut self, value: i64) {
        let sign = if value < 0 { "-" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{sign}{:#x}", value.unsigned_abs());
    }
}
