//! Calls between instruction sets, and code in another byte order than data.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use miyaburi_emulator::{Exit, Limits};
use miyaburi_image::Image;
use support::{Program, call, elf};

const MIPS: u16 = 8;
const ARM: u16 = 40;

/// Where `e_flags` of a 32-bit file are.
const FLAGS: usize = 36;

/// What the function at the start of a big-endian file returns.
fn result(machine: u16, flags: u32, code: &[u8]) -> u64 {
    let mut file = elf(machine, false, true, code);
    file[FLAGS..FLAGS + 4].copy_from_slice(&flags.to_be_bytes());
    let image = Image::parse(&file).unwrap();
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program { image, language };
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let outcome = call(&mut emulator, &mut state, 0, &[], &Limits::default());
    assert_eq!(outcome.exit, Exit::Returned);
    outcome.result
}

#[test]
fn mips_code_calls_mips16_code_which_returns() {
    let words: [u32; 8] = [
        0x03e0_4025, // move t0, ra
        0x7400_4008, // jalx 0x10020
        0,           // nop
        0x2442_0001, // addiu v0, v0, 1
        0x0100_0008, // jr t0
        0,           // nop
        0,
        0,
    ];
    let mut code: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    // li v0, 7; jr ra; addiu v0, 8
    code.extend([0x6a, 0x07, 0xe8, 0x20, 0x4a, 0x08]);
    assert_eq!(result(MIPS, 0x5400_1000, &code), 7 + 8 + 1);
}

#[test]
fn be8_code_is_little_endian_and_its_data_big_endian() {
    let words: [u32; 6] = [
        0xe1a0_400e, // mov r4, lr
        0xeb00_0001, // bl f
        0xe12f_ff14, // bx r4
        0xe1a0_0000, // nop
        0xe59f_0000, // f: ldr r0, [pc]
        0xe12f_ff1e, // bx lr
    ];
    let mut code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    code.extend([0x12, 0x34, 0x56, 0x78]);
    // EF_ARM_EABI_VER5 and EF_ARM_BE8
    assert_eq!(result(ARM, 0x0580_0000, &code), 0x1234_5678);
}
