//! Packed programs as they were before.
//!
//! ```text
//! upx/         files of the packer UPX, damaged ones too: found, read and put together again
//! decompress/  the compression methods that packers use
//! filter/      what packers do to code before they compress it, undone
//! stub.rs      files that nothing else unpacks, whose stub is run in the emulator
//! ```
//!
//! Nothing runs natively. Sizes in a file are claims: output grows with what is decompressed,
//! never with what a header says, and [`Limits`] bound it.

pub mod decompress;
pub mod filter;
mod limits;
mod loaded_file;
mod memory_image;
pub mod stub;
pub mod upx;

pub use limits::Limits;
