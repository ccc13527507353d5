//! Why a run ended.

use crate::interpreter::Trouble;
use crate::memory::MemoryError;
use miyaburi_image::Address;
use miyaburi_pcode::{LiftError, Opcode};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The called function returned.
    Returned,
    /// A hook asked to stop at a call, or behind a system call.
    Stopped {
        /// The call instruction, or that of the system call.
        at: Address,
    },
    /// The run's instructions are spent, or it goes round and round in the same code.
    Budget {
        /// Where it stood.
        at: Address,
    },
    /// It cannot go on.
    Failed {
        /// The instruction.
        at: Address,
        /// Why.
        reason: Reason,
    },
}

/// Why code could not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A load or store failed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The bytes could not be lifted.
    #[error(transparent)]
    Lift(#[from] LiftError),
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A breakpoint or failed check.
    #[error("trap")]
    Trap,
    /// An operation that the interpreter does not model.
    #[error("operation {} is not modelled", .0.name())]
    Unimplemented(Opcode),
    /// An operation of the specification's own without a model, for which nobody answered.
    #[error("user-op {0} is not modelled")]
    UserOp(String),
    /// A system call that nobody answered.
    #[error("system call")]
    SystemCall,
    /// A call to an address that holds no code.
    #[error("call to {0}, which is no code")]
    NotCode(Address),
    /// A call to a routine that could not be run again and again.
    #[error("call to {0}, which failed before")]
    GivenUp(Address),
    /// Calls or register windows nest too deep.
    #[error("calls nest too deep")]
    Depth,
    /// One call spent its budget.
    #[error("a call spent its budget")]
    CallBudget,
}

impl From<Trouble> for Reason {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Memory(error) => Self::Memory(error),
            Trouble::DivisionByZero => Self::DivisionByZero,
            Trouble::Unimplemented(opcode) => Self::Unimplemented(opcode),
            Trouble::Depth => Self::Depth,
        }
    }
}
