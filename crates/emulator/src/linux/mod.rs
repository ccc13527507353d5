//! What Linux system calls mean, as far as the emulator names them.

mod kernel_code;
mod socket_calls;

pub(crate) use kernel_code::KernelCode;
pub use socket_calls::{SocketCall, SystemCallSite};
