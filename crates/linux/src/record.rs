//! What a program asked of the kernel.

use crate::abi::ARGUMENTS;
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use miyaburi_image::Address;

/// One system call, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The instruction.
    pub site: Address,
    /// Its number under the program's ABI.
    pub number: u32,
    /// What that is; `None` when the ABI has no such call.
    pub call: Option<SystemCall>,
    /// Its arguments, as many as any call has.
    pub arguments: [u64; ARGUMENTS],
    /// What it was answered.
    pub answer: Answer,
}

/// What a system call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It returned this.
    Returned(u64),
    /// It failed.
    Failed(Errno),
    /// It does not return.
    Ended,
    /// Nothing here knows what it does: it failed as calls do that a kernel lacks.
    Unmodelled,
}
