//! Reading blocks and putting them where they belong.

use std::ops::Range;

use miyaburi_image::Endian;

use super::UpxError;
use super::block::{BlockHeader, HEADER};
use super::fields::Fields;
use crate::Limits;

/// How much may be decompressed to find what belongs together, in multiples of the allowed output.
const ATTEMPTS: usize = 4;

/// A packed file, and what may still be decompressed.
pub(super) struct Reader<'a> {
    file: &'a [u8],
    limits: Limits,
    left: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(file: &'a [u8], limits: Limits) -> Self {
        Self { file, limits, left: limits.output.saturating_mul(ATTEMPTS) }
    }

    pub(super) const fn file(&self) -> &'a [u8] {
        self.file
    }

    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) const fn fields(&self, endian: Endian) -> Fields<'a> {
        Fields { bytes: self.file, endian }
    }

    /// Unpacks one block.
    pub(super) fn block(
        &mut self,
        header: &BlockHeader,
        offset: usize,
    ) -> Result<Vec<u8>, UpxError> {
        if header.unpacked > self.left {
            return Err(UpxError::Budget { offset, limit: self.limits.output });
        }
        self.left -= header.unpacked;
        header.unpack(self.file, offset)
    }

    /// The beginning of a block within which, or within whose header, the file ends; `None` when it
    /// does not.
    fn cut_block(
        &mut self,
        endian: Endian,
        offset: usize,
        room: usize,
    ) -> Result<Option<(BlockHeader, Vec<u8>)>, UpxError> {
        let header = BlockHeader::cut(self.fields(endian), offset);
        let Some(header) = header.filter(|header| header.unpacked <= room) else { return Ok(None) };
        if header.unpacked > self.left {
            return Err(UpxError::Budget { offset, limit: self.limits.output });
        }
        self.left -= header.unpacked;
        Ok(Some((header, header.unpack_beginning(self.file, offset)?)))
    }

    /// Reads the blocks of `parts`, of which the first is at `offset`, as far as the file goes.
    pub(super) fn read_parts(
        &mut self,
        endian: Endian,
        offset: usize,
        parts: &[Range<usize>],
    ) -> Result<Pieces, UpxError> {
        let mut pieces = Pieces { pieces: Vec::new(), end: offset, cut: None };
        for part in parts {
            let mut at = part.start;
            while at < part.end {
                let offset = pieces.end;
                let header = BlockHeader::read(self.fields(endian), offset)
                    .filter(|header| header.unpacked <= part.end - at);
                let Some(header) = header else {
                    if let Some((header, bytes)) = self.cut_block(endian, offset, part.end - at)? {
                        pieces.push(at, header, bytes);
                    } else if self.file.len() >= offset.saturating_add(HEADER) {
                        return Err(UpxError::Header { offset });
                    }
                    pieces.cut = Some(offset);
                    return Ok(pieces);
                };
                at += pieces.push(at, header, self.block(&header, offset)?);
            }
        }
        Ok(pieces)
    }

    /// Reads the blocks that follow `pieces`, for what is at `at` of the original file and behind
    /// it, as many as there are; gives whether no block follows that could not be read.
    pub(super) fn read_tail(&mut self, endian: Endian, mut at: usize, pieces: &mut Pieces) -> bool {
        while let Some(header) = BlockHeader::read(self.fields(endian), pieces.end) {
            let Ok(bytes) = self.block(&header, pieces.end) else { return false };
            at += pieces.push(at, header, bytes);
        }
        true
    }
}

/// A block and its place in the original file.
pub(super) struct Piece {
    /// Offset in the original file.
    pub(super) at: usize,
    /// What it unpacked to.
    pub(super) bytes: Vec<u8>,
    pub(super) header: BlockHeader,
    /// Offset of its header in the packed file.
    pub(super) offset: usize,
}

/// Blocks that follow each other.
pub(super) struct Pieces {
    pub(super) pieces: Vec<Piece>,
    /// Offset behind them in the packed file.
    pub(super) end: usize,
    /// Offset of the header of the block within which the packed file ends, or of one that is missing.
    pub(super) cut: Option<usize>,
}

impl Pieces {
    /// Adds a block and gives its size.
    fn push(&mut self, at: usize, header: BlockHeader, bytes: Vec<u8>) -> usize {
        let size = bytes.len();
        self.pieces.push(Piece { at, bytes, header, offset: self.end });
        self.end += HEADER + header.packed;
        size
    }

    /// Behind the last byte in the original file.
    pub(super) fn last(&self) -> usize {
        self.pieces.iter().map(|piece| piece.at + piece.bytes.len()).max().unwrap_or(0)
    }
}
