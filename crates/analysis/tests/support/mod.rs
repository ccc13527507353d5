//! ELF files around a few bytes of machine code.
#![allow(dead_code, unreachable_pub, missing_docs)]

use miyaburi_image::{Arch, Endian, Image};

/// Where the code of a [`Specimen`] lies.
pub const CODE: u64 = 0x1_0000;
/// Where its writable data lie: 16 bytes, and as many zero bytes behind them.
pub const DATA: u64 = 0x2_0000;

/// What the ELF header says of a CPU: `e_machine` and `e_flags`.
#[derive(Clone, Copy)]
pub struct Machine {
    pub cpu: &'static str,
    pub number: u16,
    pub flags: u32,
}

pub const X86_64: Machine = Machine { cpu: "amd64", number: 62, flags: 0 };
pub const X86: Machine = Machine { cpu: "i386", number: 3, flags: 0 };
pub const ARM: Machine = Machine { cpu: "armv5", number: 40, flags: 0x500_0200 };
pub const ARMEB: Machine = Machine { cpu: "armeb", number: 40, flags: 0x500_0200 };
pub const AARCH64: Machine = Machine { cpu: "aarch64", number: 183, flags: 0 };
pub const MIPS: Machine = Machine { cpu: "mips-be-o32", number: 8, flags: 0x5000_1000 };
pub const MIPSEL: Machine = Machine { cpu: "mips-le-o32", number: 8, flags: 0x5000_1000 };
pub const POWERPC: Machine = Machine { cpu: "ppc32", number: 20, flags: 0 };
pub const SPARC: Machine = Machine { cpu: "sparc32", number: 2, flags: 0 };
pub const SH4: Machine = Machine { cpu: "sh4-le", number: 42, flags: 9 };
pub const M68K: Machine = Machine { cpu: "m68k", number: 4, flags: 0 };
pub const RISCV64: Machine = Machine { cpu: "rv64", number: 243, flags: 5 };

/// A program of one code and one data segment whose entry point is its first code byte.
pub fn image(machine: Machine, code: &[u8], data: &[u8]) -> Image {
    Image::parse(&elf(machine, code, data, 0, &[])).expect("a well-formed file")
}

/// A program whose entry point is so many bytes behind its first code byte.
pub fn image_entered_at(machine: Machine, code: &[u8], entry: u64) -> Image {
    let file = elf(machine, code, &[0; 16], entry, &[]);
    Image::parse(&file).expect("a well-formed file")
}

/// A program with function symbols so many bytes behind its first code byte.
pub fn image_with_symbols(machine: Machine, code: &[u8], offsets: &[u64]) -> Image {
    let file = elf(machine, code, &[0; 16], 0, offsets);
    Image::parse(&file).expect("a well-formed file")
}

fn elf(machine: Machine, code: &[u8], data: &[u8], entry: u64, symbols: &[u64]) -> Vec<u8> {
    let arch = Arch::named(machine.cpu).expect("a known CPU");
    let is_wide = arch.pointer_size() == 8;
    let mut file = Writer { bytes: Vec::new(), endian: arch.endian, word: arch.pointer_size() };
    let class = if is_wide { 2 } else { 1 };
    let order = if arch.endian == Endian::Little { 1 } else { 2 };
    file.bytes.extend([0x7f, b'E', b'L', b'F', class, order, 1, 0]);
    file.bytes.resize(16, 0);
    let (header_size, entry_size) = if is_wide { (64, 56) } else { (52, 32) };
    file.half(2);
    file.half(machine.number);
    file.quad(1);
    let code_offset = header_size + 2 * u64::from(entry_size);
    let data_offset = code_offset + code.len() as u64;
    let tables_offset = data_offset + data.len() as u64;
    file.native(CODE + entry);
    file.native(header_size);
    file.native(if symbols.is_empty() { 0 } else { tables_offset });
    file.quad(machine.flags);
    file.half(header_size as u16);
    file.half(entry_size);
    file.half(2);
    file.half(if is_wide { 64 } else { 40 });
    file.half(if symbols.is_empty() { 0 } else { 3 });
    file.half(0);
    file.program_header(5, code_offset, CODE, code.len() as u64, code.len() as u64);
    file.program_header(6, data_offset, DATA, data.len() as u64, data.len() as u64 + 16);
    file.bytes.extend(code);
    file.bytes.extend(data);
    if !symbols.is_empty() {
        file.symbol_table(tables_offset, symbols);
    }
    file.bytes
}

struct Writer {
    bytes: Vec<u8>,
    endian: Endian,
    word: u32,
}

impl Writer {
    fn put(&mut self, value: u64, size: usize) {
        let start = self.bytes.len();
        self.bytes.resize(start + size, 0);
        self.endian.write_uint(&mut self.bytes[start..], value);
    }

    fn half(&mut self, value: u16) {
        self.put(u64::from(value), 2);
    }

    fn quad(&mut self, value: u32) {
        self.put(u64::from(value), 4);
    }

    fn native(&mut self, value: u64) {
        self.put(value, self.word as usize);
    }

    /// Section headers from `offset` on, behind them function symbols, all named `f`.
    fn symbol_table(&mut self, offset: u64, symbols: &[u64]) {
        let is_wide = self.word == 8;
        let (header_size, entry_size) = if is_wide { (64, 24) } else { (40, 16) };
        let table = offset + 3 * header_size;
        let size = entry_size * (symbols.len() as u64 + 1);
        self.section_header([0; 4]);
        self.section_header([2, table, size, 2]);
        self.section_header([3, table + size, 3, 0]);
        self.bytes.resize(self.bytes.len() + entry_size as usize, 0);
        for symbol in symbols {
            self.quad(1);
            if is_wide {
                self.put(0x12, 1);
                self.put(0, 1);
                self.half(1);
            }
            self.native(CODE + symbol);
            self.native(0);
            if !is_wide {
                self.put(0x12, 1);
                self.put(0, 1);
                self.half(1);
            }
        }
        self.bytes.extend(b"\0f\0");
    }

    /// `sh_type`, `sh_offset`, `sh_size` and `sh_link`.
    fn section_header(&mut self, [kind, offset, size, link]: [u64; 4]) {
        self.quad(0);
        self.quad(kind as u32);
        for value in [0, 0, offset, size] {
            self.native(value);
        }
        self.quad(link as u32);
        self.quad(0);
        self.native(1);
        self.native(0);
    }

    fn program_header(&mut self, flags: u32, offset: u64, address: u64, stored: u64, size: u64) {
        self.quad(1);
        if self.word == 8 {
            self.quad(flags);
        }
        for value in [offset, address, address, stored, size] {
            self.native(value);
        }
        if self.word == 4 {
            self.quad(flags);
        }
        self.native(1);
    }
}

/// The bytes that hexadecimal digits name.
pub fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}
