//! Decision trees that find the constructor of a table which matches.

use super::{Constructor, Id, Span};

/// A node of a decision tree.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum Decision {
    /// Go to the child that `size` bits from bit `start` number; there are 2^`size` children.
    Test { in_context: bool, start: u16, size: u8, children: Span<Id<Decision>> },
    /// Take the first pattern that matches.
    Match(Span<Pattern>),
}

/// A constructor with the bits that it needs.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct Pattern {
    pub(in crate::sleigh) context: PatternBlock,
    pub(in crate::sleigh) instruction: PatternBlock,
    pub(in crate::sleigh) constructor: Id<Constructor>,
}

/// Masked words from byte `offset` on.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) enum PatternBlock {
    Always,
    Never,
    Words { offset: u16, words: Span<MaskWord> },
}

/// Four bytes of a pattern, most significant byte first.
#[derive(Clone, Copy, Debug)]
pub(in crate::sleigh) struct MaskWord {
    pub(in crate::sleigh) mask: u32,
    pub(in crate::sleigh) value: u32,
}
