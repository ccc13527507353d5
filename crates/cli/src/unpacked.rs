//! The program whose addresses reports give.

use miyaburi_pipeline::{UnpackError, unpack};

/// The program in a file: the file itself unless it is packed.
pub(crate) fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, UnpackError> {
    Ok(unpack(&bytes)?.map_or(bytes, |unpacked| unpacked.file))
}
