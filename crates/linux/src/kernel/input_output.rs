//! Calls about files and what else has a descriptor.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;

/// Bytes that one call moves.
const MAX_BYTES: u64 = 1 << 20;

/// Parts of one `writev` or `readv` (`UIO_MAXIOV`).
const MAX_PARTS: u64 = 1024;

impl Kernel {
    pub(super) fn input_output_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let [first, second, third, ..] = request.arguments;
        let reply = match call {
            SystemCall::Read => self.read(request, first, second, third),
            SystemCall::Write => self.write(request, first, second, third),
            SystemCall::Writev => self.write_parts(request),
            SystemCall::Open => self.open_path(request, first),
            SystemCall::Openat => self.open_path(request, second),
            SystemCall::Access => self.look_up(request, first),
            SystemCall::Faccessat | SystemCall::Faccessat2 => self.look_up(request, second),
            SystemCall::Close => self.open.close(first).map(|()| 0),
            SystemCall::Lseek => self.open.seek(first, self.signed(second), third),
            SystemCall::Llseek => self.seek_far(request),
            SystemCall::Readlink => self.read_link(request, first, second, third),
            SystemCall::Readlinkat => {
                let length = request.argument(3);
                self.read_link(request, second, third, length)
            }
            SystemCall::Ioctl => Err(Errno::NotTerminal),
            // Flags are not looked at: nothing here ever blocks.
            SystemCall::Fcntl | SystemCall::Fcntl64 => self.open.readiness(first).map(|_| 0),
            SystemCall::Chdir | SystemCall::Unlink | SystemCall::Unlinkat => Ok(0),
            _ => return None,
        };
        Some(reply.into())
    }

    /// A number of the program's `long`, with its sign.
    fn signed(&self, value: u64) -> i64 {
        if self.word == 4 { i64::from(value as u32 as i32) } else { value as i64 }
    }

    fn read(
        &mut self,
        request: &mut Request<'_, '_>,
        descriptor: u64,
        at: u64,
        length: u64,
    ) -> Result<u64, Errno> {
        let bytes = self.open.read(descriptor, length.min(MAX_BYTES))?;
        request.write(at, &bytes)?;
        Ok(bytes.len() as u64)
    }

    fn write(
        &mut self,
        request: &mut Request<'_, '_>,
        descriptor: u64,
        at: u64,
        length: u64,
    ) -> Result<u64, Errno> {
        let bytes = request.bytes(at, length.min(MAX_BYTES) as usize)?;
        self.open.write(descriptor, &bytes)
    }

    /// `writev`: what a list of addresses and lengths names.
    fn write_parts(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [descriptor, list, count, ..] = request.arguments;
        if count > MAX_PARTS {
            return Err(Errno::Invalid);
        }
        let word = u64::from(self.word);
        let mut total = 0;
        for part in (0..count).map(|index| list.wrapping_add(2 * word * index)) {
            let at = request.load(part, self.word)?;
            let length = request.load(part.wrapping_add(word), self.word)?;
            total += self.write(request, descriptor, at, length)?;
        }
        Ok(total)
    }

    fn open_path(&mut self, request: &mut Request<'_, '_>, path: u64) -> Result<u64, Errno> {
        let path = request.path(path)?;
        let content = self.tree.file(&path)?;
        self.open.open(content)
    }

    fn look_up(&mut self, request: &mut Request<'_, '_>, path: u64) -> Result<u64, Errno> {
        let path = request.path(path)?;
        self.tree.file(&path).map(|_| 0)
    }

    /// `_llseek`: both halves of a distance, and where to put the result.
    fn seek_far(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [descriptor, high, low, at, whence, _] = request.arguments;
        let distance = high << 32 | low & 0xffff_ffff;
        let position = self.open.seek(descriptor, distance as i64, whence & 0xffff_ffff)?;
        request.store(at, 8, position)?;
        Ok(0)
    }

    fn read_link(
        &mut self,
        request: &mut Request<'_, '_>,
        path: u64,
        at: u64,
        length: u64,
    ) -> Result<u64, Errno> {
        if request.path(path)? != b"/proc/self/exe" {
            return Err(Errno::Invalid);
        }
        let length = (self.executable.len() as u64).min(length);
        let bytes = self.executable.get(..length as usize).unwrap_or(&[]);
        request.write(at, bytes)?;
        Ok(length)
    }
}
