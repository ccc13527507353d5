//! Code made to cost more than its instructions: every cost is counted or bounded.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use miyaburi_emulator::{Exit, Limits, Reason};
use miyaburi_image::Address;
use support::{CODE, Program, call};

const X86_64: u16 = 62;
const ARM: u16 = 40;

/// Pages enough that another limit is met first.
const PAGES: usize = 1 << 14;

/// `inner` stores thirteen words over and over; `outer` calls it and returns 7.
fn stores_without_end() -> Vec<u8> {
    let words = [
        0xe92d_4010_u32, // outer: push {r4, lr}
        0xeb00_0001,     // bl inner
        0xe3a0_0007,     // mov r0, #7
        0xe8bd_8010,     // pop {r4, pc}
        0xe3a0_0906,     // inner (0x10): mov r0, #0x18000
        0xe880_1fff,     // stm r0, {r0-r12}
        0xe281_1001,     // add r1, r1, #1
        0xeaff_fffc,     // b .-8
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn writes_that_can_be_undone_are_bounded() {
    let program = Program::new(ARM, false, false, &stores_without_end());
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(PAGES);
    let limits = Limits { call_instructions: u64::MAX, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, 0, &[], &limits);
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 7, 1));
    assert!(emulator.is_memory_spent());
    // Four million writes, thirteen in every third instruction.
    assert_eq!(outcome.instructions / 10_000, (4 << 20) / 13 * 3 / 10_000);
}

#[test]
fn writes_that_nothing_undoes_are_not_kept() {
    let program = Program::new(ARM, false, false, &stores_without_end());
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(PAGES);
    let before = state.memory.journal_mark();
    let outcome = call(&mut emulator, &mut state, 0x10, &[], &Limits::default());
    assert!(matches!(outcome.exit, Exit::Budget { .. }), "{:?}", outcome.exit);
    assert!(!emulator.is_memory_spent());
    assert_eq!(state.memory.journal_mark(), before, "the run's own journal ends with it");
}

#[test]
fn a_journal_that_was_begun_before_a_run_is_whole_behind_it() {
    let program = Program::new(ARM, false, false, &stores_without_end());
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(PAGES);
    state.memory.start_journal();
    let before = state.memory.journal_mark();
    let limits = Limits { instructions: 300_000, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, 0x10, &[], &limits);
    assert!(matches!(outcome.exit, Exit::Budget { .. }), "{:?}", outcome.exit);
    let written = state.memory.written_since(before).count();
    assert_eq!(written / 13, 100_000);
    state.memory.roll_back(before);
    assert_eq!(state.memory.load(Address(0x1_8000), 4), Ok(0));
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
