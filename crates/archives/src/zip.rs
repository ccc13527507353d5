//! Members of ZIP archives.
//!
//! Of several members with one name only the last is seen: the reader keeps them by name. That others
//! are there is told.

use std::io::Cursor;
use std::ops::ControlFlow;

use zip::read::read_zipfile_from_stream;
use zip::result::ZipError;
use zip::{ZipArchive, ZipReadOptions};

use crate::budget::{Budget, Shortfall};
use crate::walk::{MemberError, Visit, hand};

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Hands every file of the archive to `visit`.
pub(crate) fn walk(
    bytes: &[u8],
    passwords: &[String],
    budget: &mut Budget,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    let mut archive = match ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(error) => return salvage(bytes, error, budget, visit),
    };
    for index in 0..archive.len() {
        if let Err(limit) = budget.count_member() {
            return visit(budget, None, Err(limit.into()));
        }
        let name = archive.name_for_index(index).unwrap_or_default().to_owned();
        if !name.ends_with('/') {
            let content = content(&mut archive, index, passwords, budget);
            hand(Some(&name), content, budget, visit)?;
        }
    }
    match claimed(bytes).and_then(|claimed| usize::from(claimed).checked_sub(archive.len())) {
        Some(hidden @ 1..) => {
            let error = format!("{hidden} more members have the names of others");
            visit(budget, None, Err(MemberError::Unsupported(error)))
        }
        _ => ControlFlow::Continue(()),
    }
}

/// How many members the end of the archive claims (APPNOTE, section 4.3.16); `None` where a larger
/// field does.
fn claimed(bytes: &[u8]) -> Option<u16> {
    const SIGNATURE: &[u8] = b"PK\x05\x06";
    const TOTAL: usize = 10;
    let end = bytes.windows(SIGNATURE.len()).rposition(|window| window == SIGNATURE)?;
    let total = bytes.get(end + TOTAL..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*total)).filter(|total| *total != u16::MAX)
}

fn content(
    archive: &mut Archive<'_>,
    index: usize,
    passwords: &[String],
    budget: &mut Budget,
) -> Result<Vec<u8>, Shortfall> {
    match archive.by_index(index) {
        Ok(file) => return budget.read(file),
        Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {}
        Err(error) => return Err(error.into()),
    }
    for password in passwords {
        let options = ZipReadOptions::new().password(Some(password.as_bytes()));
        match archive.by_index_with_options(index, options) {
            // The old cipher lets one wrong password of 256 through; the checksum then does not.
            Ok(file) => match budget.read(file) {
                Err(Shortfall { reason: MemberError::Damaged(_), .. }) => {}
                outcome => return outcome,
            },
            Err(ZipError::InvalidPassword) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(MemberError::Encrypted.into())
}

/// Hands over what stands before the damage in an archive whose directory, at its end, is gone. An
/// encrypted member ends that, and one whose size stands behind it.
fn salvage(
    mut bytes: &[u8],
    damage: ZipError,
    budget: &mut Budget,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    while let Ok(Some(file)) = read_zipfile_from_stream(&mut bytes) {
        if let Err(limit) = budget.count_member() {
            return visit(budget, None, Err(limit.into()));
        }
        let (name, is_file) = (file.name().to_owned(), file.is_file());
        let content = budget.read(file);
        if is_file {
            hand(Some(&name), content, budget, visit)?;
        }
    }
    visit(budget, None, Err(damage.into()))
}

impl From<ZipError> for MemberError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
                Self::Unsupported(error.to_string())
            }
            _ => Self::Damaged(error.to_string()),
        }
    }
}
