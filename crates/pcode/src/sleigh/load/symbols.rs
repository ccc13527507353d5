//! The symbol table.

use super::{Loader, OperandSymbol, Result};
use crate::lifter::CONTEXT_WORDS;
use crate::sleigh::format::{attribute, element};
use crate::sleigh::model::{
    Arena, Definition, Expression, Id, NamedField, Operand, Symbol, Table, Text,
};
use crate::varnode::Varnode;

/// Stands for a hole in a table of values, as the compiler writes it.
const NO_VALUE: i64 = 0x0BAD_BEEF;

impl Loader<'_> {
    pub(super) fn read_symbol_table(&mut self) -> Result<()> {
        self.reader.expect(element::SYMBOL_TABLE)?;
        let scopes: usize = self.reader.small(attribute::SCOPESIZE)?;
        let symbols: usize = self.reader.small(attribute::SYMBOLSIZE)?;
        if scopes > self.reader.remaining() || symbols > self.reader.remaining() {
            return Err(self.reader.malformed("more symbols than bytes"));
        }
        for _ in 0..scopes {
            self.reader.open()?;
            self.reader.close()?;
        }
        self.names = vec![("", false); symbols];
        self.operand_symbols = vec![None; symbols];
        self.table_constructors = vec![(0, 0); symbols];
        self.specification.symbols.extend(std::iter::repeat_n(Symbol::Other, symbols));
        for _ in 0..symbols {
            self.read_symbol_head()?;
        }
        while self.reader.peek().is_some() {
            self.read_symbol()?;
        }
        self.reader.close()
    }

    fn read_symbol_head(&mut self) -> Result<()> {
        let kind = self.reader.open()?;
        let index: usize = self.reader.small(attribute::ID)?;
        let global = self.reader.unsigned(attribute::SCOPE)? == 0;
        if global || kind == element::VARNODE_SYM_HEAD {
            let name = self.reader.text(attribute::NAME)?;
            *self
                .names
                .get_mut(index)
                .ok_or_else(|| self.reader.malformed("number of a symbol"))? = (name, global);
        }
        self.reader.close()
    }

    fn read_symbol(&mut self) -> Result<()> {
        let kind = self.reader.open()?;
        let id: Id<Symbol> = Id::new(self.reader.small(attribute::ID)?);
        let Some(&(name, global)) = self.names.get(id.index() as usize) else {
            return Err(self.reader.malformed("number of a symbol"));
        };
        let symbol = match kind {
            element::USEROP => self.read_user_op(name)?,
            element::EPSILON_SYM => Symbol::Epsilon,
            element::VALUE_SYM => Symbol::Value(self.read_expression(0)?),
            element::CONTEXT_SYM => self.read_context_symbol(name)?,
            element::START_SYM => Symbol::Start,
            element::END_SYM => Symbol::Next,
            // Declared in every specification; using it is what is not supported.
            element::NEXT2_SYM => Symbol::Other,
            element::VALUEMAP_SYM => self.read_value_map()?,
            element::NAME_SYM => self.read_names()?,
            element::VARNODE_SYM => self.read_varnode_symbol(name, global)?,
            element::VARLIST_SYM => self.read_varnodes()?,
            element::OPERAND_SYM => self.read_operand(id)?,
            element::SUBTABLE_SYM => self.read_table(id, name, global)?,
            _ => return Err(self.reader.malformed("unknown kind of symbol")),
        };
        if let Some(slot) = self.specification.symbols.get_mut(id) {
            *slot = symbol;
        }
        self.reader.close()
    }

    fn read_user_op(&mut self, name: &str) -> Result<Symbol> {
        let index: u16 = self.reader.small(attribute::INDEX)?;
        let index = usize::from(index);
        let name = self.intern(name);
        let user_ops = &mut self.specification.user_ops;
        if user_ops.len() <= index {
            user_ops.resize(index + 1, Text { start: 0, length: 0 });
        }
        user_ops[index] = name;
        Ok(Symbol::Other)
    }

    fn read_context_symbol(&mut self, name: &str) -> Result<Symbol> {
        let id = self.read_expression(0)?;
        let Some(Expression::Context(field)) = self.specification.expressions.get(id) else {
            return Err(self.reader.malformed("a context symbol is no context field"));
        };
        let (start, bits) = (u32::from(field.start), u32::from(field.bits));
        let (word, first) = (start / 32, start % 32);
        if first + bits > 32 || word as usize >= CONTEXT_WORDS {
            return Err(self.reader.malformed("a context field lies across or beyond words"));
        }
        let name = self.intern(name);
        self.specification.fields.push(NamedField {
            name,
            word: word as usize,
            shift: 32 - first - bits,
            mask: u32::MAX >> (32 - bits),
        });
        Ok(Symbol::Value(id))
    }

    fn read_value_map(&mut self) -> Result<Symbol> {
        let index = self.read_expression(0)?;
        let start = self.specification.map_values.end();
        while self.reader.peek().is_some() {
            self.reader.open()?;
            let value = self.reader.signed(attribute::VAL)?;
            self.specification.map_values.push((value != NO_VALUE).then_some(value));
            self.reader.close()?;
        }
        Ok(Symbol::ValueMap { index, values: self.specification.map_values.since(start) })
    }

    fn read_names(&mut self) -> Result<Symbol> {
        let index = self.read_expression(0)?;
        let start = self.specification.list_names.end();
        while self.reader.peek().is_some() {
            self.reader.open()?;
            // A hole is a missing name, "_" or a tab.
            let name = match self.reader.optional_text(attribute::NAME)? {
                None | Some("_" | "\t") => None,
                Some(name) => Some(self.intern(name)),
            };
            self.specification.list_names.push(name);
            self.reader.close()?;
        }
        Ok(Symbol::Names { index, names: self.specification.list_names.since(start) })
    }

    fn read_varnode_symbol(&mut self, name: &str, global: bool) -> Result<Symbol> {
        let space = self.space_attribute()?;
        let offset = self.reader.unsigned(attribute::OFF)?;
        let size = self.reader.small(attribute::SIZE)?;
        let Some(info) = self.specification.space(space) else {
            return Err(self.reader.malformed("unknown space"));
        };
        let varnode = Varnode { space: info.space, offset, size };
        let name = self.intern(name);
        if global {
            self.specification.registers.push((name, varnode));
        }
        Ok(Symbol::Varnode { varnode, space, name })
    }

    fn read_varnodes(&mut self) -> Result<Symbol> {
        let index = self.read_expression(0)?;
        let start = self.specification.list_varnodes.end();
        while self.reader.peek().is_some() {
            let varnode = match self.reader.open()? {
                element::VAR => Some(Id::new(self.reader.small(attribute::ID)?)),
                _ => None,
            };
            self.specification.list_varnodes.push(varnode);
            self.reader.close()?;
        }
        Ok(Symbol::Varnodes { index, varnodes: self.specification.list_varnodes.since(start) })
    }

    fn read_operand(&mut self, id: Id<Symbol>) -> Result<Symbol> {
        let number: u8 = self.reader.small(attribute::INDEX)?;
        let base = match self.reader.signed(attribute::BASE)? {
            -1 => None,
            base => {
                Some(u8::try_from(base).map_err(|_| self.reader.malformed("base of an operand"))?)
            }
        };
        let mut operand = Operand {
            definition: Definition::Nothing,
            base,
            offset: self.reader.small_or_zero::<u16>(attribute::OFF)?.into(),
            minimum_length: self.reader.small_or_zero::<u16>(attribute::MINLEN)?.into(),
        };
        let defined_by = match self.reader.optional(attribute::SUBSYM) {
            None => None,
            Some(_) => Some(Id::new(self.reader.small(attribute::SUBSYM)?)),
        };
        // The operand as an expression of its own; nothing needs it here.
        self.read_expression(0)?;
        if self.reader.peek().is_some() {
            operand.definition = Definition::Expression(self.read_expression(0)?);
        }
        if let Some(slot) = self.operand_symbols.get_mut(id.index() as usize) {
            *slot = Some(OperandSymbol { operand, defined_by });
        }
        Ok(Symbol::Operand(number))
    }

    fn read_table(&mut self, id: Id<Symbol>, name: &str, global: bool) -> Result<Symbol> {
        let first = self.specification.constructors.end();
        let mut root = None;
        while let Some(child) = self.reader.peek() {
            match child {
                element::CONSTRUCTOR => self.read_constructor()?,
                element::DECISION => root = Some(self.read_decision(first, 0)?),
                _ => {
                    self.reader.open()?;
                    self.reader.skip()?;
                }
            }
        }
        let count = self.specification.constructors.end() - first;
        if let Some(slot) = self.table_constructors.get_mut(id.index() as usize) {
            *slot = (first, count);
        }
        let table = self.specification.tables.push(Table { root });
        if global && name == "instruction" {
            self.specification.root = Some(table);
        }
        Ok(Symbol::Table(table))
    }
}

/// The element of a span at a run-time index.
pub(in crate::sleigh) fn element_at<T>(
    arena: &Arena<T>,
    span: crate::sleigh::model::Span<T>,
    index: i64,
) -> Option<&T> {
    u32::try_from(index).ok().and_then(|index| span.id(index)).and_then(|id| arena.get(id))
}
