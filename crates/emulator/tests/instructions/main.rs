//! Instructions that the emulator or a specification once got wrong, each in a few bytes of code.
//! Expected values follow from the instruction sets' manuals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod arm;
mod sparc;
mod x86;

use miyaburi_emulator::{Abi, Emulator, Exit, Limits, NoHooks};
use miyaburi_image::{Address, Image};
use support::{CODE, elf};

/// A CPU by its ELF header: machine, 64 bits, big endian, flags; and whether code is Thumb.
struct Cpu(u16, bool, bool, u32, bool);

const X86_64: Cpu = Cpu(62, true, false, 0, false);
const X86: Cpu = Cpu(3, false, false, 0, false);
const AARCH64: Cpu = Cpu(183, true, false, 0, false);
const ARM: Cpu = Cpu(40, false, false, 0x0500_0000, false);
const THUMB: Cpu = Cpu(40, false, false, 0x0500_0000, true);
const M68K: Cpu = Cpu(4, false, true, 0, false);
const COLDFIRE: Cpu = Cpu(4, false, true, 0x0000_8065, false);
const MIPS: Cpu = Cpu(8, false, true, 0x5000_1000, false);
const SPARC: Cpu = Cpu(2, false, true, 0, false);
const SPARC_V8_PLUS: Cpu = Cpu(18, false, true, 0x100, false);
const SUPERH: Cpu = Cpu(42, false, false, 9, false);
const POWERPC: Cpu = Cpu(20, false, true, 0, false);
const RISCV: Cpu = Cpu(243, true, false, 5, false);

/// What the code returns for the arguments.
fn result(cpu: &Cpu, code: &[u8], arguments: &[u64]) -> u64 {
    let Cpu(machine, wide, big, flags, thumb) = *cpu;
    let mut file = elf(machine, wide, big, code);
    let at = if wide { 48 } else { 36 };
    let flags = if big { flags.to_be_bytes() } else { flags.to_le_bytes() };
    file[at..at + 4].copy_from_slice(&flags);
    let image = Image::parse(&file).unwrap();
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let abi = Abi::new(image.arch(), &*language).unwrap();
    let mut emulator = Emulator::new(&image, &*language, abi);
    let mut state = emulator.bare_state(256);
    let function = (Address(CODE), emulator.context(thumb));
    let limits = Limits { undo: false, ..Limits::default() };
    let outcome = emulator.call(&mut state, function, arguments, &mut NoHooks, &limits);
    assert_eq!(outcome.exit, Exit::Returned);
    outcome.result
}

fn words(code: &[u32]) -> Vec<u8> {
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn big_words(code: &[u32]) -> Vec<u8> {
    code.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[test]
fn m68k_subx_overflows_by_its_borrow() {
    // move.l 4(sp),d0; move.l 8(sp),d1; moveq #0,d2; moveq #1,d3; sub.l d3,d2; subx.l d1,d0;
    // svs d0; andi.l #1,d0; rts
    let code = [
        0x20, 0x2f, 0x00, 0x04, 0x22, 0x2f, 0x00, 0x08, 0x74, 0x00, 0x76, 0x01, 0x94, 0x83, 0x91,
        0x81, 0x59, 0xc0, 0x02, 0x80, 0x00, 0x00, 0x00, 0x01, 0x4e, 0x75,
    ];
    assert_eq!(result(&M68K, &code, &[0x8000_0000, 0]), 1);
    assert_eq!(result(&M68K, &code, &[5, 3]), 0);
}

#[test]
fn coldfire_remainder_leaves_the_dividend() {
    // move.l 4(sp),d0; move.l 8(sp),d1; remu.l d1,d2:d0; rts
    let code = [0x20, 0x2f, 0x00, 0x04, 0x22, 0x2f, 0x00, 0x08, 0x4c, 0x41, 0x00, 0x02, 0x4e, 0x75];
    assert_eq!(result(&COLDFIRE, &code, &[100, 7]), 100);
}

#[test]
fn coldfire_mvz_sets_the_flags() {
    // moveq #1,d0; mvz.b 7(sp),d1; beq.s +2; moveq #2,d0; rts
    let code = [0x70, 0x01, 0x73, 0xaf, 0x00, 0x07, 0x67, 0x02, 0x70, 0x02, 0x4e, 0x75];
    assert_eq!(result(&COLDFIRE, &code, &[0x100]), 1);
    assert_eq!(result(&COLDFIRE, &code, &[0x105]), 2);
}

#[test]
fn mips_callee_finds_t9_as_its_caller_left_it() {
    // move t0,ra; addiu t9,zero,0x77; bal f; nop; move ra,t0; jr ra; move v0,t9; f: jr ra; nop
    let code = big_words(&[
        0x03e0_4025,
        0x2419_0077,
        0x0411_0004,
        0,
        0x0100_f825,
        0x03e0_0008,
        0x0320_1025,
        0x03e0_0008,
        0,
    ]);
    assert_eq!(result(&MIPS, &code, &[]), 0x77);
}

#[test]
fn mips_comparisons_have_conditions_of_their_own() {
    // mtc1 a0,f0; mtc1 a1,f2; c.eq.s fcc1,f0,f2; c.eq.s f0,f0; addiu v0,zero,1;
    // movf v0,zero,fcc1; jr ra; nop
    let code = big_words(&[
        0x4484_0000,
        0x4485_1000,
        0x4602_0132,
        0x4600_0032,
        0x2402_0001,
        0x0004_1001,
        0x03e0_0008,
        0,
    ]);
    assert_eq!(result(&MIPS, &code, &[0x3f80_0000, 0x4000_0000]), 0);
    assert_eq!(result(&MIPS, &code, &[0x4000_0000, 0x4000_0000]), 1);
}

#[test]
fn powerpc_conditional_store_stores() {
    // lis r4,1; ori r4,r4,0x800; lwarx r5,0,r4; stwcx. r3,0,r4; lwz r3,0(r4); blr
    let code = [0x3c80_0001, 0x6084_0800, 0x7ca0_2028, 0x7c60_212d, 0x8064_0000, 0x4e80_0020];
    assert_eq!(result(&POWERPC, &big_words(&code), &[0x1234_5678]), 0x1234_5678);
}

#[test]
fn superh_functions_begin_in_double_precision() {
    // lds r4,fpul; float fpul,dr0; lds r5,fpul; float fpul,dr2; fmul dr2,dr0; ftrc dr0,fpul; rts;
    // sts fpul,r0
    let code = [
        0x5a, 0x44, 0x2d, 0xf0, 0x5a, 0x45, 0x2d, 0xf2, 0x22, 0xf0, 0x3d, 0xf0, 0x0b, 0x00, 0x5a,
        0x00,
    ];
    assert_eq!(result(&SUPERH, &code, &[16_777_217, 3]), 50_331_651);
}

#[test]
fn riscv_conversion_reaches_its_register() {
    // fcvt.d.l fa5,a0; li a0,0; fcvt.w.d a0,fa5,rtz; ret
    let code = words(&[0xd225_77d3, 0x0000_0513, 0xc207_9553, 0x0000_8067]);
    assert_eq!(result(&RISCV, &code, &[-5_i64 as u64]), -5_i64 as u64);
}

#[test]
fn riscv_conversion_rounds_as_the_instruction_says() {
    // fcvt.d.l fa5,a0; li a1,2; fcvt.d.l fa4,a1; fdiv.d fa5,fa5,fa4; fcvt.l.d a0,fa5,rup; ret
    let code =
        words(&[0xd225_77d3, 0x0020_0593, 0xd225_f753, 0x1ae7_f7d3, 0xc227_b553, 0x0000_8067]);
    assert_eq!(result(&RISCV, &code, &[3]), 2);
}

#[test]
fn barriers_do_nothing() {
    let mips = big_words(&[0x0080_1025, 0x0000_000f, 0x03e0_0008, 0]); // move v0,a0; sync; jr ra
    assert_eq!(result(&MIPS, &mips, &[7]), 7);
    // str w0,[sp,#-16]!; ldaddal w1,w2,[sp]; ldr w0,[sp],#16; add w0,w0,w2; ret
    let code = words(&[0xb81f_0fe0, 0xb8e1_03e2, 0xb841_07e0, 0x0b02_0000, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[5, 7]), 17);
}

#[test]
fn powerpc_dcbz_fills_its_block_with_zeros_and_nothing_beside_it() {
    // stwu r1,-128(r1); addi r4,r1,64; clrrwi r4,r4,5; stw r3 to -4, 0, 28 and 32 of r4;
    // addi r5,r4,20; dcbz 0,r5; the sum of all four words; addi r1,r1,128; blr
    let code = [
        0x9421_ff80,
        0x3881_0040,
        0x5484_0034,
        0x9064_fffc,
        0x9064_0000,
        0x9064_001c,
        0x9064_0020,
        0x38a4_0014,
        0x7c00_2fec,
        0x80c4_0000,
        0x80e4_001c,
        0x8104_fffc,
        0x8124_0020,
        0x7c68_4a14,
        0x7cc6_3b78,
        0x7c63_3214,
        0x3821_0080,
        0x4e80_0020,
    ];
    assert_eq!(result(&POWERPC, &big_words(&code), &[5]), 10);
}
