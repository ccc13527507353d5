//! Calls between instruction sets, and code in another byte order than data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{CallKind, Origin, Program};
use miyaburi_image::{Address, Endian};
use support::{ARMEB, CODE, MIPS, Machine, image};

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
    let image = image(Machine { flags: 0x5400_1000, ..MIPS }, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let found: Vec<_> = program
        .functions()
        .iter()
        .map(|function| (function.entry.0 - CODE, function.origin, function.returns))
        .collect();
    assert_eq!(found, [(0, Origin::Entry, true), (0x20, Origin::Call, true)]);
    let [callee] = [program.function_at(Address(CODE + 0x20)).unwrap()];
    let site = program.callers(callee).next().unwrap();
    assert_eq!((site.address, site.kind), (Address(CODE + 4), CallKind::Direct));
    assert_eq!(program.function(callee).unwrap().end(), Address(CODE + 0x26));
    assert_ne!(program.context_of(callee), program.context_of(site.caller));
}

#[test]
fn be8_code_is_little_endian_and_its_data_big_endian() {
    let words: [u32; 8] = [
        0xe52d_e004, // push {lr}
        0xe59f_0008, // ldr r0, [pc, #8]
        0xeb00_0002, // bl f
        0xe49d_f004, // pop {pc}
        0xe1a0_0000, // nop
        0x7856_3412, // the literal, as little-endian word
        0xe280_0001, // f: add r0, r0, #1
        0xe12f_ff1e, // bx lr
    ];
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    // EF_ARM_EABI_VER5 and EF_ARM_BE8
    let image = image(Machine { flags: 0x0580_0000, ..ARMEB }, &code, &[0; 16]);
    assert_eq!(image.arch().endian, Endian::Big);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let callee = program.function_at(Address(CODE + 0x18)).unwrap();
    let site = program.callers(callee).next().unwrap();
    assert_eq!(site.address, Address(CODE + 8));
    let values = program.values(site.caller).unwrap();
    assert_eq!(values.argument(site.address, 0).constant(), Some(0x1234_5678));
    assert!(program.functions().iter().all(|function| function.returns));
}
