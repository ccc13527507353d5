//! Concrete execution of lifted code in a machine that has no outside.
//!
//! Nothing the guest does reaches the host: memory is the emulator's own, system calls go to the
//! caller's [`Hooks`] or end the run, and every way a run can end is data ([`Exit`]).

mod abi;
mod block;
mod emulator;
mod exit;
mod float;
mod frames;
mod hooks;
mod interpreter;
mod layout;
mod linux;
mod machine;
mod memory;
mod quick;
mod registers;
mod simplify;
mod user_op;
mod wide;
mod windows;

pub use abi::{Abi, ErrorFlag, MissingRegister, ModeSwitch, ReturnAddress};
pub use emulator::{Emulator, Limits, Outcome};
pub use exit::{Exit, Reason};
pub use frames::Call;
pub use hooks::{CallAction, Hooks, NoHooks};
pub use layout::Layout;
pub use linux::{SocketCall, SystemCallSite};
pub use machine::State;
pub use memory::{Access, JournalMark, Memory, MemoryError, PAGE_SIZE, Region, WatchedAccess};
