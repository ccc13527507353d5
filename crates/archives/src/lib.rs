//! Members of archives and compressed streams, nested ones too, as bytes that were never on disk.
//!
//! ```text
//! format.rs  what kind of archive bytes are
//! walk.rs    from one input to its members, nested to a limit
//! zip.rs     members of ZIP archives, encrypted ones too
//! tar.rs     members of tar archives
//! sevenz.rs  members of 7z archives, encrypted ones too
//! ar.rs      members of ar archives, such as Debian packages
//! cpio.rs    members of cpio archives
//! carve.rs   ELF files in bytes that are no archive
//! stream.rs  gzip, bzip2, xz and zstd
//! budget.rs  what one input may unpack to
//! ```
//!
//! An archive is hostile input: what it says of sizes and names is not believed. Names are made
//! printable and only ever shown. What cannot be read is a [`Member`] too, one that holds its reason.

mod ar;
mod budget;
mod carve;
mod cpio;
mod format;
mod sevenz;
mod stream;
mod tar;
mod walk;
mod zip;

pub use budget::{Limit, Limits};
pub use format::Format;
pub use stream::decompressed;
pub use walk::{Member, MemberError, Options, walk};
