//! Which registers callees write, as far as all that they can run is known.
//!
//! Compilers keep a value in a register that the convention gives to the callee when they see that
//! the callee, a function of the same unit, does not write it (GCC: `-fipa-ra`).

use crate::code::InstructionView;
use crate::values::registers::{CellSet, RegisterCells};
use miyaburi_image::Address;
use rustc_hash::FxHashMap;

/// Adds the cells that an instruction writes, and to `read` those that it reads which were not
/// written before.
pub(crate) fn read_and_written(
    cells: &RegisterCells,
    view: &InstructionView<'_>,
    read: &mut CellSet,
    written: &mut CellSet,
) {
    for (op, _) in view.ops.iter().zip(view.matters).filter(|(_, matters)| **matters) {
        let mut inputs = CellSet::default();
        op.inputs().iter().for_each(|input| cells.mark(input, &mut inputs));
        *read = read.union(inputs.difference(*written));
        if let Some(output) = &op.output {
            cells.mark(output, written);
        }
    }
}

/// Adds the cells that an instruction writes.
pub(crate) fn add_written(
    cells: &RegisterCells,
    view: &InstructionView<'_>,
    written: &mut CellSet,
) {
    for (op, _) in view.ops.iter().zip(view.matters).filter(|(_, matters)| **matters) {
        if let Some(output) = &op.output {
            cells.mark(output, written);
        }
    }
}

/// What functions write with all that they call, by entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct CalleeEffects(FxHashMap<Address, Option<CellSet>>);

impl CalleeEffects {
    /// The cells that the function at `entry` may write; `None` when that is not known.
    pub(crate) fn written_by(&self, entry: Address) -> Option<CellSet> {
        self.0.get(&entry).copied().flatten()
    }

    /// Whether the function was looked at.
    pub(crate) fn contains(&self, entry: Address) -> bool {
        self.0.contains_key(&entry)
    }

    /// Notes what a function writes.
    pub(crate) fn insert(&mut self, entry: Address, written: Option<CellSet>) {
        self.0.insert(entry, written);
    }
}
