//! The guest address.

use std::fmt;

/// A virtual address of the analysed program, in bytes; never a host address.
///
/// For position-independent files the image is taken to be loaded at 0. The Thumb and MIPS16
/// mode bit is not part of an address.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u64);

impl Address {
    /// The address `count` bytes further; wraps at 2^64 as guest arithmetic does.
    #[must_use]
    pub const fn offset(self, count: u64) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The distance in bytes from `base` up to `self`, or `None` when `self` lies below it.
    #[must_use]
    pub const fn distance_from(self, base: Self) -> Option<u64> {
        self.0.checked_sub(base.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
