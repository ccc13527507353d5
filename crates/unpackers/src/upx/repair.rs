//! What was damaged.

use std::fmt;

use super::fields::Fields;
use super::layout;
use super::original::Original;
use super::rest::Rest;
use super::start::Start;
use super::trailer::{MAGIC, Trailer};

/// Something in a packed file that is not as the packer writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repair {
    /// The magic number of `l_info`.
    LoaderMagic,
    /// The stub's size in `l_info`.
    LoaderSize,
    /// The version in `l_info`.
    LoaderVersion,
    /// The file format in `l_info`.
    LoaderFormat,
    /// The original file's size in `p_info`.
    FileSize,
    /// The size of blocks in `p_info`.
    BlockSize,
    /// The magic number of the header at the end.
    HeaderMagic,
    /// The header at the end is not there, or its own checksum differs.
    HeaderMissing,
    /// The header at the end is not where the blocks end.
    HeaderMoved,
    /// The checksum of all blocks differs from the one in the header at the end.
    Checksum,
    /// The original file's size in the header at the end.
    HeaderFileSize,
    /// The offset of `p_info` behind the header at the end.
    OverlayOffset,
    /// Something follows the header at the end.
    TrailingData,
    /// What lies between and behind the segments of the original file could not be found. What is
    /// between them is zero.
    UnloadedLost,
}

impl Repair {
    /// The name of the field, as reports give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoaderMagic => "l_magic",
            Self::LoaderSize => "l_lsize",
            Self::LoaderVersion => "l_version",
            Self::LoaderFormat => "l_format",
            Self::FileSize => "p_filesize",
            Self::BlockSize => "p_blocksize",
            Self::HeaderMagic => "pack_header_magic",
            Self::HeaderMissing => "pack_header",
            Self::HeaderMoved => "pack_header_offset",
            Self::Checksum => "u_adler",
            Self::HeaderFileSize => "u_file_size",
            Self::OverlayOffset => "overlay_offset",
            Self::TrailingData => "trailing_data",
            Self::UnloadedLost => "unloaded_parts",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Most bytes between the last block and the header at the end.
const PADDING: usize = 16;

/// Compares everything around the blocks with what came out of them. `segments` is the offset
/// behind the blocks of the segments.
pub(super) fn all(
    file: &[u8],
    start: &Start,
    original: &Original,
    rest: Rest,
    trailer: Option<&Trailer>,
) -> Vec<Repair> {
    let mut found = Vec::new();
    let mut note = |is_damaged: bool, repair| {
        if is_damaged {
            found.push(repair);
        }
    };
    let fields = Fields { bytes: file, endian: start.endian };
    let (loader, program) = (start.loader_info(), start.program_info());
    let byte = |offset: usize| loader.and_then(|at| fields.u8(at + offset));
    let number = |offset: usize| program.and_then(|at| fields.u32(at + offset));
    note(magic(file, loader) != Some(MAGIC), Repair::LoaderMagic);
    note(matches!(rest, Rest::Moved { .. }), Repair::LoaderSize);
    if let Some(trailer) = trailer {
        note(byte(10) != Some(trailer.version), Repair::LoaderVersion);
        note(byte(11) != Some(trailer.format), Repair::LoaderFormat);
    }
    let size = original.file.len();
    let is_size = |claim: Option<u32>| claim.is_some_and(|claim| claim as usize == size);
    note(rest != Rest::Lost && !is_size(number(4)), Repair::FileSize);
    note(number(8).is_none_or(|claim| (claim as usize) < original.largest), Repair::BlockSize);
    note(rest == Rest::Lost, Repair::UnloadedLost);
    let Some(trailer) = trailer else {
        note(true, Repair::HeaderMissing);
        return found;
    };
    let is_whole = rest != Rest::Lost;
    note(!trailer.has_magic, Repair::HeaderMagic);
    let sections_end = layout::sections_end(file);
    note(is_moved(trailer, rest, sections_end), Repair::HeaderMoved);
    note(is_whole && trailer.checksum != original.checksum.checksum(), Repair::Checksum);
    note(is_whole && !is_size(Some(trailer.file_size)), Repair::HeaderFileSize);
    note(trailer.program_info.map(|at| at as usize) != program, Repair::OverlayOffset);
    note(file.len() > trailer.end(), Repair::TrailingData);
    found
}

fn magic(file: &[u8], loader: Option<usize>) -> Option<[u8; 4]> {
    file.get(loader?.checked_add(4)?..)?.first_chunk::<4>().copied()
}

/// Whether the header is neither where the blocks end nor behind section headers, which some versions
/// write between for ARM.
fn is_moved(trailer: &Trailer, rest: Rest, sections_end: Option<usize>) -> bool {
    let (Rest::Expected { end } | Rest::Moved { end }) = rest else { return false };
    let is_behind =
        |end: usize| trailer.offset.checked_sub(end).is_some_and(|behind| behind <= PADDING);
    !is_behind(end) && !sections_end.is_some_and(is_behind)
}
