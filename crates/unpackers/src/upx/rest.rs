//! What of the original file no segment holds: gaps between segments, section headers, debug
//! information.
//!
//! Its blocks follow the stub, whose size is in `l_info`. Where that size is wrong they are looked
//! for behind the last segment: the sizes of the gaps are known, and of what is behind the last
//! segment a size that one of the headers claims has to come out. Nothing that runs depends on it.

use super::UpxError;
use super::blocks::{Pieces, Reader};
use super::layout::Layout;
use super::original::Original;
use super::start::Start;
use super::trailer;

/// Where the blocks behind the stub were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Where the stub's size says, or there are none.
    Expected {
        /// Offset behind them.
        end: usize,
    },
    /// Elsewhere.
    Moved {
        /// Offset behind them.
        end: usize,
    },
    /// Nowhere.
    Lost,
}

/// Reads them; `segments_end` is the offset behind the blocks of the segments.
///
/// # Errors
/// When the file would become larger than allowed.
pub(super) fn read(
    reader: &mut Reader<'_>,
    start: &Start,
    layout: &Layout,
    segments_end: usize,
    original: &mut Original,
) -> Result<Rest, UpxError> {
    let sizes = Sizes::claimed(reader.file(), start, layout);
    let stub = segments_end.next_multiple_of(4);
    let size = start.loader_info().and_then(|at| reader.fields(start.endian).u16(at + 8));
    let expected = size.map(|size| stub + usize::from(size));
    let found = expected.and_then(|at| attempt(reader, start, layout, at));
    if let Some(found) = &found
        && found.is_whole
    {
        original.put(&found.pieces)?;
        return Ok(Rest::Expected { end: found.pieces.end });
    }
    for offset in (stub..reader.file().len()).step_by(4) {
        if let Some(found) = attempt(reader, start, layout, offset)
            && sizes.allow(found.pieces.last())
        {
            original.put(&found.pieces)?;
            return Ok(Rest::Moved { end: found.pieces.end });
        }
    }
    if let Some(found) = found {
        original.put(&found.pieces)?;
    } else if layout.gaps.is_empty() && sizes.allow(layout.segments_end) {
        return Ok(Rest::Expected { end: expected.unwrap_or(stub) });
    }
    Ok(Rest::Lost)
}

/// Blocks at one place.
struct Attempt {
    pieces: Pieces,
    /// Whether no block follows that could not be read.
    is_whole: bool,
}

/// Reads gaps and tail at an offset; `None` unless a block is there, and all gaps are.
fn attempt(
    reader: &mut Reader<'_>,
    start: &Start,
    layout: &Layout,
    offset: usize,
) -> Option<Attempt> {
    let gaps = reader.read_parts(start.endian, offset, &layout.gaps).ok()?;
    let mut pieces = Some(gaps).filter(|gaps| gaps.cut.is_none())?;
    let is_whole = reader.read_tail(start.endian, layout.segments_end, &mut pieces);
    (pieces.end > offset).then_some(Attempt { pieces, is_whole })
}

/// Sizes that the original file may have had, in bytes.
struct Sizes([Option<usize>; 3]);

impl Sizes {
    fn claimed(file: &[u8], start: &Start, layout: &Layout) -> Self {
        let fields = super::fields::Fields { bytes: file, endian: start.endian };
        let in_program_info =
            start.program_info().and_then(|at| fields.u32(at + 4)).map(|size| size as usize);
        Self([
            in_program_info,
            trailer::Trailer::by_magic(file, start.endian).map(|it| it.file_size as usize),
            Some(layout.sections_end),
        ])
    }

    fn allow(&self, size: usize) -> bool {
        self.0.contains(&Some(size))
    }
}
