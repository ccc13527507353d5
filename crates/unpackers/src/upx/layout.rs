//! Which parts of the original file the blocks are.

use std::ops::Range;

use miyaburi_image::Endian;

use super::fields::Fields;

const ELF_MAGIC: [u8; 4] = *b"\x7fELF";
const PT_LOAD: u32 = 1;

/// Width of an ELF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Bits32,
    Bits64,
}

/// A table of program headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) offset: usize,
    entry: usize,
    count: usize,
}

impl Table {
    /// How many headers it has.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) const fn size(&self) -> usize {
        self.entry.saturating_mul(self.count)
    }
}

impl Class {
    pub(super) const ALL: [Self; 2] = [Self::Bits32, Self::Bits64];

    /// What the identification of an ELF file says.
    pub(super) fn of(file: &[u8]) -> Option<(Self, Endian)> {
        let &[m0, m1, m2, m3, class, data] = file.first_chunk::<6>()?;
        let class = match class {
            1 => Self::Bits32,
            2 => Self::Bits64,
            _ => return None,
        };
        let endian = match data {
            1 => Endian::Little,
            2 => Endian::Big,
            _ => return None,
        };
        ([m0, m1, m2, m3] == ELF_MAGIC).then_some((class, endian))
    }

    /// Bytes of the ELF header.
    pub(super) const fn header(self) -> usize {
        match self {
            Self::Bits32 => 52,
            Self::Bits64 => 64,
        }
    }

    /// Bytes of a program header.
    pub(super) const fn program_header(self) -> usize {
        match self {
            Self::Bits32 => 32,
            Self::Bits64 => 56,
        }
    }

    /// Bytes of an address.
    pub(super) const fn word(self) -> usize {
        match self {
            Self::Bits32 => 4,
            Self::Bits64 => 8,
        }
    }

    const fn is_64_bit(self) -> bool {
        matches!(self, Self::Bits64)
    }

    /// Where the ELF header has its program headers.
    pub(super) fn headers(self, fields: Fields<'_>) -> Option<Table> {
        let (offset, entry, count) = if self.is_64_bit() { (32, 54, 56) } else { (28, 42, 44) };
        let entry = usize::from(fields.u16(entry)?);
        let table = Table {
            offset: fields.word(offset, self.is_64_bit())?,
            entry,
            count: usize::from(fields.u16(count)?),
        };
        (entry == self.program_header() && table.count > 0).then_some(table)
    }

    /// Behind the section headers, which most linkers put at a file's end.
    fn sections_end(self, fields: Fields<'_>) -> Option<usize> {
        let (offset, entry, count) = if self.is_64_bit() { (40, 58, 60) } else { (32, 46, 48) };
        let size = usize::from(fields.u16(entry)?) * usize::from(fields.u16(count)?);
        fields.word(offset, self.is_64_bit())?.checked_add(size)
    }

    /// The program header at `at`.
    fn program_header_at(self, fields: Fields<'_>, at: usize) -> Option<ProgramHeader> {
        let [offset, address, size] = if self.is_64_bit() { [8, 16, 32] } else { [4, 8, 16] };
        let word = |member: usize| fields.word(at.checked_add(member)?, self.is_64_bit());
        let start = word(offset)?;
        Some(ProgramHeader {
            kind: fields.u32(at)?,
            file: start..start.checked_add(word(size)?)?,
            address: word(address)?,
        })
    }

    /// All program headers that the ELF header names.
    pub(super) fn program_headers(self, fields: Fields<'_>) -> Option<Vec<ProgramHeader>> {
        let table = self.headers(fields)?;
        let offset = |index: usize| index.checked_mul(table.entry)?.checked_add(table.offset);
        let header = |index| self.program_header_at(fields, offset(index)?);
        Some((0..table.count).filter_map(header).collect())
    }
}

/// A program header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProgramHeader {
    pub(super) kind: u32,
    /// What of the file it is about.
    pub(super) file: Range<usize>,
    /// The address of that.
    pub(super) address: usize,
}

impl ProgramHeader {
    pub(super) const fn is_loaded(&self) -> bool {
        self.kind == PT_LOAD
    }
}

/// The parts of an original file, as ranges of its offsets, in the order of their blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The segments, without the headers in the first one.
    pub(super) segments: Vec<Range<usize>>,
    /// What lies between segments.
    pub(super) gaps: Vec<Range<usize>>,
    /// Behind the last segment.
    pub(super) segments_end: usize,
    /// Behind the section headers, 0 when there are none.
    pub(super) sections_end: usize,
}

impl Layout {
    /// Reads the original headers.
    pub(super) fn read(headers: &[u8], endian: Endian) -> Option<Self> {
        let (class, _) = Class::of(headers)?;
        let fields = Fields { bytes: headers, endian };
        let headers_of_it = class.program_headers(fields)?;
        let loaded = headers_of_it.into_iter().filter(ProgramHeader::is_loaded);
        let loaded: Vec<Range<usize>> = loaded.map(|header| header.file).collect();
        let segments = loaded
            .iter()
            .map(|range| if range.start == 0 { headers.len()..range.end } else { range.clone() })
            .filter(|range| !range.is_empty())
            .collect();
        let gaps = loaded.iter().filter_map(|range| gap_after(range, &loaded)).collect();
        Some(Self {
            segments,
            gaps,
            segments_end: loaded.iter().map(|range| range.end).max()?.max(headers.len()),
            sections_end: class.sections_end(fields).unwrap_or(0),
        })
    }
}

/// Behind the section headers that a file names.
pub(super) fn sections_end(file: &[u8]) -> Option<usize> {
    let (class, endian) = Class::of(file)?;
    class.sections_end(Fields { bytes: file, endian })
}

/// From a segment's end to the begin of the next one.
fn gap_after(segment: &Range<usize>, all: &[Range<usize>]) -> Option<Range<usize>> {
    let next = all.iter().map(|range| range.start).filter(|&start| start >= segment.end).min()?;
    (next > segment.end).then_some(segment.end..next)
}
