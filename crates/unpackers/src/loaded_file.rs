//! An ELF file as the one who loaded it left it in memory: put together again by its own headers.
//!
//! Every segment comes back as it was in the file; what no segment loads (section headers, symbols)
//! is not there. False positives: none without an ELF header whose entry is where execution stands.
//! False negatives: files whose header no segment loads, or whose loader wiped it.

use miyaburi_emulator::{Memory, PAGE_SIZE};
use miyaburi_image::{Address, Endian, Image};

/// Bytes below the entry in which a header is looked for.
const REACH: u64 = 64 << 20;

/// Most program headers of a file.
const MAX_HEADERS: u64 = 64;

const MAGIC: &[u8] = b"\x7fELF";
const PT_LOAD: u64 = 1;

/// Where the fields of headers are, by width: offset and size.
struct Fields {
    entry: (usize, usize),
    table: (usize, usize),
    sections: (usize, usize),
    entry_size: usize,
    count: usize,
    section_count: usize,
    header: usize,
    program_header: u64,
    offset: (usize, usize),
    address: (usize, usize),
    size: (usize, usize),
}

/// Source: `linux/elf.h`.
const FIELDS: [Fields; 2] = [
    Fields {
        entry: (24, 4),
        table: (28, 4),
        sections: (32, 4),
        entry_size: 42,
        count: 44,
        section_count: 48,
        header: 52,
        program_header: 32,
        offset: (4, 4),
        address: (8, 4),
        size: (16, 4),
    },
    Fields {
        entry: (24, 8),
        table: (32, 8),
        sections: (40, 8),
        entry_size: 54,
        count: 56,
        section_count: 60,
        header: 64,
        program_header: 56,
        offset: (8, 8),
        address: (16, 8),
        size: (32, 8),
    },
];

/// A part of the file and where it was loaded, before the program was moved.
struct Part {
    offset: u64,
    address: u64,
    size: u64,
}

/// The file whose header lies in touched memory and says that it is entered at `entry`, of at most
/// `limit` bytes.
pub(crate) fn entered_at(
    memory: &mut Memory<'_>,
    image: &Image,
    entry: u64,
    limit: u64,
) -> Option<Vec<u8>> {
    let first = entry.saturating_sub(REACH) / PAGE_SIZE * PAGE_SIZE;
    let own = image.segments().iter().map(|segment| segment.address);
    let mut pages = memory.touched(Address(first), entry - first + 1);
    pages.extend(own.filter(|at| at.0 <= entry));
    pages.into_iter().rev().find_map(|page| read(memory, image, page, entry, limit))
}

fn read(
    memory: &mut Memory<'_>,
    image: &Image,
    at: Address,
    entry: u64,
    limit: u64,
) -> Option<Vec<u8>> {
    if memory.bytes(at, MAGIC.len())? != MAGIC {
        return None;
    }
    let is_64_bit = image.arch().pointer_size() == 8;
    let fields = &FIELDS[usize::from(is_64_bit)];
    let header = memory.bytes(at, fields.header)?;
    let endian = image.arch().endian;
    let class = [1 + u8::from(is_64_bit), 1 + u8::from(endian == Endian::Big)];
    if header.get(4..6)? != class {
        return None;
    }
    let parts = parts(memory, fields, endian, at, &header)?;
    let base = at.0.checked_sub(parts.iter().find(|part| part.offset == 0)?.address)?;
    let mask = image.arch().address_mask();
    if base.wrapping_add(number(&header, fields.entry, endian)?) & mask != entry {
        return None;
    }
    let size = parts.iter().map(|part| part.offset.saturating_add(part.size)).max()?;
    let loaded: u64 = parts.iter().map(|part| part.size).fold(0, u64::saturating_add);
    if size.max(loaded) > limit {
        return None;
    }
    let mut file = vec![0; size as usize];
    for part in &parts {
        let bytes =
            memory.bytes(Address(base.wrapping_add(part.address) & mask), part.size as usize)?;
        file.get_mut(part.offset as usize..)?.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    }
    // Section headers are not loaded.
    for (offset, size) in [fields.sections, (fields.section_count, 4)] {
        file.get_mut(offset..offset + size)?.fill(0);
    }
    Some(file)
}

fn parts(
    memory: &mut Memory<'_>,
    fields: &Fields,
    endian: Endian,
    at: Address,
    header: &[u8],
) -> Option<Vec<Part>> {
    let count = number(header, (fields.count, 2), endian)?;
    if number(header, (fields.entry_size, 2), endian)? != fields.program_header
        || count > MAX_HEADERS
    {
        return None;
    }
    let table = at.offset(number(header, fields.table, endian)?);
    let mut parts = Vec::new();
    for index in 0..count {
        let size = fields.program_header;
        let entry = memory.bytes(table.offset(index * size), size as usize)?;
        if number(&entry, (0, 4), endian)? == PT_LOAD {
            parts.push(Part {
                offset: number(&entry, fields.offset, endian)?,
                address: number(&entry, fields.address, endian)?,
                size: number(&entry, fields.size, endian)?,
            });
        }
    }
    Some(parts)
}

fn number(bytes: &[u8], (offset, size): (usize, usize), endian: Endian) -> Option<u64> {
    Some(endian.read_uint(bytes.get(offset..)?.get(..size)?))
}
