//! Decompressed bytes, of which later ones are copies.

use super::DecompressError;

/// At most this many bytes are set aside by a claim alone.
const RESERVED: usize = 1 << 20;

/// The output of a decompression, of a size that is known.
pub(super) struct Output {
    bytes: Vec<u8>,
    size: usize,
}

impl Output {
    pub(super) fn new(size: usize) -> Self {
        Self { bytes: Vec::with_capacity(size.min(RESERVED)), size }
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) -> Result<(), DecompressError> {
        if self.bytes.len() >= self.size {
            return Err(DecompressError::TooMuch);
        }
        self.bytes.push(byte);
        Ok(())
    }

    /// Repeats `length` bytes that begin `distance` before the end; they may reach into themselves.
    #[inline]
    pub(super) fn repeat(&mut self, distance: usize, length: usize) -> Result<(), DecompressError> {
        let end = self.bytes.len();
        let start = end.checked_sub(distance).ok_or(DecompressError::Distance)?;
        if distance == 0 {
            return Err(DecompressError::Distance);
        }
        if length > self.size - end {
            return Err(DecompressError::TooMuch);
        }
        let mut left = length;
        while left > 0 {
            // What was copied repeats with the same period, so that each round can take more.
            let available = (self.bytes.len() - start).min(left);
            self.bytes.extend_from_within(start..start + available);
            left -= available;
        }
        Ok(())
    }

    /// The bytes, when they are as many as they should be.
    pub(super) fn finish(self) -> Result<Vec<u8>, DecompressError> {
        if self.bytes.len() == self.size { Ok(self.bytes) } else { Err(DecompressError::TooLittle) }
    }

    /// The bytes so far.
    pub(super) fn unfinished(self) -> Vec<u8> {
        self.bytes
    }
}
