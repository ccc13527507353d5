//! What the extractors of one file may spend together.

use std::time::Instant;

/// Emulated instructions first, so that results do not depend on the machine; a wall clock behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    instructions: u64,
    deadline: Option<Instant>,
    cut: Option<Cut>,
}

/// What ended the work before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The instructions were spent.
    #[error("the budget of emulated instructions is spent")]
    Instructions,
    /// A run had no more memory.
    #[error("the budget of memory touched by one run is spent")]
    Bytes,
    /// The time was up.
    #[error("the time is up: what was found depends on this machine")]
    Time,
}

impl Budget {
    /// So many instructions, until `deadline`.
    #[must_use]
    pub const fn new(instructions: u64, deadline: Option<Instant>) -> Self {
        Self { instructions, deadline, cut: None }
    }

    /// Whether the time is up. Work that runs nothing asks before it begins.
    pub fn is_late(&mut self) -> bool {
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_late {
            self.cut = Some(Cut::Time);
        }
        is_late
    }

    /// How many of `wanted` instructions a run may have; 0 once the budget is spent.
    pub fn grant(&mut self, wanted: u64) -> u64 {
        if self.is_late() {
            return 0;
        }
        if self.instructions < wanted {
            self.cut.get_or_insert(Cut::Instructions);
        }
        self.instructions.min(wanted)
    }

    /// Takes what a run has used.
    pub fn spend(&mut self, instructions: u64) {
        self.instructions = self.instructions.saturating_sub(instructions);
    }

    /// A budget of its own for a part of the work: so many instructions, if there are as many.
    #[must_use]
    pub const fn part(&self, instructions: u64) -> Self {
        let instructions =
            if instructions < self.instructions { instructions } else { self.instructions };
        Self { instructions, deadline: self.deadline, cut: None }
    }

    /// A budget beside this one, until the same deadline: so many instructions, whatever is left here.
    #[must_use]
    pub const fn apart(&self, instructions: u64) -> Self {
        Self { instructions, deadline: self.deadline, cut: None }
    }

    /// The instructions that are left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.instructions
    }

    /// Whether a run got less than it asked for, and why.
    #[must_use]
    pub const fn cut(&self) -> Option<Cut> {
        self.cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_the_instructions() {
        let mut budget = Budget::new(100, None);
        assert_eq!(budget.grant(60), 60);
        budget.spend(60);
        assert_eq!(budget.cut(), None);
        assert_eq!(budget.grant(60), 40);
        assert_eq!(budget.cut(), Some(Cut::Instructions));
    }

    #[test]
    fn nothing_is_granted_after_the_deadline() {
        let mut budget = Budget::new(100, Some(Instant::now()));
        assert_eq!(budget.grant(1), 0);
        assert_eq!(budget.cut(), Some(Cut::Time));
    }

    #[test]
    fn being_late_is_told() {
        let mut budget = Budget::new(100, Some(Instant::now()));
        assert!(budget.is_late());
        assert_eq!(budget.cut(), Some(Cut::Time));
        assert!(!Budget::new(100, None).is_late());
    }
}
