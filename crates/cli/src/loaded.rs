//! The program whose addresses reports give.

use miyaburi_image::{Image, RawMemory};
use miyaburi_pipeline::{Options, unpack};

use crate::error::DumpError;

/// The program in a file as memory: the file's own unless it is packed.
pub(crate) fn image_of(bytes: &[u8], raw: Option<RawMemory>) -> Result<Image, DumpError> {
    if let Some(memory) = raw {
        return Ok(Image::of_memory(bytes, memory)?);
    }
    match unpack(bytes, &Options::default())? {
        Some(unpacked) => Ok(Image::parse(&unpacked.file)?),
        None => Ok(Image::parse(bytes)?),
    }
}
