//! How much trying keys may cost.

/// What is left of the steps that may be spent on one cipher. A step takes a few nanoseconds: one
/// round of a block cipher, a few bytes of a key schedule.
pub(super) struct Effort {
    left: usize,
}

impl Effort {
    /// So many steps may be spent.
    pub(super) const fn of(steps: usize) -> Self {
        Self { left: steps }
    }

    /// Spends steps; `None` when too few are left.
    pub(super) fn spend(&mut self, steps: usize) -> Option<()> {
        self.left = self.left.checked_sub(steps)?;
        Some(())
    }
}
