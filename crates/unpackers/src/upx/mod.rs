//! ELF files that UPX packed.
//!
//! A packed program is a stub and a list of compressed blocks: first the headers of the original
//! file, then its `PT_LOAD` segments, then, behind the stub, what lies between and after them. The
//! stub of every version reads nothing but the blocks, so everything else can be damaged on purpose
//! and the program still starts. [`unpack`] likewise rests on the blocks alone: magic numbers,
//! sizes and checksums elsewhere are compared with what came out, and what differs is told.
//!
//! ```text
//! fields.rs    numbers at offsets
//! block.rs     one block: its header, method and filter
//! start.rs     where the blocks begin
//! layout.rs    which parts of the original file the blocks are
//! blocks.rs    reading them
//! original.rs  putting them together
//! rest.rs      what no segment holds
//! shared.rs    shared objects, which are packed in place
//! trailer.rs   the header at the end and the stub's text
//! repair.rs    what was damaged
//! error.rs     what cannot be read
//! ```
//!
//! False positives: a file that holds the blocks of a packed program as data is taken for a packed
//! one. False negatives: files whose block headers are encrypted or moved.

mod block;
mod blocks;
mod error;
mod fields;
mod layout;
mod original;
mod repair;
mod rest;
mod shared;
mod start;
mod trailer;

pub use block::Method;
pub use error::UpxError;
pub use repair::Repair;
pub use trailer::version;

use crate::Limits;
use blocks::Reader;
use layout::Layout;
use original::Original;
use shared::Shared;
use start::Start;
use trailer::Trailer;

/// A program as it was before it was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The file.
    pub file: Vec<u8>,
    /// Version of the packer, such as `3.96`, when its stub still names it.
    pub version: Option<String>,
    /// How the code was compressed.
    pub method: Method,
    /// Number of the filter that the code went through, 0 for none.
    pub filter: u8,
    /// What had been damaged.
    pub repairs: Vec<Repair>,
    /// Offset in the packed file of the block, or of the segment that is not packed, within which it ends,
    /// when it was cut off: `file` then ends before what that would have given, and nothing else is told of damage.
    pub cut: Option<usize>,
}

/// Unpacks a file, whole and with its checksum compared; one that was cut off as far as it goes; `None`
/// when it is not packed by UPX.
///
/// # Errors
/// When it is, and a part of the program cannot be read.
pub fn unpack(file: &[u8], limits: Limits) -> Result<Option<Unpacked>, UpxError> {
    let mut reader = Reader::new(file, limits);
    let (mut failure, mut cut) = (None, None);
    let mut from = 0;
    while let Some(start) = start::find(&mut reader, from) {
        match unpack_from(&mut reader, &start) {
            Ok(unpacked) if unpacked.cut.is_none() => return Ok(Some(unpacked)),
            Ok(unpacked) => cut = cut.or(Some(unpacked)),
            // Another place may hold the blocks, when this one is a decoy.
            Err(error) => failure = failure.or(Some(error)),
        }
        from = start.block + 1;
    }
    match failure {
        _ if cut.is_some() => Ok(cut),
        Some(error) => Err(error),
        None if trailer::names_packer(file) => Err(UpxError::NoBlocks),
        None => Ok(None),
    }
}

fn unpack_from(reader: &mut Reader<'_>, start: &Start) -> Result<Unpacked, UpxError> {
    let layout = Layout::read(&start.headers, start.endian)
        .ok_or(UpxError::Headers { offset: start.block })?;
    let mut original = Original::new(&start.headers, reader.limits());
    let shared = Shared::of(reader.file(), start);
    let parts =
        shared.as_ref().map_or_else(|| layout.segments.clone(), |shared| shared.blocks(&layout));
    let segments = reader.read_parts(start.endian, start.end, &parts)?;
    if let Some(shared) = &shared {
        shared.add_head(reader.file(), start, &mut original)?;
    }
    original.put(&segments)?;
    let missing = shared.as_ref().and_then(|shared| shared.missing(reader.file()));
    if let Some(cut) = segments.cut.or(missing) {
        return Ok(Unpacked {
            version: trailer::version(reader.file()),
            method: original.method,
            filter: original.filter,
            repairs: Vec::new(),
            file: original.file,
            cut: Some(cut),
        });
    }
    let mut rest = rest::read(reader, start, &layout, segments.end, &mut original)?;
    if let Some(shared) = &shared {
        shared.add_kept(reader.file(), &mut original)?;
    }
    let trailer = Trailer::find(reader.file(), start, original.file.len());
    if let Some(shared) = &shared {
        rest = shared.end(rest);
    }
    Ok(Unpacked {
        version: trailer::version(reader.file()),
        method: original.method,
        filter: original.filter,
        repairs: repair::all(reader.file(), start, &original, rest, trailer.as_ref()),
        file: original.file,
        cut: None,
    })
}
