//! The program header table, also where the header's account of it is wrong.

use crate::ImageDiagnostic;
use crate::elf::header::FileHeader;
use crate::elf::reader::FileReader;
use object::elf::{
    PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_PROPERTY, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD,
    PT_NOTE, PT_PHDR, PT_SHLIB, PT_TLS, ProgramType,
};

/// Most program headers that are read.
const MAX_PROGRAM_HEADERS: usize = 256;

/// A count above this is not trusted: the table then ends at the first entry that makes no sense.
const TRUSTED_COUNT: u16 = 64;

/// One program header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProgramHeader {
    pub(crate) kind: ProgramType,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) file_size: u64,
    pub(crate) memory_size: u64,
}

/// All program headers that can be read.
///
/// A table that holds no `PT_LOAD` is looked for right behind the file header, where linkers put
/// it, with the standard entry size. False positives: none for files that have a usable table;
/// a file without any whose bytes there look like one. False negatives: a table moved elsewhere
/// with `e_phoff` overwritten.
pub(crate) fn read(
    reader: FileReader<'_>,
    header: &FileHeader,
    diagnostics: &mut Vec<ImageDiagnostic>,
) -> Vec<ProgramHeader> {
    let table = header.program_headers;
    let trusted = (1..=TRUSTED_COUNT).contains(&table.count);
    let size = reader.program_header_size();
    let stated_size = u64::from(table.entry_size);
    let limit = if trusted { usize::from(table.count) } else { MAX_PROGRAM_HEADERS };
    let mut used_size = size;
    let mut entries = read_table(reader, table.offset, size, limit, trusted);
    if !has_load(&entries) && stated_size > size {
        used_size = stated_size;
        entries = read_table(reader, table.offset, stated_size, limit, trusted);
    }
    if has_load(&entries) {
        if stated_size != size {
            let found = table.entry_size;
            diagnostics.push(ImageDiagnostic::ProgramHeaderSize { found, used: used_size });
        }
    } else {
        entries = read_table(reader, reader.header_size(), size, MAX_PROGRAM_HEADERS, false);
        if has_load(&entries) {
            let found = table.offset;
            diagnostics.push(ImageDiagnostic::ProgramHeadersMoved { found });
        }
    }
    if has_load(&entries) && entries.len() != usize::from(table.count) {
        let used = entries.len();
        diagnostics.push(ImageDiagnostic::ProgramHeaderCount { found: table.count, used });
    }
    entries
}

fn has_load(entries: &[ProgramHeader]) -> bool {
    entries.iter().any(|entry| entry.kind == PT_LOAD)
}

fn read_table(
    reader: FileReader<'_>,
    offset: u64,
    entry_size: u64,
    limit: usize,
    trusted: bool,
) -> Vec<ProgramHeader> {
    (0..limit as u64)
        .map_while(|index| read_one(reader, offset.checked_add(index.checked_mul(entry_size)?)?))
        .take_while(|entry| trusted || is_plausible(reader, entry))
        .collect()
}

fn read_one(reader: FileReader<'_>, offset: u64) -> Option<ProgramHeader> {
    let at = |distance: u64| offset.checked_add(distance);
    let kind = ProgramType(reader.u32(offset)?);
    let header = if reader.wide {
        ProgramHeader {
            kind,
            flags: reader.u32(at(4)?)?,
            offset: reader.word(at(8)?)?,
            address: reader.word(at(16)?)?,
            file_size: reader.word(at(32)?)?,
            memory_size: reader.word(at(40)?)?,
        }
    } else {
        ProgramHeader {
            kind,
            offset: reader.word(at(4)?)?,
            address: reader.word(at(8)?)?,
            file_size: reader.word(at(16)?)?,
            memory_size: reader.word(at(20)?)?,
            flags: reader.u32(at(24)?)?,
        }
    };
    Some(header)
}

fn is_plausible(reader: FileReader<'_>, entry: &ProgramHeader) -> bool {
    const KNOWN: [ProgramType; 11] = [
        PT_LOAD,
        PT_DYNAMIC,
        PT_INTERP,
        PT_NOTE,
        PT_SHLIB,
        PT_PHDR,
        PT_TLS,
        PT_GNU_EH_FRAME,
        PT_GNU_STACK,
        PT_GNU_RELRO,
        PT_GNU_PROPERTY,
    ];
    let known = KNOWN.contains(&entry.kind) || entry.kind.is_proc();
    let in_file = entry.offset <= reader.bytes.len() as u64;
    known && in_file && entry.flags & !7 == 0
}
