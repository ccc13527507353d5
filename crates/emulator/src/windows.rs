//! The register windows that lie below the current one.

use std::sync::Arc;

/// Bytes of the local and input registers of one window.
pub(crate) const WINDOW_BYTES: usize = 64;

/// Deepest nesting of register windows.
const MAX_WINDOWS: usize = 4096;

/// The local and input registers of one window.
pub(crate) type Registers = [u8; WINDOW_BYTES];

/// A stack of windows. Cloning makes a snapshot, which shares them.
#[derive(Clone, Default)]
pub(crate) struct Windows(Option<Arc<Window>>);

struct Window {
    registers: Registers,
    /// How many there are with this one.
    depth: usize,
    below: Windows,
}

impl Windows {
    /// Keeps the registers of one more window; false when there are too many.
    #[must_use]
    pub(crate) fn push(&mut self, registers: Registers) -> bool {
        let depth = self.0.as_ref().map_or(0, |window| window.depth);
        if depth == MAX_WINDOWS {
            return false;
        }
        let below = std::mem::take(self);
        *self = Self(Some(Arc::new(Window { registers, depth: depth + 1, below })));
        true
    }

    /// Whether no window was added or taken since the other was cloned from this one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Takes the registers of the latest window.
    pub(crate) fn pop(&mut self) -> Option<Registers> {
        let top = self.0.take()?;
        *self = top.below.clone();
        Some(top.registers)
    }
}

impl Drop for Windows {
    /// One after the other: a stack of windows is not dropped in as many nested calls.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut window) = next.and_then(Arc::into_inner) {
            next = window.below.0.take();
        }
    }
}
