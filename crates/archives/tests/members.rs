//! Archives built in memory: names, nesting, passwords, every limit, hostile ones.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use flate2::Compression;
use flate2::write::GzEncoder;
use miyaburi_archives::{Limit, Limits, Member, MemberError, Options, walk};
use proptest::prelude::*;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

type Found = Vec<(String, Result<Vec<u8>, MemberError>)>;

fn members(bytes: &[u8], options: &Options) -> Found {
    let mut found = Found::new();
    walk("in", bytes.to_vec(), options, &mut |Member { name, content, .. }| {
        found.push((name, content));
        ControlFlow::Continue(())
    });
    found
}

fn within(limits: Limits) -> Options {
    Options { limits, ..Options::default() }
}

fn zip(files: &[(&str, &[u8], SimpleFileOptions)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, options) in files {
        writer.start_file(*name, *options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn plain() -> SimpleFileOptions {
    SimpleFileOptions::default()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        // Names that a well-behaved writer refuses.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn is_damaged(content: &Result<Vec<u8>, MemberError>) -> bool {
    matches!(content, Err(MemberError::Damaged(_)))
}

#[test]
fn what_is_no_archive_is_itself() {
    assert_eq!(members(b"\x7fELF", &Options::default()), [("in".into(), Ok(b"\x7fELF".to_vec()))]);
}

#[test]
fn nested_members_come_in_order_with_the_way_to_them() {
    let inner = gzip(&tar(&[("d/a", b"1"), ("b", b"")]));
    let stored = plain().compression_method(CompressionMethod::Stored);
    let bytes = zip(&[("x/inner.bin", &inner, stored), ("c", b"3", plain())]);
    let expected: Found = vec![
        ("in!x/inner.bin!d/a".into(), Ok(b"1".to_vec())),
        ("in!x/inner.bin!b".into(), Ok(Vec::new())),
        ("in!c".into(), Ok(b"3".to_vec())),
    ];
    assert_eq!(members(&bytes, &Options::default()), expected);
}

#[test]
fn every_compressor_gives_back_what_it_was_given_and_tells_when_it_was_cut() {
    // Blocks of bzip2 are 900,000 bytes, and a part of one gives nothing.
    let numbers = 0..400_000_u32;
    let content: Vec<u8> = numbers.flat_map(|i| (i.wrapping_mul(i) / 7).to_le_bytes()).collect();
    for compress in [gzip, bzip2, xz, zstd] {
        let bytes = compress(&content);
        let found = members(&bytes, &Options::default());
        assert_eq!(found, [("in".into(), Ok(content.clone()))]);
        // What there is, and that it is not all.
        let member = only(&bytes[..bytes.len() * 3 / 4]);
        let rest = member.content.unwrap();
        assert!(content.starts_with(&rest) && rest.len() > 10_000 && rest.len() < content.len());
        assert!(member.name == "in" && matches!(member.cut, Some(MemberError::Damaged(_))));
        assert_eq!(only(&bytes).cut, None);
    }
}

#[test]
fn what_stands_behind_a_stream_takes_nothing_from_it() {
    let content = b"whole".repeat(1000);
    for compress in [gzip, bzip2, xz, zstd] {
        let bytes = [compress(&content), b"and something else".to_vec()].concat();
        let [whole, rest] = members(&bytes, &Options::default()).try_into().unwrap();
        assert_eq!(whole, ("in".into(), Ok(content.clone())));
        assert!(rest.0 == "in" && is_damaged(&rest.1), "{rest:?}");
        // A stream that is wrong itself gives nothing.
        let mut wrong = compress(&content);
        let middle = wrong.len() / 2;
        wrong[middle] ^= 0xff;
        wrong.extend_from_slice(b"and something else");
        let found = members(&wrong, &Options::default());
        assert!(found.iter().all(|(_, content)| content.is_err()), "{found:?}");
    }
}

#[test]
fn an_archive_without_files_says_so() {
    let folders = zip(&[("a/", b"", plain()), ("a/b/", b"", plain())]);
    for bytes in [zip(&[]), folders, gzip(&zip(&[])), zip(&[("x", &zip(&[]), plain())])] {
        assert_eq!(members(&bytes, &Options::default()), [("in".into(), Err(MemberError::Empty))]);
    }
}

fn all(bytes: &[u8]) -> Vec<Member> {
    let mut found = Vec::new();
    walk("in", bytes.to_vec(), &Options::default(), &mut |member| {
        found.push(member);
        ControlFlow::Continue(())
    });
    found
}

fn only(bytes: &[u8]) -> Member {
    let mut found = all(bytes);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// The archive is told of, as members of it may be missing, and so is the member that is cut.
#[test]
fn of_an_archive_in_a_cut_stream_come_the_members_until_there() {
    let numbers = 0..40_000_u32;
    let content: Vec<u8> = numbers.flat_map(|i| (i.wrapping_mul(i) / 7).to_le_bytes()).collect();
    let bytes = gzip(&tar(&[("a", b"1"), ("b", &content), ("c", b"3")]));
    let found = all(&bytes[..bytes.len() / 2]);
    let [a, b, .., archive] = found.as_slice() else { panic!("{found:?}") };
    assert!(a.name == "in!a" && a.content == Ok(b"1".to_vec()) && a.cut.is_none());
    let rest = b.content.as_ref().unwrap();
    assert!(b.name == "in!b" && content.starts_with(rest) && b.cut.is_some());
    assert!(archive.name == "in" && is_damaged(&archive.content));
}

#[test]
fn of_what_is_damaged_and_not_cut_nothing_is_given() {
    let numbers = 0..400_000_u32;
    let content: Vec<u8> = numbers.flat_map(|i| (i.wrapping_mul(i) / 7).to_le_bytes()).collect();
    let archives = [
        gzip(&content),
        bzip2(&content),
        xz(&content),
        zip(&[("a", &content, plain())]),
        gzip(&tar(&[("a", &content)])),
    ];
    for (number, whole) in archives.into_iter().enumerate() {
        for at in [whole.len() / 3, whole.len() * 3 / 4] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            let found = members(&bytes, &Options::default());
            assert!(found.iter().all(|(_, content)| is_damaged(content)), "{number} at {at}");
        }
    }
}

/// Some of these streams run out, as if they were cut off; the directory tells that they are not.
#[test]
fn a_damaged_member_of_a_whole_zip_is_not_taken_for_one_that_is_cut_off() {
    let content: Vec<u8> = (0..2000_u32).flat_map(|i| (i * i / 7).to_le_bytes()).collect();
    let whole = zip(&[("a", &content, plain())]);
    let directory = whole.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    // Behind the local header of 30 bytes and the name.
    for at in (31..directory).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let found = only(&bytes);
        assert!(found.name == "in!a" && is_damaged(&found.content), "{at}");
    }
}

#[test]
fn encrypted_members_open_with_a_password_that_is_known() {
    let old = |password: &str| plain().with_deprecated_encryption(password.as_bytes()).unwrap();
    let bytes = zip(&[
        ("aes", b"1", plain().with_aes_encryption(AesMode::Aes256, "infected")),
        ("old", b"2", old("virus")),
        ("own", b"3", old("s3cret")),
        ("open", b"4", plain()),
    ]);
    let mut options = Options::default();
    let found = members(&bytes, &options);
    let expected: Found = vec![
        ("in!aes".into(), Ok(b"1".to_vec())),
        ("in!old".into(), Ok(b"2".to_vec())),
        ("in!own".into(), Err(MemberError::Encrypted)),
        ("in!open".into(), Ok(b"4".to_vec())),
    ];
    assert_eq!(found, expected);
    options.passwords.push("s3cret".to_owned());
    assert_eq!(members(&bytes, &options)[2].1, Ok(b"3".to_vec()));
}

/// Found by mutation: the size of the encrypted data was worked out below zero.
#[test]
fn an_encrypted_member_smaller_than_its_encryption_is_damaged() {
    for (mode, least) in [(AesMode::Aes128, 20), (AesMode::Aes256, 28)] {
        let stored = plain().compression_method(CompressionMethod::Stored);
        let bytes = zip(&[("a", b"1", stored.with_aes_encryption(mode, "infected"))]);
        let central = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        let with_size = |size: u8| {
            let mut bytes = bytes.clone();
            bytes[central + 20..central + 24].copy_from_slice(&[size, 0, 0, 0]);
            members(&bytes, &Options::default()).remove(0).1
        };
        let too_small = "is smaller than what encryption adds";
        for size in [0, 5, least - 1] {
            assert_eq!(with_size(size), Err(MemberError::Damaged(too_small.to_owned())));
        }
        assert_ne!(with_size(least), Err(MemberError::Damaged(too_small.to_owned())));
        assert_eq!(with_size(least + 1), Ok(b"1".to_vec()));
    }
}

#[test]
fn an_unknown_method_is_told_and_the_rest_goes_on() {
    let stored = plain().compression_method(CompressionMethod::Stored);
    let mut bytes = zip(&[("a", b"1", stored), ("b", b"2", stored)]);
    let central = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    // The method in the central directory, 77 being none that exists.
    bytes[central + 10] = 77;
    let found = members(&bytes, &Options::default());
    assert!(matches!(&found[0], (name, Err(MemberError::Unsupported(_))) if name == "in!a"));
    assert_eq!(found[1], ("in!b".into(), Ok(b"2".to_vec())));
}

#[test]
fn names_lead_nowhere_and_are_printable() {
    let bytes = tar(&[("../../etc/x", b"1"), ("/abs", b"2"), ("a\x1b[31m\nb", b"3")]);
    let found = members(&bytes, &Options::default());
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["in!../../etc/x", "in!/abs", "in!a\\u{1b}[31m\\nb"]);
}

#[test]
fn a_truncated_archive_gives_what_is_there() {
    let bytes = tar(&[("a", &[1; 600]), ("b", &[2; 600])]);
    let found = all(&bytes[..512 + 1024 + 512 + 100]);
    let [a, b, rest @ ..] = found.as_slice() else { panic!("{found:?}") };
    assert!(a.name == "in!a" && a.content == Ok(vec![1; 600]) && a.cut.is_none());
    assert!(b.name == "in!b" && b.content == Ok(vec![2; 100]) && b.cut.is_some());
    assert!(rest.iter().all(|member| is_damaged(&member.content)));
}

#[test]
fn a_zip_without_its_directory_gives_what_is_there() {
    let content: Vec<u8> = (0..9000_u32).flat_map(|i| (i * i / 7).to_le_bytes()).collect();
    let bytes = zip(&[("a", b"1", plain()), ("d/b", &content, plain())]);
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let found = members(&bytes[..directory], &Options::default());
    let expected: Found =
        vec![("in!a".into(), Ok(b"1".to_vec())), ("in!d/b".into(), Ok(content.clone()))];
    assert_eq!(found[..2], expected);
    assert!(matches!(&found[2..], [(name, content)] if name == "in" && is_damaged(content)));
    let found = all(&bytes[..directory - 2000]);
    let [a, b, archive] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((&a.name, &a.content), (&expected[0].0, &expected[0].1));
    let rest = b.content.as_ref().unwrap();
    assert!(b.name == "in!d/b" && content.starts_with(rest) && rest.len() > 1000);
    assert!(b.cut.is_some() && archive.name == "in" && is_damaged(&archive.content));
    // Nothing is made of what no password opens.
    let closed = plain().with_aes_encryption(AesMode::Aes256, "infected");
    let bytes = zip(&[("a", &content, closed)]);
    let found = members(&bytes[..bytes.len() - 60], &Options::default());
    assert!(matches!(found.as_slice(), [(name, content)] if name == "in" && is_damaged(content)));
}

#[test]
fn depth_is_limited_and_its_neighbours_are_read() {
    let limits = Limits { depth: 2, ..Limits::default() };
    let two = gzip(&gzip(b"1"));
    assert_eq!(members(&two, &within(limits)), [("in".into(), Ok(b"1".to_vec()))]);
    let bytes = tar(&[("deep", &two), ("b", b"2")]);
    let expected: Found = vec![
        ("in!deep".into(), Err(MemberError::Limit(Limit::Depth(2)))),
        ("in!b".into(), Ok(b"2".to_vec())),
    ];
    assert_eq!(members(&bytes, &within(limits)), expected);
}

#[test]
fn too_many_members_end_the_archive() {
    let limits = Limits { members: 2, ..Limits::default() };
    for bytes in [
        tar(&[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")]),
        zip(&[("a", b"1", plain()), ("b", b"2", plain()), ("c", b"3", plain())]),
    ] {
        let found = members(&bytes, &within(limits));
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], ("in!b".into(), Ok(b"2".to_vec())));
        assert_eq!(found[2], ("in".into(), Err(MemberError::Limit(Limit::Members(2)))));
    }
}

#[test]
fn a_member_too_large_is_told_and_the_rest_goes_on() {
    let limits = Limits { member_bytes: 10, ..Limits::default() };
    let bytes = zip(&[("a", &[1; 11], plain()), ("b", &[2; 10], plain())]);
    let expected: Found = vec![
        ("in!a".into(), Err(MemberError::Limit(Limit::MemberBytes(10)))),
        ("in!b".into(), Ok(vec![2; 10])),
    ];
    assert_eq!(members(&bytes, &within(limits)), expected);
}

#[test]
fn a_bomb_ends_the_whole_input() {
    let limits = Limits { total_bytes: 15, ..Limits::default() };
    let bytes = zip(&[("a", &[1; 10], plain()), ("b", &[2; 10], plain()), ("c", b"", plain())]);
    let expected: Found = vec![
        ("in!a".into(), Ok(vec![1; 10])),
        ("in!b".into(), Err(MemberError::Limit(Limit::TotalBytes(15)))),
    ];
    assert_eq!(members(&bytes, &within(limits)), expected);
}

#[test]
fn a_ratio_of_hundreds_is_a_bomb() {
    // 65 MiB of zeros are 65 KiB of DEFLATE: beyond both the floor and the ratio.
    let found = members(&gzip(&vec![0; 65 << 20]), &Options::default());
    let expected = MemberError::Limit(Limit::TotalBytes(64 << 20));
    assert_eq!(found, [("in".into(), Err(expected))]);
}

#[test]
fn breaking_ends_the_walk() {
    let mut count = 0;
    walk("in", tar(&[("a", b"1"), ("b", b"2")]), &Options::default(), &mut |_| {
        count += 1;
        ControlFlow::Break(())
    });
    assert_eq!(count, 1);
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let content: Vec<u8> = (0..300_u32).flat_map(|i| (i * i).to_le_bytes()).collect();
    let seeds = vec![
        zip(&[("a", &content, plain()), ("b", b"2", plain())]),
        zip(&[("a", &content, plain().with_aes_encryption(AesMode::Aes128, "infected"))]),
        tar(&[("a", &content), ("b", b"2")]),
        gzip(&content),
        bzip2(&content),
        xz(&content),
        zstd(&content),
        include_bytes!("fixtures/solid.7z").to_vec(),
        include_bytes!("fixtures/apart.7z").to_vec(),
        include_bytes!("fixtures/bcj.7z").to_vec(),
        include_bytes!("fixtures/long.a").to_vec(),
        include_bytes!("fixtures/example.deb").to_vec(),
        include_bytes!("fixtures/ppmd.7z").to_vec(),
        include_bytes!("fixtures/deflate64.zip").to_vec(),
        include_bytes!("fixtures/newc.cpio").to_vec(),
        include_bytes!("fixtures/crc.cpio").to_vec(),
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let cut = any::<Option<prop::sample::Index>>();
    (prop::sample::select(seeds), changes, cut).prop_map(|(mut bytes, changes, cut)| {
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No reader panics, and nothing gives more than is allowed.
    #[test]
    fn damaged_archives_are_contained(bytes in damaged()) {
        let limits = Limits { member_bytes: 1 << 20, total_bytes: 4 << 20, ..Limits::default() };
        let found = members(&bytes, &within(limits));
        let total: usize = found.iter().filter_map(|(_, content)| content.as_ref().ok()).map(Vec::len).sum();
        // The shortest archive without members is the magic number of ar.
        prop_assert!(!found.is_empty() || bytes.len() >= 8);
        prop_assert!(total <= 4 << 20);
    }
}
