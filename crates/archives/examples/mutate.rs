//! Runs the archive readers and the carver on damaged input: `mutate COUNT [SEED]`.
//!
//! Cases are the archives of the tests' fixtures, some within others, and blobs with programs in them,
//! damaged in a few bytes, cut off, or one joined to another. A panic ends the run with the case's
//! number; no case may give more bytes or members than it is allowed.

#![allow(clippy::expect_used, clippy::panic, reason = "a failed case ends the run")]

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use miyaburi_archives::{Format, Limits, Member, Options, walk};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What one case may give.
const LIMITS: Limits =
    Limits { depth: 4, members: 200, member_bytes: 1 << 20, total_bytes: 4 << 20, ratio: 100 };

/// Bytes of programs in an archive.
const SIZE: usize = 12_000;

/// Below `limit`, 0 when that is 0.
fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    random.random_range(0..limit.max(1))
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse().expect("a number"));
    let (count, seed) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(1_u64));
    let seeds = seeds();
    let (mut given, mut refused, start) = (0_u64, 0_u64, Instant::now());
    for case in 0..count {
        let mut random = ChaCha8Rng::seed_from_u64(seed << 40 ^ case);
        let mut input = seeds[below(&mut random, seeds.len())].clone();
        if below(&mut random, 8) == 0 {
            input.extend_from_slice(&seeds[below(&mut random, seeds.len())]);
        }
        damage(&mut input, &mut random);
        let (members, errors) = read(input, below(&mut random, 2) == 0);
        given += members;
        refused += errors;
    }
    println!(
        "{count} cases of seed {seed}: {given} members read, {refused} refused, no panic, {:.0} s",
        start.elapsed().as_secs_f64()
    );
}

/// Archives of every format, compressed ones within another, and a blob of two programs.
fn seeds() -> Vec<Vec<u8>> {
    let below = |folder: &str| {
        let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths.into_iter().map(|path| std::fs::read(path).expect("a file"))
    };
    let mut seeds: Vec<Vec<u8>> = below("tests/fixtures").collect();
    seeds.retain(|bytes| Format::of(bytes).is_some());
    let programs: Vec<Vec<u8>> = below("../../specimens/examples").take(2).collect();
    let within = programs.concat().get(..SIZE).expect("two programs").to_vec();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&seeds.concat()).expect("memory");
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&within).expect("memory");
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0))
        .expect("a preset");
    xz.write_all(&within).expect("memory");
    let zstd = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(within.as_slice(), zstd);
    seeds.extend([
        gzip.finish().expect("memory"),
        bzip2.finish().expect("memory"),
        xz.finish().expect("memory"),
        zstd,
        zip(&within),
        tar(&within),
        [b"flash".as_slice(), &within, &programs[0][..SIZE]].concat(),
    ]);
    seeds
}

fn zip(content: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default();
    for (name, options) in [
        ("a/plain", plain),
        ("aes", plain.with_aes_encryption(zip::AesMode::Aes256, "infected")),
        ("open", plain),
    ] {
        writer.start_file(name, options).expect("memory");
        writer.write_all(&content[..SIZE / 4]).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

fn tar(content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for name in ["a", "dir/b"] {
        let mut header = tar::Header::new_gnu();
        header.set_size((SIZE / 4) as u64);
        header.set_cksum();
        builder.append_data(&mut header, name, &content[..SIZE / 4]).expect("memory");
    }
    builder.into_inner().expect("memory")
}

/// Overwrites some bytes, half of them near the beginning or the end, where formats have their
/// tables; cuts some inputs off.
fn damage(input: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..below(random, 6) {
        let at = match below(random, 4) {
            0 => below(random, input.len().min(128)),
            1 => input.len() - 1 - below(random, input.len().min(128)),
            _ => below(random, input.len()),
        };
        input[at] = match below(random, 4) {
            0 => 0,
            1 => 0xff,
            _ => random.random(),
        };
    }
    if below(random, 8) == 0 {
        input.truncate(1 + below(random, input.len()));
    }
}

/// Members and refusals that come of one case.
fn read(input: Vec<u8>, carve: bool) -> (u64, u64) {
    // One password: each costs thousands of hashes.
    let passwords = vec!["infected".to_owned()];
    let (mut members, mut errors, mut bytes) = (0, 0, 0);
    let size = input.len();
    walk("in", input, &Options { passwords, limits: LIMITS, carve }, &mut |member: Member| {
        match member.content {
            Ok(content) => (members, bytes) = (members + 1, bytes + content.len()),
            Err(_) => errors += 1,
        }
        ControlFlow::Continue(())
    });
    assert!(bytes as u64 <= LIMITS.total_bytes + size as u64, "more bytes than allowed");
    assert!(members <= LIMITS.members, "more members than allowed");
    (members, errors)
}
