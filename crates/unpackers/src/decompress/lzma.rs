//! LZMA as packers store it: raw, behind two bytes of parameters.

use std::io::{ErrorKind, Read};

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
    let mut output = Vec::new();
    // The reader allocates what the dictionary needs; the output grows as it comes.
    let mut reader = reader(input, size)?.take(size as u64);
    reader.read_to_end(&mut output).map_err(|_| DecompressError::Damaged)?;
    if output.len() == size { Ok(output) } else { Err(DecompressError::TooLittle) }
}

/// As far as a stream goes that is cut off: what [`lzma`] would give begins with it.
///
/// # Errors
/// When `input` is anything else than the beginning of a longer stream of that size.
pub fn lzma_beginning(input: &[u8], size: usize) -> Result<Vec<u8>, DecompressError> {
    let mut reader = reader(input, size)?;
    let mut output = Vec::new();
    // What one read gives is lost when it meets the end, so they are of one byte.
    let mut byte = [0];
    while output.len() < size {
        match reader.read(&mut byte) {
            Ok(0) => return Err(DecompressError::TooLittle),
            Ok(_) => output.extend(byte),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(output),
            Err(_) => return Err(DecompressError::Damaged),
        }
    }
    // The coder reads ahead, so that a few bytes at the end are not missed.
    Ok(output)
}

fn reader(input: &[u8], size: usize) -> Result<LzmaReader<&[u8]>, DecompressError> {
    let (&[first, second], stream) =
        input.split_first_chunk::<2>().ok_or(DecompressError::InputEnds)?;
    let (pb, lp, lc) = (u32::from(first & 7), u32::from(second >> 4), u32::from(second & 15));
    if pb > 4 || lp > 4 || lc > 8 || u32::from(first >> 3) != lp + lc {
        return Err(DecompressError::Parameters);
    }
    let dictionary = u32::try_from(size).map_err(|_| DecompressError::Parameters)?;
    let dictionary = dictionary.max(SMALLEST_DICTIONARY);
    LzmaReader::new(stream, size as u64, lc, lp, pb, dictionary, None).map_err(|error| {
        if error.kind() == ErrorKind::UnexpectedEof {
            DecompressError::InputEnds
        } else {
            DecompressError::Damaged
        }
    })
}
