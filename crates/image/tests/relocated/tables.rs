//! Files with the dynamic tables of each target.

use crate::support::{DYN, EXECUTE, ElfBuilder, READ, WRITE, Words, machine};
use miyaburi_image::{Endian, Image};

pub(crate) const TABLES: u64 = 0x1000;
pub(crate) const TEXT: u64 = 0x4000;
pub(crate) const DATA: u64 = 0x8000;
/// Memory for many slots, far behind the tables.
pub(crate) const BIG_DATA: u64 = 0x1000_0000;
pub(crate) const PT_DYNAMIC: u32 = 2;

/// One target's relocation numbers, from its processor supplement.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) machine: u16,
    pub(crate) wide: bool,
    pub(crate) endian: Endian,
    pub(crate) with_addend: bool,
    pub(crate) relative: u64,
    pub(crate) absolute: u64,
    pub(crate) slot_call: u64,
}

const fn target(
    machine: u16,
    wide: bool,
    endian: Endian,
    with_addend: bool,
    kinds: [u64; 3],
) -> Target {
    let [relative, absolute, slot_call] = kinds;
    Target { machine, wide, endian, with_addend, relative, absolute, slot_call }
}

pub(crate) const TARGETS: [Target; 11] = [
    target(machine::X86_64, true, Endian::Little, true, [8, 1, 7]),
    target(machine::I386, false, Endian::Little, false, [8, 1, 7]),
    target(machine::ARM, false, Endian::Little, false, [23, 2, 22]),
    target(machine::ARM, false, Endian::Big, false, [23, 2, 22]),
    target(machine::AARCH64, true, Endian::Little, true, [1027, 257, 1026]),
    target(machine::MIPS, false, Endian::Big, false, [3, 3, 127]),
    target(machine::PPC, false, Endian::Big, true, [22, 1, 21]),
    target(machine::SPARC, false, Endian::Big, true, [22, 3, 21]),
    target(machine::SH, false, Endian::Little, true, [165, 1, 164]),
    target(machine::M68K, false, Endian::Big, true, [22, 1, 21]),
    target(machine::RISCV, true, Endian::Little, true, [3, 2, 5]),
];

impl Target {
    pub(crate) fn word_size(self) -> u64 {
        if self.wide { 8 } else { 4 }
    }

    pub(crate) fn words(self) -> Words {
        Words::new(self.wide, self.endian)
    }

    pub(crate) fn image(self, tables: Tables, data: Words) -> Image {
        self.image_of(DYN, tables, data)
    }

    pub(crate) fn image_of(self, file_type: u16, tables: Tables, data: Words) -> Image {
        let size = data.bytes.len() as u64;
        let (bytes, dynamic) = tables.finish(self);
        let length = bytes.len() as u64;
        let file = ElfBuilder::new(self.machine, self.wide, self.endian)
            .file_type(file_type)
            .entry(TEXT)
            .load(TABLES, bytes, length, READ)
            .load(TEXT, vec![0; 0x100], 0x100, READ | EXECUTE)
            .load(DATA, data.bytes, size + 0x100, READ | WRITE)
            .view(PT_DYNAMIC, TABLES + dynamic, length - dynamic)
            .build();
        Image::parse(&file).unwrap()
    }

    /// A file with zeroed memory of a size at an address, and nothing else but tables.
    pub(crate) fn image_with_data_at(self, address: u64, size: u64, tables: Tables) -> Image {
        let (bytes, dynamic) = tables.finish(self);
        let length = bytes.len() as u64;
        let file = ElfBuilder::new(self.machine, self.wide, self.endian)
            .file_type(DYN)
            .load(TABLES, bytes, length, READ)
            .load(address, Vec::new(), size, READ | WRITE)
            .view(PT_DYNAMIC, TABLES + dynamic, length - dynamic)
            .build();
        Image::parse(&file).unwrap()
    }
}

/// Names every dynamic table of a file; the null symbol and an import are always there.
pub(crate) struct Tables {
    pub(crate) names: Vec<u8>,
    pub(crate) symbols: Words,
    pub(crate) relocations: Words,
    pub(crate) linkage: Words,
    pub(crate) hash: Hash,
    pub(crate) extra: Vec<(u64, u64)>,
}

/// How a file tells the number of its dynamic symbols.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Hash {
    None,
    SystemV,
    Gnu,
}

pub(crate) const IMPORTED: u64 = 1;
pub(crate) const DEFINED: u64 = 2;

impl Tables {
    pub(crate) fn new(target: Target, hash: Hash) -> Self {
        let mut symbols = target.words();
        symbols.symbol(0, 0, 0, 0, 0);
        symbols.symbol(1, 0, 0, 0x12, 0);
        symbols.symbol(8, TEXT + 0x40, 16, 0x12, 3);
        Self {
            names: b"\0socket\0start_bot\0libc.so.0\0".to_vec(),
            symbols,
            relocations: target.words(),
            linkage: target.words(),
            hash,
            extra: Vec::new(),
        }
    }

    /// The bytes at `TABLES` and the distance of the dynamic section in them.
    pub(crate) fn finish(self, target: Target) -> (Vec<u8>, u64) {
        let mut all = target.words();
        let count = self.symbols.bytes.len() as u32 / if target.wide { 24 } else { 16 };
        let mut place = |bytes: &[u8]| {
            all.bytes.resize(all.bytes.len().next_multiple_of(8), 0);
            let address = TABLES + all.bytes.len() as u64;
            all.bytes.extend(bytes);
            address
        };
        let mut hash = target.words();
        match self.hash {
            Hash::None => {}
            Hash::SystemV => [1, count, 1, 0].iter().for_each(|word| hash.u32(*word)),
            Hash::Gnu => {
                // One bucket that starts at symbol 1, a one-word bloom filter, and a chain that
                // ends at the last symbol.
                [1, 1, 1, 6].iter().for_each(|word| hash.u32(*word));
                hash.word(u64::MAX);
                hash.u32(1);
                (1..count).for_each(|index| hash.u32(if index + 1 == count { 5 } else { 4 }));
            }
        }
        let with_addend = target.with_addend;
        let mut dynamic = vec![(1, 18)];
        // The names follow the symbols, so that without a hash table their distance tells.
        let symbols = place(&self.symbols.bytes);
        let names = place(&self.names);
        dynamic.extend([(6, symbols), (5, names), (10, self.names.len() as u64)]);
        match self.hash {
            Hash::None => {}
            Hash::SystemV => dynamic.push((4, place(&hash.bytes))),
            Hash::Gnu => dynamic.push((0x6fff_fef5, place(&hash.bytes))),
        }
        let (start, size) = if with_addend { (7, 8) } else { (17, 18) };
        dynamic.push((start, place(&self.relocations.bytes)));
        dynamic.push((size, self.relocations.bytes.len() as u64));
        dynamic.push((20, if with_addend { 7 } else { 17 }));
        dynamic.push((23, place(&self.linkage.bytes)));
        dynamic.push((2, self.linkage.bytes.len() as u64));
        dynamic.extend(&self.extra);
        dynamic.push((0, 0));
        let mut section = target.words();
        for (tag, value) in dynamic {
            section.word(tag);
            section.word(value);
        }
        let start = place(&section.bytes) - TABLES;
        (all.bytes, start)
    }
}
