//! Decoders and filters on streams made by hand, and on any bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use miyaburi_unpackers::decompress::{DecompressError, Nrv, Unit, deflate, lzma, nrv};
use miyaburi_unpackers::{Limits, filter, upx};
use proptest::prelude::*;

const VARIANTS: [Nrv; 3] = [Nrv::B, Nrv::D, Nrv::E];
const UNITS: [Unit; 3] = [Unit::Bits8, Unit::Bits16, Unit::Bits32];

/// Two literals and the end, in NRV2B with bits by bytes: 1 `a` 1 `b`, 0, then the distance's upper
/// part of 24 pairs of value and stop bit and its lower byte of ones.
fn two_literals() -> Vec<u8> {
    // The upper part counts from 1, and 3 are taken off: 0xffffff + 3 is 1 and 24 bits: 0, ..., 1, 0.
    let value = 0x0100_0002_u32;
    let digits = (0..24).rev().map(|bit| value >> bit & 1);
    let mut bits = vec![1, 1, 0];
    for (index, digit) in digits.enumerate() {
        bits.extend([digit, u32::from(index == 23)]);
    }
    bits.resize(bits.len().next_multiple_of(8), 0);
    let mut bytes: Vec<u8> = bits
        .chunks(8)
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | *bit as u8))
        .collect();
    // Literals lie behind the byte whose bits announce them, the lower byte behind the last one.
    bytes.splice(1..1, *b"ab");
    bytes.push(0xff);
    bytes
}

#[test]
fn a_stream_made_by_hand_is_decoded() {
    let stream = two_literals();
    let decode = |size| nrv(Nrv::B, Unit::Bits8, &stream, size);
    assert_eq!(decode(2), Ok(b"ab".to_vec()));
    assert_eq!(decode(1), Err(DecompressError::TooMuch));
    assert_eq!(decode(3), Err(DecompressError::TooLittle));
    let longer = [&stream[..], &[0]].concat();
    assert_eq!(nrv(Nrv::B, Unit::Bits8, &longer, 2), Err(DecompressError::InputLeft));
    for end in 0..stream.len() {
        let cut = nrv(Nrv::B, Unit::Bits8, &stream[..end], 2);
        assert_eq!(cut, Err(DecompressError::InputEnds), "{end}");
    }
}

#[test]
fn a_match_before_the_begin_is_an_error() {
    // 0: a match; 1 1: the upper part is 3; lower byte 7: eight bytes back, of none; 1 1: its length.
    let stream = [0b0111_1000, 7];
    assert_eq!(nrv(Nrv::B, Unit::Bits8, &stream, 9), Err(DecompressError::Distance));
}

#[test]
fn parameters_of_lzma_have_to_agree() {
    // Position bits 2 and a sum of 3, which is that of no literal position bits and 3 context bits.
    assert_ne!(lzma(&[0x1a, 0x03, 0, 0, 0, 0, 0, 0], 1), Err(DecompressError::Parameters));
    for first in [0x1d, 0x12] {
        let stream = [first, 0x03, 0, 0, 0, 0, 0, 0];
        assert_eq!(lzma(&stream, 1), Err(DecompressError::Parameters));
    }
    assert_eq!(lzma(&[0x1a], 1), Err(DecompressError::InputEnds));
}

#[test]
fn stored_deflate_is_decoded() {
    let stream = [1, 3, 0, 0xfc, 0xff, b'a', b'b', b'c'];
    assert_eq!(deflate(&stream, 3), Ok(b"abc".to_vec()));
    assert_eq!(deflate(&stream, 4), Err(DecompressError::TooLittle));
    assert_eq!(deflate(&stream, 2), Err(DecompressError::TooMuch));
    assert_eq!(deflate(&stream[..6], 3), Err(DecompressError::InputEnds));
}

#[test]
fn calls_and_jumps_of_x86_are_relative_again() {
    // A call at 2 with the target 0x10, a jump at 7 with 0x20 and `jz` at 12 with 0x30, marked with 9.
    let packed =
        *b"\x90\x90\xe8\x09\0\0\x10\xe9\x09\0\0\x20\x0f\x84\x09\0\0\x30\x90\x90\x90\x90\x90\x90";
    let undone = |id| {
        let mut code = packed;
        filter::undo(id, 9, &mut code).unwrap();
        code
    };
    let call = *b"\xe8\x0d\0\0\0";
    let (jump, condition) = (*b"\xe9\x18\0\0\0", *b"\x0f\x84\x22\0\0\0");
    let all = [b"\x90\x90", &call[..], &jump, &condition, &[0x90; 6]].concat();
    // Operands are at 3, 8 and 14.
    assert_eq!(undone(0x49).to_vec(), all);
    assert_eq!(undone(0x46), undone(0x26));
    assert_eq!(undone(0x26)[..12], all[..12]);
    assert_eq!(undone(0x26)[12..], packed[12..]);
    assert_eq!(undone(0x24)[2..7], call);
    assert_eq!(undone(0x24)[7..], packed[7..]);
    assert_eq!(undone(0x25)[..7], packed[..7]);
    assert_eq!(undone(0x25)[7..12], jump);
}

#[test]
fn branches_of_other_cpus_are_relative_again() {
    let undone = |id, code: &[u8]| {
        let mut code = code.to_vec();
        filter::undo(id, 3, &mut code).unwrap();
        code
    };
    // The second instruction calls 0x11 instructions from the begin; the last one is left alone.
    let words = |words: [u32; 3]| words.map(u32::to_le_bytes).concat();
    let arm = undone(0x50, &words([0xe1a0_0000, 0xeb00_0011, 0xeb00_0011]));
    assert_eq!(arm, words([0xe1a0_0000, 0xeb00_0010, 0xeb00_0011]));
    let aarch64 = undone(0x52, &words([0xd503_201f, 0x9400_0011, 0x9400_0011]));
    assert_eq!(aarch64, words([0xd503_201f, 0x9400_0010, 0x9400_0011]));
    let big = |words: [u32; 3]| words.map(u32::to_be_bytes).concat();
    let armeb = undone(0x51, &big([0xe1a0_0000, 0xeb00_0011, 0xeb00_0011]));
    assert_eq!(armeb, big([0xe1a0_0000, 0xeb00_0010, 0xeb00_0011]));
    // Marked with 3 in the upper four bits of the distance; another mark is left alone.
    let powerpc = undone(0xd0, &big([0x6000_0000, 0x48c0_0041, 0x4880_0041]));
    assert_eq!(powerpc, big([0x6000_0000, 0x4800_003d, 0x4880_0041]));
}

#[test]
fn filters_that_are_not_known_are_told() {
    assert_eq!(filter::undo(0x99, 0, &mut [0; 8]), Err(0x99));
    assert_eq!(filter::undo(0, 0, &mut [0xe8; 8]), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_the_demanded_size_or_an_error(
        input in proptest::collection::vec(any::<u8>(), 0..400),
        size in 0_usize..5000,
        id in any::<u8>(),
    ) {
        for variant in VARIANTS {
            for unit in UNITS {
                if let Ok(output) = nrv(variant, unit, &input, size) {
                    prop_assert_eq!(output.len(), size);
                }
            }
        }
        for output in [lzma(&input, size), deflate(&input, size)].into_iter().flatten() {
            prop_assert_eq!(output.len(), size);
        }
        let mut code = input.clone();
        let _ = filter::undo(id, 7, &mut code);
        prop_assert_eq!(code.len(), input.len());
        prop_assert!(upx::unpack(&input, Limits::default()).is_ok());
    }
}
