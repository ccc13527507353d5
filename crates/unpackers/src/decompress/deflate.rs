//! DEFLATE without a wrapper.

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use super::DecompressError;

/// Decompresses `input` to `size` bytes.
///
/// # Errors
/// When `input` is not a stream of that size.
pub fn deflate(input: &[u8], size: usize) -> Result<Vec<u8>, DecompressError> {
    let output = decompress_to_vec_with_limit(input, size).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => DecompressError::TooMuch,
        TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => {
            DecompressError::InputEnds
        }
        _ => DecompressError::Damaged,
    })?;
    if output.len() == size { Ok(output) } else { Err(DecompressError::TooLittle) }
}

/// As far as a stream goes that is cut off: what [`deflate`] would give begins with it.
///
/// # Errors
/// When `input` is anything else than the beginning of a longer stream of that size.
pub fn deflate_beginning(input: &[u8], size: usize) -> Result<Vec<u8>, DecompressError> {
    match decompress_to_vec_with_limit(input, size) {
        Ok(_) => Err(DecompressError::TooLittle),
        Err(error) => match error.status {
            TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => Ok(error.output),
            TINFLStatus::HasMoreOutput => Err(DecompressError::TooMuch),
            _ => Err(DecompressError::Damaged),
        },
    }
}
