//! The program whose addresses reports give.

use miyaburi_pipeline::{Options, UnpackError, unpack};

/// The program in a file: the file itself unless it is packed.
pub(crate) fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, UnpackError> {
    Ok(unpack(&bytes, &Options::default())?.map_or(bytes, |unpacked| unpacked.file))
}
