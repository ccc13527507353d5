//! Numbers that are read in hexadecimal.

use std::fmt;

use serde::{Serialize, Serializer};

/// A number that is no address, spelled `"0x1f"` as addresses are.
#[derive(Clone, Copy)]
pub(super) struct Hex(pub(super) u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
