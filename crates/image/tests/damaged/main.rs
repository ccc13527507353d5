//! Damage that attackers and truncated downloads do to ELF files, each kind on its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod segments;

use miyaburi_image::{Address, Endian, Image, ImageDiagnostic, ImageError};
use support::{
    EXECUTE, ElfBuilder, READ, Section, WRITE, header_field, machine, patch, program_header_field,
};

const TEXT: u64 = 0x40_0000;
const DATA: u64 = 0x41_0000;

fn text() -> Vec<u8> {
    (0..0x200u32).map(|index| (index * 7) as u8).collect()
}

fn data() -> Vec<u8> {
    b"plain text\0\x12\x34\x56\x78".to_vec()
}

/// MIPS big endian (32 bits) and x86-64 (64 bits) cover both widths and both byte orders.
fn builders() -> [ElfBuilder; 2] {
    let program = |machine, wide, endian| {
        ElfBuilder::new(machine, wide, endian)
            .entry(TEXT + 0x20)
            .load(TEXT, text(), 0x200, READ | EXECUTE)
            .load(DATA, data(), 0x100, READ | WRITE)
            .section(Section::new(".comment", 1, b"unused".to_vec()))
    };
    [program(machine::MIPS, false, Endian::Big), program(machine::X86_64, true, Endian::Little)]
}

/// Patches a field in both files and hands the parsed images to `check`.
fn each_patched(patches: &[(&str, u64)], check: impl Fn(&ElfBuilder, Image)) {
    for builder in builders() {
        let mut file = builder.build();
        for (name, value) in patches {
            let field = match name.split_once('@') {
                Some((name, index)) => {
                    program_header_field(builder.wide, index.parse().unwrap(), name)
                }
                None => header_field(builder.wide, name),
            };
            patch(&mut file, field, builder.endian, *value);
        }
        check(&builder, Image::parse(&file).unwrap());
    }
}

fn assert_intact(image: &Image) {
    assert_eq!(image.entry(), Address(TEXT + 0x20));
    assert_eq!(image.bytes_from(Address(TEXT)), text());
    assert_eq!(image.bytes_from(Address(DATA)), data());
    assert_eq!(image.segments().len(), 2);
    assert!(image.is_executable(Address(TEXT)) && !image.is_writable(Address(TEXT)));
    assert!(image.is_writable(Address(DATA + 0xff)) && !image.is_mapped(Address(DATA + 0x100)));
}

#[test]
fn an_undamaged_file_gives_no_diagnostics() {
    each_patched(&[], |builder, image| {
        assert_intact(&image);
        assert_eq!(image.diagnostics(), []);
        assert_eq!(image.arch().cpu, if builder.wide { "amd64" } else { "mips-be-o32" });
    });
}

#[test]
fn zero_tails_read_as_zero_and_end_with_their_segment() {
    each_patched(&[], |builder, image| {
        let tail = Address(DATA + 13);
        let expected: u64 = if builder.wide { 0x0000_7856 } else { 0x5678_0000 };
        assert_eq!(image.read_uint(tail, 4), Some(expected));
        assert_eq!(image.read(Address(DATA + 0xf0), 0x10).unwrap().as_ref(), [0; 16]);
        assert_eq!(image.read(Address(DATA + 0xf0), 0x11), None);
        assert_eq!(image.read_c_string(Address(DATA), 10), Some(&b"plain text"[..]));
        assert_eq!(image.read_c_string(Address(DATA), 9), None);
        assert_eq!(image.read_c_string(Address(DATA + 11), 8), Some(&b"\x12\x34\x56\x78"[..]));
        assert_eq!(image.read_c_string(Address(TEXT - 1), 8), None);
    });
}

#[test]
fn section_headers_are_not_needed() {
    let stripped = [("e_shoff", 0), ("e_shnum", 0), ("e_shstrndx", 0)];
    each_patched(&stripped, |_, image| assert_intact(&image));
}

#[test]
fn broken_section_headers_do_no_harm() {
    let broken: [&[(&str, u64)]; 6] = [
        &[("e_shoff", 0x7fff_0000)],
        &[("e_shoff", u64::MAX)],
        &[("e_shstrndx", 0x7fff)],
        &[("e_shentsize", 1)],
        &[("e_shnum", 0xfff0)],
        &[("e_shoff", 0x100), ("e_shnum", 40)],
    ];
    for patches in broken {
        each_patched(patches, |_, image| assert_intact(&image));
    }
}

#[test]
fn e_phnum_of_0xffff_ends_at_the_last_sensible_entry() {
    each_patched(&[("e_phnum", 0xffff)], |_, image| {
        assert_intact(&image);
        let expected = ImageDiagnostic::ProgramHeaderCount { found: 0xffff, used: 2 };
        assert_eq!(image.diagnostics(), [expected]);
    });
}

#[test]
fn e_phnum_of_zero_is_repaired() {
    each_patched(&[("e_phnum", 0)], |_, image| assert_intact(&image));
}

#[test]
fn e_phentsize_of_zero_is_repaired() {
    for size in [0, 1, 0xffff] {
        each_patched(&[("e_phentsize", size)], |_, image| {
            assert_intact(&image);
            let found = size as u16;
            assert!(matches!(
                image.diagnostics(),
                [ImageDiagnostic::ProgramHeaderSize { found: reported, .. }] if *reported == found
            ));
        });
    }
}

#[test]
fn a_lost_e_phoff_is_repaired() {
    for offset in [0, 0x7fff_ffff, u64::MAX] {
        each_patched(&[("e_phoff", offset)], |_, image| assert_intact(&image));
    }
}

#[test]
fn ei_version_of_zero_is_repaired() {
    each_patched(&[("ei_version", 0), ("e_version", 0)], |_, image| {
        assert_intact(&image);
        assert_eq!(image.diagnostics(), [ImageDiagnostic::VersionNotCurrent]);
    });
}

#[test]
fn ei_data_that_contradicts_the_header_is_repaired() {
    for builder in builders() {
        for value in [0, 1, 2, 0xff] {
            let mut file = builder.build();
            let declared = file[5];
            file[5] = value;
            let image = Image::parse(&file).unwrap();
            assert_intact(&image);
            let used = builder.endian;
            let expected = ImageDiagnostic::ByteOrderContradicted { declared: value, used };
            assert_eq!(image.diagnostics().contains(&expected), value != declared);
        }
    }
}

#[test]
fn ei_class_that_contradicts_the_header_is_repaired() {
    for builder in builders() {
        let mut file = builder.build();
        let bits = if builder.wide { 64 } else { 32 };
        file[4] ^= 3;
        let declared = file[4];
        let image = Image::parse(&file).unwrap();
        assert_intact(&image);
        assert_eq!(image.diagnostics(), [ImageDiagnostic::ClassContradicted { declared, bits }]);
    }
}

#[test]
fn an_unknown_e_type_is_taken_as_an_executable() {
    each_patched(&[("e_type", 0x4242)], |_, image| {
        assert_intact(&image);
        assert_eq!(image.diagnostics(), [ImageDiagnostic::FileTypeUnknown(0x4242)]);
    });
}

#[test]
fn a_truncated_file_keeps_what_is_left() {
    for builder in builders() {
        let mut file = builder.build();
        let text_offset = file.windows(0x200).position(|window| window == text()).unwrap();
        file.truncate(text_offset + 0x80);
        let image = Image::parse(&file).unwrap();
        assert_eq!(image.bytes_from(Address(TEXT)), &text()[..0x80]);
        for address in [TEXT + 0x7e, TEXT + 0x80, TEXT + 0x1fc, DATA] {
            assert_eq!(image.read_uint(Address(address), 4), None, "{address:#x}");
        }
        assert_eq!(image.read_c_string(Address(TEXT + 0x70), 0x40), None);
        assert!(image.is_missing(Address(TEXT + 0x80)) && !image.is_missing(Address(TEXT + 0x7f)));
        assert_eq!(image.bytes_from(Address(DATA)), []);
        let ranges = [TEXT + 0x80..TEXT + 0x200, DATA..DATA + data().len() as u64];
        let ranges = ranges.map(|range| Address(range.start)..Address(range.end));
        assert!(image.missing_ranges().eq(ranges));
        // What follows the missing bytes never was in the file.
        let tail = Address(DATA + data().len() as u64);
        assert_eq!(image.read_uint(tail, 4), Some(0));
        let missing = [(TEXT, 0x180), (DATA, data().len() as u64)].map(|(address, missing)| {
            ImageDiagnostic::SegmentTruncated { address: Address(address), missing }
        });
        assert_eq!(image.diagnostics(), missing);
    }
}

#[test]
fn a_file_cut_before_its_segments_is_damaged_not_empty() {
    for builder in builders() {
        let file = builder.build();
        for length in [4, 20, builder.header_size() - 1, builder.header_size() + 8] {
            let error = Image::parse(&file[..length]).unwrap_err();
            assert!(matches!(error, ImageError::Damaged { .. }), "{length}: {error}");
            assert!(!error.is_unsupported());
        }
    }
}

#[test]
fn without_program_headers_the_sections_give_the_layout() {
    for mut builder in builders() {
        builder.loads.clear();
        let mut code = Section::new(".text", 1, text());
        (code.flags, code.address) = (2 | 4, TEXT);
        let mut variables = Section::new(".data", 1, data());
        (variables.flags, variables.address) = (2 | 1, DATA);
        let file = builder.section(code).section(variables).build();
        let image = Image::parse(&file).unwrap();
        assert_eq!(image.bytes_from(Address(TEXT)), text());
        assert!(image.is_executable(Address(TEXT)) && image.is_writable(Address(DATA)));
        assert!(image.diagnostics().contains(&ImageDiagnostic::LaidOutFromSections));
    }
}

#[test]
fn an_entry_point_outside_of_executable_memory_is_told() {
    each_patched(&[("e_entry", 0x1234)], |_, image| {
        assert_eq!(image.diagnostics(), [ImageDiagnostic::EntryUnmapped(Address(0x1234))]);
    });
    each_patched(&[("p_flags@0", u64::from(READ))], |_, image| {
        assert!(image.is_executable(Address(TEXT)));
        let entry = Address(TEXT + 0x20);
        assert_eq!(image.diagnostics(), [ImageDiagnostic::EntryNotExecutable(entry)]);
    });
}

#[test]
fn what_is_no_elf_file_is_unsupported() {
    for bytes in [&b""[..], b"\x7fEL", b"MZ\x90\0", b"#!/bin/sh\n"] {
        assert_eq!(Image::parse(bytes).unwrap_err(), ImageError::NotElf);
    }
    assert!(ImageError::NotElf.is_unsupported());
}
