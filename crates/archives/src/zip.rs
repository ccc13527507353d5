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
use crate::walk::{MemberError, Visit};

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
            visit(budget, Some(&name), content)?;
        }
    }
    match claimed(bytes).and_then(|claimed| usize::from(claimed).checked_sub(archive.len())) {
        Some(hidden @ 1..) => {
            let error = format!("{hidden} more members have the names of others");
            visit(budget, None, Err(MemberError::Unsupported(error).into()))
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
        // Where there is a directory, which stands at the end, its members are whole.
        Ok(file) => return budget.read(file).map_err(Shortfall::of_whole),
        Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {}
        Err(error) => return Err(error.into()),
    }
    // The reader subtracts one from the other.
    let member = archive.by_index_raw(index).map_err(MemberError::from)?;
    if member.compressed_size() < aes_bytes(member.extra_data().unwrap_or_default()) {
        return Err(MemberError::Damaged("is smaller than what encryption adds".to_owned()).into());
    }
    drop(member);
    for password in passwords {
        let options = ZipReadOptions::new().password(Some(password.as_bytes()));
        match archive.by_index_with_options(index, options) {
            // The old cipher lets one wrong password of 256 through; the checksum then does not.
            Ok(file) => match budget.read(file) {
                Err(Shortfall { reason: MemberError::Damaged(_), .. }) => {}
                outcome => return outcome.map_err(Shortfall::of_whole),
            },
            Err(ZipError::InvalidPassword) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(MemberError::Encrypted.into())
}

/// Bytes that AES adds to a member with these extra fields: salt, verification value, authentication
/// code (APPNOTE, appendix on AE-x; WinZip's AES encryption specification, sections II and III). 0
/// without it.
fn aes_bytes(mut fields: &[u8]) -> u64 {
    const AES: [u8; 2] = 0x9901_u16.to_le_bytes();
    const VERIFICATION_AND_CODE: u64 = 2 + 10;
    let mut bytes = 0;
    while let Some(([a, b, c, d], rest)) = fields.split_first_chunk() {
        let size = usize::from(u16::from_le_bytes([*c, *d]));
        // Behind version and vendor stands the strength, from 1 to 3.
        if [*a, *b] == AES
            && let Some(strength) = rest.get(4)
        {
            bytes = VERIFICATION_AND_CODE + 4 + 4 * u64::from(*strength);
        }
        fields = rest.get(size..).unwrap_or_default();
    }
    bytes
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
            visit(budget, Some(&name), content)?;
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
