//! Calls that cannot be completed, and register windows across calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_emulator::{
    Abi, Access, Call, CallAction, Exit, Hooks, Limits, MemoryError, NoHooks, Reason, Region,
    State, SystemCallSite, WatchedAccess,
};
use miyaburi_image::Address;
use support::{CODE, Program, call};

const X86_64: u16 = 62;
const SPARC: u16 = 2;

/// `outer` stores 0x11 where it is told, calls `bad`, keeps its result, returns what it stored.
/// `bad` overwrites that and a preserved register, then reads address 0x10. `spin` calls an
/// endless loop and returns 7; `nested` adds 1 to what `spin` returns.
const UNDO: &[u8] = &[
    0x53, // outer: push rbx
    0x48, 0xc7, 0x07, 0x11, 0, 0, 0, // mov qword [rdi], 0x11
    0x48, 0x89, 0xfb, // mov rbx, rdi
    0xe8, 0x09, 0, 0, 0, // call bad
    0x48, 0x89, 0x43, 0x08, // mov [rbx+8], rax
    0x48, 0x8b, 0x03, // mov rax, [rbx]
    0x5b, // pop rbx
    0xc3, // ret
    0x48, 0xc7, 0x03, 0x22, 0, 0, 0, // bad: mov qword [rbx], 0x22
    0xbb, 0x99, 0, 0, 0, // mov ebx, 0x99
    0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0,    // mov rax, [0x10]
    0xc3, // ret
    0xe8, 0x06, 0, 0, 0, // spin (0x2e): call here
    0xb8, 0x07, 0, 0, 0,    // mov eax, 7
    0xc3, // ret
    0xeb, 0xfe, // here: jmp here
    0xe8, 0xee, 0xff, 0xff, 0xff, // nested (0x3b): call spin
    0x83, 0xc0, 0x01, // add eax, 1
    0xc3, // ret
];

const SPIN: u64 = 0x2e;
const NESTED: u64 = 0x3b;

#[test]
fn a_call_that_faults_is_undone_and_returns_fresh_memory() {
    let program = Program::new(X86_64, true, false, UNDO);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let buffer = emulator.layout().fresh_block(&mut state);
    let outcome = call(&mut emulator, &mut state, 0, &[buffer.0], &Limits::default());
    assert_eq!(outcome.exit, Exit::Returned);
    assert_eq!(outcome.result, 0x11, "the write of the undone call is gone");
    assert_eq!(outcome.summarised, 1);
    let given = Address(state.memory.load(buffer.offset(8), 8).unwrap());
    assert_eq!(emulator.layout().fresh_block_at(given), Some(given));
    assert_ne!(given, buffer, "each block is given once");
}

#[test]
fn without_undo_the_fault_names_instruction_and_address() {
    let program = Program::new(X86_64, true, false, UNDO);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let buffer = emulator.layout().fresh_block(&mut state);
    let limits = Limits { undo: false, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, 0, &[buffer.0], &limits);
    let Exit::Failed { at, reason: Reason::Memory(MemoryError::Unmapped { address, .. }) } =
        outcome.exit
    else {
        panic!("{:?}", outcome.exit)
    };
    assert_eq!((at, address), (Address(CODE + 0x25), Address(0x10)));
}

#[test]
fn an_endless_call_ends_with_its_budget_and_the_caller_goes_on() {
    let program = Program::new(X86_64, true, false, UNDO);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let limits = Limits { call_instructions: 1000, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, SPIN, &[], &limits);
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 7));
    assert!((1000..1100).contains(&outcome.instructions), "{}", outcome.instructions);
}

#[test]
fn a_caller_outlives_the_budget_of_its_callee() {
    let program = Program::new(X86_64, true, false, UNDO);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let limits = Limits { call_instructions: 1000, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, NESTED, &[], &limits);
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 8));
    assert_eq!(outcome.summarised, 1, "only the endless call is undone");
}

#[test]
fn an_endless_run_ends_with_the_budget() {
    let program = Program::new(X86_64, true, false, UNDO);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let limits = Limits { instructions: 500, undo: false, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, SPIN, &[], &limits);
    assert_eq!(outcome.exit, Exit::Budget { at: Address(CODE + 0x39) });
}

#[test]
fn who_goes_on_behind_the_budget_does_nothing_twice() {
    // xor eax, eax; mov ecx, 1000; inc eax; loop -4; ret
    let code = [0x31, 0xc0, 0xb9, 0xe8, 3, 0, 0, 0xff, 0xc0, 0xe2, 0xfc, 0xc3];
    let program = Program::new(X86_64, true, false, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let limits = Limits { instructions: 500, ..Limits::default() };
    let first = call(&mut emulator, &mut state, 0, &[], &limits);
    assert!(matches!(first.exit, Exit::Budget { .. }), "{:?}", first.exit);
    let rest = emulator.run(&mut state, &mut NoHooks, &Limits::default());
    assert_eq!((rest.exit, rest.result), (Exit::Returned, 1000));
}

#[test]
fn a_run_in_a_loop_without_end_is_over_early() {
    let program = Program::new(X86_64, true, false, UNDO);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let limits = Limits { repetition: 300, ..Limits::default() };
    let outcome = call(&mut emulator, &mut state, SPIN, &[], &limits);
    assert_eq!(outcome.exit, Exit::Budget { at: Address(CODE + 0x39) });
    assert!((300..320).contains(&outcome.instructions), "{}", outcome.instructions);
}

#[test]
fn code_that_was_not_run_before_is_no_repetition() {
    // mov ecx, 100; dec ecx; jnz -4; once more; ret: each loop alone takes 200 instructions
    let mut code = [0xb9, 100, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc].repeat(4);
    code.push(0xc3);
    let program = Program::new(X86_64, true, false, &code);
    let mut emulator = program.emulator();
    for (repetition, exit) in [(250, Exit::Returned), (150, Exit::Budget { at: Address(CODE + 5) })]
    {
        // A second run begins anew.
        for _ in 0..2 {
            let mut state = emulator.bare_state(256);
            let limits = Limits { repetition, ..Limits::default() };
            assert_eq!(call(&mut emulator, &mut state, 0, &[], &limits).exit, exit);
        }
    }
}

struct Skip(Vec<(Address, Address)>);

impl Hooks for Skip {
    fn call(&mut self, _: &mut State<'_>, _: &Abi, call: &Call) -> CallAction {
        self.0.push((call.site, call.callee));
        CallAction::Return(0x55)
    }
}

#[test]
fn a_hook_can_answer_for_a_callee() {
    let program = Program::new(X86_64, true, false, UNDO);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let buffer = emulator.layout().fresh_block(&mut state);
    let mut hook = Skip(Vec::new());
    let function = (Address(CODE), emulator.context(false));
    let outcome = emulator.call(&mut state, function, &[buffer.0], &mut hook, &Limits::default());
    assert_eq!(outcome.exit, Exit::Returned);
    assert_eq!(hook.0, [(Address(CODE + 0xb), Address(CODE + 0x19))]);
    assert_eq!(state.memory.load(buffer.offset(8), 8), Ok(0x55));
}

/// `outer` puts 5 into l2 and 7 into l7, calls `inner` with 1 and returns
/// `(l2 + l7) << 8 + result`; `inner` spoils both in its own window and adds 41.
const WINDOWS: &[u32] = &[
    0x9de3_bfa0, // outer: save %sp, -96, %sp
    0xa410_2005, // mov 5, %l2
    0xae10_2007, // mov 7, %l7
    0x9010_2001, // mov 1, %o0
    0x4000_0007, // call inner
    0x0100_0000, // nop
    0xb004_8017, // add %l2, %l7, %i0
    0xb12e_2008, // sll %i0, 8, %i0
    0xb006_0008, // add %i0, %o0, %i0
    0x81c7_e008, // ret
    0x81e8_0000, // restore
    0x9de3_bfa0, // inner: save %sp, -96, %sp
    0xa410_2063, // mov 0x63, %l2
    0xae10_2062, // mov 0x62, %l7
    0xb006_2029, // add %i0, 0x29, %i0
    0x81c7_e008, // ret
    0x81e8_0000, // restore
];

#[test]
fn every_call_has_its_own_register_window() {
    let code: Vec<u8> = WINDOWS.iter().flat_map(|word| word.to_be_bytes()).collect();
    let program = Program::new(SPARC, false, true, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let outcome = call(&mut emulator, &mut state, 0, &[], &Limits::default());
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, (12 << 8) + 42));
}

#[test]
fn undoing_a_call_brings_back_the_windows_that_it_left() {
    const LEAVES_TOO_OFTEN: [u32; 18] = [
        0x9de3_bfa0, // outer: save %sp, -96, %sp
        0xa010_2033, // mov 0x33, %l0
        0x4000_0005, // call middle
        0x0100_0000, // nop
        0xb010_0010, // mov %l0, %i0
        0x81c7_e008, // ret
        0x81e8_0000, // restore
        0x9de3_bfa0, // middle: save %sp, -96, %sp
        0x4000_0004, // call inner
        0x0100_0000, // nop
        0x81c7_e008, // ret
        0x81e8_0000, // restore
        0x81e8_0000, // inner: restore, to the window of outer
        0xa010_2022, // mov 0x22, %l0
        0x9de3_bfa0, // save %sp, -96, %sp
        0xc200_2010, // ld [0x10], %g1, which is not mapped
        0x81c3_e008, // retl
        0x0100_0000, // nop
    ];
    let code: Vec<u8> = LEAVES_TOO_OFTEN.iter().flat_map(|word| word.to_be_bytes()).collect();
    let program = Program::new(SPARC, false, true, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let outcome = call(&mut emulator, &mut state, 0, &[], &Limits::default());
    assert_eq!((outcome.exit, outcome.summarised, outcome.result), (Exit::Returned, 1, 0x33));
}

#[test]
fn windows_nest_only_so_deep() {
    // save %sp, -96, %sp; ba .-4; nop
    let code = [0x9de3_bfa0_u32, 0x10bf_ffff, 0x0100_0000];
    let code: Vec<u8> = code.iter().flat_map(|word| word.to_be_bytes()).collect();
    let program = Program::new(SPARC, false, true, &code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    let outcome = call(&mut emulator, &mut state, 0, &[], &Limits::default());
    assert_eq!(outcome.exit, Exit::Failed { at: Address(CODE), reason: Reason::Depth });
}

/// Answers for a device at a fixed address, and notes what is stored there.
#[derive(Default)]
struct Device {
    seen: Vec<(Address, Access, u64)>,
    stored: Option<u64>,
}

impl Device {
    const AT: Address = Address(0x4000_0010);
}

impl Hooks for Device {
    fn watched(&self) -> Vec<Region> {
        vec![Region { start: Self::AT, size: 4 }]
    }

    fn access(&mut self, state: &mut State<'_>, _: &Abi, site: Address, access: &WatchedAccess) {
        self.seen.push((site, access.access, access.address.0));
        match access.access {
            Access::Read => state.memory.store(Self::AT, 4, 0x55aa).unwrap(),
            // Before the store: what was there.
            Access::Write => self.stored = state.memory.load(Self::AT, 4).ok(),
        }
    }
}

#[test]
fn accesses_of_watched_memory_are_told_of_before_they_happen() {
    let code: &[u8] = &[
        0x8b, 0x07, // mov eax, [rdi]
        0x89, 0x37, // mov [rdi], esi
        0x89, 0x47, 0x04, // mov [rdi+4], eax
        0xc3, // ret
    ];
    let program = Program::new(X86_64, true, false, code);
    let mut emulator = program.emulator();
    let mut state = emulator.bare_state(256);
    state.memory.map(Address(0x4000_0000), 0x1000);
    let mut device = Device::default();
    let entry = (Address(CODE), emulator.entry_context());
    let arguments = [Device::AT.0, 7];
    let outcome = emulator.call(&mut state, entry, &arguments, &mut device, &Limits::default());
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 0x55aa));
    assert_eq!(outcome.instructions, 4, "one that is told of counts once");
    let told = |site, access| (Address(CODE + site), access, Device::AT.0);
    let expected = [told(0, Access::Read), told(2, Access::Write)];
    assert_eq!(device.seen, expected, "what lies behind the device is not watched");
    assert_eq!(device.stored, Some(0x55aa));
    // The run's watch ends with it, and the stores have happened.
    assert_eq!(state.memory.load(Device::AT, 4), Ok(7));
    assert_eq!(state.memory.load(Device::AT.offset(4), 4), Ok(0x55aa));
}

/// Knows what one operation yields.
#[derive(Default)]
struct KnowsOperation {
    asked: Vec<(Address, String)>,
    answer: Option<u64>,
}

impl Hooks for KnowsOperation {
    fn user_op(&mut self, _: &mut State<'_>, site: Address, name: &str, _: &[u64]) -> Option<u64> {
        self.asked.push((site, name.to_owned()));
        self.answer
    }
}

#[test]
fn an_operation_that_is_not_modelled_can_be_answered() {
    // rdseed eax; ret
    let program = Program::new(X86_64, true, false, &[0x0f, 0xc7, 0xf8, 0xc3]);
    let mut emulator = program.emulator();
    let entry = (Address(CODE), emulator.entry_context());
    let mut rdseed = |answer| {
        let mut state = emulator.bare_state(256);
        let mut hooks = KnowsOperation { answer, ..KnowsOperation::default() };
        let outcome = emulator.call(&mut state, entry, &[], &mut hooks, &Limits::default());
        (outcome, hooks.asked)
    };
    let (outcome, asked) = rdseed(Some(0x1234));
    assert_eq!((outcome.exit, outcome.result), (Exit::Returned, 0x1234));
    let [(site, name)] = &asked[..1] else { panic!("nothing was asked") };
    assert_eq!(*site, Address(CODE));
    // Without an answer, nobody knows what the register holds.
    let reason = Reason::UserOp(name.clone());
    let (outcome, _) = rdseed(None);
    assert_eq!(outcome.exit, Exit::Failed { at: Address(CODE), reason });
}

#[test]
fn what_changes_memory_in_no_known_way_ends_the_run() {
    for (name, code) in [
        ("_fxsave", [0x0f, 0xae, 0x07, 0xc3].as_slice()), // fxsave [rdi]; ret
        ("out", &[0xee, 0xc3]),                           // out dx, al; ret
    ] {
        let program = Program::new(X86_64, true, false, code);
        let mut emulator = program.emulator();
        let mut state = emulator.bare_state(256);
        let outcome = call(&mut emulator, &mut state, 0, &[CODE + 0x1000], &Limits::default());
        let Exit::Failed { at, reason: Reason::UserOp(told) } = outcome.exit else {
            panic!("{name}: {:?}", outcome.exit)
        };
        assert_eq!((at, told.starts_with(name)), (Address(CODE), true), "{told}");
    }
}

#[test]
fn an_instruction_left_for_the_kernel_counts_once() {
    /// Answers every system call.
    struct Kernel;
    impl Hooks for Kernel {
        fn system_call(&mut self, _: &mut State<'_>, _: &Abi, _: Address, _: u64) -> bool {
            true
        }
    }
    // nop; syscall; nop; syscall; ret
    let program = Program::new(X86_64, true, false, &[0x90, 0x0f, 5, 0x90, 0x0f, 5, 0xc3]);
    let mut emulator = program.emulator();
    let entry = (Address(CODE), emulator.entry_context());
    let mut state = emulator.bare_state(256);
    let outcome = emulator.call(&mut state, entry, &[], &mut Kernel, &Limits::default());
    assert_eq!((outcome.exit, outcome.instructions), (Exit::Returned, 5));
}

/// Answers every system call with 0, but for those that ask for memory.
struct NoMemory(SystemCallSite);

impl Hooks for NoMemory {
    fn system_call(&mut self, state: &mut State<'_>, abi: &Abi, _: Address, number: u64) -> bool {
        if self.0.asks_for_memory(state, number) {
            return false;
        }
        abi.set_system_call_result(state, 0);
        true
    }
}

#[test]
fn who_asks_for_memory_can_be_given_some() {
    let mut code = vec![
        0xe8, 0x07, 0, 0, 0, // call get
        0x48, 0x89, 0x38, // mov [rax], rdi
        0x48, 0x8b, 0x00, // mov rax, [rax]
        0xc3, // ret
        0xb8, 12, 0, 0, 0, // get: mov eax, 12 (brk)
        0x0f, 0x05, // syscall
        0xc3, // ret
    ];
    let mut run = || {
        let program = Program::new(X86_64, true, false, &code);
        let mut emulator = program.emulator();
        let site = SystemCallSite::new(program.image.arch(), &*program.language, emulator.abi());
        let entry = (Address(CODE), emulator.entry_context());
        let mut state = emulator.bare_state(256);
        let mut hooks = NoMemory(site.unwrap());
        code[13] = 39; // getpid
        emulator.call(&mut state, entry, &[0x1234], &mut hooks, &Limits::default())
    };
    let outcome = run();
    assert_eq!((outcome.exit, outcome.result, outcome.summarised), (Exit::Returned, 0x1234, 1));
    assert_eq!(run().summarised, 0);
}
