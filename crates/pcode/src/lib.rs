//! P-code: the one intermediate representation of every CPU, and the lifter that makes it.
//!
//! Only the backend module knows which engine decodes; everything else goes through
//! [`Language`] and [`Lifter`].

mod lifter;
mod op;
mod sleigh;
mod varnode;

pub use lifter::{CONTEXT_WORDS, CodeBytes, Context, Instruction, Language, LiftError, Lifter};
pub use op::{MAX_INPUTS, Op, Opcode};
pub use sleigh::{LanguageError, SpecificationError, language_for};
pub use varnode::{Space, Varnode};

/// The number that stands for a space in the first input of `LOAD` and `STORE`.
#[must_use]
pub const fn space_number(space: Space) -> u64 {
    match space {
        Space::Constant => 0,
        Space::Register => 1,
        Space::Unique => 2,
        Space::Ram => 3,
        Space::Other(number) => 16 + number as u64,
    }
}
