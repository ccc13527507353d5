//! Section headers: never needed for a program, used where they are sound.

use crate::elf::header::FileHeader;
use crate::elf::reader::FileReader;
use object::elf::{SHT_NOBITS, SectionType};

/// Most section headers that are read.
const MAX_SECTIONS: u64 = 8192;

/// One section header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) kind: SectionType,
    pub(crate) flags: u64,
    pub(crate) address: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) link: u32,
    pub(crate) info: u32,
    pub(crate) alignment: u64,
}

/// The section header table; empty when there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sections {
    pub(crate) list: Vec<Section>,
}

impl Sections {
    /// Reads as many whole entries as the file holds, whatever they contain.
    pub(crate) fn read(reader: FileReader<'_>, header: &FileHeader) -> Self {
        let table = header.section_headers;
        if table.offset == 0 {
            return Self::default();
        }
        let size = u64::from(table.entry_size).max(reader.section_header_size());
        // With 0xff00 sections or more, e_shnum is 0 and the first entry's sh_size counts them.
        let first = read_one(reader, table.offset);
        let extended = first.filter(|_| table.count == 0).map(|section| section.size);
        let count = extended.unwrap_or_else(|| u64::from(table.count)).min(MAX_SECTIONS);
        let list: Vec<Section> = (0..count)
            .map_while(|index| {
                read_one(reader, table.offset.checked_add(index.checked_mul(size)?)?)
            })
            .collect();
        Self { list }
    }

    /// The bytes of a section that lies wholly in the file.
    pub(crate) fn contents<'a>(reader: FileReader<'a>, section: &Section) -> Option<&'a [u8]> {
        if section.kind == SHT_NOBITS {
            return None;
        }
        reader.bytes(section.offset, section.size)
    }
}

fn read_one(reader: FileReader<'_>, offset: u64) -> Option<Section> {
    let word = reader.word_size();
    let at = |distance: u64| offset.checked_add(distance);
    Some(Section {
        kind: SectionType(reader.u32(at(4)?)?),
        flags: reader.word(at(8)?)?,
        address: reader.word(at(8 + word)?)?,
        offset: reader.word(at(8 + 2 * word)?)?,
        size: reader.word(at(8 + 3 * word)?)?,
        link: reader.u32(at(8 + 4 * word)?)?,
        info: reader.u32(at(12 + 4 * word)?)?,
        alignment: reader.word(at(16 + 4 * word)?)?,
    })
}
