//! ARM, Thumb and AArch64.

use crate::support::{CODE, Program};
use crate::{AARCH64, ARM, THUMB, result, words};
use miyaburi_emulator::{Exit, Limits, NoHooks};
use miyaburi_image::Address;

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
