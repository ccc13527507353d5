//! Why decoding stops.

use crate::lifter::LiftError;
use miyaburi_image::Address;

/// A failure within one instruction; [`Fault::at`] adds where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No constructor matches, or an operand has no value.
    Undecodable,
    /// A constructor without semantics, or a feature of templates that has no meaning here.
    Unimplemented,
    /// A bound on size or nesting.
    Limit(&'static str),
}

impl Fault {
    pub(super) const fn at(self, address: Address) -> LiftError {
        match self {
            Self::Undecodable => LiftError::Undecodable(address),
            Self::Unimplemented => LiftError::Unimplemented(address),
            Self::Limit(limit) => LiftError::Limit { address, limit },
        }
    }
}
