//! Compression methods of packers.
//!
//! Each takes the compressed bytes and the size that they must give, and fails unless it is that
//! size exactly; of what is cut off each also gives the beginning.

mod bits;
mod deflate;
mod lzma;
mod nrv;
mod output;

pub use deflate::{deflate, deflate_beginning};
pub use lzma::{lzma, lzma_beginning};
pub use nrv::{Nrv, Unit, nrv, nrv_beginning};

/// Why bytes could not be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// The input ended within the stream.
    #[error("the compressed data ends too early")]
    InputEnds,
    /// The stream went on after the size that it should give.
    #[error("more data than announced")]
    TooMuch,
    /// The stream ended before the size that it should give.
    #[error("less data than announced")]
    TooLittle,
    /// Input was left after the end of the stream.
    #[error("bytes are left after the end of the compressed data")]
    InputLeft,
    /// A match refers to what lies before the output.
    #[error("a match begins before the data")]
    Distance,
    /// The stream's own parameters make no sense.
    #[error("damaged parameters of the compression")]
    Parameters,
    /// The decoder found the stream damaged.
    #[error("damaged compressed data")]
    Damaged,
}
