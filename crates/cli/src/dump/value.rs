//! What the value analysis knows of a value.

use std::fmt;

use miyaburi_analysis::Value;
use miyaburi_image::Address;
use miyaburi_model::VirtualAddress;
use miyaburi_pcode::{Space, Varnode};
use schemars::JsonSchema;
use serde::Serialize;

use super::hex::Hex;
use super::scope::{Place, Scope};
use crate::text::escape;

/// A value: a constant, or a distance in bytes from something with a name.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum ValueItem<'a> {
    Unknown,
    /// A number, with what is at that address.
    Constant {
        value: Hex,
        #[serde(flatten)]
        place: Place<'a>,
    },
    /// An address in the frame, counted from the stack pointer at function entry.
    Stack {
        offset: i64,
    },
    /// The function's own argument of this number, from 0.
    Argument {
        index: u8,
        offset: i32,
    },
    /// What a register that carries no argument held at function entry.
    AtEntry {
        register: String,
        offset: i32,
    },
    /// The result of the call at `site`.
    CallResult {
        site: VirtualAddress,
        offset: i32,
    },
    /// What writable memory holds at `from`.
    Loaded {
        from: VirtualAddress,
        name: Option<&'a str>,
        offset: i32,
    },
}

impl<'a> ValueItem<'a> {
    pub(super) fn new(scope: &Scope<'a>, value: Value) -> Self {
        match value {
            Value::Unknown => Self::Unknown,
            Value::Constant(value) => {
                Self::Constant { value: Hex(value), place: scope.place(Address(value)) }
            }
            Value::StackOffset(offset) => Self::Stack { offset },
            Value::Argument { index, offset } => Self::Argument { index, offset },
            Value::AtEntry { register, offset } => {
                Self::AtEntry { register: register_name(scope, register), offset }
            }
            Value::CallResult { site, offset } => Self::CallResult { site: site.0.into(), offset },
            Value::Loaded { from, offset } => {
                Self::Loaded { from: from.0.into(), name: scope.name_at(from), offset }
            }
        }
    }
}

fn register_name(scope: &Scope<'_>, offset: u32) -> String {
    let size = scope.image().arch().pointer_size();
    let register = Varnode { space: Space::Register, offset: offset.into(), size };
    let name = scope.program.language().register_name(&register);
    name.map_or_else(|| format!("register[{offset:#x}]"), str::to_owned)
}

/// Such as `0x2`, `0x1b0a4 "/proc/"`, `stack-0x1c`, `result(0x10fd0)+0x4` or `?`.
impl fmt::Display for ValueItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("?"),
            Self::Constant { value, place } => write!(f, "{value}{place}"),
            Self::Stack { offset } => write!(f, "stack{}", Offset(*offset)),
            Self::Argument { index, offset } => {
                write!(f, "argument {index}{}", Offset::from(*offset))
            }
            Self::AtEntry { register, offset } => {
                write!(f, "entry({register}){}", Offset::from(*offset))
            }
            Self::CallResult { site, offset } => {
                write!(f, "result({site}){}", Offset::from(*offset))
            }
            Self::Loaded { from, name, offset } => {
                let place = Place { name: *name, text: None };
                write!(f, "[{from}{place}]{}", Offset::from(*offset))
            }
        }
    }
}

/// A signed number of bytes, nothing for 0.
struct Offset(i64);

impl From<i32> for Offset {
    fn from(offset: i32) -> Self {
        Self(offset.into())
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            offset if offset < 0 => write!(f, "-{:#x}", offset.unsigned_abs()),
            offset => write!(f, "+{offset:#x}"),
        }
    }
}

/// What follows an address: a space and its name or text, or nothing.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, self.text) {
            (Some(name), _) => write!(f, " {}", escape(name)),
            (None, Some(text)) => write!(f, " {text:?}"),
            (None, None) => Ok(()),
        }
    }
}
