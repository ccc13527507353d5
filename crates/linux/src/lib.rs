//! A Linux around one emulated program: enough of the kernel for static programs to start and to
//! run, and a record of everything they ask of it.
//!
//! Nothing reaches the host: files, time and memory are this crate's own, and no call of the program
//! leads to one of ours. A call that is not modelled fails as on a kernel that lacks it, and is
//! recorded as such.

mod abi;
mod clock;
mod descriptors;
mod kernel;
mod made_file;
mod network;
mod observer;
mod process;
mod record;
mod script;
mod space;
mod start;
mod tree;

pub use abi::MissingRegister;
pub use abi::calls::{Numbering, SystemCall};
pub use abi::errno::Errno;
pub use kernel::{Ended, Kernel, Side};
pub use network::{
    NetworkAction, NetworkEvent, OWN_HOST, OWN_PORT, OWN_PORTS, OWN_SEQUENCE, PEER_SEQUENCE,
    Transport, is_own_address,
};
pub use observer::Observer;
pub use process::{Process, StartError};
pub use record::{Answer, CallRecord};
pub use script::{Connections, Names, Script};
pub use start::Setup;
pub use tree::RESOLVER;
