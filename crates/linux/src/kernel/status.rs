//! Calls that say what is known of a file.

use super::{Kernel, Reply, Request};
use crate::abi::calls::SystemCall;
use crate::abi::errno::Errno;
use crate::abi::status::{EXTENDED_MASK, StatusLayout};
use crate::tree::{Status, mode};

/// A link itself is asked about, not what it leads to (`AT_SYMLINK_NOFOLLOW`).
const LINK_ITSELF: u64 = 0x100;

/// An empty path stands for the descriptor (`AT_EMPTY_PATH`).
const DESCRIPTOR_ITSELF: u64 = 0x1000;

/// When every file was changed last, in seconds since 1970: 2023-01-01.
const CHANGED: u64 = 1_672_531_200;

/// What files are read by, and what their size is counted in.
const BLOCK: u64 = 4096;
const SECTOR: u64 = 512;

impl Kernel {
    pub(super) fn status_call(
        &mut self,
        call: SystemCall,
        request: &mut Request<'_, '_>,
    ) -> Option<Reply> {
        use SystemCall as Call;
        let numbering = self.abi.numbering;
        let layout = match call {
            Call::Statx => StatusLayout::EXTENDED,
            Call::Stat64 | Call::Lstat64 | Call::Fstat64 | Call::Fstatat64 => {
                StatusLayout::wide(numbering)
            }
            _ => StatusLayout::of(numbering),
        };
        let [first, second, third, fourth, fifth, _] = request.arguments;
        let (status, at) = match call {
            Call::Stat | Call::Stat64 => (self.status_of(request, first, true), second),
            Call::Lstat | Call::Lstat64 => (self.status_of(request, first, false), second),
            Call::Fstat | Call::Fstat64 => (self.open.status(first), second),
            Call::Newfstatat | Call::Fstatat64 => (self.status_at(request, fourth), third),
            Call::Statx => (self.status_at(request, third), fifth),
            _ => return None,
        };
        Some(status.and_then(|status| tell(request, &layout, status, at)).into())
    }

    fn status_of(
        &self,
        request: &mut Request<'_, '_>,
        path: u64,
        follows: bool,
    ) -> Result<Status, Errno> {
        let path = self.absolute_path(request, path)?;
        self.tree.status(&path, follows)
    }

    /// Of the file that descriptor and path name.
    fn status_at(&mut self, request: &mut Request<'_, '_>, flags: u64) -> Result<Status, Errno> {
        let [descriptor, path, ..] = request.arguments;
        let is_empty = path == 0 || request.load(path, 1)? == 0;
        if flags & DESCRIPTOR_ITSELF != 0 && is_empty {
            return self.open.status(descriptor);
        }
        let path = self.path_at(request, descriptor, path)?;
        self.tree.status(&path, flags & LINK_ITSELF == 0)
    }
}

/// Writes what is known of a file where the program wants it.
fn tell(
    request: &mut Request<'_, '_>,
    layout: &StatusLayout,
    status: Status,
    at: u64,
) -> Result<u64, Errno> {
    request.write(at, &vec![0; layout.size])?;
    let links = if status.mode == mode::FOLDER { 2 } else { 1 };
    let fields = [
        (layout.inode, status.inode),
        (layout.inode_again, status.inode),
        (layout.mode, status.mode),
        (layout.links, links),
        (layout.length, status.size),
        (layout.block_size, BLOCK),
        (layout.blocks, status.size.div_ceil(SECTOR)),
        (layout.changed, CHANGED),
    ];
    for ((offset, size), value) in fields.into_iter().filter(|((_, size), _)| *size > 0) {
        request.store(at.wrapping_add(offset), size, value)?;
    }
    if *layout == StatusLayout::EXTENDED {
        request.store(at, 4, EXTENDED_MASK)?;
    }
    Ok(0)
}
