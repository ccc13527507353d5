//! Compressed streams, which hold one member without a name.

use std::io;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use crate::budget::{Budget, Refusal};

/// Memory for an xz dictionary, in KiB: `xz -9` needs 64 MiB.
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// A compressor whose output holds one member.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codec {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// What `bytes` were before they were compressed. Streams one after the other are one, but of zstd
/// only the first frame is read: its tool writes one.
pub(crate) fn decompress(
    codec: Codec,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Refusal> {
    match codec {
        Codec::Gzip => budget.read(MultiGzDecoder::new(bytes)),
        Codec::Bzip2 => budget.read(MultiBzDecoder::new(bytes)),
        Codec::Xz => budget.read(XzReader::new_mem_limit(bytes, true, XZ_MEMORY_KIB)),
        Codec::Zstd => {
            let decoder = StreamingDecoder::new(bytes);
            let decoder = decoder.map_err(|error| Refusal::Io(io::Error::other(error)))?;
            budget.read(decoder)
        }
    }
}
