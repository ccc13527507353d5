//! Loops that change nothing end at once; loops that do are run to their end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_emulator::{Abi, Call, CallAction, Emulator, Exit, Hooks, Limits, Outcome, State};
use miyaburi_image::Address;
use support::{CODE, Program, call};

const X86_64: u16 = 62;

const LIMITS: Limits = Limits { instructions: 1_000_000, ..Limits::DEFAULT };

fn run(code: &[u8]) -> Outcome {
    let program = Program::new(X86_64, true, false, code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let buffer = emulator.layout().fresh_block(&mut state);
    call(&mut emulator, &mut state, 0, &[buffer.0], &LIMITS)
}

#[test]
fn a_loop_that_changes_nothing_is_not_run_on() {
    // back: mov [rdi], 0; cmp [rdi], 5; jl back; ret
    let outcome = run(&[0xc7, 0x07, 0, 0, 0, 0, 0x83, 0x3f, 0x05, 0x7c, 0xf5, 0xc3]);
    assert_eq!(outcome.exit, Exit::Budget { at: Address(CODE) });
    assert_eq!(outcome.instructions, LIMITS.instructions + 1, "as if it had been run");
    assert!(outcome.operations < 10_000, "{}", outcome.operations);
}

#[test]
fn a_loop_that_counts_in_memory_is_run_to_its_end() {
    // back: inc dword [rdi]; cmp dword [rdi], 50000; jl back; mov eax, [rdi]; ret
    let code = [0xff, 0x07, 0x81, 0x3f, 0x50, 0xc3, 0, 0, 0x7c, 0xf6, 0x8b, 0x07, 0xc3];
    let outcome = run(&code);
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 50_000));
}

#[test]
fn a_loop_that_moves_what_it_writes_is_run_to_its_end() {
    // Two words that swap their values by turns, and a third that counts down in between:
    // mov word [rdi+8], 0x4000; back: mov eax, [rdi]; xchg eax, [rdi+4]; mov [rdi], eax;
    // dec word [rdi+8]; jnz back; mov eax, 3; ret
    let code = [
        0x66, 0xc7, 0x47, 0x08, 0x00, 0x40, 0x8b, 0x07, 0x87, 0x47, 0x04, 0x89, 0x07, 0x66, 0xff,
        0x4f, 0x08, 0x75, 0xf3, 0xb8, 3, 0, 0, 0, 0xc3,
    ];
    let outcome = run(&code);
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 3));
}

/// Answers 0 a thousand times, then 1.
struct Late(u32);

impl Hooks for Late {
    fn call(&mut self, _: &mut State<'_>, _: &Abi, _: &Call) -> CallAction {
        self.0 += 1;
        CallAction::Return(u64::from(self.0 > 1000))
    }
}

#[test]
fn a_loop_that_asks_a_hook_is_run_to_its_end() {
    // push rbx; back: call ask; test eax, eax; jz back; pop rbx; ret; ask: ret
    let code = [0x53, 0xe8, 6, 0, 0, 0, 0x85, 0xc0, 0x74, 0xf7, 0x5b, 0xc3, 0xc3];
    let program = Program::new(X86_64, true, false, &code);
    let mut emulator: Emulator<'_> = program.emulator();
    let mut state = emulator.bare_state(256);
    let context = emulator.entry_context();
    let mut hooks = Late(0);
    let outcome = emulator.call(&mut state, (Address(CODE), context), &[], &mut hooks, &LIMITS);
    assert_eq!((outcome.exit, outcome.result, hooks.0), (Exit::Returned, 1, 1001));
}

#[test]
fn a_standstill_within_a_call_ends_that_call_alone() {
    // call stuck; mov eax, 7; ret; stuck: jmp stuck
    let outcome = run(&[0xe8, 6, 0, 0, 0, 0xb8, 7, 0, 0, 0, 0xc3, 0xeb, 0xfe]);
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 7, 1));
    assert!(outcome.operations < 1000, "{}", outcome.operations);
}
