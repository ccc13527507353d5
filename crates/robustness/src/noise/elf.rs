//! A program around random code: one segment of code, one of data, and symbols of functions.

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

    fn program_header(&mut self, flags: u64, offset: u64, address: u64, stored: u64, size: u64) {
        self.put(1, 4);
        if self.mode.wide {
            self.put(flags, 4);
        }
        self.words([offset, address, address, stored, size]);
        if !self.mode.wide {
            self.put(flags, 4);
        }
        self.words([4]);
    }

    /// `sh_type`, `sh_offset`, `sh_size`, `sh_link`, `sh_entsize`; the rest is zero.
    fn section_header(&mut self, kind: u64, offset: u64, size: u64, link: u64, entry_size: u64) {
        self.put(0, 4);
        self.put(kind, 4);
        self.words([0, 0, offset, size]);
        self.put(link, 4);
        self.put(0, 4);
        self.words([1, entry_size]);
    }

    /// A global function.
    fn symbol(&mut self, address: u64) {
        const FUNCTION: u64 = 0x12;
        self.put(0, 4);
        if self.mode.wide {
            self.put(FUNCTION, 1);
            self.put(0, 1);
            self.put(1, 2);
            self.words([address, 0]);
        } else {
            self.words([address, 0]);
            self.put(FUNCTION, 1);
            self.put(0, 1);
            self.put(1, 2);
        }
    }
}

/// An ELF file whose entry point is the first byte of `code`, with a function symbol at each of
/// `starts`, counted from there.
pub(crate) fn program(mode: &Mode, code: &[u8], data: &[u8], starts: &[u64]) -> Vec<u8> {
    let mode_bit = u64::from(mode.alternate);
    let (header, program_header, section_header, symbol) =
        if mode.wide { (64, 56, 64, 24) } else { (52, 32, 40, 16) };
    let code_offset = header + 2 * program_header;
    let data_offset = code_offset + code.len() as u64;
    let symbols_offset = data_offset + data.len() as u64;
    let symbols_size = symbol * (starts.len() as u64 + 1);
    let sections_offset = symbols_offset + symbols_size + 1;
    let class = if mode.wide { 2 } else { 1 };
    let order = if mode.endian == miyaburi_image::Endian::Big { 2 } else { 1 };
    let mut file = Writer { mode, bytes: vec![0x7f, b'E', b'L', b'F', class, order, 1] };
    file.bytes.resize(16, 0);
    file.put(2, 2);
    file.put(u64::from(mode.machine), 2);
    file.put(1, 4);
    file.words([CODE | mode_bit, header, sections_offset]);
    file.put(u64::from(mode.flags), 4);
    for half in [header, program_header, 2, section_header, 3, 0] {
        file.put(half, 2);
    }
    let (code_size, data_size) = (code.len() as u64, data.len() as u64);
    let data_address = DATA.max((CODE + code_size).next_multiple_of(ZEROS));
    file.program_header(5, code_offset, CODE, code_size, code_size);
    file.program_header(6, data_offset, data_address, data_size, data_size + ZEROS);
    file.bytes.extend(code);
    file.bytes.extend(data);
    file.bytes.resize(file.bytes.len() + symbol as usize, 0);
    for start in starts {
        file.symbol((CODE + start) | mode_bit);
    }
    file.bytes.push(0);
    file.section_header(0, 0, 0, 0, 0);
    file.section_header(2, symbols_offset, symbols_size, 2, symbol);
    file.section_header(3, symbols_offset + symbols_size, 1, 0, 0);
    file.bytes
}
