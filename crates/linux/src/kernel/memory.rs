//! Calls about memory.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use miyaburi_image::Family;

/// A mapping must be where the program wants it.
const MAP_FIXED: u64 = 0x10;

/// What is written there is written into the file.
const MAP_SHARED: u64 = 1;

impl Kernel {
    pub(super) fn memory_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let reply = match call {
            SystemCall::Brk => Ok(self.space.set_break(request.argument(0))),
            SystemCall::Mmap | SystemCall::Mmap2 => self.map(call, request),
            // What is given back is not given out again.
            SystemCall::Munmap | SystemCall::Mprotect | SystemCall::Madvise => Ok(0),
            SystemCall::Mremap => self.remap(request),
            _ => return None,
        };
        Some(reply.into())
    }

    /// Fresh memory, with the bytes of a file when one is mapped.
    fn map(&mut self, call: SystemCall, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        // i386's and the 68000's older calls have their arguments in memory.
        let is_packed = call == SystemCall::Mmap
            && matches!(self.abi.family, Family::X86 | Family::M68k | Family::ColdFire);
        let mut arguments = request.arguments;
        if is_packed {
            let block = request.argument(0);
            for (index, argument) in (0..).zip(&mut arguments) {
                *argument = request.load(block.wrapping_add(4 * index), 4)?;
            }
        }
        let [wanted, size, _, flags, descriptor, offset] = arguments;
        let start = if flags & MAP_FIXED != 0 || self.space.could_be_at(request.state, wanted, size)
        {
            self.space.map_at(request.state, wanted, size)?
        } else {
            self.space.map(size)?
        };
        let descriptor = descriptor & 0xffff_ffff;
        if descriptor < 0x8000_0000 && !is_anonymous(self.abi.family, flags) {
            let unit = if call == SystemCall::Mmap2 { 4096 } else { 1 };
            let content = self.open.content(descriptor)?;
            let from = offset.saturating_mul(unit).min(content.len() as u64) as usize;
            let bytes = content.get(from..).unwrap_or(&[]);
            let length = bytes.len().min(usize::try_from(size).unwrap_or(usize::MAX));
            request.write(start, bytes.get(..length).unwrap_or(&[]))?;
            if flags & MAP_SHARED != 0 {
                self.share(descriptor, start, size, offset.saturating_mul(unit));
            }
        }
        Ok(start)
    }

    /// The same bytes somewhere else, with more room.
    fn remap(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [old, old_size, size, ..] = request.arguments;
        if size <= old_size {
            return Ok(old);
        }
        let start = self.space.map(size)?;
        let length = usize::try_from(old_size).map_err(|_| Errno::NoMemory)?;
        if length as u64 > crate::space::MAPPED_SIZE {
            return Err(Errno::NoMemory);
        }
        let bytes = request.bytes(old, length)?;
        request.write(start, &bytes)?;
        Ok(start)
    }
}

/// Whether a mapping is of no file. Source: `asm/mman.h` of each architecture.
const fn is_anonymous(family: Family, flags: u64) -> bool {
    let flag = match family {
        Family::Mips => 0x800,
        _ => 0x20,
    };
    flags & flag != 0
}
