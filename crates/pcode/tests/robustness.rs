//! No input makes a lifter panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::Address;
use miyaburi_pcode::{Instruction, LiftError, Opcode};
use support::{BASE, MODES};

/// Random bytes of one mode.
const LENGTH: usize = 64 << 10;

/// xorshift64*: bytes that are the same in every run.
fn random_bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn random_bytes_never_panic() {
    for (seed, mode) in (1..).zip(MODES) {
        let language = mode.language();
        let mut context = mode.context(&*language);
        let mut lifter = language.lifter();
        let bytes = random_bytes(seed, LENGTH);
        let mut instruction = Instruction::default();
        let mut lifted = 0_u32;
        for offset in (0..LENGTH as u64).step_by(if mode.name.starts_with("x86") { 1 } else { 2 }) {
            let address = BASE.offset(offset);
            let code = (BASE, bytes.as_slice());
            match lifter.lift(&code, address, context, &mut instruction) {
                Ok(()) => {
                    lifted += 1;
                    assert!(instruction.own_length > 0 && instruction.length < 64);
                    context = instruction.context_at(address.offset(instruction.length.into()));
                }
                Err(error) => {
                    assert!(instruction.ops.is_empty());
                    assert_ne!(error, LiftError::Unmapped(address));
                    context = mode.context(&*language);
                }
            }
            // Text needs no semantics, so that it may succeed where lifting does not.
            let _ = lifter.disassemble(&code, address, context);
        }
        assert!(lifted > 1000, "{}: {lifted}", mode.name);
    }
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_instruction() {
    for (seed, mode) in (100..).zip(MODES) {
        let language = mode.language();
        let context = mode.context(&*language);
        let mut lifter = language.lifter();
        let mut instruction = Instruction::default();
        for sample in random_bytes(seed, 4096).chunks_exact(16) {
            for end in 0..sample.len() {
                let code = (BASE, &sample[..end]);
                match lifter.lift(&code, BASE, context, &mut instruction) {
                    Ok(()) => assert!(instruction.length as usize <= end, "{}", mode.name),
                    Err(LiftError::Unmapped(at)) => {
                        assert!(at.0 >= BASE.0 + end as u64, "{}", mode.name);
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

/// What bytes mean does not depend on how close the end of the address space is.
#[test]
fn instructions_at_the_end_of_the_space_are_those_of_elsewhere() {
    for (seed, mode) in (200..).zip(MODES) {
        let language = mode.language();
        let context = mode.context(&*language);
        let mut lifter = language.lifter();
        let mut instruction = Instruction::default();
        let is_wide = matches!(mode.name, "x86-64" | "aarch64" | "riscv64");
        let end = if is_wide { 0xffff_ffff_ffff_fff0 } else { 0xffff_fff0 };
        let mut lifted = 0;
        for sample in random_bytes(seed, 1 << 12).chunks_exact(64) {
            let mut shape = |base: u64| {
                let outcome =
                    lifter.lift(&(Address(base), sample), Address(base), context, &mut instruction);
                let opcodes: Vec<_> = instruction.ops.iter().map(|op| op.opcode).collect();
                outcome.is_ok().then_some((instruction.length, opcodes))
            };
            let elsewhere = shape(BASE.0);
            lifted += u32::from(elsewhere.is_some());
            assert_eq!(shape(end), elsewhere, "{}: {sample:x?}", mode.name);
        }
        assert!(lifted > 10, "{}: {lifted}", mode.name);
    }
}

#[test]
fn a_jump_over_the_end_of_the_space_goes_to_its_start() {
    // jmp 0x20 bytes on
    let code = [0xeb, 0x1e];
    for (name, base) in [("x86", 0xffff_fff0), ("x86-64", 0xffff_ffff_ffff_fff0)] {
        let mode = MODES.iter().find(|mode| mode.name == name).unwrap();
        let language = mode.language();
        let context = mode.context(&*language);
        let mut instruction = Instruction::default();
        let code = (Address(base), code.as_slice());
        language.lifter().lift(&code, Address(base), context, &mut instruction).unwrap();
        let jump = instruction.ops.last().unwrap();
        assert_eq!(jump.opcode, Opcode::BRANCH);
        assert_eq!(jump.inputs()[0].offset, 0x10, "{name}");
    }
}

/// Lifters remember what they have seen. Code that differs from it in a bit finds out whether that
/// bit matters.
#[test]
fn what_a_lifter_has_seen_changes_nothing() {
    for (seed, mode) in (200..).zip(MODES) {
        let language = mode.language();
        let context = mode.context(&*language);
        let mut used = language.lifter();
        let (mut seen, mut fresh) = (Instruction::default(), Instruction::default());
        for sample in random_bytes(seed, 1600).chunks_exact(16) {
            for bit in 0..48 {
                let mut bytes = sample.to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let address = BASE.offset(bit as u64 * 16);
                let code = (address, bytes.as_slice());
                let outcome = used.lift(&code, address, context, &mut seen);
                let expected = language.lifter().lift(&code, address, context, &mut fresh);
                assert_eq!(outcome, expected, "{}: {bytes:x?}", mode.name);
                assert_eq!(seen.ops, fresh.ops, "{}: {bytes:x?}", mode.name);
                assert_eq!(seen.length, fresh.length, "{}: {bytes:x?}", mode.name);
                assert_eq!(seen.own_length, fresh.own_length, "{}: {bytes:x?}", mode.name);
                assert_eq!(seen.prescribed, fresh.prescribed, "{}: {bytes:x?}", mode.name);
                assert_eq!(seen.successor_context, fresh.successor_context, "{}", mode.name);
            }
        }
    }
}
