//! One block.

use super::UpxError;
use super::fields::Fields;
use crate::decompress::{self, DecompressError, Nrv, Unit};
use crate::filter;

/// Bytes of a block's header (`b_info`).
pub(super) const HEADER: usize = 12;

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Not at all.
    Stored,
    /// NRV, in three variants and three ways to fetch bits.
    Nrv(Nrv, Unit),
    /// LZMA.
    Lzma,
    /// DEFLATE.
    Deflate,
}

impl Method {
    /// The method with this number in headers.
    pub(super) const fn numbered(number: u8) -> Option<Self> {
        Some(match number {
            2 => Self::Nrv(Nrv::B, Unit::Bits32),
            3 => Self::Nrv(Nrv::B, Unit::Bits8),
            4 => Self::Nrv(Nrv::B, Unit::Bits16),
            5 => Self::Nrv(Nrv::D, Unit::Bits32),
            6 => Self::Nrv(Nrv::D, Unit::Bits8),
            7 => Self::Nrv(Nrv::D, Unit::Bits16),
            8 => Self::Nrv(Nrv::E, Unit::Bits32),
            9 => Self::Nrv(Nrv::E, Unit::Bits8),
            10 => Self::Nrv(Nrv::E, Unit::Bits16),
            14 => Self::Lzma,
            15 => Self::Deflate,
            _ => return None,
        })
    }

    /// The packer's name of the method.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Nrv(Nrv::B, _) => "nrv2b",
            Self::Nrv(Nrv::D, _) => "nrv2d",
            Self::Nrv(Nrv::E, _) => "nrv2e",
            Self::Lzma => "lzma",
            Self::Deflate => "deflate",
        }
    }

    fn decompress(self, input: &[u8], size: usize) -> Result<Vec<u8>, DecompressError> {
        match self {
            Self::Stored => Ok(input.to_vec()),
            Self::Nrv(variant, unit) => decompress::nrv(variant, unit, input, size),
            Self::Lzma => decompress::lzma(input, size),
            Self::Deflate => decompress::deflate(input, size),
        }
    }

    fn decompress_beginning(self, input: &[u8], size: usize) -> Result<Vec<u8>, DecompressError> {
        match self {
            Self::Stored => Ok(input.to_vec()),
            Self::Nrv(variant, unit) => decompress::nrv_beginning(variant, unit, input, size),
            Self::Lzma => decompress::lzma_beginning(input, size),
            Self::Deflate => decompress::deflate_beginning(input, size),
        }
    }
}

/// A block's header. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockHeader {
    pub(super) unpacked: usize,
    pub(super) packed: usize,
    pub(super) method: u8,
    pub(super) filter: u8,
    pub(super) parameter: u8,
}

impl BlockHeader {
    /// The header at `offset`, when it can be one: of some bytes that lie in the file and did not
    /// grow.
    pub(super) fn read(fields: Fields<'_>, offset: usize) -> Option<Self> {
        let room = fields.bytes.len().checked_sub(offset.checked_add(HEADER)?)?;
        Self::any(fields, offset).filter(|header| header.packed <= room)
    }

    /// The header at `offset`, when the file ends within its block.
    pub(super) fn cut(fields: Fields<'_>, offset: usize) -> Option<Self> {
        let room = fields.bytes.len().checked_sub(offset.checked_add(HEADER)?)?;
        Self::any(fields, offset).filter(|header| header.packed > room)
    }

    fn any(fields: Fields<'_>, offset: usize) -> Option<Self> {
        let unpacked = fields.u32(offset)? as usize;
        let packed = fields.u32(offset.checked_add(4)?)? as usize;
        let [method, filter, parameter, _] =
            *fields.bytes.get(offset.checked_add(8)?..)?.first_chunk::<4>()?;
        let is_block = packed != 0 && packed <= unpacked;
        is_block.then_some(Self { unpacked, packed, method, filter, parameter })
    }

    /// How the block is compressed: one that would have grown is stored, whatever its method says.
    pub(super) fn method(&self, offset: usize) -> Result<Method, UpxError> {
        if self.packed == self.unpacked {
            return Ok(Method::Stored);
        }
        Method::numbered(self.method).ok_or(UpxError::Method { offset, method: self.method })
    }

    /// The bytes of the block whose header is at `offset`.
    pub(super) fn unpack(&self, file: &[u8], offset: usize) -> Result<Vec<u8>, UpxError> {
        let start = offset.saturating_add(HEADER);
        let input = file
            .get(start..start.saturating_add(self.packed))
            .ok_or(UpxError::Header { offset })?;
        let method = self.method(offset)?;
        let mut bytes = method
            .decompress(input, self.unpacked)
            .map_err(|error| UpxError::Block { offset, error })?;
        self.undo_filter(method, &mut bytes, offset)?;
        Ok(bytes)
    }

    /// The first bytes of the block whose header is at `offset` and within which the file ends.
    pub(super) fn unpack_beginning(&self, file: &[u8], offset: usize) -> Result<Vec<u8>, UpxError> {
        let input = file.get(offset.saturating_add(HEADER)..).unwrap_or_default();
        let method = self.method(offset)?;
        let mut bytes = method
            .decompress_beginning(input, self.unpacked)
            .map_err(|error| UpxError::Block { offset, error })?;
        if self.undo_filter(method, &mut bytes, offset)? && bytes.len() < self.unpacked {
            bytes.truncate(bytes.len().saturating_sub(filter::UNDECIDED));
        }
        Ok(bytes)
    }

    /// Gives whether there was a filter.
    fn undo_filter(
        &self,
        method: Method,
        bytes: &mut [u8],
        offset: usize,
    ) -> Result<bool, UpxError> {
        if method == Method::Stored {
            return Ok(false);
        }
        filter::undo(self.filter, self.parameter, bytes)
            .map_err(|filter| UpxError::Filter { offset, filter })?;
        Ok(self.filter != 0)
    }
}
