//! The header at the end of a packed file (`PackHeader`), and the text in its stub.

use memchr::memmem;
use miyaburi_image::Endian;

use super::fields::Fields;
use super::start::Start;

/// `UPX!`.
pub(super) const MAGIC: [u8; 4] = *b"UPX!";

/// Bytes of the header.
const SIZE: usize = 32;

/// Bytes with the offset of `p_info` that follow the header.
const OFFSET: usize = 4;

/// The stub's text up to the version.
const IDENTIFICATION: &[u8] = b"$Id: UPX ";

/// The first number of formats of big-endian files.
const BIG_ENDIAN_FORMATS: u8 = 128;

/// Versions of the header that ELF files have.
const VERSIONS: std::ops::RangeInclusive<u8> = 10..=14;

/// The header at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    /// Offset in the packed file.
    pub(super) offset: usize,
    /// Whether it begins with the magic number.
    pub(super) has_magic: bool,
    /// Version of the header's format.
    pub(super) version: u8,
    /// Number of the file format.
    pub(super) format: u8,
    /// Adler-32 over all blocks, unpacked.
    pub(super) checksum: u32,
    /// Bytes of the original file.
    pub(super) file_size: u32,
    /// Offset of `p_info`, as it says.
    pub(super) program_info: Option<u32>,
}

impl Trailer {
    /// The last header that has its magic number and a matching checksum of its own.
    pub(super) fn by_magic(file: &[u8], endian: Endian) -> Option<Self> {
        memmem::rfind_iter(file, &MAGIC).find_map(|offset| Self::read(file, endian, offset))
    }

    /// The header of a file whose original had `size` bytes: one with its magic number, or else
    /// one that gives this size and a matching checksum of its own.
    pub(super) fn find(file: &[u8], start: &Start, size: usize) -> Option<Self> {
        Self::by_magic(file, start.endian).or_else(|| {
            let size = u32::try_from(size).ok()?;
            let size = match start.endian {
                Endian::Little => size.to_le_bytes(),
                Endian::Big => size.to_be_bytes(),
            };
            memmem::rfind_iter(file, &size)
                .filter_map(|at| at.checked_sub(24))
                .filter(|&offset| offset >= start.end)
                .find_map(|offset| Self::read(file, start.endian, offset))
        })
    }

    fn read(file: &[u8], endian: Endian, offset: usize) -> Option<Self> {
        let bytes = file.get(offset..)?.first_chunk::<SIZE>()?;
        let fields = Fields { bytes, endian };
        let version = fields.u8(4)?;
        if !VERSIONS.contains(&version) || fields.u8(SIZE - 1)? != own_checksum(bytes) {
            return None;
        }
        let behind = Fields { bytes: file, endian };
        let format = fields.u8(5)?;
        // Formats of big-endian files have their sizes before their checksums.
        let checksum = if format >= BIG_ENDIAN_FORMATS { 16 } else { 8 };
        Some(Self {
            offset,
            has_magic: bytes.starts_with(&MAGIC),
            version,
            format,
            checksum: fields.u32(checksum)?,
            file_size: fields.u32(24)?,
            program_info: behind.u32(offset + SIZE),
        })
    }

    /// Offset behind the header and the number that follows it.
    pub(super) const fn end(&self) -> usize {
        self.offset + SIZE + OFFSET
    }
}

/// The checksum of the header itself.
fn own_checksum(bytes: &[u8; SIZE]) -> u8 {
    let sum: u32 = bytes[4..SIZE - 1].iter().map(|&byte| u32::from(byte)).sum();
    (sum % 251) as u8
}

/// The version in the text that the packer leaves in its stub, such as `3.96`, which need not be
/// there.
#[must_use]
pub fn version(file: &[u8]) -> Option<String> {
    memmem::find_iter(file, IDENTIFICATION).find_map(|at| {
        let text = file.get(at + IDENTIFICATION.len()..)?;
        let end = text.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b'.'))?;
        let version = std::str::from_utf8(text.get(..end.min(12))?).ok()?;
        (!version.is_empty()).then(|| version.to_owned())
    })
}

/// Whether the stub's text or a whole header at the end is there.
pub(super) fn names_packer(file: &[u8]) -> bool {
    let has_trailer = |endian| Trailer::by_magic(file, endian).is_some();
    file.starts_with(b"\x7fELF")
        && (has_trailer(Endian::Little) || has_trailer(Endian::Big))
        && version(file).is_some()
}
