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
    Image::parse(&elf(machine, code, data)).expect("a well-formed file")
}

fn elf(machine: Machine, code: &[u8], data: &[u8]) -> Vec<u8> {
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
    file.native(CODE);
    file.native(header_size);
    file.native(0);
    file.quad(machine.flags);
    file.half(header_size as u16);
    file.half(entry_size);
    file.half(2);
    file.half(0);
    file.half(0);
    file.half(0);
    let code_offset = header_size + 2 * u64::from(entry_size);
    let data_offset = code_offset + code.len() as u64;
    file.program_header(5, code_offset, CODE, code.len() as u64, code.len() as u64);
    file.program_header(6, data_offset, DATA, data.len() as u64, data.len() as u64 + 16);
    file.bytes.extend(code);
    file.bytes.extend(data);
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
