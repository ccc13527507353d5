//! Calls about threads: where the block of the only one lies, and waiting for others.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use miyaburi_image::Family;
use miyaburi_pcode::{Language, Varnode};

/// `arch_prctl`'s code that sets FS (`asm/prctl.h`).
const SET_FS: u64 = 0x1002;

/// The entry of the descriptor table that an i386 program gets when any will do.
const THREAD_ENTRY: u64 = 6;

/// The register in which the kernel puts the thread pointer.
#[derive(Clone, Debug)]
pub(super) struct ThreadRegister(Varnode);

impl ThreadRegister {
    /// That of CPUs where the kernel sets one.
    pub(super) fn of(family: Family, language: &dyn Language) -> Option<Self> {
        let name = match family {
            Family::X86 => "GS_OFFSET",
            Family::X86_64 => "FS_OFFSET",
            Family::Mips => "HW_ULR",
            _ => return None,
        };
        language.register(name).map(Self)
    }
}

impl Kernel {
    pub(super) fn thread_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let first = request.argument(0);
        let reply = match call {
            SystemCall::SetThreadArea if self.abi.family == Family::X86 => {
                self.set_descriptor(request)
            }
            SystemCall::SetThreadArea | SystemCall::SetTls => {
                self.set_thread_pointer(request, first);
                Ok(0)
            }
            SystemCall::ArchPrctl if first == SET_FS => {
                let pointer = request.argument(1);
                self.set_thread_pointer(request, pointer);
                Ok(0)
            }
            SystemCall::GetThreadArea => Ok(self.thread_pointer),
            SystemCall::SetRobustList
            | SystemCall::SchedYield
            | SystemCall::Cacheflush
            | SystemCall::AtomicBarrier
            | SystemCall::Membarrier => Ok(0),
            // Nobody else is there to wait for, or to be woken.
            SystemCall::Futex | SystemCall::FutexTime64 => Ok(0),
            // As kernels before 4.18, which lack it: C libraries ask and do without.
            SystemCall::Rseq => Err(Errno::NoSuchCall),
            SystemCall::AtomicCmpxchg32 => compare_and_exchange(request),
            _ => return None,
        };
        Some(reply.into())
    }

    fn set_thread_pointer(&mut self, request: &mut Request<'_, '_>, pointer: u64) {
        self.thread_pointer = pointer;
        request.state.set_thread_pointer(pointer);
        if let Some(ThreadRegister(register)) = &self.thread_register {
            request.state.set_register(register, pointer);
        }
    }

    /// i386: a `user_desc` names the base of the segment.
    fn set_descriptor(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let block = request.argument(0);
        let base = request.load(block.wrapping_add(4), 4)?;
        request.store(block, 4, THREAD_ENTRY)?;
        self.set_thread_pointer(request, base);
        Ok(0)
    }
}

/// The 68000's atomic exchange: D1 is put where A0 points if D2 stands there; what stood there.
fn compare_and_exchange(request: &mut Request<'_, '_>) -> Result<u64, Errno> {
    let [new, old, .., at] = request.arguments;
    let present = request.load(at, 4)?;
    if present == old & 0xffff_ffff {
        request.store(at, 4, new)?;
    }
    Ok(present)
}
