//! Random bytes as code: no panic, and bounded work, on every CPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{Cut, Limits, Program, Value};
use support::{
    AARCH64, ARM, ARMEB, CODE, M68K, MIPS, MIPSEL, POWERPC, RISCV64, SH4, SPARC, X86, X86_64, image,
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

/// Code of conditional jumps to each other: many blocks, many edges.
fn field_of_jumps() -> Vec<u8> {
    let mut code = Vec::new();
    for index in 0..4000u32 {
        // jne to a place that depends on the index.
        let target = i64::from(index.wrapping_mul(2_654_435_761) % 4000) * 6;
        let distance = (target - i64::from(index) * 6 - 6) as i32;
        code.extend([0x0f, 0x85]);
        code.extend(distance.to_le_bytes());
    }
    code.push(0xc3);
    code
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

/// What is found before the work is cut is the same every time, and the cut is told.
#[test]
fn a_cut_analysis_says_so_and_is_repeatable() {
    let image = image(X86_64, &field_of_jumps(), &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let analyze = |limits| Program::analyze_within(&image, language.as_ref(), limits).unwrap();
    let whole = analyze(Limits::default());
    assert_eq!(whole.cut(), None);
    let limits = Limits { steps: whole.spent_steps() / 2, ..Limits::default() };
    let (cut, again) = (analyze(limits), analyze(limits));
    assert_eq!(cut.cut(), Some(Cut::Steps));
    let found = |program: &Program<'_>| {
        let functions = program.functions().iter();
        functions.map(|f| (f.entry, f.instruction_count())).collect::<Vec<_>>()
    };
    assert!(whole.code().instruction_count() > 100);
    assert_eq!(found(&cut), found(&again));
    assert!(cut.code().instruction_count() < whole.code().instruction_count());
    let limits = Limits { bytes: whole.kept_bytes() / 2, ..Limits::default() };
    assert_eq!(analyze(limits).cut(), Some(Cut::Bytes));
}

/// Thirty thousand computed calls in one function: what is known at each takes memory.
#[test]
fn what_is_known_at_many_calls_is_bounded() {
    // call rax ... ret
    let mut code = [0xff, 0xd0].repeat(32_000);
    code.push(0xc3);
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let limits = Limits { bytes: 32 << 20, ..Limits::default() };
    let program = Program::analyze_within(&image, language.as_ref(), limits).unwrap();
    assert_eq!(program.cut(), Some(Cut::Bytes));
    assert_eq!(program.functions().len(), 1);
}

/// A function with as many computed jumps as a large program has blocks.
#[test]
fn many_computed_jumps_take_few_steps() {
    // jz over; jmp rax; over: ... ret
    let mut code = [0x74, 0x02, 0xff, 0xe0].repeat(15_000);
    code.push(0xc3);
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    assert_eq!(program.cut(), None);
    assert_eq!(program.functions()[0].blocks().len(), 30_001);
}

/// Functions that run into each other: each start found takes code from those before it.
#[test]
fn many_functions_that_share_code_are_told_apart() {
    // Calls of one another, everywhere.
    let mut code = Vec::new();
    for index in 0..12_000u32 {
        let target = i64::from(index.wrapping_mul(2_654_435_761) % 12_000) * 5;
        code.push(0xe8);
        code.extend(((target - i64::from(index) * 5 - 5) as i32).to_le_bytes());
    }
    code.push(0xc3);
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    assert_eq!(program.cut(), None);
}

/// A table of pointers to thousands of functions: each is explored alone, not with all before it.
#[test]
fn functions_behind_pointers_take_steps_in_proportion() {
    let steps_of = |functions: u64| {
        // push rbp; mov rbp, rsp; pop rbp; ret; nop; nop
        let code = support::hex("554889e55dc39090").repeat(functions as usize);
        let pointers = (0..functions).flat_map(|number| (CODE + number * 8).to_le_bytes());
        let image = image(X86_64, &code, &pointers.collect::<Vec<u8>>());
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let program = Program::analyze(&image, language.as_ref()).unwrap();
        assert_eq!(program.functions().len() as u64, functions);
        program.spent_steps()
    };
    let (few, many) = (steps_of(2_000), steps_of(8_000));
    assert!(many < 5 * few, "{few} and {many} steps");
}

/// Wherever the work is cut, values are whole or unknown, never half worked out.
#[test]
fn values_of_a_cut_analysis_are_whole_or_unknown() {
    // mov edi, 1; jz +5; mov edi, 2; call f; ret; f: ret
    let code = support::hex("bf010000007405bf02000000e801000000c3c3");
    let image = image(X86_64, &code, &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let whole = Program::analyze(&image, language.as_ref()).unwrap();
    let mut without_sites = 0;
    for steps in 0..whole.spent_steps() {
        let limits = Limits { steps, ..Limits::default() };
        let program = Program::analyze_within(&image, language.as_ref(), limits).unwrap();
        assert_eq!(program.cut(), Some(Cut::Steps));
        for values in program.function_ids().filter_map(|id| program.values(id)) {
            without_sites += usize::from(values.sites().count() == 0);
            for site in values.sites() {
                assert_eq!(values.argument(site, 0), Value::Unknown, "after {steps} steps");
            }
        }
    }
    assert!(without_sites > 0);
}

#[test]
fn a_field_of_jumps_is_analysed_in_bounded_time() {
    let image = image(X86_64, &field_of_jumps(), &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    assert_eq!(program.functions().len(), 1);
    assert_eq!(program.functions()[0].blocks().len(), 4001);
    assert!(program.functions()[0].returns);
}
