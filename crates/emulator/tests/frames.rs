//! Which calls are under way, however they are left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_emulator::{Abi, Call, CallAction, Exit, Hooks, Limits, Outcome, State};
use miyaburi_image::Address;
use support::{CODE, Program, call};

const X86_64: u16 = 62;
const ARM: u16 = 40;
const SPARC: u16 = 2;

/// Notes offset of the callee and depth of each call that is made, and that returns.
#[derive(Default)]
struct Told {
    made: Vec<(u64, usize)>,
    returned: Vec<(u64, usize)>,
}

impl Hooks for Told {
    fn call(&mut self, _: &mut State<'_>, _: &Abi, call: &Call) -> CallAction {
        self.made.push((call.callee.0 - CODE, call.depth));
        CallAction::Enter
    }

    fn returned(&mut self, _: &mut State<'_>, _: &Abi, call: &Call) {
        self.returned.push((call.callee.0 - CODE, call.depth));
    }
}

fn told(program: &Program) -> (Outcome, Told) {
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let mut told = Told::default();
    let entry = (Address(CODE), emulator.context(false));
    let outcome = emulator.call(&mut state, entry, &[], &mut told, &Limits::default());
    (outcome, told)
}

fn words(words: &[u32], to_bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
    words.iter().flat_map(|word| to_bytes(*word)).collect()
}

#[test]
fn recursion_a_hundred_deep_keeps_to_its_budget() {
    let code = [
        0x85, 0xff, // f: test edi, edi
        0x74, 0x0a, // jz base
        0xff, 0xcf, // dec edi
        0xe8, 0xf5, 0xff, 0xff, 0xff, // call f
        0xff, 0xc0, // inc eax
        0xc3, // ret
        0x31, 0xc0, // base: xor eax, eax
        0xc3, // ret
    ];
    let program = Program::new(X86_64, true, false, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let outcome = call(&mut emulator, &mut state, 0, &[100], &Limits::DEFAULT);
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 100, 0));
}

#[test]
fn who_calls_what_never_ends_can_do_much_afterwards() {
    let code = [
        0xe8, 0x01, 0, 0, 0,    // call middle
        0xc3, // ret
        0xe8, 0x0f, 0, 0, 0, // middle: call endless
        0xb9, 0x10, 0x27, 0, 0, // mov ecx, 10000
        0xff, 0xc9, // again: dec ecx
        0x75, 0xfc, // jnz again
        0xb8, 7, 0, 0, 0,    // mov eax, 7
        0xc3, // ret
        0xeb, 0xfe, // endless: jmp endless
    ];
    let program = Program::new(X86_64, true, false, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let outcome = call(&mut emulator, &mut state, 0, &[], &Limits::DEFAULT);
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 7, 1));
}

#[test]
fn calls_that_are_jumped_out_of_are_over() {
    let code = [
        0x49, 0x89, 0xe0, // mov r8, rsp
        0xbf, 5, 0, 0, 0, // mov edi, 5
        0xe8, 0x07, 0, 0, 0,    // call f
        0x90, // nop
        0xe8, 0x17, 0, 0, 0,    // continued: call h
        0xc3, // ret
        0xff, 0xcf, // f (0x14): dec edi
        0x74, 0x06, // jz leave
        0xe8, 0xf7, 0xff, 0xff, 0xff, // call f
        0xc3, // ret
        0x4c, 0x89, 0xc4, // leave: mov rsp, r8
        0x48, 0x8d, 0x05, 0xe6, 0xff, 0xff, 0xff, // lea rax, [continued]
        0xff, 0xe0, // jmp rax
        0xb8, 7, 0, 0, 0,    // h (0x2a): mov eax, 7
        0xc3, // ret
    ];
    let (outcome, told) = told(&Program::new(X86_64, true, false, &code));
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 7, 0));
    assert_eq!(told.made, [(0x14, 0), (0x14, 1), (0x14, 2), (0x14, 3), (0x14, 4), (0x2a, 0)]);
    assert_eq!(told.returned, [(0x2a, 0)]);
}

#[test]
fn calls_that_return_elsewhere_do_not_pile_up() {
    let code = [
        0xe92d_4010, // push {r4, lr}
        0xe3a0_40c8, // mov r4, #200
        0xeb00_0006, // again: bl g
        0xe7f0_00f0, // udf
        0xeb00_0004, // bl g
        0xe7f0_00f0, // udf
        0xe254_4001, // subs r4, r4, #1
        0x1aff_fff9, // bne again
        0xe3a0_0007, // mov r0, #7
        0xe8bd_8010, // pop {r4, pc}
        0xe28e_e004, // g (0x28): add lr, lr, #4
        0xe12f_ff1e, // bx lr
    ];
    let code = words(&code, u32::to_le_bytes);
    let (outcome, told) = told(&Program::new(ARM, false, false, &code));
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 7, 0));
    assert_eq!(told.made, [(0x28, 0)].repeat(400));
    assert_eq!(told.returned, []);
}

#[test]
fn a_call_from_the_same_place_on_the_same_stack_replaces_the_one_before() {
    let code = [
        0xb9, 200, 0, 0, 0, // mov ecx, 200
        0xe8, 0x05, 0, 0, 0, // again: call g
        0xff, 0xc9, // continued: dec ecx
        0x75, 0xf7, // jnz again
        0xc3, // ret
        0x48, 0x83, 0xc4, 0x08, // g (0xf): add rsp, 8
        0xeb, 0xf5, // jmp continued
    ];
    let (outcome, told) = told(&Program::new(X86_64, true, false, &code));
    assert_eq!((outcome.exit, outcome.summarised), (Exit::Returned, 0));
    assert_eq!(told.made, [(0xf, 0)].repeat(200));
}

#[test]
fn a_callee_that_uses_no_stack_may_call_on() {
    let code = [
        0xe92d_4010, // push {r4, lr}
        0xeb00_0000, // bl g
        0xe8bd_8010, // pop {r4, pc}
        0xe1a0_c00e, // g (0xc): mov r12, lr
        0xeb00_0000, // bl h
        0xe12f_ff1c, // bx r12
        0xe3a0_0007, // h (0x18): mov r0, #7
        0xe12f_ff1e, // bx lr
    ];
    let code = words(&code, u32::to_le_bytes);
    let (outcome, told) = told(&Program::new(ARM, false, false, &code));
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 7));
    assert_eq!(told.returned, [(0x18, 1), (0xc, 0)]);
}

/// `outer` calls two routines that return a structure, `bad` the second time: it fails.
const STRUCTURES: [u32; 14] = [
    0x9de3_bfa0, // outer: save %sp, -96, %sp
    0x4000_0009, // call g
    0x0100_0000, // nop
    0x0000_0008, // unimp 8
    0x4000_0008, // call bad
    0x0100_0000, // nop
    0x0000_0008, // unimp 8
    0xb010_2033, // mov 0x33, %i0
    0x81c7_e008, // ret
    0x81e8_0000, // restore
    0x81c3_e00c, // g (0x28): jmp %o7 + 12
    0x0100_0000, // nop
    0xc200_2010, // bad (0x30): ld [0x10], %g1, which is not mapped
    0x81c3_e00c, // jmp %o7 + 12
];

#[test]
fn structures_are_returned_behind_their_size() {
    let code = words(&STRUCTURES, u32::to_be_bytes);
    let (outcome, told) = told(&Program::new(SPARC, false, true, &code));
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 0x33, 1));
    assert_eq!(told.made, [(0x28, 0), (0x30, 0)]);
    assert_eq!(told.returned, [(0x28, 0)]);
}
