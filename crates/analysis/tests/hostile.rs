//! Random bytes as code: no panic, and bounded work, on every CPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::Program;
use support::{
    AARCH64, ARM, ARMEB, M68K, MIPS, MIPSEL, POWERPC, RISCV64, SH4, SPARC, X86, X86_64, image,
};

/// A fixed sequence of bytes without order (a 64-bit linear congruential generator).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn noise_is_analysed_without_panic() {
    let machines =
        [X86_64, X86, ARM, ARMEB, AARCH64, MIPS, MIPSEL, POWERPC, SPARC, SH4, M68K, RISCV64];
    for (seed, machine) in (1..).zip(machines) {
        for round in 0..6 {
            let code = noise(seed * 100 + round, 1 << 12);
            let image = image(machine, &code, &noise(seed + 7, 256));
            let language = miyaburi_pcode::language_for(image.arch()).unwrap();
            let program = Program::analyze(&image, language.as_ref()).unwrap();
            for id in program.function_ids() {
                let values = program.values(id).unwrap();
                assert!(values.sites().count() <= program.code().instruction_count());
            }
            assert!(program.references().all().len() <= 4 * program.code().op_count() + 4);
        }
    }
}

/// Code in which every byte is the start of a jump back to the first: many blocks, many edges.
#[test]
fn a_field_of_jumps_is_analysed_in_bounded_time() {
    let mut code = Vec::new();
    for index in 0..4000u32 {
        // jne to a place that depends on the index.
        let target = i64::from(index.wrapping_mul(2_654_435_761) % 4000) * 6;
        let distance = (target - i64::from(index) * 6 - 6) as i32;
        code.extend([0x0f, 0x85]);
        code.extend(distance.to_le_bytes());
    }
    code.push(0xc3);
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    assert_eq!(program.functions().len(), 1);
    assert_eq!(program.functions()[0].blocks().len(), 4001);
    assert!(program.functions()[0].returns);
}
