//! The domain of the value analysis.

use crate::arithmetic::{mask, signed};
use miyaburi_image::Address;

/// What is known of a value: a constant, or a known distance from something with a name.
///
/// Values that start from a name keep it through truncation and extension, so an argument that
/// passes through an 8-bit register is still that argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nothing.
    #[default]
    Unknown,
    /// This number, zero-extended.
    Constant(u64),
    /// This many bytes from the stack pointer at function entry.
    StackOffset(i64),
    /// The function's argument of this number (from 0), plus bytes.
    Argument {
        /// Number of the argument.
        index: u8,
        /// What was added to it.
        offset: i32,
    },
    /// What a register that carries no argument held at function entry, plus bytes.
    AtEntry {
        /// Byte offset of the register in the register space.
        register: u32,
        /// What was added to it.
        offset: i32,
    },
    /// The result of the call at `site`, plus bytes.
    CallResult {
        /// Address of the call instruction.
        site: Address,
        /// What was added to it.
        offset: i32,
    },
    /// What writable memory holds at a constant address, plus bytes.
    Loaded {
        /// Where it was loaded from.
        from: Address,
        /// What was added to it.
        offset: i32,
    },
}

impl Value {
    /// The number, when this is a constant.
    #[must_use]
    pub const fn constant(self) -> Option<u64> {
        match self {
            Self::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// The constant as a guest address.
    #[must_use]
    pub const fn address(self) -> Option<Address> {
        match self {
            Self::Constant(value) => Some(Address(value)),
            _ => None,
        }
    }

    /// The distance from the stack pointer at function entry, when this is a stack address.
    #[must_use]
    pub const fn stack_offset(self) -> Option<i64> {
        match self {
            Self::StackOffset(offset) => Some(offset),
            _ => None,
        }
    }

    /// Whether anything is known.
    #[must_use]
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// The value plus a constant of `size` bytes; additions wrap at that size.
    pub(crate) fn plus(self, added: u64, size: u32) -> Self {
        let distance = signed(added, size);
        let moved = |offset: i32| {
            i64::from(offset).checked_add(distance).and_then(|sum| i32::try_from(sum).ok())
        };
        match self {
            Self::Unknown => Self::Unknown,
            Self::Constant(value) => Self::Constant(value.wrapping_add(added) & mask(size)),
            Self::StackOffset(offset) => Self::StackOffset(offset.wrapping_add(distance)),
            Self::Argument { index, offset } => {
                moved(offset).map_or(Self::Unknown, |offset| Self::Argument { index, offset })
            }
            Self::AtEntry { register, offset } => {
                moved(offset).map_or(Self::Unknown, |offset| Self::AtEntry { register, offset })
            }
            Self::CallResult { site, offset } => {
                moved(offset).map_or(Self::Unknown, |offset| Self::CallResult { site, offset })
            }
            Self::Loaded { from, offset } => {
                moved(offset).map_or(Self::Unknown, |offset| Self::Loaded { from, offset })
            }
        }
    }

    /// The low `size` bytes.
    pub(crate) const fn truncated(self, size: u32) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(value & mask(size)),
            // A stack address cut short is no address any more.
            Self::StackOffset(_) if size < 4 => Self::Unknown,
            other => other,
        }
    }

    /// The difference of two values that start from the same name.
    pub(crate) fn distance_from(self, base: Self) -> Option<u64> {
        let (own, other) = (self.origin()?, base.origin()?);
        let same = own.0 == other.0;
        same.then(|| own.1.wrapping_sub(other.1) as u64)
    }

    /// The value with its offset taken off, and the offset; `None` for what has no name.
    fn origin(self) -> Option<(Self, i64)> {
        Some(match self {
            Self::Unknown | Self::Constant(_) => return None,
            Self::StackOffset(offset) => (Self::StackOffset(0), offset),
            Self::Argument { index, offset } => {
                (Self::Argument { index, offset: 0 }, i64::from(offset))
            }
            Self::AtEntry { register, offset } => {
                (Self::AtEntry { register, offset: 0 }, i64::from(offset))
            }
            Self::CallResult { site, offset } => {
                (Self::CallResult { site, offset: 0 }, i64::from(offset))
            }
            Self::Loaded { from, offset } => (Self::Loaded { from, offset: 0 }, i64::from(offset)),
        })
    }

    /// What is known when control comes from two places with these values.
    pub(crate) fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;
    use miyaburi_image::Address;

    #[test]
    fn a_value_is_two_words() {
        assert!(size_of::<Value>() <= 16);
    }

    #[test]
    fn additions_wrap_and_keep_the_name() {
        assert_eq!(Value::Constant(0xffff_fff0).plus(0x20, 4), Value::Constant(0x10));
        assert_eq!(Value::StackOffset(-8).plus(0xffff_fff8, 4), Value::StackOffset(-16));
        let argument = Value::Argument { index: 1, offset: 0 };
        assert_eq!(argument.plus(4, 8), Value::Argument { index: 1, offset: 4 });
        assert_eq!(argument.plus(1 << 40, 8), Value::Unknown);
    }

    #[test]
    fn values_of_different_names_have_no_distance() {
        let loaded = Value::Loaded { from: Address(0x1000), offset: 12 };
        assert_eq!(
            loaded.distance_from(Value::Loaded { from: Address(0x1000), offset: 4 }),
            Some(8)
        );
        assert_eq!(loaded.distance_from(Value::Loaded { from: Address(0x1004), offset: 4 }), None);
        assert_eq!(Value::Constant(3).distance_from(Value::Constant(1)), None);
        assert_eq!(loaded.join(Value::Constant(1)), Value::Unknown);
    }
}
