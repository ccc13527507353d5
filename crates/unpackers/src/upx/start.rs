//! Where the blocks begin.
//!
//! The first block holds the ELF header and program headers of the original file; of a shared object, it
//! may hold all that lies before the blocks. That is a test of
//! its own: its size says how many program headers it holds, and what it decompresses to has to be
//! an ELF header that says the same. So it is found wherever it lies, and no magic number counts.

use miyaburi_image::Endian;

use super::block::{BlockHeader, HEADER};
use super::blocks::Reader;
use super::fields::Fields;
use super::layout::Class;

/// Most program headers of an original file.
const MOST_PROGRAM_HEADERS: usize = 64;

/// Bytes of `l_info` and `p_info`, which precede the first block.
pub(super) const BEFORE: usize = 24;

/// The begin of the blocks.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// Offset of the header of the first block.
    pub(super) block: usize,
    /// Offset behind the first block.
    pub(super) end: usize,
    /// Byte order of the blocks' headers, and of the program.
    pub(super) endian: Endian,
    /// The original ELF header and program headers.
    pub(super) headers: Vec<u8>,
}

/// Finds the first block at or behind offset `from`: behind the file's own headers, where the
/// packer puts it, or else anywhere.
pub(super) fn find(reader: &mut Reader<'_>, from: usize) -> Option<Start> {
    let usual = usual_place(reader.file()).filter(|&offset| offset >= from);
    usual.and_then(|offset| at(reader, offset)).or_else(|| {
        let last = reader.file().len().saturating_sub(HEADER);
        // Headers lie at multiples of four up to here.
        (from.next_multiple_of(4)..last).step_by(4).find_map(|offset| at(reader, offset))
    })
}

fn usual_place(file: &[u8]) -> Option<usize> {
    let (class, endian) = Class::of(file)?;
    let headers = class.headers(Fields { bytes: file, endian })?;
    headers.offset.checked_add(headers.size())?.checked_add(BEFORE)
}

fn at(reader: &mut Reader<'_>, offset: usize) -> Option<Start> {
    [Endian::Little, Endian::Big].into_iter().find_map(|endian| {
        let header = BlockHeader::read(reader.fields(endian), offset)?;
        let has_filter = header.filter != 0 || header.parameter != 0;
        // Of a shared object, the older version packs all up to the code.
        let is_up_to_here = offset.checked_sub(BEFORE) == Some(header.unpacked);
        let can_be = is_up_to_here || Class::ALL.iter().any(|class| class.can_be(header.unpacked));
        if has_filter || !can_be {
            return None;
        }
        let headers = reader.block(&header, offset).ok()?;
        let (class, order) = Class::of(&headers)?;
        let table = class.headers(Fields { bytes: &headers, endian })?;
        if table.count() > MOST_PROGRAM_HEADERS {
            return None;
        }
        let end = table.offset.checked_add(table.size())?;
        let is_whole = end == headers.len() || (is_up_to_here && end < headers.len());
        (order == endian && is_whole).then_some(Start {
            block: offset,
            end: offset + HEADER + header.packed,
            endian,
            headers,
        })
    })
}

impl Class {
    /// Whether headers of this class can have this size.
    fn can_be(self, size: usize) -> bool {
        size.checked_sub(self.header()).is_some_and(|table| {
            table % self.program_header() == 0
                && (1..=MOST_PROGRAM_HEADERS).contains(&(table / self.program_header()))
        })
    }
}

impl Start {
    /// Offset of `l_info`, when the file has room for it.
    pub(super) fn loader_info(&self) -> Option<usize> {
        self.block.checked_sub(BEFORE)
    }

    /// Offset of `p_info`, when the file has room for it.
    pub(super) fn program_info(&self) -> Option<usize> {
        self.block.checked_sub(BEFORE / 2)
    }
}
