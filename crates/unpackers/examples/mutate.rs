//! Runs the decoders and the unpacker on damaged input: `mutate COUNT [SEED]`.
//!
//! Nine of ten cases are compressed blocks of the packed specimens, or noise, in one decoder; the
//! tenth is a whole packed file. Input is damaged in a few bytes, mostly in the numbers around the
//! blocks. A panic ends the run with the case's number; what comes out must have the demanded size.

#![allow(clippy::expect_used, clippy::panic, reason = "a failed case ends the run")]

use std::time::Instant;

use miyaburi_unpackers::decompress::{Nrv, Unit, deflate, lzma, nrv};
use miyaburi_unpackers::{Limits, filter, upx};

/// Most bytes of a decoder's input.
const STREAM: usize = 600;

/// Numbers that follow from a seed (Steele's SplitMix).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse().expect("a number"));
    let (count, seed) = (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(1_u64));
    let files = packed_files();
    let (mut unpacked, mut decoded, start) = (0_u64, 0_u64, Instant::now());
    for case in 0..count {
        let mut random = Random(seed << 40 ^ case);
        let mut input = files[random.below(files.len())].clone();
        if case % 10 == 0 {
            damage(&mut input, &mut random, 0x200);
            unpacked += u64::from(unpack(&input));
        } else {
            let (mut stream, size) = stream(&input, &mut random);
            if random.below(8) != 0 {
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
fn stream(file: &[u8], random: &mut Random) -> (Vec<u8>, usize) {
    if random.below(2) == 0 {
        let from = random.below(file.len() - STREAM);
        return (file[from..from + random.below(STREAM)].to_vec(), random.below(4096));
    }
    let magic = file.windows(4).position(|bytes| bytes == b"UPX!").expect("a magic number");
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

fn packed_files() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specimens/packed");
    let entries = std::fs::read_dir(folder).expect("the packed specimens");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().contains("upx"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

/// Overwrites some bytes, one in two among the first `near`; cuts some inputs off.
fn damage(input: &mut Vec<u8>, random: &mut Random, near: usize) {
    for _ in 0..1 + random.below(6) {
        let limit = if random.below(2) == 0 { near.min(input.len()) } else { input.len() };
        let at = random.below(limit);
        if let Some(byte) = input.get_mut(at) {
            *byte = match random.below(4) {
                0 => 0,
                1 => 0xff,
                _ => random.next() as u8,
            };
        }
    }
    if random.below(16) == 0 {
        input.truncate(random.below(input.len()));
    }
}

fn unpack(file: &[u8]) -> bool {
    let limits = Limits { output: 1 << 20 };
    let Ok(Some(unpacked)) = upx::unpack(file, limits) else { return false };
    assert!(unpacked.file.len() <= limits.output, "more than allowed");
    true
}

fn decode(stream: &[u8], size: usize, random: &mut Random) -> bool {
    let unit = [Unit::Bits8, Unit::Bits16, Unit::Bits32][random.below(3)];
    let decoded = match random.below(5) {
        0 => nrv(Nrv::B, unit, stream, size),
        1 => nrv(Nrv::D, unit, stream, size),
        2 => nrv(Nrv::E, unit, stream, size),
        3 => lzma(stream, size),
        _ => deflate(stream, size),
    };
    let mut code = stream.to_vec();
    // A filter that is not known is no failure here.
    let _ = filter::undo(random.next() as u8, random.next() as u8, &mut code);
    assert_eq!(code.len(), stream.len(), "a filter changes no size");
    let Ok(decoded) = decoded else { return false };
    assert_eq!(decoded.len(), size, "another size than demanded");
    true
}
