//! What a process has open.

use crate::abi::errno::Errno;
use crate::made_file::MadeFile;
use crate::network::Transport;
use crate::tree::{Device, Status, mode};
use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Bytes of output that are kept of each descriptor.
const MAX_OUTPUT: usize = 1 << 20;

/// Descriptors a process may have.
const MAX_OPEN: u32 = 1024;

/// A socket.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) transport: Transport,
    /// Its own address.
    pub(crate) own: SocketAddr,
    /// Whom it is connected to.
    pub(crate) peer: Option<SocketAddr>,
    /// What came in, and from whom.
    pub(crate) inbox: VecDeque<(SocketAddr, Vec<u8>)>,
}

/// Messages that a socket keeps until they are read; what comes then is lost.
const MAX_INBOX: usize = 64;

impl Socket {
    /// Takes what comes in.
    pub(crate) fn take_in(&mut self, from: SocketAddr, message: Vec<u8>) {
        if self.inbox.len() < MAX_INBOX {
            self.inbox.push_back((from, message));
        }
    }
}

/// What a descriptor set waits for at one descriptor (`struct epoll_event`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest {
    /// The events, as bits.
    pub(crate) events: u64,
    /// What the program wants to be given back with them.
    pub(crate) data: u64,
}

/// What a descriptor leads to.
#[derive(Clone, Debug)]
pub(crate) enum Open {
    /// A socket.
    Socket(Socket),
    /// A file, what is known of it, and how far it was read.
    File { content: Arc<[u8]>, status: Status, position: u64 },
    /// A file that the program made.
    Made(MadeFile),
    /// A folder by its path, and how many of its entries were read.
    Folder { path: Vec<u8>, status: Status, position: usize },
    /// A device.
    Device { device: Device, status: Status },
    /// What comes from there comes once; what goes there is kept.
    Stream { input: VecDeque<u8>, written: Vec<u8> },
    /// A set of descriptors that are waited for (`epoll`).
    Waiting(BTreeMap<u64, Interest>),
}

/// The open files by number. Several numbers may lead to one.
#[derive(Clone, Debug)]
pub(crate) struct Descriptors {
    numbers: BTreeMap<u32, u32>,
    open: BTreeMap<u32, Open>,
    next: u32,
}

/// Standard input, output and error.
const STANDARD: u32 = 3;

impl Descriptors {
    /// Those of a process that finds `input` at its standard input.
    pub(crate) fn with_input(input: &[u8]) -> Self {
        let stream = |number| match number {
            0 => Open::Stream { input: input.iter().copied().collect(), written: Vec::new() },
            _ => Open::Stream { input: VecDeque::new(), written: Vec::new() },
        };
        Self {
            numbers: (0..STANDARD).map(|number| (number, number)).collect(),
            open: (0..STANDARD).map(|number| (number, stream(number))).collect(),
            next: STANDARD,
        }
    }

    /// What a number leads to.
    pub(crate) fn get(&mut self, descriptor: u64) -> Result<&mut Open, Errno> {
        let open = self.numbers.get(&(descriptor as u32));
        open.and_then(|open| self.open.get_mut(open)).ok_or(Errno::BadDescriptor)
    }

    /// Opens something under the lowest free number.
    pub(crate) fn add(&mut self, open: Open) -> Result<u64, Errno> {
        let number = self.free(0)?;
        self.open.insert(self.next, open);
        self.numbers.insert(number, self.next);
        self.next = self.next.checked_add(1).ok_or(Errno::NoMemory)?;
        Ok(u64::from(number))
    }

    /// The lowest free number from `from` on.
    fn free(&self, from: u32) -> Result<u32, Errno> {
        let free = (from..MAX_OPEN).find(|number| !self.numbers.contains_key(number));
        free.ok_or(Errno::NoMemory)
    }

    /// Gives what a number leads to the lowest free number from `from` on.
    pub(crate) fn duplicate(&mut self, descriptor: u64, from: u64) -> Result<u64, Errno> {
        let number = self.free(u32::try_from(from).map_err(|_| Errno::Invalid)?)?;
        self.duplicate_to(descriptor, u64::from(number))
    }

    /// Lets `to` lead where another number leads.
    pub(crate) fn duplicate_to(&mut self, descriptor: u64, to: u64) -> Result<u64, Errno> {
        self.get(descriptor)?;
        let number = u32::try_from(to).ok().filter(|number| *number < MAX_OPEN);
        let number = number.ok_or(Errno::BadDescriptor)?;
        if descriptor as u32 != number {
            // There may be nothing there.
            let _ = self.close(to);
            if let Some(open) = self.numbers.get(&(descriptor as u32)).copied() {
                self.numbers.insert(number, open);
            }
        }
        Ok(to)
    }

    /// A file that the program made.
    pub(crate) fn made(&mut self, descriptor: u64) -> Result<&mut MadeFile, Errno> {
        match self.get(descriptor)? {
            Open::Made(file) => Ok(file),
            _ => Err(Errno::Invalid),
        }
    }

    /// What stands for a made file, whatever descriptors lead to it.
    pub(crate) fn made_number(&mut self, descriptor: u64) -> Option<u32> {
        self.made(descriptor).ok()?;
        self.numbers.get(&(descriptor as u32)).copied()
    }

    /// The made file that such a number stands for, while it is open.
    pub(crate) fn made_by_number(&mut self, number: u32) -> Option<&mut MadeFile> {
        match self.open.get_mut(&number)? {
            Open::Made(file) => Some(file),
            _ => None,
        }
    }

    /// All sockets.
    pub(crate) fn sockets(&mut self) -> impl Iterator<Item = &mut Socket> {
        self.open.values_mut().filter_map(|open| match open {
            Open::Socket(socket) => Some(socket),
            _ => None,
        })
    }

    /// A socket.
    pub(crate) fn socket(&mut self, descriptor: u64) -> Result<&mut Socket, Errno> {
        match self.get(descriptor)? {
            Open::Socket(socket) => Ok(socket),
            _ => Err(Errno::NotSocket),
        }
    }

    /// A set of descriptors.
    pub(crate) fn waiting(
        &mut self,
        descriptor: u64,
    ) -> Result<&mut BTreeMap<u64, Interest>, Errno> {
        match self.get(descriptor)? {
            Open::Waiting(interests) => Ok(interests),
            _ => Err(Errno::Invalid),
        }
    }

    /// Whether a descriptor could be read or written now.
    pub(crate) fn readiness(&mut self, descriptor: u64) -> Result<(bool, bool), Errno> {
        Ok(match self.get(descriptor)? {
            Open::Socket(socket) => (!socket.inbox.is_empty(), true),
            Open::Waiting(_) => (false, false),
            _ => (true, true),
        })
    }

    /// Closes a number. What went to standard output stays known.
    pub(crate) fn close(&mut self, descriptor: u64) -> Result<(), Errno> {
        let open = self.numbers.remove(&(descriptor as u32)).ok_or(Errno::BadDescriptor)?;
        if open >= STANDARD && !self.numbers.values().any(|other| *other == open) {
            self.open.remove(&open);
        }
        Ok(())
    }

    /// All of a file.
    pub(crate) fn content(&mut self, descriptor: u64) -> Result<Arc<[u8]>, Errno> {
        match self.get(descriptor)? {
            Open::File { content, .. } => Ok(Arc::clone(content)),
            Open::Made(file) => Ok(file.content.as_slice().into()),
            _ => Err(Errno::Invalid),
        }
    }

    /// What is known of what a number leads to.
    pub(crate) fn status(&mut self, descriptor: u64) -> Result<Status, Errno> {
        let inode = 1 << 16 | descriptor;
        Ok(match self.get(descriptor)? {
            Open::File { status, .. }
            | Open::Folder { status, .. }
            | Open::Device { status, .. } => *status,
            Open::Made(file) => Status { inode, mode: mode::FILE, size: file.content.len() as u64 },
            Open::Stream { .. } => Status { inode, mode: mode::PIPE, size: 0 },
            Open::Socket(_) => Status { inode, mode: mode::SOCKET, size: 0 },
            Open::Waiting(_) => Status { inode, mode: 0, size: 0 },
        })
    }

    /// The next bytes of a file or of what came in, at most `length`. Of a device that gives what is
    /// drawn at random, nothing comes here.
    pub(crate) fn read(&mut self, descriptor: u64, length: u64) -> Result<Vec<u8>, Errno> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        match self.get(descriptor)? {
            Open::File { content, position, .. } => {
                let start = (*position).min(content.len() as u64);
                let end = start.saturating_add(length as u64).min(content.len() as u64);
                *position = end.max(*position);
                Ok(content.get(start as usize..end as usize).unwrap_or(&[]).to_vec())
            }
            Open::Made(file) => {
                let bytes = file.part(file.position, length as u64).to_vec();
                file.position += bytes.len() as u64;
                Ok(bytes)
            }
            Open::Stream { input, .. } => {
                let length = length.min(input.len());
                Ok(input.drain(..length).collect())
            }
            Open::Device { device: Device::Zero, .. } => Ok(vec![0; length]),
            Open::Device { .. } => Ok(Vec::new()),
            Open::Folder { .. } => Err(Errno::IsDirectory),
            Open::Socket(_) | Open::Waiting(_) => Err(Errno::Invalid),
        }
    }

    /// Bytes of a file from a place of it on, at most `length`; where it stands stays the same.
    pub(crate) fn read_at(
        &mut self,
        descriptor: u64,
        length: u64,
        at: u64,
    ) -> Result<Vec<u8>, Errno> {
        let content = match self.get(descriptor)? {
            Open::File { content, .. } => content,
            Open::Made(file) => return Ok(file.part(at, length).to_vec()),
            _ => return Err(Errno::IllegalSeek),
        };
        let start = at.min(content.len() as u64);
        let end = start.saturating_add(length).min(content.len() as u64);
        Ok(content.get(start as usize..end as usize).unwrap_or(&[]).to_vec())
    }

    /// Keeps what is written; how much that was.
    pub(crate) fn write(&mut self, descriptor: u64, bytes: &[u8]) -> Result<u64, Errno> {
        match self.get(descriptor)? {
            Open::Stream { written, .. } => {
                let room = MAX_OUTPUT.saturating_sub(written.len()).min(bytes.len());
                written.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
            }
            Open::Made(file) => return file.append(bytes),
            Open::Device { .. } => {}
            _ => return Err(Errno::BadDescriptor),
        }
        Ok(bytes.len() as u64)
    }

    /// Moves on in a file: `whence` is 0 from its beginning, 1 from where it stands, 2 from its end.
    /// A folder is begun again.
    pub(crate) fn seek(&mut self, descriptor: u64, by: i64, whence: u64) -> Result<u64, Errno> {
        let (position, size) = match self.get(descriptor)? {
            Open::File { content, position, .. } => (position, content.len() as u64),
            Open::Made(file) => (&mut file.position, file.content.len() as u64),
            Open::Folder { position, .. } => {
                *position = usize::try_from(by).map_err(|_| Errno::Invalid)?;
                return Ok(*position as u64);
            }
            Open::Device { .. } => return Ok(0),
            _ => return Err(Errno::IllegalSeek),
        };
        let from = match whence {
            0 => 0,
            1 => *position,
            2 => size,
            _ => return Err(Errno::Invalid),
        };
        let to = from.checked_add_signed(by).ok_or(Errno::Invalid)?;
        *position = to;
        Ok(to)
    }

    /// What was written to standard output (1) or error (2), the first MiB of it.
    pub(crate) fn written(&self, stream: u32) -> &[u8] {
        match self.open.get(&stream) {
            Some(Open::Stream { written, .. }) => written,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Descriptors, Errno, MAX_INBOX, Open, Socket, Status, mode};
    use crate::network::{Transport, unspecified};

    fn file(content: &[u8]) -> Open {
        let status = Status { inode: 1, mode: mode::FILE, size: content.len() as u64 };
        Open::File { content: content.into(), status, position: 0 }
    }

    #[test]
    fn what_nobody_reads_is_lost_at_last() {
        let own = unspecified(false);
        let inbox = std::collections::VecDeque::new();
        let mut socket = Socket { transport: Transport::Udp, own, peer: None, inbox };
        (0..2 * MAX_INBOX).for_each(|number| socket.take_in(own, vec![number as u8]));
        assert_eq!(socket.inbox.len(), MAX_INBOX);
        assert_eq!(socket.inbox.front().map(|(_, message)| &message[..]), Some(&[0][..]));
    }

    #[test]
    fn files_are_read_where_they_stand_and_descriptors_used_again() {
        let mut open = Descriptors::with_input(b"");
        assert_eq!(open.add(file(b"0123456789")), Ok(3));
        assert_eq!(open.read(3, 4), Ok(b"0123".to_vec()));
        assert_eq!(open.seek(3, -2, 2), Ok(8));
        assert_eq!(open.read(3, 4), Ok(b"89".to_vec()));
        assert_eq!(open.read(3, 4), Ok(Vec::new()));
        assert_eq!(open.read_at(3, 3, 1), Ok(b"123".to_vec()));
        assert_eq!(open.close(3), Ok(()));
        assert_eq!(open.read(3, 4), Err(Errno::BadDescriptor));
        assert_eq!(open.add(file(b"")), Ok(3));
    }

    #[test]
    fn numbers_that_lead_to_one_file_share_where_it_stands() {
        let mut open = Descriptors::with_input(b"");
        assert_eq!(open.add(file(b"0123")), Ok(3));
        assert_eq!(open.duplicate(3, 10), Ok(10));
        assert_eq!(open.read(10, 2), Ok(b"01".to_vec()));
        assert_eq!(open.close(3), Ok(()));
        assert_eq!(open.read(10, 2), Ok(b"23".to_vec()));
        assert_eq!(open.duplicate_to(10, 0), Ok(0));
        assert_eq!(open.duplicate_to(77, 0), Err(Errno::BadDescriptor));
        assert_eq!(open.duplicate_to(10, 1 << 20), Err(Errno::BadDescriptor));
    }

    #[test]
    fn output_is_kept_and_input_comes_once() {
        let mut open = Descriptors::with_input(b"in");
        assert_eq!(open.read(0, 9), Ok(b"in".to_vec()));
        assert_eq!(open.read(0, 9), Ok(Vec::new()));
        assert_eq!(open.write(1, b"out"), Ok(3));
        assert_eq!(open.close(1), Ok(()));
        assert_eq!(open.write(1, b"more"), Err(Errno::BadDescriptor));
        assert_eq!(open.write(2, b"error"), Ok(5));
        assert_eq!(open.write(7, b"lost"), Err(Errno::BadDescriptor));
        assert_eq!((open.written(1), open.written(2)), (&b"out"[..], &b"error"[..]));
    }
}
