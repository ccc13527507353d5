//! SPARC, V8+ among it.

use crate::support::CODE;
use crate::{SPARC, SPARC_V8_PLUS, big_words, result};

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
