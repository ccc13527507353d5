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
