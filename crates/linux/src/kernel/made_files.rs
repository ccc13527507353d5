//! Calls that make files in memory, and those that let one take the program's place.

use super::{Ended, Kernel, Reply, Request};
use crate::abi::calls::{Numbering, SystemCall};
use crate::abi::errno::Errno;
use crate::descriptors::Open;
use crate::made_file::MadeFile;
use miyaburi_image::Endian;

/// Bytes that one call moves.
const MAX_BYTES: u64 = 1 << 20;

/// Memory that is a part of a made file at the same time (`MAP_SHARED`).
#[derive(Clone, Copy, Debug)]
pub(super) struct SharedPart {
    pub(super) start: u64,
    pub(super) size: u64,
    /// What is open there.
    pub(super) open: u32,
    pub(super) offset: u64,
}

impl Kernel {
    pub(super) fn made_file_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let [first, second, third, ..] = request.arguments;
        self.take_over_shared(request);
        let reply = match call {
            SystemCall::MemfdCreate => self.open.add(Open::Made(MadeFile::default())),
            SystemCall::Ftruncate => self.resize(first, second),
            SystemCall::Ftruncate64 => {
                let size = self.far_argument(request, 1);
                self.resize(first, size)
            }
            SystemCall::Pwrite64 => {
                let place = self.far_argument(request, 3);
                let bytes = request.bytes(second, third.min(MAX_BYTES) as usize);
                bytes.and_then(|bytes| self.open.made(first)?.put(place, &bytes))
            }
            SystemCall::Execve => return self.execute(request, first),
            SystemCall::Execveat => {
                let is_own = request.load(second, 1).is_ok_and(|byte| byte == 0);
                return if is_own { self.replace(first) } else { self.execute(request, second) };
            }
            _ => return None,
        };
        Some(reply.into())
    }

    /// A file that the program made took its place, when one did.
    #[must_use]
    pub fn executed(&self) -> Option<&[u8]> {
        self.executed.as_deref()
    }

    fn resize(&mut self, descriptor: u64, size: u64) -> Result<u64, Errno> {
        self.open.made(descriptor)?.resize(size).map(|()| 0)
    }

    /// An argument of 64 bits that stands at `index`: 32-bit ABIs pass it in two, some of them
    /// beginning at an even one.
    fn far_argument(&self, request: &Request<'_, '_>, index: usize) -> u64 {
        let aligned = matches!(
            self.abi.numbering,
            Numbering::Arm | Numbering::Mips | Numbering::PowerPc | Numbering::SuperH
        );
        let index = if aligned && self.word == 4 { index.next_multiple_of(2) } else { index };
        let (first, second) = (request.argument(index), request.argument(index + 1));
        match (self.word, self.endian) {
            (4, Endian::Little) => second << 32 | first & 0xffff_ffff,
            (4, Endian::Big) => first << 32 | second & 0xffff_ffff,
            _ => first,
        }
    }

    /// `execve` of the path by which a made file is reached; of other files nobody here knows.
    fn execute(&mut self, request: &mut Request<'_, '_>, path: u64) -> Option<Reply> {
        let path = self.absolute_path(request, path).ok()?;
        self.replace(descriptor_of(&path)?)
    }

    fn replace(&mut self, descriptor: u64) -> Option<Reply> {
        let file = self.open.made(descriptor).ok()?;
        self.executed = Some(file.content.as_slice().into());
        Some(Reply::End(Ended::Replaced))
    }

    /// Remembers that memory is a part of a made file.
    pub(super) fn share(&mut self, descriptor: u64, start: u64, size: u64, offset: u64) {
        /// Parts that one process may have mapped.
        const MAX_SHARED: usize = 16;
        if let Some(open) = self.open.made_number(descriptor)
            && self.shared.len() < MAX_SHARED
        {
            self.shared.push(SharedPart { start, size, open, offset });
        }
    }

    /// Puts what the program wrote into shared memory into the files.
    fn take_over_shared(&mut self, request: &mut Request<'_, '_>) {
        for part in &self.shared {
            let Some(file) = self.open.made_by_number(part.open) else { continue };
            let left = (file.content.len() as u64).saturating_sub(part.offset);
            let Ok(bytes) = request.bytes(part.start, left.min(part.size) as usize) else {
                continue;
            };
            // It has that size already.
            let _ = file.put(part.offset, &bytes);
        }
    }
}

/// The descriptor that a path of `/proc` or `/dev` names.
fn descriptor_of(path: &[u8]) -> Option<u64> {
    let path = std::str::from_utf8(path).ok()?;
    let number = match path.strip_prefix("/dev/fd/") {
        Some(number) => number,
        None => path.strip_prefix("/proc/")?.split_once("/fd/")?.1,
    };
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::descriptor_of;

    #[test]
    fn descriptors_are_named_by_paths() {
        assert_eq!(descriptor_of(b"/proc/self/fd/3"), Some(3));
        assert_eq!(descriptor_of(b"/proc/1000/fd/12"), Some(12));
        assert_eq!(descriptor_of(b"/dev/fd/4"), Some(4));
        assert_eq!(descriptor_of(b"/proc/self/exe"), None);
        assert_eq!(descriptor_of(b"/bin/sh"), None);
        assert_eq!(descriptor_of(b"/dev/fd/x"), None);
    }
}
