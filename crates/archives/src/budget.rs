//! What one input may unpack to.

use std::error::Error;
use std::fmt;
use std::io::{self, Read};

use crate::walk::MemberError;

/// Bytes that any archive may unpack to, however small it is.
const FLOOR_BYTES: u64 = 64 << 20;

/// Bounds of what one input unpacks to, nested archives included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Archives within archives; 1 is an archive of plain files. A compressed stream counts as one.
    pub depth: usize,
    /// Members of all archives together, directories included.
    pub members: u64,
    /// Bytes of one member.
    pub member_bytes: u64,
    /// Bytes of all members together.
    pub total_bytes: u64,
    /// Bytes of all members for each byte of the input, beyond the first 64 MiB. Programs shrink to
    /// a third; DEFLATE makes 1032 of one byte at most.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 6,
            members: 100_000,
            member_bytes: 256 << 20,
            total_bytes: 8 << 30,
            ratio: 100,
        }
    }
}

/// The limit that an archive went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::depth`].
    Depth(usize),
    /// [`Limits::members`].
    Members(u64),
    /// [`Limits::member_bytes`].
    MemberBytes(u64),
    /// [`Limits::total_bytes`] or [`Limits::ratio`].
    TotalBytes(u64),
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth(limit) => write!(out, "lies in more than {limit} archives"),
            Self::Members(limit) => {
                write!(out, "holds more than {limit} members; the rest was left out")
            }
            Self::MemberBytes(limit) => write!(out, "unpacks to more than {limit} bytes"),
            Self::TotalBytes(limit) => write!(
                out,
                "the whole archive unpacks to more than {limit} bytes; the rest was left out"
            ),
        }
    }
}

/// What is left of [`Limits`] for one input.
pub(crate) struct Budget {
    limits: Limits,
    members: u64,
    bytes: u64,
    allowed: u64,
}

/// Why a member was not read to its end.
#[derive(Debug)]
pub(crate) struct Shortfall {
    pub reason: MemberError,
    /// What there is of it: nothing when it would have cost too much, or is not what was packed.
    pub read: Vec<u8>,
}

impl Shortfall {
    /// For a member that lies wholly in its archive: what ends early is damaged and not cut off.
    pub(crate) fn of_whole(self) -> Self {
        Self { read: Vec::new(), ..self }
    }
}

impl<E: Into<MemberError>> From<E> for Shortfall {
    fn from(reason: E) -> Self {
        Self { reason: reason.into(), read: Vec::new() }
    }
}

impl Budget {
    /// For an input of `size` bytes.
    pub(crate) fn new(limits: Limits, size: usize) -> Self {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let allowed = limits.total_bytes.min(size.saturating_mul(limits.ratio).max(FLOOR_BYTES));
        Self { limits, members: 0, bytes: 0, allowed }
    }

    /// Counts one member.
    pub(crate) fn count_member(&mut self) -> Result<(), Limit> {
        self.members += 1;
        let limit = self.limits.members;
        if self.members > limit { Err(Limit::Members(limit)) } else { Ok(()) }
    }

    /// Refuses archives that lie too deep.
    pub(crate) fn check_depth(&self, depth: usize) -> Result<(), Limit> {
        let limit = self.limits.depth;
        if depth > limit { Err(Limit::Depth(limit)) } else { Ok(()) }
    }

    /// All that `reader` gives. Counted are also the bytes of a member that fails in the end.
    pub(crate) fn read(&mut self, reader: impl Read) -> Result<Vec<u8>, Shortfall> {
        let left = self.allowed.saturating_sub(self.bytes);
        let cap = left.min(self.limits.member_bytes);
        let mut content = Vec::new();
        let outcome = reader.take(cap.saturating_add(1)).read_to_end(&mut content);
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(size);
        if size > left {
            Err(Limit::TotalBytes(self.allowed).into())
        } else if size > cap {
            Err(Limit::MemberBytes(cap).into())
        } else if let Err(error) = outcome {
            let read = if ends_early(&error) { content } else { Vec::new() };
            Err(Shortfall { reason: MemberError::Damaged(error.to_string()), read })
        } else {
            Ok(content)
        }
    }
}

/// Whether a reader failed because its source ended, so that what it gave until then is right. Behind a
/// wrong checksum or code any byte may be wrong.
///
/// False positives: a gzip or Zstandard stream that is damaged so that it runs out looks like one that
/// was cut off, as what would tell stands at its end; the other formats have checksums on the way, and
/// members of archives with a directory are [whole](Shortfall::of_whole). False negatives: none known.
fn ends_early(error: &io::Error) -> bool {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return true;
    }
    let mut cause: Option<&(dyn Error + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(ends_early) {
            return true;
        }
        cause = error.source();
    }
    false
}
