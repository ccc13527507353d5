//! Where the structures of an ELF file lie.

use miyaburi_image::Endian;
use std::ops::Range;

/// `PT_LOAD` and `PT_DYNAMIC`.
const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;
/// `PF_X`.
const EXECUTE: u64 = 1;

/// An integer in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) offset: usize,
    pub(super) size: usize,
}

/// The structures of a file as its headers tell. Of a file whose headers lead nowhere, only what
/// is there.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) endian: Endian,
    /// Bytes of a pointer.
    pub(super) word: usize,
    pub(super) file_header: Vec<Field>,
    pub(super) program_headers: Vec<Vec<Field>>,
    pub(super) section_headers: Vec<Vec<Field>>,
    /// Tags and values of the dynamic section.
    pub(super) dynamic: Vec<Field>,
    /// Offsets of the bytes of executable segments.
    pub(super) code: Vec<Range<usize>>,
    /// Offsets of the bytes of other segments.
    pub(super) data: Vec<Range<usize>>,
    /// Addresses of the segments.
    pub(super) addresses: Vec<Range<u64>>,
}

/// The sizes of the fields of a structure, in order.
fn fields(start: usize, sizes: &[usize]) -> Vec<Field> {
    let mut offset = start;
    sizes
        .iter()
        .map(|size| {
            let field = Field { offset, size: *size };
            offset += size;
            field
        })
        .collect()
}

impl Layout {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let wide = bytes.get(4) == Some(&2);
        let word = if wide { 8 } else { 4 };
        let endian = if bytes.get(5) == Some(&2) { Endian::Big } else { Endian::Little };
        let header = [&[2, 2, 4, word, word, word, 4][..], &[2; 6]].concat();
        let mut layout = Self {
            endian,
            word,
            file_header: fields(16, &header),
            program_headers: Vec::new(),
            section_headers: Vec::new(),
            dynamic: Vec::new(),
            code: Vec::new(),
            data: Vec::new(),
            addresses: Vec::new(),
        };
        let segment: &[usize] =
            if wide { &[4, 4, 8, 8, 8, 8, 8, 8] } else { &[4, 4, 4, 4, 4, 4, 4, 4] };
        let section = [&[4, 4, word, word, word, word, 4, 4][..], &[word; 2]].concat();
        let number = |index: usize| {
            let field = layout.file_header.get(index)?;
            usize::try_from(layout.read(bytes, *field)?).ok()
        };
        let table = |offset: Option<usize>, count: Option<usize>, sizes: &[usize]| {
            let (Some(offset), Some(count)) = (offset, count) else { return Vec::new() };
            let size: usize = sizes.iter().sum();
            let entry = |index: usize| {
                let start = offset.checked_add(index.checked_mul(size)?)?;
                (start.checked_add(size)? <= bytes.len()).then(|| fields(start, sizes))
            };
            (0..count).map_while(entry).collect()
        };
        let program_headers = table(number(4), number(9), segment);
        let section_headers = table(number(5), number(11), &section);
        for header in &program_headers {
            layout.add_segment(bytes, header);
        }
        (layout.program_headers, layout.section_headers) = (program_headers, section_headers);
        layout
    }

    fn add_segment(&mut self, bytes: &[u8], header: &[Field]) {
        let value = |index: usize| {
            header.get(index).and_then(|field| self.read(bytes, *field)).unwrap_or(0)
        };
        let kind = value(0);
        let (flags, offset, address, size) = if self.word == 8 {
            (value(1), value(2), value(3), value(5))
        } else {
            (value(6), value(1), value(2), value(4))
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let length = usize::try_from(size).unwrap_or(usize::MAX).min(bytes.len() - start);
        let range = start..start + length;
        match kind {
            LOAD => {
                let is_code = flags & EXECUTE != 0;
                if is_code { &mut self.code } else { &mut self.data }.push(range);
                self.addresses.push(address..address.saturating_add(size));
            }
            DYNAMIC => {
                let count = length / self.word;
                self.dynamic.extend(fields(start, &vec![self.word; count]));
            }
            _ => {}
        }
    }

    /// The integer in a field, when the file has it.
    pub(super) fn read(&self, bytes: &[u8], field: Field) -> Option<u64> {
        let bytes = bytes.get(field.offset..field.offset.checked_add(field.size)?)?;
        Some(self.endian.read_uint(bytes))
    }

    /// Changes the integer in a field, when the file has it.
    pub(super) fn write(&self, bytes: &mut [u8], field: Field, value: u64) {
        if let Some(place) = bytes.get_mut(field.offset..field.offset + field.size) {
            self.endian.write_uint(place, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32-bit, big endian, one executable segment: bytes 84 to 100 at address 0x10054.
    #[test]
    fn the_segments_are_found() {
        let mut bytes = b"\x7fELF\x01\x02\x01\0\0\0\0\0\0\0\0\0".to_vec();
        for half in [2u16, 8] {
            bytes.extend(half.to_be_bytes());
        }
        for word in [1u32, 0x1_0054, 52, 0, 0] {
            bytes.extend(word.to_be_bytes());
        }
        for half in [52u16, 32, 1, 40, 0, 0] {
            bytes.extend(half.to_be_bytes());
        }
        for word in [1u32, 84, 0x1_0054, 0x1_0054, 16, 16, 5, 4] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend([0; 16]);
        let layout = Layout::of(&bytes);
        assert_eq!((layout.endian, layout.word), (Endian::Big, 4));
        assert_eq!(layout.code.first(), Some(&(84..100)));
        assert_eq!(layout.addresses.first(), Some(&(0x1_0054..0x1_0064)));
        assert_eq!(layout.read(&bytes, layout.file_header[3]), Some(0x1_0054));
        assert_eq!(layout.program_headers.len(), 1);
        assert!(layout.data.is_empty() && layout.section_headers.is_empty());
    }
}
