//! Instructions that the emulator or a specification once got wrong, each in a few bytes of code.
//! Expected values follow from the instruction sets' manuals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_emulator::{Abi, Emulator, Exit, Limits, NoHooks};
use miyaburi_image::{Address, Image};
use support::{CODE, Program, elf};

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
fn aarch64_ldpsw_loads_neighbouring_words() {
    // sub sp,sp,#16; stp w0,w1,[sp]; ldpsw x2,x3,[sp]; add sp,sp,#16; add x0,x2,x3; ret
    let code =
        words(&[0xd100_43ff, 0x2900_07e0, 0x6940_0fe2, 0x9100_43ff, 0x8b03_0040, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[5, 7]), 12);
    assert_eq!(result(&AARCH64, &code, &[0xffff_ffff, 2]), 1);
}

#[test]
fn aarch64_addv_leaves_nothing_but_the_sum() {
    // fmov d1,x0; cnt v1.8b,v1.8b; addv b1,v1.8b; fmov x0,d1; ret
    let code = words(&[0x9e67_0001, 0x0e20_5821, 0x0e31_b821, 0x9e66_0020, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[0xff01_0000_0000_ff01]), 18);
}

#[test]
fn aarch64_single_fmadd_adds_its_third_source() {
    // scvtf s0,w0; scvtf s1,w1; fmov s2,#10; fmadd s2,s0,s1,s2; fcvtzs x0,s2; ret
    let code =
        words(&[0x1e22_0000, 0x1e22_0021, 0x1e24_9002, 0x1f01_0802, 0x9e38_0040, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[3, 4]), 22);
}

#[test]
fn aarch64_fcvtms_rounds_down() {
    // scvtf d0,x0; fmov d1,#2; fdiv d0,d0,d1; fcvtms x0,d0; ret
    let code = words(&[0x9e62_0000, 0x1e60_1001, 0x1e61_1800, 0x9e70_0000, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[-3_i64 as u64]), -2_i64 as u64);
    assert_eq!(result(&AARCH64, &code, &[3]), 1);
}

#[test]
fn aarch64_ext_takes_bytes_across_two_registers() {
    // fmov d0,x0; fmov d1,x1; ext v0.8b,v0.8b,v1.8b,#3; fmov x0,d0; ret
    let code = words(&[0x9e67_0000, 0x9e67_0021, 0x2e01_1800, 0x9e66_0000, 0xd65f_03c0]);
    let arguments = [0x8877_6655_4433_2211, 0x00ff_eedd_ccbb_aa99];
    assert_eq!(result(&AARCH64, &code, &arguments), 0xbbaa_9988_7766_5544);
}

#[test]
fn thumb_shift_by_32_carries_the_sign_alone() {
    // ands.w r2,r1,r0,asr #32; mov.w r0,#0; adc r0,r0,#0; bx lr
    let code = [0x11, 0xea, 0x20, 0x02, 0x4f, 0xf0, 0x00, 0x00, 0x40, 0xf1, 0x00, 0x00, 0x70, 0x47];
    assert_eq!(result(&THUMB, &code, &[0x8000_0000, 1]), 1);
    assert_eq!(result(&THUMB, &code, &[0x4000_0000, 1]), 0);
}

#[test]
fn thumb_ssat_keeps_the_width_it_names() {
    let code = [0x00, 0xf3, 0x07, 0x00, 0x70, 0x47]; // ssat r0,#8,r0; bx lr
    assert_eq!(result(&THUMB, &code, &[200]), 127);
    assert_eq!(result(&THUMB, &code, &[0xffff_ff00]), 0xffff_ff80);
    assert_eq!(result(&THUMB, &code, &[100]), 100);
}

#[test]
fn an_unsigned_width_of_nothing_leaves_nothing() {
    let bx = 0xe12f_ff1e;
    // usat r0,#0,r0; usat r0,#31,r0
    for (width, expected) in [(0, 0), (31, 5)] {
        let code = words(&[0xe6e0_0010 | width << 16, bx]);
        assert_eq!(result(&ARM, &code, &[5]), expected);
        assert_eq!(result(&ARM, &code, &[0xffff_fffb]), 0);
    }
}

#[test]
fn both_halves_are_saturated() {
    let bx = 0xe12f_ff1e;
    // ssat16 r0,#8,r0; usat16 r0,#8,r0; each with bx lr
    let signed = words(&[0xe6a7_0f30, bx]);
    let unsigned = words(&[0xe6e8_0f30, bx]);
    let thumb_signed = [0x20, 0xf3, 0x07, 0x00, 0x70, 0x47];
    let thumb_unsigned = [0xa0, 0xf3, 0x08, 0x00, 0x70, 0x47];
    // 256 and -256; 5 and -5
    for (halves, expected) in [(0x0100_ff00, 0x007f_ff80), (0x0005_fffb, 0x0005_fffb)] {
        assert_eq!(result(&ARM, &signed, &[halves]), expected);
        assert_eq!(result(&THUMB, &thumb_signed, &[halves]), expected);
    }
    for (halves, expected) in [(0x0100_ff00, 0x00ff_0000), (0x00ff_0005, 0x00ff_0005)] {
        assert_eq!(result(&ARM, &unsigned, &[halves]), expected);
        assert_eq!(result(&THUMB, &thumb_unsigned, &[halves]), expected);
    }
}

#[test]
fn thumb_msr_takes_flags_from_its_register() {
    // msr APSR_nzcvq,r1; mov.w r0,#0; adc r0,r0,#0; bx lr
    let code = [0x81, 0xf3, 0x00, 0x88, 0x4f, 0xf0, 0x00, 0x00, 0x40, 0xf1, 0x00, 0x00, 0x70, 0x47];
    assert_eq!(result(&THUMB, &code, &[0, 0x2000_0000]), 1);
    assert_eq!(result(&THUMB, &code, &[0x2000_0000, 0]), 0);
}

#[test]
fn arm_qadd_saturates() {
    let code = words(&[0xe101_0050, 0xe12f_ff1e]); // qadd r0,r0,r1; bx lr
    assert_eq!(result(&ARM, &code, &[0x7fff_fff0, 0x100]), 0x7fff_ffff);
    assert_eq!(result(&ARM, &code, &[0x8000_0000, 0xffff_ffff]), 0x8000_0000);
    assert_eq!(result(&ARM, &code, &[5, 7]), 12);
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
fn sparc_fdtoi_gives_a_single_register() {
    // st o0,[sp+68]; ld [sp+68],f2; fitod f2,f4; fdtoi f4,f6; st f6,[sp+68]; retl;
    // ld [sp+68],o0
    let code = big_words(&[
        0xd023_a044,
        0xc503_a044,
        0x89a0_1902,
        0x8da0_1a44,
        0xcd23_a044,
        0x81c3_e008,
        0xd003_a044,
    ]);
    assert_eq!(result(&SPARC, &code, &[-7_i32 as u32 as u64]), u64::from(-7_i32 as u32));
}

#[test]
fn sparc_branch_is_decided_before_its_delay_slot() {
    // cmp o0,o1; bcs f; cmp g0,g0; retl; mov 0,o0; f: retl; mov 1,o0
    let code = big_words(&[
        0x80a2_0009,
        0x0a80_0004,
        0x80a0_0000,
        0x81c3_e008,
        0x9010_2000,
        0x81c3_e008,
        0x9010_2001,
    ]);
    assert_eq!(result(&SPARC, &code, &[1, 2]), 1);
    assert_eq!(result(&SPARC, &code, &[2, 1]), 0);
}

#[test]
fn powerpc_conditional_store_stores() {
    // lis r4,1; ori r4,r4,0x800; lwarx r5,0,r4; stwcx. r3,0,r4; lwz r3,0(r4); blr
    let code = [0x3c80_0001, 0x6084_0800, 0x7ca0_2028, 0x7c60_212d, 0x8064_0000, 0x4e80_0020];
    assert_eq!(result(&POWERPC, &big_words(&code), &[0x1234_5678]), 0x1234_5678);
}

#[test]
fn thumb_reads_the_thread_pointer() {
    // mrc p15,0,r0,c13,c0,3; bx lr
    let program = Program::new(THUMB.0, false, false, &[0x1d, 0xee, 0x70, 0x0f, 0x70, 0x47]);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    state.set_thread_pointer(0x7_1230);
    let function = (Address(CODE), emulator.context(true));
    let outcome = emulator.call(&mut state, function, &[], &mut NoHooks, &Limits::default());
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 0x7_1230));
}

#[test]
fn thumb_saturation_is_told() {
    // ssat r0,#4,r0; mrs r0,apsr; bx lr: Q is bit 27
    let code = [0x00, 0xf3, 0x03, 0x00, 0xef, 0xf3, 0x00, 0x80, 0x70, 0x47];
    assert_eq!(result(&THUMB, &code, &[8]) >> 27 & 1, 1);
    assert_eq!(result(&THUMB, &code, &[7]) >> 27 & 1, 0);
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
fn x86_bit_scan_of_nothing_leaves_its_destination() {
    let code = [0x48, 0x89, 0xf0, 0x48, 0x0f, 0xbd, 0xc7, 0xc3]; // mov rax,rsi; bsr rax,rdi; ret
    assert_eq!(result(&X86_64, &code, &[0, 77]), 77);
    assert_eq!(result(&X86_64, &code, &[0x80, 77]), 7);
}

#[test]
fn x87_stores_integers_as_its_control_word_says() {
    // fild dword [esp+4]; push 2; fidiv dword [esp]; push 0xf7f; fldcw [esp]; fistp dword [esp];
    // pop eax; pop edx; ret
    let code = [
        0xdb, 0x44, 0x24, 0x04, 0x6a, 0x02, 0xda, 0x34, 0x24, 0x68, 0x7f, 0x0f, 0x00, 0x00, 0xd9,
        0x2c, 0x24, 0xdb, 0x1c, 0x24, 0x58, 0x5a, 0xc3,
    ];
    assert_eq!(result(&X86, &code, &[7]), 3);
    assert_eq!(result(&X86, &code, &[-7_i32 as u32 as u64]), u64::from(-3_i32 as u32));
}

/// What an SSE instruction on xmm0 and xmm1 leaves in the low half of xmm0.
fn packed(instruction: &[u8], left: u64, right: u64) -> u64 {
    // movq xmm0,rdi; movq xmm1,rsi; the instruction; movq rax,xmm0; ret
    let mut code = vec![0x66, 0x48, 0x0f, 0x6e, 0xc7, 0x66, 0x48, 0x0f, 0x6e, 0xce];
    code.extend_from_slice(instruction);
    code.extend_from_slice(&[0x66, 0x48, 0x0f, 0x7e, 0xc0, 0xc3]);
    result(&X86_64, &code, &[left, right])
}

#[test]
fn sse_packs_saturate() {
    let packssdw = [0x66, 0x0f, 0x6b, 0xc1];
    assert_eq!(packed(&packssdw, 0x0001_0000_ffff_7fff, 0), 0x7fff_8000);
    assert_eq!(packed(&packssdw, 0xffff_fffb_0000_0005, 0), 0xfffb_0005);
    let packsswb = [0x66, 0x0f, 0x63, 0xc1];
    assert_eq!(packed(&packsswb, 0x0080_ff7f_0005_fffb, 0), 0x7f80_05fb);
}

#[test]
fn sse_sums_saturate() {
    let (paddsb, paddusb) = ([0x66, 0x0f, 0xec, 0xc1], [0x66, 0x0f, 0xdc, 0xc1]);
    assert_eq!(packed(&paddsb, 0x7f80_01fe, 0x01ff_0203), 0x7f80_0301);
    assert_eq!(packed(&paddusb, 0x7f80_01fe, 0x01ff_0203), 0x80ff_03ff);
    let (psubsw, psubusw) = ([0x66, 0x0f, 0xe9, 0xc1], [0x66, 0x0f, 0xd9, 0xc1]);
    assert_eq!(packed(&psubsw, 0x8000_7fff_0005, 0x0001_ffff_0007), 0x8000_7fff_fffe);
    assert_eq!(packed(&psubusw, 0x8000_7fff_0005, 0x0001_ffff_0007), 0x7fff_0000_0000);
}

#[test]
fn sse_shifts_all_elements_by_one_count() {
    let psllw = [0x66, 0x0f, 0x71, 0xf0, 0x08]; // psllw xmm0,8
    assert_eq!(packed(&psllw, 0x1234_5678_9abc_def0, 0), 0x3400_7800_bc00_f000);
    let (pslld, psraw) = ([0x66, 0x0f, 0xf2, 0xc1], [0x66, 0x0f, 0xe1, 0xc1]);
    assert_eq!(packed(&pslld, 0x0000_0001_0000_0003, 4), 0x0000_0010_0000_0030);
    assert_eq!(packed(&pslld, 0x0000_0001_0000_0003, 1 << 32), 0);
    assert_eq!(packed(&psraw, 0x8000_4000_fff0_0010, 2), 0xe000_1000_fffc_0004);
    assert_eq!(packed(&psraw, 0x8000_4000_fff0_0010, 99), 0xffff_0000_ffff_0000);
}

#[test]
fn sse_multiplies_and_averages() {
    let (pmaddwd, pmulhw) = ([0x66, 0x0f, 0xf5, 0xc1], [0x66, 0x0f, 0xe5, 0xc1]);
    // -2 * 3 + 5 * 7 and 100 * 200 + 300 * -1
    assert_eq!(packed(&pmaddwd, 0x012c_0064_0005_fffe, 0xffff_00c8_0007_0003), 0x4cf4_0000_001d);
    assert_eq!(packed(&pmulhw, 0x4000_ffff, 0x0008_0002), 0x0002_ffff);
    let (pmulhuw, pavgb) = ([0x66, 0x0f, 0xe4, 0xc1], [0x66, 0x0f, 0xe0, 0xc1]);
    assert_eq!(packed(&pmulhuw, 0x4000_ffff, 0x0008_0002), 0x0002_0001);
    assert_eq!(packed(&pavgb, 0xff00_0102, 0xff01_0205), 0xff01_0204);
    let psadbw = [0x66, 0x0f, 0xf6, 0xc1];
    assert_eq!(packed(&psadbw, 0xff00_0000_0000_0105, 0x00ff_0000_0000_0301), 0x204);
}

#[test]
fn sse_takes_the_second_of_equal_and_unordered() {
    let (maxps, minps) = ([0x0f, 0x5f, 0xc1], [0x0f, 0x5d, 0xc1]);
    // 1 and 2; +0 and -0
    assert_eq!(packed(&maxps, 0x3f80_0000_0000_0000, 0x4000_0000_8000_0000), 0x4000_0000_8000_0000);
    assert_eq!(packed(&minps, 0x3f80_0000_0000_0000, 0x4000_0000_8000_0000), 0x3f80_0000_8000_0000);
    // none and 2
    assert_eq!(packed(&maxps, 0x7fc0_0000, 0x4000_0000), 0x4000_0000);
}

#[test]
fn ssse3_shuffles_bytes() {
    let pshufb = [0x66, 0x0f, 0x38, 0x00, 0xc1];
    assert_eq!(
        packed(&pshufb, 0x8877_6655_4433_2211, 0x8001_0708_0010_0307),
        0x0022_8800_1111_4488
    );
}

#[test]
fn aarch64_takes_the_lesser_of_each_pair() {
    // fmov d0,x0; fmov d1,x1; umin v0.2s,v0.2s,v1.2s; fmov x0,d0; ret
    let code = words(&[0x9e67_0000, 0x9e67_0021, 0x2ea1_6c00, 0x9e66_0000, 0xd65f_03c0]);
    let arguments = [0x8000_0000_0000_0005, 0x0000_0001_ffff_fff0];
    assert_eq!(result(&AARCH64, &code, &arguments), 0x0000_0001_0000_0005);
}

#[test]
fn aarch64_multiplies_bytes_to_halves() {
    // fmov d0,x0; fmov d1,x1; umull v0.8h,v0.8b,v1.8b; fmov x0,d0; ret
    let code = words(&[0x9e67_0000, 0x9e67_0021, 0x2e21_c000, 0x9e66_0000, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[0xff10_0203, 0xff20_0304]), 0xfe01_0200_0006_000c);
}

#[test]
fn aarch64_shifts_single_elements() {
    // fmov d0,x0; shl d0,d0,#8; sshr d0,d0,#4; fmov x0,d0; ret
    let code = words(&[0x9e67_0000, 0x5f48_5400, 0x5f7c_0400, 0x9e66_0000, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[0x1280_0000_0000_0000]), 0xf800_0000_0000_0000);
}

#[test]
fn barriers_do_nothing() {
    let mips = big_words(&[0x0080_1025, 0x0000_000f, 0x03e0_0008, 0]); // move v0,a0; sync; jr ra
    assert_eq!(result(&MIPS, &mips, &[7]), 7);
    // str w0,[sp,#-16]!; ldaddal w1,w2,[sp]; ldr w0,[sp],#16; add w0,w0,w2; ret
    let code = words(&[0xb81f_0fe0, 0xb8e1_03e2, 0xb841_07e0, 0x0b02_0000, 0xd65f_03c0]);
    assert_eq!(result(&AARCH64, &code, &[5, 7]), 17);
}

/// What V8+ code returns for the number whose halves are its first arguments; it finds the number
/// in %g1.
fn of_whole(code: &[u32], number: u64) -> u64 {
    // sllx %o0,32,%g1; srl %o1,0,%o1; or %g1,%o1,%g1
    let mut whole = vec![0x832a_3020, 0x9332_6000, 0x8210_4009];
    whole.extend_from_slice(code);
    result(&SPARC_V8_PLUS, &big_words(&whole), &[number >> 32, number & 0xffff_ffff])
}

#[test]
fn sparc_v8_plus_registers_have_64_bits() {
    // srlx %g1,4,%g1; retl; srl %g1,0,%o0
    let shift = [0x8330_7004, 0x81c3_e008, 0x9130_6000];
    assert_eq!(of_whole(&shift, 0x1234_5678_9abc_def0), 0x89ab_cdef);
    // add %g1,1,%g1 or sub %g1,1,%g1; retl; srlx %g1,32,%o0
    let (add, sub) = (0x8200_6001, 0x8220_6001);
    let high = |operation| [operation, 0x81c3_e008, 0x9130_7020];
    assert_eq!(of_whole(&high(add), 0x0000_0005_ffff_ffff), 6);
    assert_eq!(of_whole(&high(add), 0x0000_0005_ffff_fffe), 5);
    assert_eq!(of_whole(&high(sub), 0x0000_0005_0000_0000), 4);
    // srl %o0,0,%o0; srl %o1,0,%o1; mulx %o0,%o1,%g1; retl; srlx %g1,32,%o0
    let mulx = [0x9132_2000, 0x9332_6000, 0x824a_0009, 0x81c3_e008, 0x9130_7020];
    assert_eq!(result(&SPARC_V8_PLUS, &big_words(&mulx), &[0x8000_0000, 6]), 3);
}

#[test]
fn sparc_v8_plus_loads_and_stores_64_bits() {
    // stx %g1,[%sp+64]; ld [%sp+64],%o2; ldx [%sp+64],%o3; srlx %o3,32,%o3; retl; sub %o2,%o3,%o0
    let code = [0xc273_a040, 0xd403_a040, 0xd65b_a040, 0x9732_f020, 0x81c3_e008, 0x9022_800b];
    assert_eq!(of_whole(&code, 0x1234_5678_9abc_def0), 0);
}

#[test]
fn sparc_v8_plus_compares_64_bits() {
    // mov 5,%o0; retl; movrz %g1,7,%o0
    let movrz = [0x9010_2005, 0x81c3_e008, 0x9178_6407];
    assert_eq!(of_whole(&movrz, 0), 7);
    assert_eq!(of_whole(&movrz, 0x1_0000_0000), 5);
    // cmp %g1,0; mov 5,%o0; retl; movl %xcc,7,%o0
    let movl = [0x80a0_6000, 0x9010_2005, 0x81c3_e008, 0x9164_f007];
    assert_eq!(of_whole(&movl, 0x8000_0000_0000_0000), 7);
    assert_eq!(of_whole(&movl, 0x8000_0000), 5);
}

#[test]
fn sparc_faligndata_takes_bytes_across_two_registers() {
    // st %o0,[%sp+64]; st %o1,[%sp+68]; ldd [%sp+64],%f0; alignaddr %g0,%o2,%g1;
    // faligndata %f0,%f0,%f2; std %f2,[%sp+64]; retl; ld [%sp+64],%o0
    let code = big_words(&[
        0xd023_a040,
        0xd223_a044,
        0xc11b_a040,
        0x83b0_030a,
        0x85b0_0900,
        0xc53b_a040,
        0x81c3_e008,
        0xd003_a040,
    ]);
    for cpu in [&SPARC, &SPARC_V8_PLUS] {
        assert_eq!(result(cpu, &code, &[0x1122_3344, 0x5566_7788, 3]), 0x4455_6677);
        assert_eq!(result(cpu, &code, &[0x1122_3344, 0x5566_7788, 8]), 0x1122_3344);
    }
}

#[test]
fn sparc_moves_blocks_of_64_bytes() {
    // ldda [%o0]#ASI_BLK_P,%f32; stda %f32,[%o1]#ASI_BLK_P; retl; ld [%o1+60],%o0
    let named = [0xc39a_1e00, 0xc3ba_5e00, 0x81c3_e008, 0xd002_603c];
    // wr %g0,0xf0,%asi; ldda [%o0]%asi,%f16; stda %f16,[%o1]%asi; retl; ld [%o1+60],%o0
    let in_register = [0x8780_20f0, 0xe19a_2000, 0xe1ba_6000, 0x81c3_e008, 0xd002_603c];
    for code in [&named[..], &in_register] {
        let mut code = big_words(code);
        code.resize(0x100, 0);
        code.extend(0..64);
        let arguments = [CODE + 0x100, CODE + 0x200];
        assert_eq!(result(&SPARC_V8_PLUS, &code, &arguments), 0x3c3d_3e3f);
    }
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
