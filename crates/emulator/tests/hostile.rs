//! Code made to cost more than its instructions: every cost is counted or bounded.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use miyaburi_emulator::{Exit, Limits, MemoryError, Reason};
use support::{CODE, Program, call};

const X86_64: u16 = 62;
const ARM: u16 = 40;

/// Pages enough that another limit is met first.
const PAGES: usize = 1 << 14;

/// Thirteen stores in each instruction: what is kept to undo them is bounded.
#[test]
fn writes_that_can_be_undone_are_bounded() {
    // mov r0, #0x18000; l: stm r0, {r0-r12}; add r1, r1, #1; b l
    let words = [0xe3a0_0906_u32, 0xe880_1fff, 0xe281_1001, 0xeaff_fffc];
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let program = Program::new(ARM, false, false, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(PAGES);
    let outcome = call(&mut emulator, &mut state, 0, &[], &Limits::default());
    let spent = matches!(
        outcome.exit,
        Exit::Failed { reason: Reason::Memory(MemoryError::Budget { .. }), .. }
    );
    assert!(spent, "{:?}", outcome.exit);
    // Four million writes, thirteen in every third instruction.
    assert_eq!(outcome.instructions / 10_000, (4 << 20) / 13 * 3 / 10_000);
}

/// A call that cannot be made yields a copy of the block it was given; copying counts.
#[test]
fn copies_of_fresh_memory_count_as_instructions() {
    // xor esi, esi; a: call 0x500000; then 16 pages of rax are touched; l: mov rdi, rax;
    // call 0x500000; jmp l
    let mut code = vec![0xe8];
    code.extend((0x50_0000_u32 - CODE as u32 - 5).to_le_bytes());
    for page in 0..16_u32 {
        code.extend([0xc6, 0x80]);
        code.extend((page * 0x1000).to_le_bytes());
        code.push(1);
    }
    let start = code.len();
    code.extend([0x48, 0x89, 0xc7, 0xe8]);
    code.extend((0x50_0000_u32 - CODE as u32 - code.len() as u32 - 4).to_le_bytes());
    code.extend([0xeb, (start as i64 - code.len() as i64 - 2) as u8]);
    let program = Program::new(X86_64, true, false, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(PAGES);
    let limits = Limits { instructions: 400_000, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, 0, &[], &limits);
    assert!(matches!(outcome.exit, Exit::Budget { .. }), "{:?}", outcome.exit);
    assert!((200..400).contains(&outcome.summarised), "{}", outcome.summarised);
}

/// Code that jumps into itself at ever other places is translated anew each time, which ends.
#[test]
fn translation_is_bounded() {
    // mov ecx, 0x10100; l: jmp rcx ... 60,000 bytes of inc eax ... add ecx, 2; jmp l by register
    let mut code = vec![0xb9];
    code.extend((CODE as u32 + 0x100).to_le_bytes());
    code.extend([0xba]);
    code.extend((CODE as u32 + 10).to_le_bytes());
    assert_eq!(code.len(), 10);
    // The next place, and there.
    code.extend([0x83, 0xc1, 0x02, 0xff, 0xe1]);
    code.resize(0x100, 0x90);
    code.extend([0xff, 0xc0].repeat(30_000));
    // jmp rdx
    code.extend([0xff, 0xe2]);
    let program = Program::new(X86_64, true, false, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(PAGES);
    let limits = Limits { instructions: 20_000_000, ..Limits::default() };
    assert!(!emulator.is_spent());
    let outcome = call(&mut emulator, &mut state, 0, &[], &limits);
    assert!(matches!(outcome.exit, Exit::Failed { reason: Reason::Lift(_), .. }), "{outcome:?}");
    assert!(emulator.is_spent());
}
