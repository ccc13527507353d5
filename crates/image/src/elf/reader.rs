//! Reads of the file at offsets that may lie anywhere.

use crate::Endian;

/// The file with the byte order and width of its header. A read outside the file gives `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileReader<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) endian: Endian,
    /// Whether words are 64 bits wide (`ELFCLASS64`).
    pub(crate) wide: bool,
}

impl<'a> FileReader<'a> {
    /// `length` bytes at `offset`.
    pub(crate) fn bytes(self, offset: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes.get(start..end)
    }

    /// As many of `length` bytes at `offset` as the file has.
    pub(crate) fn clamped(self, offset: u64, length: u64) -> &'a [u8] {
        let rest = usize::try_from(offset).ok().and_then(|start| self.bytes.get(start..));
        let rest = rest.unwrap_or(&[]);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        rest.get(..length).unwrap_or(&[])
    }

    fn uint(self, offset: u64, size: u64) -> Option<u64> {
        self.bytes(offset, size).map(|bytes| self.endian.read_uint(bytes))
    }

    pub(crate) fn u16(self, offset: u64) -> Option<u16> {
        self.uint(offset, 2).map(|value| value as u16)
    }

    pub(crate) fn u32(self, offset: u64) -> Option<u32> {
        self.uint(offset, 4).map(|value| value as u32)
    }

    /// An address-sized field: 4 or 8 bytes.
    pub(crate) fn word(self, offset: u64) -> Option<u64> {
        self.uint(offset, self.word_size())
    }

    pub(crate) const fn word_size(self) -> u64 {
        if self.wide { 8 } else { 4 }
    }
}

/// Longest symbol or library name that is kept, in bytes.
pub(crate) const MAX_NAME: usize = 512;

/// The text up to the first NUL, cut to [`MAX_NAME`] bytes.
pub(crate) fn name_from(bytes: &[u8]) -> String {
    String::from_utf8_lossy(name_bytes(bytes)).into_owned()
}

/// The bytes up to the first NUL, cut to [`MAX_NAME`]. No more than those are looked at.
pub(crate) fn name_bytes(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).next().unwrap_or(&[])
}
