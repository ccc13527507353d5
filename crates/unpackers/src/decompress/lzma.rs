//! LZMA as packers store it: raw, behind two bytes of parameters.

use std::io::Read;

use lzma_rust2::LzmaReader;

use super::DecompressError;

/// The smallest dictionary that a decoder takes.
const SMALLEST_DICTIONARY: u32 = 1 << 12;

/// Decompresses `input` to `size` bytes.
///
/// The low three bits of the first byte are the position bits; the second holds the literal
/// position bits above four literal context bits. The dictionary is as large as the output.
///
/// # Errors
/// When `input` is not a stream of at least that size. Whether bytes are left cannot be told: the
/// stream has no end mark, and its coder reads ahead.
pub fn lzma(input: &[u8], size: usize) -> Result<Vec<u8>, DecompressError> {
    let (&[first, second], stream) =
        input.split_first_chunk::<2>().ok_or(DecompressError::InputEnds)?;
    let (pb, lp, lc) = (u32::from(first & 7), u32::from(second >> 4), u32::from(second & 15));
    if pb > 4 || lp > 4 || lc > 8 || u32::from(first >> 3) != lp + lc {
        return Err(DecompressError::Parameters);
    }
    let dictionary = u32::try_from(size).map_err(|_| DecompressError::Parameters)?;
    let dictionary = dictionary.max(SMALLEST_DICTIONARY);
    let reader = LzmaReader::new(stream, size as u64, lc, lp, pb, dictionary, None);
    let mut output = Vec::new();
    // The reader allocates what the dictionary needs; the output grows as it comes.
    reader
        .map_err(|_| DecompressError::Damaged)?
        .take(size as u64)
        .read_to_end(&mut output)
        .map_err(|_| DecompressError::Damaged)?;
    if output.len() == size { Ok(output) } else { Err(DecompressError::TooLittle) }
}
