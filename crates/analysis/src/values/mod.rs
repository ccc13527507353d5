//! Constants through registers, stack and memory to the arguments of calls.
//!
//! A forward data-flow analysis over the blocks of one function. It follows general registers by
//! byte range, the stack frame by offset and loads from constant addresses; what a callee does is
//! summarised by the calling convention, except for callees of a few instructions, which are
//! followed.
//!
//! # False positives
//! - A value stored in the frame counts as unchanged by stores through unknown pointers, and by
//!   callees that were never handed an address near it.
//! - Initialised writable memory counts as constant when no store to it is seen.
//! - A rounded stack pointer (`and esp, -16`) is taken as if the caller's had been aligned.
//!
//! # False negatives
//! - Values that differ between two paths are unknown after they meet.
//! - What a callee leaves in a register that the convention gives it is unknown, even if the
//!   compiler knew better (inter-procedural register allocation), unless all that the callee can
//!   run is known ([`effects`]).
//! - Vector arithmetic and floating point are not followed, vector moves are.

mod call;
mod combine;
pub(crate) mod effects;
pub(crate) mod engine;
pub(crate) mod memory;
pub(crate) mod observer;
pub(crate) mod registers;
pub(crate) mod relevance;
pub(crate) mod solve;
pub(crate) mod stack;
mod step;
mod temporaries;
mod value;
pub(crate) mod values_of;

pub use value::Value;
pub use values_of::{GlobalStore, StackByte, Values};
