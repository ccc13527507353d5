//! x86 and its vectors.

use crate::{X86, X86_64, result};

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
