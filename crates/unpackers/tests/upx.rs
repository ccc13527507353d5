//! Programs packed by the real packer come out as they went in, and damage around the blocks is
//! named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::Image;
use miyaburi_unpackers::Limits;
use miyaburi_unpackers::decompress::DecompressError;
use miyaburi_unpackers::upx::{Repair, Unpacked, UpxError, unpack};
use sha2::{Digest, Sha256};
use support::{PACKED, Packed, magics};

fn unpacked(file: &[u8]) -> Unpacked {
    unpack(file, Limits::default()).unwrap().expect("packed by UPX")
}

/// Damages every packed file with `damage`; each has to come out whole, with `repairs`.
fn expect(damage: impl Fn(&Packed, &mut Vec<u8>), repairs: &[Repair]) {
    for packed in PACKED {
        let mut file = packed.file();
        damage(&packed, &mut file);
        let found = unpacked(&file);
        assert!(found.file == packed.original(), "{}", packed.name);
        assert_eq!(found.repairs, repairs, "{}", packed.name);
        assert_eq!(found.method.name(), packed.method, "{}", packed.name);
    }
}

/// Offset of the header at the end: 36 bytes before it.
fn trailer(file: &[u8]) -> usize {
    file.len() - 36
}

#[test]
fn undamaged_files_give_the_packers_input() {
    for packed in PACKED {
        let found = unpacked(&packed.file());
        assert!(found.file == packed.original(), "{}", packed.name);
        assert_eq!(found.version.as_deref(), Some(packed.version), "{}", packed.name);
        assert_eq!(found.method.name(), packed.method, "{}", packed.name);
        assert_eq!(found.filter, packed.filter, "{}", packed.name);
        assert_eq!(found.repairs, [], "{}", packed.name);
    }
}

/// Packed shared objects, with the digests of what they were.
const SHARED: [(&str, &str); 3] = [
    (
        "armv5.shared-apart.upx-4.2.2",
        "5c19eab93c2bf0222da7df7410e90d5163564d6e131e78643db967593c737c38",
    ),
    (
        "x86.shared-apart.upx-4.2.2",
        "473b41b2ce675ca61ceac023d24cfe57630b8e0edff243acd1ab329254d158ce",
    ),
    (
        "x86_64.shared-together.upx-3.96",
        "53000a0d6e9995027a6cea64bc9f3ab37d90771722281701396ad8b552f990e9",
    ),
];

#[test]
fn shared_objects_give_the_packers_input() {
    for (name, digest) in SHARED {
        let found = unpacked(&support::packed_file(name));
        assert_eq!(hex::encode(Sha256::digest(&found.file)), digest, "{name}");
        assert_eq!(found.repairs, [], "{name}");
    }
}

#[test]
fn the_header_at_the_end_of_a_shared_object_may_have_moved() {
    for (name, _) in SHARED {
        let mut file = support::packed_file(name);
        let (whole, at) = (unpacked(&file).file, trailer(&file));
        file.splice(at..at, [0x55; 100]);
        let found = unpacked(&file);
        assert_eq!(found.repairs, [Repair::HeaderMoved], "{name}");
        assert!(found.file == whole, "{name}");
    }
}

#[test]
fn of_a_shared_object_that_was_cut_off_the_beginning_is_right() {
    for (name, _) in SHARED {
        let packed = support::packed_file(name);
        let whole = unpacked(&packed).file;
        let mut cut = 0;
        for length in (0..packed.len()).step_by(37) {
            let Ok(Some(found)) = unpack(&packed[..length], Limits::default()) else { continue };
            assert!(whole.starts_with(&found.file), "{name} cut to {length}");
            assert!(found.cut.is_some() || found.file == whole, "{name} cut to {length}");
            cut += usize::from(found.cut.is_some());
        }
        assert!(cut >= 20, "{name}: {cut}");
    }
}

#[test]
fn programs_that_are_not_packed_are_left_alone() {
    for packed in PACKED {
        assert_eq!(unpack(&packed.original(), Limits::default()), Ok(None), "{}", packed.original);
    }
    assert_eq!(unpack(b"", Limits::default()), Ok(None));
    assert_eq!(unpack(b"\x7fELF, and UPX! in a text", Limits::default()), Ok(None));
}

#[test]
fn the_first_magic_may_be_anything() {
    for magic in [*b"\0\0\0\0", *b"YTS\x99", *b"\xff\xff\xff\xff"] {
        expect(
            |packed, file| file[packed.block - 20..packed.block - 16].copy_from_slice(&magic),
            &[Repair::LoaderMagic],
        );
    }
}

#[test]
fn all_magics_may_be_gone() {
    expect(
        |_, file| {
            for at in magics(file) {
                file[at..at + 4].copy_from_slice(b"ABC!");
            }
        },
        &[Repair::LoaderMagic, Repair::HeaderMagic],
    );
}

#[test]
fn sizes_of_the_program_may_be_zero_or_wrong() {
    for value in [0, 1] {
        expect(
            |packed, file| {
                packed.put(file, packed.block - 8, value);
                packed.put(file, packed.block - 4, value);
            },
            &[Repair::FileSize, Repair::BlockSize],
        );
    }
    expect(|packed, file| packed.put(file, packed.block - 8, 0x7fff_ffff), &[Repair::FileSize]);
}

#[test]
fn the_stubs_size_may_be_wrong() {
    expect(
        |packed, file| file[packed.block - 16..packed.block - 14].fill(0),
        &[Repair::LoaderSize],
    );
}

#[test]
fn the_whole_loader_and_program_information_may_be_overwritten() {
    expect(
        |packed, file| file[packed.block - 24..packed.block].fill(0xaa),
        &[
            Repair::LoaderMagic,
            Repair::LoaderSize,
            Repair::LoaderVersion,
            Repair::LoaderFormat,
            Repair::FileSize,
        ],
    );
}

#[test]
fn the_header_at_the_end_may_be_missing() {
    expect(
        |_, file| {
            let at = trailer(file);
            file.truncate(at);
        },
        &[Repair::HeaderMissing],
    );
    expect(
        |_, file| {
            let at = trailer(file);
            file[at..].fill(0);
        },
        &[Repair::HeaderMissing],
    );
}

#[test]
fn the_header_at_the_end_may_have_moved() {
    expect(
        |_, file| {
            let at = trailer(file);
            file.splice(at..at, [0x55; 100]);
        },
        &[Repair::HeaderMoved],
    );
}

#[test]
fn everything_but_the_blocks_may_be_gone() {
    expect(
        |packed, file| {
            file[packed.block - 24..packed.block].fill(0);
            let at = trailer(file);
            file.truncate(at);
        },
        &[
            Repair::LoaderMagic,
            Repair::LoaderSize,
            Repair::FileSize,
            Repair::BlockSize,
            Repair::HeaderMissing,
        ],
    );
}

#[test]
fn junk_may_follow() {
    expect(|_, file| file.extend([0x5a; 4096]), &[Repair::TrailingData]);
}

#[test]
fn the_entry_and_the_section_headers_do_not_count() {
    expect(
        |packed, file| {
            let is_64_bit = file[4] == 2;
            packed.put(file, 24, 0x1000);
            packed.put(file, if is_64_bit { 40 } else { 32 }, 0x40);
            let count = if is_64_bit { 60 } else { 48 };
            file[count..count + 2].fill(3);
        },
        &[],
    );
}

#[test]
fn a_wrong_checksum_is_told() {
    for packed in PACKED {
        let mut file = packed.file();
        let at = trailer(&file) + if packed.big { 16 } else { 8 };
        // The header's own checksum is a sum.
        let (first, second) = (file[at], file[at + 1]);
        (file[at], file[at + 1]) = (second, first);
        assert_ne!(first, second, "{}", packed.name);
        assert_eq!(unpacked(&file).repairs, [Repair::Checksum], "{}", packed.name);
    }
}

#[test]
fn the_segments_come_out_when_the_rest_is_damaged() {
    for packed in PACKED {
        let mut file = packed.file();
        let at = trailer(&file);
        // Within the last block, which holds the section headers.
        file[at - 60..at - 30].fill(0xff);
        let found = unpacked(&file);
        assert_eq!(found.repairs, [Repair::UnloadedLost], "{}", packed.name);
        let (found, original) = (Image::parse(&found.file), Image::parse(&packed.original()));
        let (found, original) = (found.unwrap(), original.unwrap());
        assert_eq!(found.segments(), original.segments(), "{}", packed.name);
    }
}

#[test]
fn a_damaged_block_is_an_error_with_its_place() {
    let packed = PACKED.iter().find(|packed| packed.name.starts_with("x86.")).unwrap();
    let mut file = packed.file();
    // The first block is 0x78 bytes long; the next one is the code.
    let code = packed.block + 12 + 0x78;
    file[code + 12 + 100..code + 12 + 400].fill(0xff);
    let error = unpack(&file, Limits::default()).unwrap_err();
    assert!(matches!(error, UpxError::Block { offset, .. } if offset == code), "{error:?}");
    let mut file = packed.file();
    packed.put(&mut file, code, u32::MAX);
    assert_eq!(unpack(&file, Limits::default()), Err(UpxError::Header { offset: code }));
    let mut file = packed.file();
    file[code + 8] = 77;
    let expected = UpxError::Method { offset: code, method: 77 };
    assert_eq!(unpack(&file, Limits::default()), Err(expected));
    let mut file = packed.file();
    file[code + 9] = 0x99;
    let expected = UpxError::Filter { offset: code, filter: 0x99 };
    assert_eq!(unpack(&file, Limits::default()), Err(expected));
}

#[test]
fn a_size_that_is_one_too_small_is_noticed() {
    let packed = PACKED.iter().find(|packed| packed.name.starts_with("x86.")).unwrap();
    let mut file = packed.file();
    let code = packed.block + 12 + 0x78;
    packed.put(&mut file, code, 0x6b15);
    let error = UpxError::Block { offset: code, error: DecompressError::TooMuch };
    assert_eq!(unpack(&file, Limits::default()), Err(error));
}

#[test]
fn output_is_bounded() {
    for packed in PACKED {
        let limits = Limits { output: 20_000 };
        let error = unpack(&packed.file(), limits).unwrap_err();
        assert!(matches!(error, UpxError::Budget { limit: 20_000, .. }), "{error:?}");
    }
}

#[test]
fn a_stub_without_blocks_is_an_error() {
    for packed in PACKED {
        let mut file = packed.file();
        file[packed.block..packed.block + 40].fill(0);
        assert_eq!(unpack(&file, Limits::default()), Err(UpxError::NoBlocks), "{}", packed.name);
    }
}

/// Where the blocks of the headers and of the segments end, by walking their headers.
fn blocks_end(packed: &Packed, file: &[u8]) -> (usize, usize) {
    let number = |at: usize| {
        let bytes = file[at..at + 4].try_into().unwrap();
        (if packed.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }) as usize
    };
    let original = packed.original();
    let loaded: usize =
        Image::parse(&original).unwrap().segments().iter().map(|it| it.data.len()).sum();
    let (mut at, mut unpacked, mut first) = (packed.block, 0, 0);
    while unpacked < loaded {
        unpacked += number(at);
        at += 12 + number(at + 4);
        first = if first == 0 { at } else { first };
    }
    (first, at)
}

#[test]
fn a_file_that_was_cut_off_gives_what_is_there_and_nothing_else() {
    for packed in PACKED {
        let (file, original) = (packed.file(), packed.original());
        let (first, last) = blocks_end(&packed, &file);
        let mut longest = 0;
        for end in (first..last).step_by(37).chain([last - 1]) {
            let found = unpacked(&file[..end]);
            assert!(found.cut.is_some_and(|at| at <= end), "{} at {end:#x}", packed.name);
            assert!(original.starts_with(&found.file), "{} at {end:#x}", packed.name);
            assert!(found.file.len() >= longest, "{} at {end:#x}", packed.name);
            longest = found.file.len();
            if (first + last) / 2 < end {
                assert!(longest > original.len() / 5, "{} at {end:#x}: {longest}", packed.name);
            }
        }
        assert_eq!(unpacked(&file).cut, None, "{}", packed.name);
        assert!(!unpack(&file[..first - 1], Limits::default()).is_ok_and(|it| it.is_some()));
    }
}

#[test]
fn of_a_block_that_is_damaged_and_not_cut_off_nothing_is_given() {
    for packed in PACKED {
        let mut file = packed.file();
        let (first, _) = blocks_end(&packed, &file);
        // The size of the second block, compressed: more than it gives.
        file[first + 4..first + 8].fill(0x7f);
        let found = unpack(&file, Limits::default());
        assert!(matches!(found, Err(UpxError::Header { .. })), "{}: {found:?}", packed.name);
    }
}

/// Thousands of program headers would be compared with each other.
#[test]
fn headers_of_no_program_are_none() {
    const COUNT: u32 = 0xffff;
    let mut headers = vec![0; 52 + 32 * COUNT as usize];
    headers[..6].copy_from_slice(b"\x7fELF\x01\x01");
    headers[28] = 52;
    headers[42] = 32;
    headers[44..46].copy_from_slice(&[0xff, 0xff]);
    for (number, entry) in (0..COUNT).zip(headers[52..].chunks_exact_mut(32)) {
        entry[0] = 1;
        entry[4..8].copy_from_slice(&(2 * number).to_le_bytes());
        entry[16] = 1;
    }
    let size = (headers.len() as u32).to_le_bytes();
    let block = [&size[..], &size, &[0; 4], &headers].concat();
    let file = [vec![0; 24 + headers.len()], block].concat();
    assert_eq!(unpack(&file, Limits::default()), Ok(None));
}
