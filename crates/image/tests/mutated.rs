//! Whatever is done to a file, reading it neither panics nor exceeds its limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::{Address, Endian, Image};
use proptest::prelude::*;
use support::{DYN, EXECUTE, ElfBuilder, READ, REL, Section, WRITE, Words, machine};

const MAX_MAPPED: u64 = 256 << 20;
const MAX_SEGMENTS: usize = 1024;

/// A program with every structure that is read: dynamic section, relocations, symbols, notes of
/// sections.
fn program(machine: u16, wide: bool, endian: Endian) -> Vec<u8> {
    let mut tables = Words::new(wide, endian);
    let word = if wide { 8 } else { 4 };
    let symbol_size = if wide { 24 } else { 16 };
    tables.symbol(0, 0, 0, 0, 0);
    tables.symbol(1, 0, 0, 0x12, 0);
    tables.symbol(8, 0x4040, 16, 0x12, 3);
    let names = 0x1000 + tables.bytes.len() as u64;
    tables.bytes.extend(b"\0socket\0start_bot\0libc.so.0\0\0\0\0\0");
    let relocations = 0x1000 + tables.bytes.len() as u64;
    for kind in 0..40 {
        tables.relocation(0x8000 + kind * word, kind % 3, kind, Some(0x4000));
    }
    let size = 0x1000 + tables.bytes.len() as u64 - relocations;
    let dynamic = 0x1000 + tables.bytes.len() as u64;
    let entries = [
        (1, 18),
        (5, names),
        (6, 0x1000),
        (10, 32),
        (7, relocations),
        (8, size),
        (3, 0x8000),
        (0x7000_000a, 2),
        (0x7000_0013, 1),
        (0x7000_0011, 3),
        (12, 0x4000),
        (25, 0x8000),
        (27, 64),
        (4, 0x1000),
        (0x6fff_fef5, 0x1000),
        (0, 0),
    ];
    for (tag, value) in entries {
        tables.word(tag);
        tables.word(value);
    }
    let length = tables.bytes.len() as u64;
    let mut symbols = Section::new(".symtab", 2, tables.bytes[..3 * symbol_size].to_vec());
    symbols.link = 2;
    ElfBuilder::new(machine, wide, endian)
        .file_type(DYN)
        .entry(0x4000)
        .load(0x1000, tables.bytes, length, READ)
        .load(0x4000, vec![0x11; 0x200], 0x200, READ | EXECUTE)
        .load(0x8000, vec![0x22; 0x100], 0x200, READ | WRITE)
        .view(2, dynamic, length)
        .section(symbols)
        .section(Section::new(".strtab", 3, b"\0socket\0start_bot\0".to_vec()))
        .build()
}

/// An object file with relocations of every number.
fn object(machine: u16, wide: bool, endian: Endian) -> Vec<u8> {
    let mut symbols = Words::new(wide, endian);
    symbols.symbol(0, 0, 0, 0, 0);
    symbols.symbol(1, 0, 16, 0x12, 1);
    symbols.symbol(6, 0, 0, 0x10, 0);
    let mut relocations = Words::new(wide, endian);
    for kind in 0..256 {
        relocations.relocation(kind % 64 * 4, 1 + kind % 2, kind, Some(kind));
    }
    let mut code = Section::new(".text", 1, vec![0x11; 0x100]);
    code.flags = 6;
    let mut table = Section::new(".symtab", 2, symbols.bytes);
    (table.link, table.info) = (3, 1);
    let mut rela = Section::new(".rela.text", 4, relocations.bytes);
    (rela.link, rela.info) = (2, 1);
    ElfBuilder::new(machine, wide, endian)
        .file_type(REL)
        .section(code)
        .section(table)
        .section(Section::new(".strtab", 3, b"\0main\0socket\0".to_vec()))
        .section(rela)
        .build()
}

fn files() -> Vec<Vec<u8>> {
    use Endian::{Big, Little};
    let targets = [
        (machine::X86_64, true, Little),
        (machine::I386, false, Little),
        (machine::ARM, false, Little),
        (machine::AARCH64, true, Little),
        (machine::MIPS, false, Big),
        (machine::PPC, false, Big),
        (machine::SPARC, false, Big),
        (machine::SH, false, Little),
        (machine::M68K, false, Big),
        (machine::RISCV, true, Little),
    ];
    targets
        .into_iter()
        .flat_map(|(machine, wide, endian)| {
            [program(machine, wide, endian), object(machine, wide, endian)]
        })
        .collect()
}

/// Asks everything that can be asked of an address; the answers agree with each other.
fn ask_of_address(image: &Image, address: Address) {
    let is_mapped = image.is_mapped(address);
    assert_eq!(image.segment_at(address).is_some(), is_mapped, "{address}");
    let is_readable = is_mapped && !image.is_missing(address);
    assert_eq!(image.read_uint(address, 1).is_some(), is_readable, "{address}");
    let stored = image.bytes_from(address);
    assert!(stored.is_empty() || is_mapped, "{address}");
    assert_eq!(image.read(address, stored.len() as u64).as_deref(), Some(stored), "{address}");
    assert_eq!(image.read(address, u64::MAX), None, "{address}");
    let pointer = image.read(address, u64::from(image.arch().pointer_size()));
    let pointer = pointer.map(|bytes| Address(image.arch().endian.read_uint(&bytes)));
    assert_eq!(image.read_pointer(address), pointer, "{address}");
    if let Some(text) = image.read_c_string(address, 64) {
        assert!(text.len() <= 64 && stored.starts_with(text) && !text.contains(&0), "{address}");
    }
    assert!(image.import_at(address).is_none_or(|import| import.slot == address), "{address}");
    let _ = image.mapped_content(address);
}

/// Reads a file and everything that can be asked of its image.
fn exercise(file: &[u8]) {
    let Ok(image) = Image::parse(file) else { return };
    let stored: usize = image.segments().iter().map(|segment| segment.data.len()).sum();
    let mapped: u64 = image.segments().iter().map(|segment| segment.size).sum();
    assert!(mapped <= MAX_MAPPED, "{mapped} bytes mapped");
    assert!(stored <= 2 * file.len() + (1 << 20), "{stored} bytes stored");
    for pair in image.segments().windows(2) {
        assert!(pair[0].address.0 + pair[0].size <= pair[1].address.0, "segments overlap");
    }
    // One more than the bound holds the common symbols of an object file.
    assert!(image.segments().len() <= 1 + MAX_SEGMENTS, "{} segments", image.segments().len());
    for address in [0, 1, 0x1000, 0x4000, 0x80ff, 0x81ff, u64::MAX - 3, u64::MAX] {
        ask_of_address(&image, Address(address));
    }
    for segment in image.segments() {
        let length = segment.size.min(1 << 20);
        let all = image.read(segment.address, length);
        let first_missing = segment.missing_range().start;
        let is_whole = segment.missing == 0 || first_missing >= segment.address.offset(length);
        assert_eq!(all.is_some(), is_whole, "{}", segment.address);
        if let Some(all) = all {
            let (stored, zeros) = all.split_at(segment.data.len().min(length as usize));
            assert!(segment.data.starts_with(stored) && zeros.iter().all(|byte| *byte == 0));
        }
        // What crosses the end is there when what follows is.
        let last = Address(segment.end().0.wrapping_sub(1));
        let is_readable = |address| image.is_mapped(address) && !image.is_missing(address);
        let are_readable = is_readable(last) && is_readable(segment.end());
        assert_eq!(image.read(last, 2).is_some(), are_readable, "{last}");
        ask_of_address(&image, last);
    }
    for import in image.imports() {
        assert_eq!(image.import_at(import.slot).map(|found| found.slot), Some(import.slot));
    }
    for diagnostic in image.diagnostics() {
        assert!(!diagnostic.to_string().is_empty());
    }
}

#[test]
fn the_unmutated_files_are_read() {
    for file in files() {
        let image = Image::parse(&file).unwrap();
        assert!(image.symbol_named("start_bot").or(image.symbol_named("main")).is_some());
        exercise(&file);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn overwritten_bytes(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        for mut file in files() {
            for (index, byte) in &edits {
                let length = file.len();
                file[index.index(length)] = *byte;
            }
            exercise(&file);
        }
    }

    /// Headers and tables sit in the first kilobyte: integers there get extreme values.
    #[test]
    fn extreme_fields(
        edits in prop::collection::vec(
            (0usize..1024, prop::sample::select(vec![1usize, 2, 4, 8]), prop::sample::select(vec![
                0u64, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0,
                0xffff_ffff, 0x7fff_ffff_ffff_ffff, u64::MAX - 7, u64::MAX,
            ])),
            1..6,
        ),
    ) {
        for mut file in files() {
            for (at, size, value) in &edits {
                let length = file.len();
                let at = (at % length).next_multiple_of(*size).min(length - size);
                Endian::Little.write_uint(&mut file[at..at + size], *value);
            }
            exercise(&file);
        }
    }

    #[test]
    fn truncation(length in any::<prop::sample::Index>()) {
        for file in files() {
            exercise(&file[..length.index(file.len())]);
        }
    }

    #[test]
    fn noise_behind_the_magic_number(noise in prop::collection::vec(any::<u8>(), 0..512)) {
        let mut file = b"\x7fELF".to_vec();
        file.extend(noise);
        exercise(&file);
    }
}
