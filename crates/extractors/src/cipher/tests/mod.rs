//! Ciphers are recognised on samples that each test encodes itself, or on published ones.

#![allow(clippy::unwrap_used)]

mod blocks;
mod bytewise;
mod hostile;
mod streams;

use super::{Cipher, Coding, Material, Sample, recognise};
use miyaburi_image::{Address, Endian};

/// Texts as a table has them, each with its NUL.
const TEXTS: [&str; 8] = [
    "/bin/busybox MIYABURI\0",
    "net.amber.example.com\0",
    "shell\0",
    "assword\0",
    "TSource Engine Query\0",
    "Content-Type: application/x-www-form-urlencoded\0",
    "/proc/\0",
    "(deleted)\0",
];

/// Material of nothing but regions.
fn material(regions: &[(Address, Vec<u8>)]) -> Material<'_> {
    Material { regions, reads: &[], constants: &[], writes_identity: false, endian: Endian::Little }
}

/// Nothing is known besides the samples.
fn nothing() -> Material<'static> {
    material(&[])
}

/// Samples of the texts, each encoded by itself.
fn samples(encode: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Sample> {
    let sample = |text: &&str| Sample {
        encoded: encode(text.as_bytes()),
        decoded: text.as_bytes().to_vec(),
    };
    TEXTS.iter().map(sample).collect()
}

/// Bytes without any order (xorshift64).
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// A key in the middle of other constants, and where it begins.
fn among_noise(key: &[u8]) -> (Vec<(Address, Vec<u8>)>, Address) {
    let region = [noise(71, 28), key.to_vec(), noise(72, 41)].concat();
    (vec![(Address(0x2000), noise(73, 12)), (Address(0x8000), region)], Address(0x8000 + 28))
}

fn digits<const N: usize>(digits: &str) -> [u8; N] {
    let digits: Vec<u8> =
        digits.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().unwrap()
}

#[test]
fn random_bytes_are_no_cipher() {
    for seed in 0..64 {
        let noisy: Vec<Sample> = (0..6)
            .map(|index| Sample {
                encoded: noise(1000 * seed + index, 32),
                decoded: noise(1000 * seed + index + 500, 32),
            })
            .collect();
        let regions = [(Address(0x1000), noise(seed + 7, 96))];
        assert_eq!(recognise(&noisy, &material(&regions)), Coding::of(Cipher::Unknown));
    }
}

#[test]
fn nothing_shows_nothing() {
    assert_eq!(recognise(&[], &nothing()), Coding::of(Cipher::Unknown));
    let empty = [Sample { encoded: Vec::new(), decoded: Vec::new() }];
    assert_eq!(recognise(&empty, &nothing()), Coding::of(Cipher::Unknown));
    let only_nul = [Sample { encoded: vec![0x22], decoded: vec![0] }];
    assert_eq!(recognise(&only_nul, &nothing()), Coding::of(Cipher::Unknown));
}
