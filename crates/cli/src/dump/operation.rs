//! One P-code operation.

use std::fmt;

use miyaburi_image::Address;
use miyaburi_pcode::{Op, Opcode, Space, Varnode, space_number};
use schemars::JsonSchema;
use serde::Serialize;

use super::hex::Hex;
use super::scope::Scope;
use crate::text::escape;

/// One operation.
#[derive(Serialize, JsonSchema)]
pub(super) struct Operation<'a> {
    /// In the spelling of the P-code reference manual, such as `INT_ADD`.
    opcode: &'static str,
    /// Where the result goes.
    output: Option<VarnodeItem<'a>>,
    /// The first three; those of `LOAD` and `STORE` without the space, which is in `space`.
    inputs: Vec<VarnodeItem<'a>>,
    /// The space that `LOAD` and `STORE` address.
    space: Option<String>,
    /// The name of what a `CALLOTHER` does.
    user_op: Option<&'a str>,
    #[serde(skip)]
    jump: Option<Jump<'a>>,
}

/// An operand: `size` bytes at `offset` in a space.
#[derive(Serialize, JsonSchema)]
struct VarnodeItem<'a> {
    /// `constant` (the offset is the value), `register`, `unique` (temporaries of one
    /// instruction), `ram`, or `space` and a number.
    space: String,
    offset: Hex,
    /// In bytes.
    size: u32,
    /// Of a register.
    register: Option<&'a str>,
}

/// Where a branch or call goes.
enum Jump<'a> {
    /// To an address, which may have a name.
    To(Address, Option<&'a str>),
    /// By so many operations within the instruction.
    By(i64),
}

impl<'a> Operation<'a> {
    pub(super) fn new(scope: &Scope<'a>, op: &Op) -> Self {
        let language = scope.program.language();
        let is_access = matches!(op.opcode, Opcode::LOAD | Opcode::STORE);
        let (first, inputs) = match op.inputs().split_first() {
            Some((first, rest)) if is_access => (Some(first), rest),
            first => (first.map(|(first, _)| first), op.inputs()),
        };
        let number = first.and_then(Varnode::as_constant);
        let item = |varnode: &Varnode| VarnodeItem {
            space: space_name(varnode.space),
            offset: Hex(varnode.offset),
            size: varnode.size,
            register: language.register_name(varnode),
        };
        Self {
            opcode: op.opcode.name(),
            output: op.output.as_ref().map(item),
            inputs: inputs.iter().map(item).collect(),
            space: number.filter(|_| is_access).map(space_of_number),
            user_op: number
                .filter(|_| op.opcode == Opcode::CALLOTHER)
                .and_then(|number| language.user_op(number)),
            jump: first.filter(|_| is_jump(op.opcode)).and_then(|target| Jump::new(scope, target)),
        }
    }

    /// Such as `r0 = INT_ADD r1, 0x4:4`, for number `number` of `count` operations.
    pub(super) fn text(&self, number: usize, count: usize) -> String {
        let mut inputs: Vec<String> = self.inputs.iter().map(ToString::to_string).collect();
        if let Some(first) = inputs.first_mut() {
            if let Some(space) = &self.space {
                *first = format!("{space}[{first}]");
            }
            if let Some(name) = self.user_op {
                *first = escape(name);
            }
            if let Some(jump) = &self.jump {
                *first = jump.text(number, count);
            }
        }
        let output = self.output.as_ref().map(|output| format!("{output} = ")).unwrap_or_default();
        format!("{output}{} {}", self.opcode, inputs.join(", ")).trim_end().to_owned()
    }
}

const fn is_jump(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::BRANCH | Opcode::CBRANCH | Opcode::CALL)
}

impl<'a> Jump<'a> {
    fn new(scope: &Scope<'a>, target: &Varnode) -> Option<Self> {
        let address = Address(target.offset);
        match target.space {
            Space::Ram => Some(Self::To(address, scope.name_at(address))),
            Space::Constant => {
                let unused = 64 - 8 * target.size.clamp(1, 8);
                Some(Self::By((target.offset << unused).cast_signed() >> unused))
            }
            _ => None,
        }
    }

    fn text(&self, number: usize, count: usize) -> String {
        match self {
            Self::To(address, Some(name)) => format!("{address} {}", escape(name)),
            Self::To(address, None) => address.to_string(),
            Self::By(distance) => match isize::try_from(*distance) {
                Ok(distance) if number.checked_add_signed(distance) == Some(count) => {
                    "to the next instruction".to_owned()
                }
                Ok(distance) if let Some(target) = number.checked_add_signed(distance) => {
                    format!("to {target}")
                }
                _ => format!("by {distance}"),
            },
        }
    }
}

fn space_name(space: Space) -> String {
    match space {
        Space::Constant => "constant".to_owned(),
        Space::Register => "register".to_owned(),
        Space::Unique => "unique".to_owned(),
        Space::Ram => "ram".to_owned(),
        Space::Other(number) => format!("space{number}"),
    }
}

/// The space that the first input of `LOAD` and `STORE` stands for.
fn space_of_number(number: u64) -> String {
    let others = (0..=u8::MAX).map(Space::Other);
    [Space::Register, Space::Unique, Space::Ram]
        .into_iter()
        .chain(others)
        .find(|space| space_number(*space) == number)
        .map_or_else(|| format!("space number {number}"), space_name)
}

/// Such as `r0`, `0x4:4`, `$2e80:4` (temporary), `ram[0x1c000]:4` or `register[0x58]:2`.
impl fmt::Display for VarnodeItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, size, .. } = self;
        match (self.register, self.space.as_str()) {
            (Some(name), _) => f.write_str(name),
            (None, "constant") => write!(f, "{offset}:{size}"),
            (None, "unique") => write!(f, "${:x}:{size}", offset.0),
            (None, space) => write!(f, "{space}[{offset}]:{size}"),
        }
    }
}
