//! Where P-code operands live.

use std::fmt;

/// An address space of the P-code machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// The offset is the value itself.
    Constant,
    /// CPU registers.
    Register,
    /// Temporaries of one instruction.
    Unique,
    /// The guest's memory.
    Ram,
    /// Any other space of a specification (I/O ports, coprocessor memory); the number is that of
    /// the specification.
    Other(u8),
}

/// A run of `size` bytes at `offset` in a space.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Varnode {
    /// The space.
    pub space: Space,
    /// Byte offset in the space; the value itself in [`Space::Constant`].
    pub offset: u64,
    /// Size in bytes, never 0.
    pub size: u32,
}

impl Varnode {
    /// A constant of `size` bytes.
    #[must_use]
    pub const fn constant(value: u64, size: u32) -> Self {
        Self { space: Space::Constant, offset: value, size }
    }

    /// The value, when this is a constant.
    #[must_use]
    pub fn as_constant(&self) -> Option<u64> {
        (self.space == Space::Constant).then_some(self.offset)
    }

    /// Whether the bytes of both overlap.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.space == other.space
            && self.offset < other.offset.saturating_add(u64::from(other.size))
            && other.offset < self.offset.saturating_add(u64::from(self.size))
    }
}

impl fmt::Debug for Varnode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.space {
            Space::Constant => "#",
            Space::Register => "reg:",
            Space::Unique => "tmp:",
            Space::Ram => "ram:",
            Space::Other(number) => {
                return write!(f, "space{number}:{:#x}:{}", self.offset, self.size);
            }
        };
        write!(f, "{name}{:#x}:{}", self.offset, self.size)
    }
}
