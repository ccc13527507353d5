//! References that can be followed only when everything is read.

use super::flatten::flatten_changes;
use super::{Loader, Result};
use crate::sleigh::error::SpecificationError;
use crate::sleigh::model::{
    ContextChange, Definition, Expression, Id, Operand, Pattern, Specification, Symbol,
};

/// An error that has no place of its own.
fn inconsistent<T>(problem: &'static str) -> Result<T> {
    Err(SpecificationError::Inconsistent(problem))
}

impl Loader<'_> {
    pub(super) fn resolve(mut self) -> Result<Specification> {
        self.resolve_operand_references()?;
        self.resolve_constructor_operands()?;
        let mut specification = self.specification;
        check(&specification)?;
        let text = std::mem::take(&mut specification.text);
        let name = |name: super::Text| {
            let start = name.start as usize;
            text.get(start..start + name.length as usize).unwrap_or("")
        };
        specification.registers.sort_by(|a, b| name(a.0).cmp(name(b.0)));
        specification.text = text;
        flatten_changes(&mut specification);
        Ok(specification)
    }

    fn resolve_operand_references(&mut self) -> Result<()> {
        for reference in &self.operand_references {
            let Some(&(first, count)) = self.table_constructors.get(reference.table as usize)
            else {
                return inconsistent("an expression names an unknown table");
            };
            if reference.constructor >= count {
                return inconsistent("an expression names an unknown constructor");
            }
            if let Some(Expression::Operand { constructor, .. }) =
                self.specification.expressions.get_mut(reference.expression)
            {
                *constructor = Id::new(first + reference.constructor);
            }
        }
        Ok(())
    }

    fn resolve_constructor_operands(&mut self) -> Result<()> {
        for (id, names) in std::mem::take(&mut self.constructors) {
            let first = self.specification.operands.end();
            for index in names {
                let operand = self.resolve_operand(index)?;
                self.specification.operands.push(operand);
            }
            let operands = self.specification.operands.since(first);
            if let Some(constructor) = self.specification.constructors.get_mut(id) {
                constructor.operands = operands;
            }
        }
        Ok(())
    }

    /// The operand that entry `index` of the constructors' operands names.
    fn resolve_operand(&self, index: usize) -> Result<Operand> {
        let symbol = self
            .constructor_operands
            .get(index)
            .and_then(|&number| self.operand_symbols.get(number as usize))
            .copied()
            .flatten();
        let Some(symbol) = symbol else {
            return inconsistent("a constructor names an unknown operand");
        };
        let mut operand = symbol.operand;
        if let Some(definition) = symbol.defined_by {
            operand.definition = match self.specification.symbols.get(definition) {
                None => return inconsistent("an operand names an unknown symbol"),
                Some(Symbol::Table(table)) => Definition::Table(*table),
                Some(Symbol::Other) => return inconsistent("an operand of an unusable kind"),
                Some(_) => Definition::Symbol(definition),
            };
        }
        Ok(operand)
    }
}

/// Whether what run time relies on is there.
fn check(specification: &Specification) -> Result<()> {
    if specification.root.is_none() {
        return inconsistent("no table of instructions");
    }
    for varnode in specification.list_varnodes.iter().flatten() {
        if !matches!(specification.symbols.get(*varnode), Some(Symbol::Varnode { .. })) {
            return inconsistent("a list of varnodes names something else");
        }
    }
    for change in specification.changes.iter() {
        if let ContextChange::Commit { target, .. } = change
            && matches!(specification.symbols.get(*target), None | Some(Symbol::Other))
        {
            return inconsistent("a context change has no address");
        }
    }
    let constructors = specification.constructors.end();
    let unknown = |Pattern { constructor, .. }: &Pattern| constructor.index() >= constructors;
    if specification.patterns.iter().any(unknown) {
        return inconsistent("a decision names an unknown constructor");
    }
    Ok(())
}
