//! Calls about paths and folders.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use crate::descriptors::Open;
use crate::tree::{Entry, Node, absolute, mode};

/// Paths are seen from the process's own folder (`AT_FDCWD`, as 32 bits).
const OWN_FOLDER: u32 = -100_i32 as u32;

impl Kernel {
    pub(super) fn folder_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        let [first, second, ..] = request.arguments;
        let reply = match call {
            SystemCall::Getdents => self.list(request, false),
            SystemCall::Getdents64 => self.list(request, true),
            SystemCall::Getcwd => self.tell_folder(request),
            SystemCall::Chdir => self.absolute_path(request, first).and_then(|it| self.move_to(it)),
            SystemCall::Fchdir => self.folder_of(first).and_then(|it| self.move_to(it)),
            SystemCall::Access => self.look_up(request, None, first),
            SystemCall::Faccessat | SystemCall::Faccessat2 => {
                self.look_up(request, Some(first), second)
            }
            // Nothing comes to be or is changed.
            SystemCall::Mkdir
            | SystemCall::Mkdirat
            | SystemCall::Rename
            | SystemCall::Renameat
            | SystemCall::Renameat2
            | SystemCall::Symlink
            | SystemCall::Symlinkat
            | SystemCall::Link
            | SystemCall::Linkat
            | SystemCall::Chmod
            | SystemCall::Rmdir
            | SystemCall::Utimensat
            | SystemCall::Creat => Err(Errno::ReadOnly),
            // Programs of the family take their own file away; they do not look whether it is gone.
            SystemCall::Unlink | SystemCall::Unlinkat => Ok(0),
            _ => return None,
        };
        Some(reply.into())
    }

    /// The absolute path that stands at an address.
    pub(super) fn absolute_path(
        &self,
        request: &mut Request<'_, '_>,
        path: u64,
    ) -> Result<Vec<u8>, Errno> {
        match request.path(path)?.as_slice() {
            b"" => Err(Errno::NoEntry),
            path => Ok(absolute(path, &self.folder)),
        }
    }

    /// The same, seen from the folder of a descriptor.
    pub(super) fn path_at(
        &mut self,
        request: &mut Request<'_, '_>,
        descriptor: u64,
        path: u64,
    ) -> Result<Vec<u8>, Errno> {
        let path = request.path(path)?;
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        if path.starts_with(b"/") || descriptor as u32 == OWN_FOLDER {
            return Ok(absolute(&path, &self.folder));
        }
        Ok(absolute(&path, &self.folder_of(descriptor)?))
    }

    /// The path of an open folder.
    fn folder_of(&mut self, descriptor: u64) -> Result<Vec<u8>, Errno> {
        match self.open.get(descriptor)? {
            Open::Folder { path, .. } => Ok(path.clone()),
            _ => Err(Errno::NotDirectory),
        }
    }

    fn move_to(&mut self, path: Vec<u8>) -> Result<u64, Errno> {
        if self.tree.node(&path, true)? != &Node::Folder {
            return Err(Errno::NotDirectory);
        }
        self.folder = path;
        Ok(0)
    }

    /// `getcwd`: the path with its end; how long it is.
    fn tell_folder(&self, request: &mut Request<'_, '_>) -> Result<u64, Errno> {
        let [at, room, ..] = request.arguments;
        let path = [self.folder.as_slice(), b"\0"].concat();
        if path.len() as u64 > room {
            return Err(Errno::Range);
        }
        request.write(at, &path)?;
        Ok(path.len() as u64)
    }

    fn look_up(
        &mut self,
        request: &mut Request<'_, '_>,
        folder: Option<u64>,
        path: u64,
    ) -> Result<u64, Errno> {
        let path = match folder {
            Some(folder) => self.path_at(request, folder, path)?,
            None => self.absolute_path(request, path)?,
        };
        self.tree.node(&path, true).map(|_| 0)
    }

    /// `getdents` and `getdents64` (`is_wide`): as many entries as there is room for.
    fn list(&mut self, request: &mut Request<'_, '_>, is_wide: bool) -> Result<u64, Errno> {
        let [descriptor, at, room, ..] = request.arguments;
        let word = if is_wide { 8 } else { self.word };
        let Open::Folder { path, position, .. } = self.open.get(descriptor)? else {
            return Err(Errno::NotDirectory);
        };
        let mut filled = 0;
        for entry in self.tree.entries(path)?.iter().skip(*position) {
            let next = *position as u64 + 1;
            let size = entry_size(entry, word);
            if filled + size > room {
                break;
            }
            put_entry(request, at.wrapping_add(filled), entry, (word, is_wide, next))?;
            filled += size;
            *position += 1;
        }
        Ok(filled)
    }
}

/// Bytes of an entry: its number, where the next one is, its size, its name with the end, its kind.
fn entry_size(entry: &Entry, word: u32) -> u64 {
    let size = 2 * u64::from(word) + 2 + entry.name.len() as u64 + 2;
    size.next_multiple_of(u64::from(word))
}

/// `struct linux_dirent64` (`linux/dirent.h`), or `struct linux_dirent` (`fs/readdir.c`), whose kind
/// is its last byte.
fn put_entry(
    request: &mut Request<'_, '_>,
    at: u64,
    entry: &Entry,
    (word, is_wide, next): (u32, bool, u64),
) -> Result<(), Errno> {
    let size = entry_size(entry, word);
    // The kind is what stands above the rights (`DT_DIR` and others).
    let kind = match entry.status.mode {
        mode::FILE => 8,
        mode::FOLDER => 4,
        mode::LINK => 10,
        _ => 2,
    };
    request.write(at, &vec![0; size as usize])?;
    request.store(at, word, entry.status.inode)?;
    request.store(at.wrapping_add(u64::from(word)), word, next)?;
    let behind = at.wrapping_add(2 * u64::from(word));
    request.store(behind, 2, size)?;
    let (kind_at, name_at) = match is_wide {
        true => (behind.wrapping_add(2), behind.wrapping_add(3)),
        false => (at.wrapping_add(size - 1), behind.wrapping_add(2)),
    };
    request.write(name_at, &entry.name)?;
    request.store(kind_at, 1, kind)
}
