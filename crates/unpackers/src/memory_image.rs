//! An ELF file made of what lies in memory.

use miyaburi_image::{Address, Endian, Permissions};

/// Bytes of an ELF header, and of a program header, by width.
const SIZES: [(u16, u16); 2] = [(52, 32), (64, 56)];

/// Memory that a file is to load.
pub(crate) struct Loaded {
    /// Where.
    pub(crate) address: Address,
    /// What, without the zeros at its end.
    pub(crate) bytes: Vec<u8>,
    /// Bytes in memory.
    pub(crate) size: u64,
    /// Rights.
    pub(crate) permissions: Permissions,
}

/// An executable that loads `segments` and starts at `entry`; width, byte order, machine and flags
/// are those in `header`, a file's ELF header.
pub(crate) fn write(header: &[u8], entry: u64, segments: &[Loaded]) -> Option<Vec<u8>> {
    let is_64_bit = *header.get(4)? == 2;
    let endian = if *header.get(5)? == 2 { Endian::Big } else { Endian::Little };
    let (header_size, entry_size) = SIZES[usize::from(is_64_bit)];
    let half = |value: u16| number(endian, u64::from(value), 2);
    let word = |value: u32| number(endian, u64::from(value), 4);
    let pointer = |value: u64| number(endian, value, if is_64_bit { 8 } else { 4 });
    let flags_at = if is_64_bit { 48 } else { 36 };
    let headers = u64::from(header_size) + u64::from(entry_size) * segments.len() as u64;
    let mut file = header.get(..16)?.to_vec();
    // An executable for the same machine, version 1.
    file.extend(half(2));
    file.extend(header.get(18..20)?);
    file.extend(word(1));
    file.extend([pointer(entry), pointer(header_size.into()), pointer(0)].concat());
    file.extend(header.get(flags_at..flags_at + 4)?);
    let count = u16::try_from(segments.len()).ok()?;
    file.extend([header_size, entry_size, count, 0, 0, 0].into_iter().flat_map(half));
    let mut offset = headers;
    for segment in segments {
        let bits = [(Permissions::READ, 4), (Permissions::WRITE, 2), (Permissions::EXECUTE, 1)];
        let has = |(right, bit)| if segment.permissions.contains(right) { bit } else { 0 };
        let flags = bits.into_iter().map(has).sum();
        let address = segment.address.0;
        let length = segment.bytes.len() as u64;
        file.extend(word(1));
        if is_64_bit {
            file.extend(word(flags));
        }
        file.extend([offset, address, address, length, segment.size].map(pointer).concat());
        if !is_64_bit {
            file.extend(word(flags));
        }
        file.extend(pointer(1));
        offset += length;
    }
    file.extend(segments.iter().flat_map(|segment| segment.bytes.iter().copied()));
    Some(file)
}

fn number(endian: Endian, value: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    endian.write_uint(&mut bytes, value);
    bytes
}
