//! Names that are kept of a file, within a budget.

use crate::ImageDiagnostic;
use crate::elf::symbols::{RawSymbol, SymbolTable};

/// The most bytes of all names of symbols and imports: many symbols can share one long name, so
/// that the file's size is no bound. Names of large C++ programs take a few megabytes.
const MAX_NAME_BYTES: usize = 16 << 20;

/// What is left of the budget, and how many symbols and imports it has left out. The first name
/// that does not fit spends it: what follows is not even read.
#[derive(Clone, Debug)]
pub(crate) struct NameBudget {
    left: usize,
    left_out: u64,
}

impl NameBudget {
    pub(crate) const fn new() -> Self {
        Self { left: MAX_NAME_BYTES, left_out: 0 }
    }

    /// The name of a symbol; `None` when there is no room for it.
    pub(crate) fn name(&mut self, table: &SymbolTable, symbol: &RawSymbol) -> Option<String> {
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.keep(table.name(symbol))
    }

    /// Takes room for a name; `None` when there is none.
    pub(crate) fn keep(&mut self, name: String) -> Option<String> {
        let Some(left) = self.left.checked_sub(name.len()) else {
            self.left = 0;
            self.left_out += 1;
            return None;
        };
        self.left = left;
        Some(name)
    }

    /// Tells what was left out.
    pub(crate) fn report(&self, diagnostics: &mut Vec<ImageDiagnostic>) {
        if self.left_out > 0 {
            diagnostics.push(ImageDiagnostic::NamesLeftOut { count: self.left_out });
        }
    }
}
