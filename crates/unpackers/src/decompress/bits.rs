//! Bits between bytes, as NRV streams have them.

use super::DecompressError;

/// Reads single bits, most significant first, out of units that are fetched when the last one is
/// used up; bytes lie between the units.
pub(super) struct Bits<'a, const UNIT: usize> {
    input: &'a [u8],
    /// The unread bits of the present unit, at the top.
    unit: u32,
    left: u32,
}

impl<'a, const UNIT: usize> Bits<'a, UNIT> {
    /// `UNIT` is the size of a unit in bytes, of which the least significant comes first: 1, 2 or 4.
    pub(super) const fn new(input: &'a [u8]) -> Self {
        Self { input, unit: 0, left: 0 }
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, DecompressError> {
        let (&first, rest) = self.input.split_first().ok_or(DecompressError::InputEnds)?;
        self.input = rest;
        Ok(first)
    }

    #[inline]
    pub(super) fn bit(&mut self) -> Result<u32, DecompressError> {
        if self.left == 0 {
            self.fetch()?;
        }
        let bit = self.unit >> 31;
        self.unit <<= 1;
        self.left -= 1;
        Ok(bit)
    }

    #[inline]
    fn fetch(&mut self) -> Result<(), DecompressError> {
        let (bytes, rest) =
            self.input.split_first_chunk::<UNIT>().ok_or(DecompressError::InputEnds)?;
        self.input = rest;
        let value = bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
        self.left = 8 * UNIT as u32;
        self.unit = value << (32 - self.left);
        Ok(())
    }

    /// Whether every byte was read.
    pub(super) const fn is_at_end(&self) -> bool {
        self.input.is_empty()
    }
}
