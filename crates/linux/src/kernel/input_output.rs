//! Calls about files and what else has a descriptor.

use super::{Kernel, Reply, Request};
use crate::abi::calls::{Numbering, SystemCall};
use crate::abi::errno::Errno;
use crate::descriptors::Open;
use crate::tree::{Device, Node};
use miyaburi_image::Endian;

/// Bytes that one call moves.
const MAX_BYTES: u64 = 1 << 20;

/// The part of `open`'s flags that says whether to write (`O_ACCMODE`).
const ACCESS: u64 = 3;

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
            SystemCall::Readv => self.read_parts(request),
            SystemCall::Pread64 => self.read_at(request),
            SystemCall::Open => {
                self.absolute_path(request, first).and_then(|path| self.open_path(path, second))
            }
            SystemCall::Openat => {
                self.path_at(request, first, second).and_then(|path| self.open_path(path, third))
            }
            // As of descriptors that it is not made for: programs then read and write themselves.
            SystemCall::Sendfile | SystemCall::Sendfile64 => Err(Errno::Invalid),
            SystemCall::Dup => self.open.duplicate(first, 0),
            SystemCall::Dup2 | SystemCall::Dup3 => self.open.duplicate_to(first, second),
            SystemCall::Close => self.open.close(first).map(|()| 0),
            SystemCall::Lseek => self.open.seek(first, self.signed(second), third),
            SystemCall::Llseek => self.seek_far(request),
            SystemCall::Readlink => self.read_link(request, first, second, third),
            SystemCall::Readlinkat => {
                let length = request.argument(3);
                self.read_link(request, second, third, length)
            }
            SystemCall::Ioctl => Err(Errno::NotTerminal),
            SystemCall::Fcntl | SystemCall::Fcntl64 => self.control(first, second, third),
            SystemCall::Fadvise64 | SystemCall::Fadvise6464 | SystemCall::ArmFadvise6464 => Ok(0),
            SystemCall::Sync | SystemCall::Fsync => Ok(0),
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
        let length = length.min(MAX_BYTES);
        if matches!(self.open.get(descriptor)?, Open::Device { device: Device::Random, .. }) {
            return self.draw(request, at, length);
        }
        let bytes = self.open.read(descriptor, length)?;
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

    /// `readv`: what is read goes to one place after the other.
    fn read_parts(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [descriptor, list, count, ..] = request.arguments;
        if count > MAX_PARTS {
            return Err(Errno::Invalid);
        }
        let word = u64::from(self.word);
        let mut total = 0;
        for part in (0..count).map(|index| list.wrapping_add(2 * word * index)) {
            let at = request.load(part, self.word)?;
            let length = request.load(part.wrapping_add(word), self.word)?;
            let moved = self.read(request, descriptor, at, length)?;
            total += moved;
            if moved < length {
                break;
            }
        }
        Ok(total)
    }

    /// `pread64`: the place has 64 bits, which 32-bit ABIs pass in two arguments; those that align
    /// such pairs leave one out before it.
    fn read_at(&mut self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [descriptor, at, length, fourth, fifth, sixth] = request.arguments;
        let (first, second) = match self.abi.numbering {
            Numbering::Arm | Numbering::Mips | Numbering::PowerPc | Numbering::SuperH => {
                (fifth, sixth)
            }
            _ => (fourth, fifth),
        };
        let place = match (self.word, self.endian) {
            (4, Endian::Little) => second << 32 | first & 0xffff_ffff,
            (4, Endian::Big) => first << 32 | second & 0xffff_ffff,
            _ => fourth,
        };
        let bytes = self.open.read_at(descriptor, length.min(MAX_BYTES), place)?;
        request.write(at, &bytes)?;
        Ok(bytes.len() as u64)
    }

    /// Opens what stands at a path, to read it: of all that there is, devices alone can be written.
    fn open_path(&mut self, path: Vec<u8>, flags: u64) -> Result<u64, Errno> {
        let may_write = flags & ACCESS != 0;
        let node = self.tree.node(&path, true).cloned().map_err(|error| {
            if flags & self.abi.creates() != 0 { Errno::ReadOnly } else { error }
        })?;
        let status = self.tree.status(&path, true)?;
        self.open.add(match node {
            Node::Folder if may_write => return Err(Errno::IsDirectory),
            Node::File(_) if may_write => return Err(Errno::ReadOnly),
            Node::File(content) => Open::File { content, status, position: 0 },
            Node::Folder => Open::Folder { path, status, position: 0 },
            Node::Device(device) => Open::Device { device, status },
            // A link to a link.
            Node::Link(_) => return Err(Errno::NoEntry),
        })
    }

    /// `fcntl`: numbers can be doubled and asked how they may be used; nothing here ever blocks.
    fn control(&mut self, descriptor: u64, command: u64, argument: u64) -> Result<u64, Errno> {
        /// Commands that are the same on every CPU (`asm-generic/fcntl.h`, `linux/fcntl.h`).
        const DUPLICATE: u64 = 0;
        const GET_FLAGS: u64 = 3;
        const DUPLICATE_AND_CLOSE: u64 = 1030;
        /// `O_RDWR`.
        const BOTH_WAYS: u64 = 2;
        let open = self.open.get(descriptor)?;
        match command {
            DUPLICATE | DUPLICATE_AND_CLOSE => self.open.duplicate(descriptor, argument),
            GET_FLAGS => Ok(match open {
                Open::File { .. } | Open::Folder { .. } => 0,
                _ => BOTH_WAYS,
            }),
            _ => Ok(0),
        }
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
        let path = self.absolute_path(request, path)?;
        let Node::Link(target) = self.tree.node(&path, false)? else {
            return Err(Errno::Invalid);
        };
        let length = (target.len() as u64).min(length);
        request.write(at, target.get(..length as usize).unwrap_or(&[]))?;
        Ok(length)
    }
}
