//! What cannot be read.

use crate::decompress::DecompressError;

/// A file that UPX packed and that could not be unpacked. Offsets are those in the packed file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpxError {
    /// The stub is there, the blocks are not.
    #[error("packed by UPX, but its blocks are not to be found")]
    NoBlocks,
    /// The original headers make no sense.
    #[error("the headers of the packed program are damaged (block at {offset:#x})")]
    Headers {
        /// Offset of their block.
        offset: usize,
    },
    /// A block's header makes no sense.
    #[error("no block header at {offset:#x}")]
    Header {
        /// Offset of the header.
        offset: usize,
    },
    /// A block is compressed in a way that is not known.
    #[error("unsupported compression method {method} (block at {offset:#x})")]
    Method {
        /// Offset of the block's header.
        offset: usize,
        /// Its number.
        method: u8,
    },
    /// A block went through a filter that is not known.
    #[error("unsupported filter {filter:#x} (block at {offset:#x})")]
    Filter {
        /// Offset of the block's header.
        offset: usize,
        /// Its number.
        filter: u8,
    },
    /// A block is damaged.
    #[error("{error} (block at {offset:#x})")]
    Block {
        /// Offset of the block's header.
        offset: usize,
        /// What is wrong with it.
        error: DecompressError,
    },
    /// The program is larger than allowed, or looking for it took too long.
    #[error("unpacking takes more than {limit} bytes (block at {offset:#x})")]
    Budget {
        /// Offset of the block's header.
        offset: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
}
