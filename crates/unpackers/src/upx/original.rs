//! The original file while its parts are put together.

use adler2::Adler32;

use super::UpxError;
use super::block::Method;
use super::blocks::{Piece, Pieces};
use crate::Limits;

/// The original file as far as it is known. What no block gave is zero.
pub(super) struct Original {
    pub(super) file: Vec<u8>,
    /// Over the blocks in their order.
    pub(super) checksum: Adler32,
    /// Bytes of the largest block, the headers aside.
    pub(super) largest: usize,
    /// How the largest block was compressed.
    pub(super) method: Method,
    /// The filter of the last block that has one.
    pub(super) filter: u8,
    limits: Limits,
}

impl Original {
    /// A file that consists of its headers so far.
    pub(super) fn new(headers: &[u8], limits: Limits) -> Self {
        let mut checksum = Adler32::new();
        checksum.write_slice(headers);
        Self {
            file: headers.to_vec(),
            checksum,
            largest: 0,
            method: Method::Stored,
            filter: 0,
            limits,
        }
    }

    /// Puts blocks where they belong.
    pub(super) fn put(&mut self, pieces: &Pieces) -> Result<(), UpxError> {
        pieces.pieces.iter().try_for_each(|piece| self.put_piece(piece))
    }

    /// Puts bytes that no block holds.
    pub(super) fn put_plain(&mut self, at: usize, bytes: &[u8]) -> Result<(), UpxError> {
        self.put_at(at, bytes, at)
    }

    /// Puts bytes that come from `offset` of the packed file.
    fn put_at(&mut self, at: usize, bytes: &[u8], offset: usize) -> Result<(), UpxError> {
        let budget = UpxError::Budget { offset, limit: self.limits.output };
        let Some(end) = at.checked_add(bytes.len()).filter(|&end| end <= self.limits.output) else {
            return Err(budget);
        };
        if self.file.len() < end {
            self.file.resize(end, 0);
        }
        self.file.get_mut(at..end).ok_or(budget)?.copy_from_slice(bytes);
        Ok(())
    }

    fn put_piece(&mut self, piece: &Piece) -> Result<(), UpxError> {
        let &Piece { at, ref bytes, header, offset } = piece;
        self.put_at(at, bytes, offset)?;
        self.checksum.write_slice(bytes);
        let method = header.method(offset)?;
        if bytes.len() > self.largest {
            self.largest = bytes.len();
            self.method = method;
        }
        if method != Method::Stored && header.filter != 0 {
            self.filter = header.filter;
        }
        Ok(())
    }
}
