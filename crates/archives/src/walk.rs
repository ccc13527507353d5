//! From one input to the files in it.

use std::ops::ControlFlow;

use crate::budget::{Budget, Limit, Limits, Shortfall};
use crate::stream::{Codec, decompress, decompress_first};
use crate::{Format, ar, carve, cpio, sevenz, tar, zip};

/// Stands between the name of an archive and that of a member.
const SEPARATOR: char = '!';

/// How archives are opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Passwords to try on encrypted members, in this order.
    pub passwords: Vec<String>,
    /// What one input may unpack to.
    pub limits: Limits,
    /// Look for ELF files within what is no archive.
    pub carve: bool,
}

impl Default for Options {
    /// The passwords that collections of samples customarily have.
    fn default() -> Self {
        let passwords = ["infected", "malware", "virus"].map(str::to_owned).to_vec();
        Self { passwords, limits: Limits::default(), carve: false }
    }
}

/// A file that is no archive, or something in an archive that could not be read.
#[derive(Debug)]
pub struct Member {
    /// The name of the input, and for each archive around the member `!` and the name within it:
    /// `in.zip!dir/bot`, `blob!elf@0x2000`. A compressed stream adds nothing. Control characters are
    /// escaped.
    pub name: String,
    /// Its bytes.
    pub content: Result<Vec<u8>, MemberError>,
    /// Why `content` is only the beginning of them, where it is.
    pub cut: Option<MemberError>,
}

/// Why a member, or the rest of an archive, could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// It would have cost too much.
    #[error("{0}")]
    Limit(Limit),
    /// It is encrypted, and none of the passwords gives bytes with the right checksum.
    #[error("is encrypted, and no password given opens it (--password)")]
    Encrypted,
    /// It uses something of its format that is not supported.
    #[error("cannot be unpacked: {0}")]
    Unsupported(String),
    /// It is an archive in which there are no files.
    #[error("holds no files")]
    Empty,
    /// It contradicts its format, or ends early.
    #[error("is damaged: {0}")]
    Damaged(String),
}

impl From<Limit> for MemberError {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

impl MemberError {
    /// Whether nothing more is to be read of the whole input.
    const fn is_final(&self) -> bool {
        matches!(self, Self::Limit(Limit::TotalBytes(_) | Limit::Members(_)))
    }
}

/// What the reader of a format calls for each member: its name, none for the archive itself, and
/// content.
pub(crate) type Visit<'a> =
    &'a mut dyn FnMut(&mut Budget, Option<&str>, Result<Vec<u8>, Shortfall>) -> ControlFlow<()>;

/// Hands every file in `bytes` to `visit`, in the order of the archive, until it breaks: the bytes
/// themselves when they are no archive, otherwise its members, those of archives in it included; of
/// other bytes the ELF files in them, where that is asked.
///
/// What cannot be read is handed over with the reason, and the rest goes on. What ends early comes as
/// far as it goes and is [`Member::cut`]; an archive that does, as the members until there and behind
/// them the archive with the reason. Of what is damaged otherwise nothing is given, since any of it may be
/// wrong, but the first of compressed streams, where that is whole. An archive without files comes as
/// [`MemberError::Empty`]. Held at a time are the archives around one member.
pub fn walk(
    name: &str,
    bytes: Vec<u8>,
    options: &Options,
    visit: &mut dyn FnMut(Member) -> ControlFlow<()>,
) {
    let mut budget = Budget::new(options.limits, bytes.len());
    let mut is_empty = true;
    let mut given = |member: Member| {
        is_empty = false;
        visit(member)
    };
    // Broken off by `visit` or by a limit, there is nothing left to do.
    let _ = Walk { options, visit: &mut given }.open(name, bytes, None, 1, &mut budget);
    if is_empty {
        let content = Err(MemberError::Empty);
        let _ = visit(Member { name: name.to_owned(), content, cut: None });
    }
}

struct Walk<'a> {
    options: &'a Options,
    visit: &'a mut dyn FnMut(Member) -> ControlFlow<()>,
}

impl Walk<'_> {
    fn open(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        cut: Option<MemberError>,
        depth: usize,
        budget: &mut Budget,
    ) -> ControlFlow<()> {
        let Some(format) = Format::of(&bytes) else { return self.plain(name, bytes, cut, budget) };
        if let Err(limit) = budget.check_depth(depth) {
            return self.give(name, Err(limit.into()), None);
        }
        self.archive(name, format, bytes, depth, budget)?;
        cut.map_or(ControlFlow::Continue(()), |cut| self.finish(name, Err(cut)))
    }

    fn archive(
        &mut self,
        name: &str,
        format: Format,
        bytes: Vec<u8>,
        depth: usize,
        budget: &mut Budget,
    ) -> ControlFlow<()> {
        let passwords = &self.options.passwords;
        let mut visit = |budget: &mut Budget, inner: Option<&str>, content| {
            let name = inner.map_or_else(|| name.to_owned(), |inner| join(name, inner));
            self.member(&name, content, depth, budget)
        };
        match format {
            Format::Zip => zip::walk(&bytes, passwords, budget, &mut visit),
            Format::Tar => tar::walk(&bytes, budget, &mut visit),
            Format::SevenZip => sevenz::walk(&bytes, passwords, budget, &mut visit),
            Format::Ar => ar::walk(&bytes, budget, &mut visit),
            Format::Cpio => cpio::walk(&bytes, budget, &mut visit),
            Format::Gzip => stream(Codec::Gzip, bytes, budget, &mut visit),
            Format::Bzip2 => stream(Codec::Bzip2, bytes, budget, &mut visit),
            Format::Xz => stream(Codec::Xz, bytes, budget, &mut visit),
            Format::Zstd => stream(Codec::Zstd, bytes, budget, &mut visit),
        }
    }

    fn plain(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        cut: Option<MemberError>,
        budget: &mut Budget,
    ) -> ControlFlow<()> {
        if !self.options.carve || !carve::is_blob(&bytes) {
            return self.give(name, Ok(bytes), cut);
        }
        carve::walk(&bytes, budget, &mut |_, inner, content| {
            let name = inner.map_or_else(|| name.to_owned(), |inner| join(name, inner));
            // What is in a program was found with it.
            self.finish(&name, content.map_err(|shortfall| shortfall.reason))
        })?;
        cut.map_or(ControlFlow::Continue(()), |cut| self.finish(name, Err(cut)))
    }

    fn member(
        &mut self,
        name: &str,
        content: Result<Vec<u8>, Shortfall>,
        depth: usize,
        budget: &mut Budget,
    ) -> ControlFlow<()> {
        match content {
            Ok(bytes) => self.open(name, bytes, None, depth + 1, budget),
            Err(Shortfall { reason, read }) if read.is_empty() => self.finish(name, Err(reason)),
            Err(Shortfall { reason, read }) => {
                self.open(name, read, Some(reason), depth + 1, budget)
            }
        }
    }

    /// Gives a member in which nothing is looked for.
    fn finish(&mut self, name: &str, content: Result<Vec<u8>, MemberError>) -> ControlFlow<()> {
        let is_final = content.as_ref().is_err_and(MemberError::is_final);
        self.give(name, content, None)?;
        if is_final { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn give(
        &mut self,
        name: &str,
        content: Result<Vec<u8>, MemberError>,
        cut: Option<MemberError>,
    ) -> ControlFlow<()> {
        (self.visit)(Member { name: name.to_owned(), content, cut })
    }
}

fn stream(codec: Codec, bytes: Vec<u8>, budget: &mut Budget, visit: Visit<'_>) -> ControlFlow<()> {
    let damage = match decompress(codec, &bytes, budget) {
        Err(Shortfall { reason: reason @ MemberError::Damaged(_), read }) if read.is_empty() => {
            reason
        }
        content => {
            drop(bytes);
            return visit(budget, None, content);
        }
    };
    // What stands behind a stream does not make that one wrong.
    let first = decompress_first(codec, &bytes, budget);
    drop(bytes);
    if first.is_ok() {
        visit(budget, None, first)?;
    }
    visit(budget, None, Err(damage.into()))
}

/// The name of a member, which may hold anything, below that of its archive.
fn join(archive: &str, member: &str) -> String {
    let mut name = format!("{archive}{SEPARATOR}");
    for character in member.chars() {
        if character.is_control() {
            name.extend(character.escape_default());
        } else {
            name.push(character);
        }
    }
    name
}
