//! A program around random code: one segment of code, one of data, and initialisers.

use super::data_end;
use super::modes::Mode;
use rand::{Rng, RngExt};

/// Where the code lies.
pub(crate) const CODE: u64 = 0x1_0000;
/// Where the data lie, unless there is more code before.
pub(crate) const DATA: u64 = 0x4_0000;
/// Bytes of zero-initialised memory behind the data.
const ZEROS: u64 = 0x1000;

/// An address of code, data or neither.
pub(crate) fn pointer(code_size: u64, random: &mut impl Rng) -> u64 {
    match random.random_range(0..8) {
        0..4 => CODE + random.random_range(0..code_size) / 4 * 4,
        4..7 => DATA + random.random_range(0..data_end() + ZEROS - DATA),
        _ => u64::from(random.random::<u32>()),
    }
}

/// `PT_LOAD` and `PT_DYNAMIC`.
const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;

struct Writer<'a> {
    mode: &'a Mode,
    bytes: Vec<u8>,
}

impl Writer<'_> {
    fn put(&mut self, value: u64, size: usize) {
        let start = self.bytes.len();
        self.bytes.resize(start + size, 0);
        self.mode.endian.write_uint(&mut self.bytes[start..], value);
    }

    const fn word(&self) -> usize {
        if self.mode.wide { 8 } else { 4 }
    }

    fn words<const N: usize>(&mut self, values: [u64; N]) {
        for value in values {
            self.put(value, self.word());
        }
    }

    fn program_header(
        &mut self,
        kind: u64,
        flags: u64,
        offset: u64,
        address: u64,
        stored: u64,
        size: u64,
    ) {
        self.put(kind, 4);
        if self.mode.wide {
            self.put(flags, 4);
        }
        self.words([offset, address, address, stored, size]);
        if !self.mode.wide {
            self.put(flags, 4);
        }
        self.words([4]);
    }
}

/// An ELF file whose entry point is the first byte of `code`, with an initialiser at each of
/// `starts`, counted from there: symbols amid code would not be believed, either, once the code
/// around them is known.
pub(crate) fn program(mode: &Mode, code: &[u8], data: &[u8], starts: &[u64]) -> Vec<u8> {
    /// `DT_INIT_ARRAY` and `DT_INIT_ARRAYSZ`.
    const INITIALISERS: [u64; 2] = [25, 27];
    let mode_bit = u64::from(mode.alternate);
    let (header, program_header, word) = if mode.wide { (64, 56, 8) } else { (52, 32, 4) };
    let code_offset = header + 3 * program_header;
    let data_offset = code_offset + code.len() as u64;
    let array_offset = data_offset + data.len() as u64;
    let array_size = word * starts.len() as u64;
    let class = if mode.wide { 2 } else { 1 };
    let order = if mode.endian == miyaburi_image::Endian::Big { 2 } else { 1 };
    let mut file = Writer { mode, bytes: vec![0x7f, b'E', b'L', b'F', class, order, 1] };
    file.bytes.resize(16, 0);
    file.put(2, 2);
    file.put(u64::from(mode.machine), 2);
    file.put(1, 4);
    file.words([CODE | mode_bit, header, 0]);
    file.put(u64::from(mode.flags), 4);
    for half in [header, program_header, 3, 0, 0, 0] {
        file.put(half, 2);
    }
    let (code_size, data_size) = (code.len() as u64, data.len() as u64);
    let data_address = DATA.max((CODE + code_size).next_multiple_of(ZEROS));
    let array_address = data_address + data_size;
    let dynamic_size = 6 * word;
    let stored = data_size + array_size + dynamic_size;
    file.program_header(LOAD, 5, code_offset, CODE, code_size, code_size);
    file.program_header(LOAD, 6, data_offset, data_address, stored, stored + ZEROS);
    let (offset, address) = (array_offset + array_size, array_address + array_size);
    file.program_header(DYNAMIC, 6, offset, address, dynamic_size, dynamic_size);
    file.bytes.extend(code);
    file.bytes.extend(data);
    for start in starts {
        file.words([(CODE + start) | mode_bit]);
    }
    let [array, size] = INITIALISERS;
    file.words([array, array_address, size, array_size, 0, 0]);
    file.bytes
}
