//! Program headers whose segments overlap, or claim more than there is.

use crate::support::{EXECUTE, READ, Section, patch, program_header_field};
use crate::{DATA, TEXT, builders, data, each_patched, text};
use miyaburi_image::{Address, Endian, Image, ImageDiagnostic, Permissions};

#[test]
fn overlapping_segments_give_the_later_one() {
    each_patched(&[("p_vaddr@1", TEXT + 0x100)], |_, image| {
        assert_eq!(image.bytes_from(Address(TEXT)), &text()[..0x100]);
        assert_eq!(image.bytes_from(Address(TEXT + 0x100)), data());
        let later = image.segment_at(Address(TEXT + 0x1ff)).unwrap();
        assert_eq!(later.permissions, Permissions::READ | Permissions::WRITE);
        let address = Address(TEXT + 0x100);
        assert_eq!(image.diagnostics(), [ImageDiagnostic::SegmentsOverlap { address }]);
    });
}

#[test]
fn a_segment_inside_another_splits_it() {
    each_patched(&[("p_vaddr@1", TEXT + 0x80), ("p_memsz@1", 0x10)], |_, image| {
        let starts: Vec<_> = image.segments().iter().map(|segment| segment.address.0).collect();
        assert_eq!(starts, [TEXT, TEXT + 0x80, TEXT + 0x90]);
        assert_eq!(image.bytes_from(Address(TEXT + 0x90)), &text()[0x90..]);
    });
}

#[test]
fn a_huge_p_memsz_is_capped_and_not_allocated() {
    for size in [0xffff_ffff, 0x7fff_ffff] {
        each_patched(&[("p_memsz@1", size)], |_, image| {
            let segment = image.segment_at(Address(DATA)).unwrap();
            assert!(segment.size <= 256 << 20);
            assert_eq!(segment.data, data());
            assert_eq!(image.read_uint(Address(DATA + 0x100_0000), 4), Some(0));
            let cut = image.diagnostics().iter().any(|diagnostic| {
                matches!(diagnostic, ImageDiagnostic::SegmentCut { size: asked, .. } if *asked == size)
            });
            assert!(cut);
        });
    }
}

#[test]
fn a_p_memsz_beyond_the_address_space_ends_with_it() {
    let builder = &builders()[0];
    let mut file = builder.build();
    patch(&mut file, program_header_field(false, 1, "p_vaddr"), Endian::Big, 0xffff_f000);
    patch(&mut file, program_header_field(false, 1, "p_memsz"), Endian::Big, 0x10_0000);
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.segment_at(Address(0xffff_f000)).unwrap().size, 0x1000);
    assert!(image.is_mapped(Address(0xffff_ffff)));
    assert!(!image.is_mapped(Address(0)));
    assert!(!image.is_mapped(Address(0x1_0000_0000)));
}

#[test]
fn a_segment_that_ends_with_the_address_space_is_whole() {
    let builder = &builders()[0];
    let mut file = builder.build();
    let start = 0x1_0000_0000 - data().len() as u64;
    for (field, value) in [("p_vaddr", start), ("p_memsz", data().len() as u64)] {
        patch(&mut file, program_header_field(false, 1, field), Endian::Big, value);
    }
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.bytes_from(Address(start)), data());
    assert_eq!(image.diagnostics(), []);
}

/// The end of a segment is a number of 64 bits, so that the last byte of so many stays out.
#[test]
fn a_segment_that_ends_with_64_bits_of_addresses_lacks_a_byte() {
    let builder = &builders()[1];
    let mut file = builder.build();
    let size = data().len() as u64;
    let start = size.wrapping_neg();
    for (field, value) in [("p_vaddr", start), ("p_memsz", size)] {
        patch(&mut file, program_header_field(true, 1, field), Endian::Little, value);
    }
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.segment_at(Address(start)).unwrap().end(), Address(u64::MAX));
    let address = Address(start);
    assert_eq!(
        image.diagnostics(),
        [ImageDiagnostic::SegmentCut { address, size, used: size - 1 }]
    );
}

#[test]
fn a_p_offset_beyond_the_file_leaves_the_other_segments() {
    for offset in [u64::MAX - 7, 0xffff_fff8, 0x7fff_0000] {
        each_patched(&[("p_offset@1", offset)], |_, image| {
            assert_eq!(image.bytes_from(Address(TEXT)), text());
            assert_eq!(image.bytes_from(Address(DATA)), []);
            let (address, missing) = (Address(DATA), data().len() as u64);
            let expected = ImageDiagnostic::SegmentTruncated { address, missing };
            assert_eq!(image.diagnostics(), [expected]);
        });
    }
}

#[test]
fn a_p_filesz_beyond_the_file_is_clamped() {
    each_patched(&[("p_filesz@1", 0x7fff_ffff)], |_, image| {
        assert!(image.bytes_from(Address(DATA)).starts_with(&data()));
        let total: usize = image.segments().iter().map(|segment| segment.data.len()).sum();
        assert!(total < 0x1000);
    });
}

#[test]
fn thousands_of_segments_over_the_whole_file_stay_within_limits() {
    for builder in builders() {
        let mut many = builder.clone();
        many.loads.clear();
        for index in 0..2000u64 {
            many = many.load(0x10_0000 * index, Vec::new(), 0x1_0000, READ | EXECUTE);
        }
        let mut file = many.build();
        let length = file.len() as u64;
        for index in 0..2000 {
            let (offset, size) = ("p_offset", "p_filesz");
            patch(&mut file, program_header_field(many.wide, index, offset), many.endian, 0);
            patch(&mut file, program_header_field(many.wide, index, size), many.endian, length);
        }
        let image = Image::parse(&file).unwrap();
        let stored: usize = image.segments().iter().map(|segment| segment.data.len()).sum();
        assert!(image.segments().len() <= 256);
        assert!(stored <= 2 * file.len());
        let told = image.diagnostics().iter().any(|diagnostic| {
            matches!(diagnostic, ImageDiagnostic::ProgramHeaderCount { found: 2000, used: 256 })
        });
        assert!(told);
    }
}

/// A thousand sections inside one would make two thousand segments of it.
#[test]
fn segments_that_split_one_another_stay_within_limits() {
    for mut builder in builders() {
        builder.loads.clear();
        let mut around = Section::new(".data", 1, vec![7; 0x1_0000]);
        (around.flags, around.address) = (2 | 1, DATA);
        builder = builder.section(around);
        for index in 1..1024 {
            // SHT_NOBITS: zeros of the size of the data.
            let mut inside = Section::new(".bss", 8, vec![0; 16]);
            (inside.flags, inside.address) = (2 | 1, DATA + 32 * index);
            builder = builder.section(inside);
        }
        let image = Image::parse(&builder.build()).unwrap();
        // Each one inside takes one more and splits one: 511 of 1023 fit.
        assert_eq!(image.segments().len(), 1 + 2 * 511);
        assert_eq!(image.read_uint(Address(DATA + 32 * 511), 4), Some(0));
        assert_eq!(image.read_uint(Address(DATA + 32 * 512), 4), Some(0x0707_0707));
        let overlaps = (1..=8)
            .map(|index| ImageDiagnostic::SegmentsOverlap { address: Address(DATA + 32 * index) });
        let left_out = ImageDiagnostic::SegmentsLeftOut { count: 512 };
        // Eight of a kind are told one by one.
        let told = overlaps.chain([ImageDiagnostic::More { count: 503 }, left_out]);
        assert!(told.clone().all(|expected| image.diagnostics().contains(&expected)));
        assert!(image.diagnostics().len() < 20, "{:?}", image.diagnostics());
        assert_eq!(image.read_uint(Address(DATA + 0xffff), 1), Some(7));
    }
}
