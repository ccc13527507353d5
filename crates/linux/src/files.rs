//! The few files that a process can read, and what it has open.

use crate::abi::errno::Errno;
use crate::network::Transport;
use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Bytes of output that are kept of each descriptor.
const MAX_OUTPUT: usize = 1 << 20;

/// Descriptors a process may have.
const MAX_OPEN: u32 = 1024;

/// The name server in `/etc/resolv.conf`, of a documentation network (RFC 5737).
pub const RESOLVER: [u8; 4] = [192, 0, 2, 53];

/// The files that there are, by path.
#[derive(Clone, Debug)]
pub(crate) struct Tree(BTreeMap<Vec<u8>, Arc<[u8]>>);

impl Tree {
    /// What a process finds whose program is `executable`.
    pub(crate) fn new(executable: &[u8]) -> Self {
        let [a, b, c, d] = RESOLVER;
        let resolvers = format!("nameserver {a}.{b}.{c}.{d}\n");
        let files: [(&[u8], &[u8]); 4] = [
            (b"/proc/self/exe", executable),
            (b"/etc/resolv.conf", resolvers.as_bytes()),
            (b"/etc/hosts", b"127.0.0.1 localhost\n"),
            (b"/dev/null", b""),
        ];
        Self(files.into_iter().map(|(path, bytes)| (path.to_vec(), bytes.into())).collect())
    }

    /// The content of the file at `path`.
    pub(crate) fn file(&self, path: &[u8]) -> Result<Arc<[u8]>, Errno> {
        self.0.get(path).cloned().ok_or(Errno::NoEntry)
    }
}

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

/// What a descriptor leads to.
#[derive(Clone, Debug)]
enum Open {
    /// A socket.
    Socket(Socket),
    /// A file, and how far it was read.
    File { content: Arc<[u8]>, position: u64 },
    /// Nothing comes from there; what goes there is kept.
    Stream { written: Vec<u8> },
}

/// What a process has open.
#[derive(Clone, Debug)]
pub(crate) struct Descriptors(BTreeMap<u32, Open>);

impl Default for Descriptors {
    /// Standard input, output and error.
    fn default() -> Self {
        Self((0..3).map(|number| (number, Open::Stream { written: Vec::new() })).collect())
    }
}

impl Descriptors {
    fn get(&mut self, descriptor: u64) -> Result<&mut Open, Errno> {
        let number = u32::try_from(descriptor & 0xffff_ffff).map_err(|_| Errno::BadDescriptor)?;
        self.0.get_mut(&number).ok_or(Errno::BadDescriptor)
    }

    /// Opens a file under the lowest free number.
    pub(crate) fn open(&mut self, content: Arc<[u8]>) -> Result<u64, Errno> {
        self.add(Open::File { content, position: 0 })
    }

    /// Makes a socket under the lowest free number.
    pub(crate) fn open_socket(&mut self, socket: Socket) -> Result<u64, Errno> {
        self.add(Open::Socket(socket))
    }

    fn add(&mut self, open: Open) -> Result<u64, Errno> {
        let free = (0..MAX_OPEN).find(|number| !self.0.contains_key(number));
        let number = free.ok_or(Errno::NoMemory)?;
        self.0.insert(number, open);
        Ok(u64::from(number))
    }

    /// All sockets.
    pub(crate) fn sockets(&mut self) -> impl Iterator<Item = &mut Socket> {
        self.0.values_mut().filter_map(|open| match open {
            Open::Socket(socket) => Some(socket),
            Open::File { .. } | Open::Stream { .. } => None,
        })
    }

    /// A socket.
    pub(crate) fn socket(&mut self, descriptor: u64) -> Result<&mut Socket, Errno> {
        match self.get(descriptor)? {
            Open::Socket(socket) => Ok(socket),
            _ => Err(Errno::NotSocket),
        }
    }

    /// Whether a descriptor could be read or written now.
    pub(crate) fn readiness(&mut self, descriptor: u64) -> Result<(bool, bool), Errno> {
        Ok(match self.get(descriptor)? {
            Open::Socket(socket) => (!socket.inbox.is_empty(), true),
            Open::File { .. } | Open::Stream { .. } => (true, true),
        })
    }

    /// Closes a descriptor. What went to standard output stays known.
    pub(crate) fn close(&mut self, descriptor: u64) -> Result<(), Errno> {
        match self.get(descriptor)? {
            Open::Stream { .. } => Ok(()),
            Open::File { .. } | Open::Socket(_) => {
                self.0.remove(&(descriptor as u32));
                Ok(())
            }
        }
    }

    /// All of a file.
    pub(crate) fn content(&mut self, descriptor: u64) -> Result<Arc<[u8]>, Errno> {
        match self.get(descriptor)? {
            Open::File { content, .. } => Ok(Arc::clone(content)),
            Open::Stream { .. } | Open::Socket(_) => Err(Errno::Invalid),
        }
    }

    /// The next bytes of a file, at most `length`.
    pub(crate) fn read(&mut self, descriptor: u64, length: u64) -> Result<Vec<u8>, Errno> {
        let Open::File { content, position } = self.get(descriptor)? else {
            return Ok(Vec::new());
        };
        let start = (*position).min(content.len() as u64);
        let end = start.saturating_add(length).min(content.len() as u64);
        *position = end;
        Ok(content.get(start as usize..end as usize).unwrap_or(&[]).to_vec())
    }

    /// Keeps what is written; how much that was.
    pub(crate) fn write(&mut self, descriptor: u64, bytes: &[u8]) -> Result<u64, Errno> {
        let Open::Stream { written } = self.get(descriptor)? else {
            return Err(Errno::BadDescriptor);
        };
        let room = MAX_OUTPUT.saturating_sub(written.len()).min(bytes.len());
        written.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
        Ok(bytes.len() as u64)
    }

    /// Moves on in a file: `whence` is 0 from its beginning, 1 from where it stands, 2 from its end.
    pub(crate) fn seek(&mut self, descriptor: u64, by: i64, whence: u64) -> Result<u64, Errno> {
        let Open::File { content, position } = self.get(descriptor)? else {
            return Err(Errno::IllegalSeek);
        };
        let from = match whence {
            0 => 0,
            1 => *position,
            2 => content.len() as u64,
            _ => return Err(Errno::Invalid),
        };
        let to = from.checked_add_signed(by).ok_or(Errno::Invalid)?;
        *position = to;
        Ok(to)
    }

    /// What was written to a descriptor, the first MiB of it.
    pub(crate) fn written(&self, descriptor: u32) -> &[u8] {
        match self.0.get(&descriptor) {
            Some(Open::Stream { written }) => written,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Descriptors, Errno, MAX_INBOX, Socket, Tree};
    use crate::network::{Transport, unspecified};

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
        let tree = Tree::new(b"0123456789");
        let mut open = Descriptors::default();
        let file = open.open(tree.file(b"/proc/self/exe").unwrap_or_default());
        assert_eq!(file, Ok(3));
        assert_eq!(open.read(3, 4), Ok(b"0123".to_vec()));
        assert_eq!(open.seek(3, -2, 2), Ok(8));
        assert_eq!(open.read(3, 4), Ok(b"89".to_vec()));
        assert_eq!(open.read(3, 4), Ok(Vec::new()));
        assert_eq!(open.close(3), Ok(()));
        assert_eq!(open.read(3, 4), Err(Errno::BadDescriptor));
        assert_eq!(open.open(tree.file(b"/dev/null").unwrap_or_default()), Ok(3));
        assert_eq!(tree.file(b"/etc/passwd").err(), Some(Errno::NoEntry));
    }

    #[test]
    fn output_is_kept_by_descriptor() {
        let mut open = Descriptors::default();
        assert_eq!(open.write(1, b"out"), Ok(3));
        assert_eq!(open.write(2, b"error"), Ok(5));
        assert_eq!(open.write(7, b"lost"), Err(Errno::BadDescriptor));
        assert_eq!((open.written(1), open.written(2)), (&b"out"[..], &b"error"[..]));
    }
}
