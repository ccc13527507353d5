//! The few files that a process finds.

use crate::abi::errno::Errno;
use crate::start::Setup;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name server in `/etc/resolv.conf`, of a documentation network (RFC 5737).
pub const RESOLVER: [u8; 4] = [192, 0, 2, 53];

/// The link to the program's own file.
const OWN: &[u8] = b"/proc/self/exe";

/// Devices that every system has.
const DEVICES: [(&[u8], Device); 4] = [
    (b"/dev/null", Device::Null),
    (b"/dev/zero", Device::Zero),
    (b"/dev/random", Device::Random),
    (b"/dev/urandom", Device::Random),
];

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A file with its content.
    File(Arc<[u8]>),
    /// A folder.
    Folder,
    /// A link to another path.
    Link(Vec<u8>),
    /// A device.
    Device(Device),
}

/// A device without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// Holds nothing and takes everything.
    Null,
    /// Gives zeros.
    Zero,
    /// Gives what is drawn at random.
    Random,
}

/// What a program can ask about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// Its number in the file system.
    pub(crate) inode: u64,
    /// Kind and rights (`st_mode`).
    pub(crate) mode: u64,
    /// Bytes.
    pub(crate) size: u64,
}

/// Kinds of files in `st_mode`, with the rights that each has here.
pub(crate) mod mode {
    pub(crate) const FILE: u64 = 0o100_755;
    pub(crate) const FOLDER: u64 = 0o040_755;
    pub(crate) const LINK: u64 = 0o120_777;
    pub(crate) const DEVICE: u64 = 0o020_666;
    pub(crate) const PIPE: u64 = 0o010_600;
    pub(crate) const SOCKET: u64 = 0o140_777;
}

/// An entry of a folder: its name, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) status: Status,
}

/// Everything that there is, by path.
#[derive(Clone, Debug)]
pub(crate) struct Tree(BTreeMap<Vec<u8>, Node>);

impl Tree {
    /// What a process finds whose program is `executable`.
    pub(crate) fn new(executable: &[u8], setup: &Setup) -> Self {
        let mut tree = Self(BTreeMap::new());
        let [a, b, c, d] = RESOLVER;
        let resolvers = format!("nameserver {a}.{b}.{c}.{d}\n");
        let own = absolute(&setup.executable(), b"/");
        tree.add(own.clone(), Node::File(executable.into()));
        tree.add(OWN.to_vec(), Node::Link(own));
        tree.add(b"/etc/resolv.conf".to_vec(), Node::File(resolvers.as_bytes().into()));
        tree.add(b"/etc/hosts".to_vec(), Node::File(b"127.0.0.1 localhost\n"[..].into()));
        for (path, device) in DEVICES {
            tree.add(path.to_vec(), Node::Device(device));
        }
        tree.add(FOLDER.to_vec(), Node::Folder);
        for (path, content) in &setup.files {
            tree.add(absolute(path, FOLDER), Node::File(content.as_slice().into()));
        }
        tree
    }

    /// Puts something at an absolute path, with the folders above it.
    fn add(&mut self, path: Vec<u8>, node: Node) {
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let folder = path.get(..at.max(1)).unwrap_or(&[]).to_vec();
            self.0.entry(folder).or_insert(Node::Folder);
        }
        self.0.insert(path, node);
    }

    /// What stands at an absolute path; a link is followed if `follows`.
    pub(crate) fn node(&self, path: &[u8], follows: bool) -> Result<&Node, Errno> {
        match self.0.get(path) {
            Some(Node::Link(target)) if follows => self.0.get(target).ok_or(Errno::NoEntry),
            Some(node) => Ok(node),
            None => Err(Errno::NoEntry),
        }
    }

    /// What is known of an absolute path; a link is followed if `follows`.
    pub(crate) fn status(&self, path: &[u8], follows: bool) -> Result<Status, Errno> {
        let path = match self.0.get(path) {
            Some(Node::Link(target)) if follows => target.as_slice(),
            _ => path,
        };
        let node = self.node(path, false)?;
        let inode = 1 + self.0.keys().take_while(|other| other.as_slice() < path).count() as u64;
        let (mode, size) = match node {
            Node::File(content) => (mode::FILE, content.len() as u64),
            Node::Folder => (mode::FOLDER, 4096),
            Node::Link(target) => (mode::LINK, target.len() as u64),
            Node::Device(_) => (mode::DEVICE, 0),
        };
        Ok(Status { inode, mode, size })
    }

    /// What the folder at an absolute path holds, itself and the one above it first.
    pub(crate) fn entries(&self, path: &[u8]) -> Result<Vec<Entry>, Errno> {
        if self.node(path, true)? != &Node::Folder {
            return Err(Errno::NotDirectory);
        }
        let above = absolute(b"..", path);
        let mut entries = Vec::new();
        for (name, at) in [(&b"."[..], path), (b"..", &above)] {
            entries.push(Entry { name: name.to_vec(), status: self.status(at, false)? });
        }
        let start = if path == b"/" { path.to_vec() } else { [path, b"/"].concat() };
        for at in self.0.keys() {
            let Some(name) = at.strip_prefix(start.as_slice()) else { continue };
            if !name.is_empty() && !name.contains(&b'/') {
                entries.push(Entry { name: name.to_vec(), status: self.status(at, false)? });
            }
        }
        Ok(entries)
    }
}

/// Where a process begins, and where a program lies that was started by a relative path.
pub(crate) const FOLDER: &[u8] = b"/tmp";

/// The absolute form of a path seen from a folder, without `.`, `..` and double slashes.
pub(crate) fn absolute(path: &[u8], folder: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    let from = if path.starts_with(b"/") { &b"/"[..] } else { folder };
    for part in from.split(|byte| *byte == b'/').chain(path.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    [b"/", parts.join(&b'/').as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::{Errno, Node, Setup, Tree, absolute, mode};

    fn tree() -> Tree {
        let files = vec![(b"/data/two".to_vec(), b"22".to_vec()), (b"one".to_vec(), b"1".to_vec())];
        Tree::new(b"0123456789", &Setup { files, ..Setup::default() })
    }

    #[test]
    fn paths_are_seen_from_a_folder() {
        let cases: [(&[u8], &[u8], &[u8]); 5] = [
            (b"one", b"/tmp", b"/tmp/one"),
            (b"./a/../b", b"/", b"/b"),
            (b"../../x", b"/tmp", b"/x"),
            (b"//etc//hosts", b"/tmp", b"/etc/hosts"),
            (b".", b"/", b"/"),
        ];
        for (path, folder, expected) in cases {
            assert_eq!(absolute(path, folder), expected);
        }
    }

    #[test]
    fn links_are_followed_where_they_are_to_be() {
        let tree = tree();
        assert_eq!(tree.node(b"/proc/self/exe", true), tree.node(b"/tmp/bot", false));
        assert_eq!(tree.node(b"/proc/self/exe", false), Ok(&Node::Link(b"/tmp/bot".to_vec())));
        let status = tree.status(b"/proc/self/exe", true).map(|it| (it.mode, it.size));
        assert_eq!(status, Ok((mode::FILE, 10)));
        assert_eq!(tree.status(b"/etc/passwd", true), Err(Errno::NoEntry));
    }

    #[test]
    fn folders_hold_what_lies_right_below_them() {
        let tree = tree();
        let names = |path: &[u8]| {
            let entries = tree.entries(path).unwrap_or_default();
            entries.into_iter().map(|entry| entry.name).collect::<Vec<_>>()
        };
        assert_eq!(names(b"/data"), [&b"."[..], b"..", b"two"]);
        assert_eq!(names(b"/tmp"), [&b"."[..], b"..", b"bot", b"one"]);
        assert_eq!(names(b"/"), [&b"."[..], b"..", b"data", b"dev", b"etc", b"proc", b"tmp"]);
        assert_eq!(tree.entries(b"/data/two"), Err(Errno::NotDirectory));
    }
}
