//! Memory that no program header of a program describes: core dumps and raw images.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::Read;

use miyaburi_image::{Address, Arch, Endian, Image, ImageDiagnostic, ImageError, ImageKind};
use miyaburi_image::{Permissions, RawMemory};
use support::{ElfBuilder, Load, READ, WRITE, Words, machine};

const CORE: u16 = 4;
const NOTE: u32 = 4;
const TEXT: u64 = 0x8048000;

/// A note of this kind as core dumps have it.
fn note(words: &mut Words, kind: u32, content: &[u8]) {
    words.u32(5);
    words.u32(content.len() as u32);
    words.u32(kind);
    words.bytes.extend(b"CORE\0\0\0\0");
    words.bytes.extend(content);
    words.bytes.resize(words.bytes.len().next_multiple_of(4), 0);
}

/// A core dump with these keys and values in the auxiliary vector, its first note one of a thread.
fn core(machine: u16, endian: Endian, vector: &[(u64, u64)]) -> ElfBuilder {
    let mut elf = ElfBuilder::new(machine, false, endian).file_type(CORE);
    let mut content = Words::new(false, endian);
    for (key, value) in vector {
        content.word(*key);
        content.word(*value);
    }
    let mut notes = Words::new(false, endian);
    note(&mut notes, 1, &[0xff; 71]);
    note(&mut notes, 6, &content.bytes);
    let data = notes.bytes;
    elf.loads.push(Load { kind: NOTE, address: 0, data, memory_size: 0, flags: 0 });
    elf
}

#[test]
fn a_dump_by_linux_holds_what_the_program_made_of_its_memory() {
    let packed = include_bytes!("fixtures/core.gz").as_slice();
    let mut file = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut file).unwrap();
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.kind(), ImageKind::CoreDump);
    assert_eq!(image.arch().cpu, "amd64");
    // Addresses and values as fixtures/program.c and its linker gave them.
    assert_eq!(image.entry(), Address(0x4000e8));
    assert!(image.is_executable(image.entry()));
    assert_eq!(image.read_uint(Address(0x401150), 4), Some(0x600dcafe));
    assert_eq!(image.read_uint(Address(0x40114c), 4), Some(0));
    assert_eq!(image.diagnostics(), []);
}

#[test]
fn the_entry_point_is_that_of_the_auxiliary_vector() {
    for endian in [Endian::Little, Endian::Big] {
        let number = if endian == Endian::Little { machine::I386 } else { machine::MIPS };
        let file = core(number, endian, &[(3, 1), (9, TEXT + 8), (0, 0)]);
        let file = file.load(TEXT, vec![0x90; 64], 64, READ | 1).build();
        let image = Image::parse(&file).unwrap();
        assert_eq!((image.kind(), image.entry()), (ImageKind::CoreDump, Address(TEXT + 8)));
        assert_eq!(image.diagnostics(), []);
    }
}

#[test]
fn a_dump_without_an_entry_point_says_so() {
    for vector in [[(3, 1), (0, 0)].as_slice(), &[(9, 0)], &[]] {
        let file = core(machine::I386, Endian::Little, vector);
        let file = file.load(TEXT, vec![0x90; 64], 64, READ | 1).build();
        let image = Image::parse(&file).unwrap();
        assert_eq!(image.entry(), Address(0));
        assert_eq!(image.diagnostics(), [ImageDiagnostic::EntryUnknown]);
    }
}

#[test]
fn memory_that_was_not_dumped_is_missing_and_not_zero() {
    let file = core(machine::I386, Endian::Little, &[(9, TEXT)])
        .load(TEXT, Vec::new(), 0x2000, READ | 1)
        .load(TEXT + 0x2000, vec![7; 16], 16, READ | WRITE)
        .load(TEXT + 0x3000, vec![7; 16], 0x1000, READ)
        .build();
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.read(Address(TEXT), 4), None);
    assert!(image.is_missing(Address(TEXT)) && image.is_missing(Address(TEXT + 0x3010)));
    assert_eq!(image.read_uint(Address(TEXT + 0x2000), 4), Some(0x07070707));
    let bytes = 0x2000 + 0x1000 - 16;
    let expected = ImageDiagnostic::NotDumped { address: Address(TEXT), bytes };
    assert_eq!(image.diagnostics(), [expected]);
}

#[test]
fn zeros_at_the_end_are_a_zero_tail() {
    let stored = [vec![7; 16], vec![0; 48]].concat();
    let file = core(machine::I386, Endian::Little, &[(9, TEXT)]);
    let file = file.load(TEXT, stored.clone(), 64, READ | 1).build();
    let raw = RawMemory { arch: Arch::named("i386").unwrap(), base: Address(TEXT), entry: None };
    for image in [Image::parse(&file).unwrap(), Image::of_memory(&stored, raw).unwrap()] {
        let segment = &image.segments()[0];
        assert_eq!((segment.data.len(), segment.size), (16, 64));
        assert_eq!(image.read_uint(Address(TEXT + 60), 4), Some(0));
    }
}

#[test]
fn a_dump_without_memory_is_damaged() {
    let file = core(machine::I386, Endian::Little, &[(9, TEXT)]).load(TEXT, Vec::new(), 64, READ);
    let error = Image::parse(&file.build()).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    assert!(!error.is_unsupported());
}

fn raw(cpu: &str, base: u64, entry: Option<u64>) -> RawMemory {
    let entry = entry.map(Address);
    RawMemory { arch: Arch::named(cpu).unwrap(), base: Address(base), entry }
}

#[test]
fn raw_memory_lies_where_it_is_said_to() {
    let image = Image::of_memory(&[1, 2, 3, 4, 5], raw("mips-be-o32", 0x400000, None)).unwrap();
    assert_eq!((image.kind(), image.entry()), (ImageKind::RawMemory, Address(0x400000)));
    assert_eq!(image.arch().cpu, "mips-be-o32");
    assert_eq!(image.read_uint(Address(0x400000), 4), Some(0x01020304));
    assert_eq!(image.read_uint(Address(0x400004), 1), Some(5));
    assert!(!image.is_mapped(Address(0x400005)));
    assert_eq!(image.segments()[0].permissions, Permissions::all());
}

#[test]
fn raw_memory_begins_where_its_header_or_the_user_says() {
    let elf = ElfBuilder::new(machine::MIPS, false, Endian::Big).entry(0x400080);
    let file = elf.clone().load(0x400000, vec![1; 256], 256, READ).build();
    let entry = |memory| Image::of_memory(&file, memory).unwrap().entry();
    assert_eq!(entry(raw("mips-be-o32", 0x400000, None)), Address(0x400080));
    assert_eq!(entry(raw("mips-be-o32", 0x400000, Some(0x400010))), Address(0x400010));
    // The header leads out of the memory, which was elsewhere then.
    assert_eq!(entry(raw("mips-be-o32", 0x800000, None)), Address(0x800000));
}

#[test]
fn raw_memory_that_has_no_place_is_an_error() {
    assert!(Image::of_memory(&[], raw("i386", TEXT, None)).is_err());
    // 32 bits of addresses end below it.
    assert!(Image::of_memory(&[0x90; 16], raw("i386", 1 << 32, None)).is_err());
    let image = Image::of_memory(&[0x90; 16], raw("i386", (1 << 32) - 4, None)).unwrap();
    assert_eq!(image.segments()[0].size, 4);
}
