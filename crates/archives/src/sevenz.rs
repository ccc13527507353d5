//! Members of 7z archives.
//!
//! Members lie in blocks that are compressed together. One password opens all that is encrypted: the one
//! that opens the first such block is used for the others, and where none does, none is tried again,
//! as each try costs hundreds of thousands of hashes.

use std::io::Cursor;
use std::ops::ControlFlow;

use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, Error, Password};

use crate::budget::{Budget, Shortfall};
use crate::walk::{MemberError, Visit};

/// Memory of headers, and of one decoder, in KiB: twice what the highest preset of the 7-Zip program
/// takes for its dictionary.
const MEMORY: usize = 128 << 10;

/// Why a member is not read though nothing is wrong with it.
const BEHIND: &str = "a member before it, with which it is compressed, could not be read";

/// Hands every file of the archive to `visit`.
pub(crate) fn walk(
    bytes: &[u8],
    passwords: &[String],
    budget: &mut Budget,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    let mut passwords: Vec<Password> = passwords.iter().map(|it| Password::new(it)).collect();
    let archive = match open(bytes, &mut passwords) {
        Ok(archive) => archive,
        Err(error) => return visit(budget, None, Err(error.into())),
    };
    for number in 0..archive.blocks.len() {
        Block { bytes, archive: &archive, number }.walk(&mut passwords, budget, visit)?;
    }
    let is_empty = |file: &&ArchiveEntry| !file.has_stream && !file.is_directory;
    for file in archive.files.iter().filter(is_empty) {
        if let Err(limit) = budget.count_member() {
            return visit(budget, None, Err(limit.into()));
        }
        visit(budget, Some(&file.name), Ok(Vec::new()))?;
    }
    ControlFlow::Continue(())
}

/// Reads the list of members, which may be encrypted: the password that opens it is the only one left.
fn open(bytes: &[u8], passwords: &mut Vec<Password>) -> Result<Archive, MemberError> {
    let read = |password: &Password| {
        Archive::read_with_memory_limit(&mut Cursor::new(bytes), password, MEMORY)
    };
    match read(&Password::empty()) {
        Err(error) if is_closed(&error) => {}
        outcome => return outcome.map_err(MemberError::from),
    }
    for password in passwords.iter() {
        if let Ok(archive) = read(password) {
            *passwords = vec![password.clone()];
            return Ok(archive);
        }
    }
    Err(MemberError::Encrypted)
}

/// Members that are compressed together.
struct Block<'b> {
    bytes: &'b [u8],
    archive: &'b Archive,
    number: usize,
}

/// What came of a block under one password.
enum Outcome {
    Read,
    /// The password is not the right one, or one is missing.
    Closed,
}

impl Block<'_> {
    fn walk(
        &self,
        passwords: &mut Vec<Password>,
        budget: &mut Budget,
        visit: Visit<'_>,
    ) -> ControlFlow<()> {
        if let Outcome::Read = self.read(&Password::empty(), budget, visit)? {
            return ControlFlow::Continue(());
        }
        for password in passwords.iter() {
            if let Outcome::Read = self.read(password, budget, visit)? {
                *passwords = vec![password.clone()];
                return ControlFlow::Continue(());
            }
        }
        passwords.clear();
        let names: Vec<&str> = self.names().collect();
        self.tell(&names, &MemberError::Encrypted, budget, visit)
    }

    /// The names of its members.
    fn names(&self) -> impl Iterator<Item = &str> {
        let map = self.archive.stream_map.file_block_index.iter();
        let files = self.archive.files.iter().zip(map);
        let own = files.filter(|(file, block)| file.has_stream && **block == Some(self.number));
        own.map(|(file, _)| file.name.as_str())
    }

    fn read(
        &self,
        password: &Password,
        budget: &mut Budget,
        visit: Visit<'_>,
    ) -> ControlFlow<(), Outcome> {
        let mut source = Cursor::new(self.bytes);
        let (archive, number) = (self.archive, self.number);
        let decoder =
            BlockDecoder::new_with_memory_limit(1, MEMORY, number, archive, password, &mut source);
        let mut read = 0;
        let (mut is_closed_here, mut has_ended) = (false, false);
        let mut flow = ControlFlow::Continue(());
        let outcome = decoder.for_each_entries(&mut |entry, reader| {
            if !entry.has_stream {
                return Ok(true);
            }
            // The list of members stands at the end, so that they are whole.
            let content = budget.read(reader).map_err(Shortfall::of_whole);
            let is_damaged =
                content.as_ref().is_err_and(|it| matches!(it.reason, MemberError::Damaged(_)));
            if read == 0 && !password.is_empty() && is_damaged {
                is_closed_here = true;
                return Ok(false);
            }
            read += 1;
            // Behind damage nothing of a block can be read, and behind a large member only at its cost.
            let goes_on = content.is_ok();
            has_ended = !goes_on;
            flow = match budget.count_member() {
                Ok(()) => visit(budget, Some(&entry.name), content),
                Err(limit) => visit(budget, None, Err(limit.into())),
            };
            Ok(goes_on && flow.is_continue())
        });
        flow?;
        match outcome {
            _ if is_closed_here => ControlFlow::Continue(Outcome::Closed),
            Err(error) if read == 0 && (is_closed(&error) || !password.is_empty()) => {
                ControlFlow::Continue(Outcome::Closed)
            }
            Err(error) => {
                visit(budget, None, Err(error.into()))?;
                ControlFlow::Continue(Outcome::Read)
            }
            Ok(_) => {
                let left = if has_ended { self.names().skip(read).collect() } else { Vec::new() };
                self.tell(&left, &MemberError::Unsupported(BEHIND.to_owned()), budget, visit)?;
                ControlFlow::Continue(Outcome::Read)
            }
        }
    }

    /// Hands over members of which nothing can be read.
    fn tell(
        &self,
        names: &[&str],
        reason: &MemberError,
        budget: &mut Budget,
        visit: Visit<'_>,
    ) -> ControlFlow<()> {
        for name in names {
            if let Err(limit) = budget.count_member() {
                return visit(budget, None, Err(limit.into()));
            }
            visit(budget, Some(name), Err(reason.clone().into()))?;
        }
        ControlFlow::Continue(())
    }
}

/// Whether another password may help.
const fn is_closed(error: &Error) -> bool {
    matches!(error, Error::PasswordRequired | Error::MaybeBadPassword(_))
}

impl From<Error> for MemberError {
    fn from(error: Error) -> Self {
        match error {
            Error::PasswordRequired | Error::MaybeBadPassword(_) => Self::Encrypted,
            Error::UnsupportedCompressionMethod(_)
            | Error::UnsupportedVersion { .. }
            | Error::ExternalUnsupported
            | Error::MaxMemLimited { .. }
            | Error::Unsupported(_) => Self::Unsupported(error.to_string()),
            _ => Self::Damaged(error.to_string()),
        }
    }
}
