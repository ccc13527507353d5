//! Runs the decoders and the unpacker on damaged input: `mutate COUNT [SEED]`.
//!
//! Nine of ten cases are compressed blocks of the packed specimens, or noise, in one decoder; the
//! tenth is a whole packed file. Input is damaged in a few bytes, mostly in the numbers around the
//! blocks. A panic ends the run with the case's number; what comes out must have the demanded size.

#![allow(clippy::expect_used, clippy::panic, reason = "a failed case ends the run")]

use std::time::Instant;

use miyaburi_unpackers::decompress::{
    Nrv, Unit, deflate, deflate_beginning, lzma, lzma_beginning, nrv, nrv_beginning,
};
use miyaburi_unpackers::{Limits, filter, upx};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Most bytes of a decoder's input.
const STREAM: usize = 600;

/// Below `limit`, 0 when that is 0.
fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    random.random_range(0..limit.max(1))
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse().expect("a number"));
    let (count, seed) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(1_u64));
    let files = packed_files();
    let (mut unpacked, mut decoded, start) = (0_u64, 0_u64, Instant::now());
    for case in 0..count {
        let mut random = ChaCha8Rng::seed_from_u64(seed << 40 ^ case);
        let mut input = files[below(&mut random, files.len())].clone();
        if case % 10 == 0 {
            damage(&mut input, &mut random, 0x200);
            unpacked += u64::from(unpack(&input));
        } else {
            let (mut stream, size) = stream(&input, &mut random);
            if below(&mut random, 8) != 0 {
                damage(&mut stream, &mut random, 16);
            }
            decoded += u64::from(decode(&stream, size, &mut random));
        }
    }
    println!(
        "{count} cases of seed {seed}: {unpacked} files unpacked, {decoded} streams decoded, \
         no panic, {:.0} s",
        start.elapsed().as_secs_f64()
    );
}

/// The first block of a packed file with its size, or a part of the file with any.
fn stream(file: &[u8], random: &mut ChaCha8Rng) -> (Vec<u8>, usize) {
    if below(random, 2) == 0 {
        let from = below(random, file.len() - STREAM);
        return (file[from..from + below(random, STREAM)].to_vec(), below(random, 4096));
    }
    let magic = magic(file).expect("a magic number");
    let number = |at: usize| {
        let bytes = file[at..at + 4].try_into().expect("four bytes");
        let is_big = file[5] == 2;
        let number = if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        number as usize
    };
    // The block's header is behind the rest of `l_info` and `p_info`.
    let header = magic + 20;
    (file[header + 12..][..number(header + 4)].to_vec(), number(header))
}

fn magic(file: &[u8]) -> Option<usize> {
    file.windows(4).position(|bytes| bytes == b"UPX!")
}

fn packed_files() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specimens/packed");
    let entries = std::fs::read_dir(folder).expect("the packed specimens");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let files = paths.iter().map(|path| std::fs::read(path).expect("a file"));
    files.filter(|file| magic(file).is_some()).collect()
}

/// Overwrites some bytes, one in two among the first `near`; cuts some inputs off.
fn damage(input: &mut Vec<u8>, random: &mut ChaCha8Rng, near: usize) {
    for _ in 0..1 + below(random, 6) {
        let limit = if below(random, 2) == 0 { near.min(input.len()) } else { input.len() };
        let at = below(random, limit);
        if let Some(byte) = input.get_mut(at) {
            *byte = match below(random, 4) {
                0 => 0,
                1 => 0xff,
                _ => random.random(),
            };
        }
    }
    if below(random, 16) == 0 {
        input.truncate(below(random, input.len()));
    }
}

fn unpack(file: &[u8]) -> bool {
    let limits = Limits { output: 1 << 20 };
    let Ok(Some(unpacked)) = upx::unpack(file, limits) else { return false };
    assert!(unpacked.file.len() <= limits.output, "more than allowed");
    true
}

fn decode(stream: &[u8], size: usize, random: &mut ChaCha8Rng) -> bool {
    let unit = [Unit::Bits8, Unit::Bits16, Unit::Bits32][below(random, 3)];
    let method = below(random, 5);
    let decoded = match method {
        0 => nrv(Nrv::B, unit, stream, size),
        1 => nrv(Nrv::D, unit, stream, size),
        2 => nrv(Nrv::E, unit, stream, size),
        3 => lzma(stream, size),
        _ => deflate(stream, size),
    };
    let cut = &stream[..below(random, stream.len())];
    let beginning = match method {
        0 => nrv_beginning(Nrv::B, unit, cut, size),
        1 => nrv_beginning(Nrv::D, unit, cut, size),
        2 => nrv_beginning(Nrv::E, unit, cut, size),
        3 => lzma_beginning(cut, size),
        _ => deflate_beginning(cut, size),
    };
    if let (Ok(whole), Ok(beginning)) = (&decoded, &beginning) {
        assert!(whole.starts_with(beginning), "the beginning of something else");
    }
    let mut code = stream.to_vec();
    // A filter that is not known is no failure here.
    let _ = filter::undo(random.random(), random.random(), &mut code);
    assert_eq!(code.len(), stream.len(), "a filter changes no size");
    let Ok(decoded) = decoded else { return false };
    assert_eq!(decoded.len(), size, "another size than demanded");
    true
}
