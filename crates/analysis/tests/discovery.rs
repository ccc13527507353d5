//! Each source of function starts, and what must not be taken for one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{CallKind, Exit, Origin, Program};
use miyaburi_image::{Address, Image};
use support::{CODE, M68K, X86_64, hex, image};

/// Offsets and origins of the functions found.
fn functions(image: &Image) -> Vec<(u64, Origin)> {
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(image, language.as_ref()).unwrap();
    program.functions().iter().map(|f| (f.entry.0 - CODE, f.origin)).collect()
}

fn code(digits: &str) -> Image {
    image(X86_64, &hex(digits), &[0; 16])
}

/// A little-endian pointer to an offset in the code.
fn pointer(offset: u64) -> Vec<u8> {
    (CODE + offset).to_le_bytes().to_vec()
}

/// `call f; jmp .`, then f: `sub rsp,8; call g; add rsp,8; mov edi,5; jmp h`, g: `ret`, and h,
/// which makes room on the stack and calls g.
const TAIL: &str = "e802000000ebfe4883ec08e80b0000004883c408bf05000000eb01c34883ec18e8f6ffffff4883c4\
                    18c3";

#[test]
fn a_jump_with_the_frame_gone_is_a_tail_call() {
    let image = code(TAIL);
    assert_eq!(
        functions(&image),
        [(0, Origin::Entry), (7, Origin::Call), (0x1b, Origin::Call), (0x1c, Origin::TailCall)]
    );
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let function = program.function_at(Address(CODE + 7)).unwrap();
    let tail = program.calls_of(function).find(|site| site.kind == CallKind::Tail).unwrap();
    assert_eq!(tail.address, Address(CODE + 0x19));
    assert_eq!(tail.target, Some(Address(CODE + 0x1c)));
    let values = program.values(function).unwrap();
    assert_eq!(values.argument(tail.address, 0).constant(), Some(5));
    assert_eq!(values.stack_pointer(tail.address), Some(0));
    let last = program.function(function).unwrap().blocks().last().unwrap();
    assert_eq!(last.exit, Exit::TailCall);
}

#[test]
fn nothing_behind_a_call_that_never_returns_is_code() {
    // call f; mov edi,1; call leave; "\x06\x07garbage\xff\xff"; leave: mov eax,60; syscall; jmp .
    // f: ret
    let image = code("e81e000000bf01000000e80b000000060767617262616765ffffb83c0000000f05ebfec3");
    assert_eq!(functions(&image), [(0, Origin::Entry), (0x1a, Origin::Call), (0x23, Origin::Call)]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let entry = program.function(program.function_at(Address(CODE)).unwrap()).unwrap();
    assert_eq!(entry.end(), Address(CODE + 0xf));
    assert!(!entry.returns);
}

#[test]
fn unreferenced_code_with_a_frame_is_a_function() {
    // call f; jmp .; padding; push rbp; mov rbp,rsp; call f; pop rbp; ret; padding; f: ret
    let image = code("e81b000000ebfe900f1f840000000000554889e5e8070000005dc30f1f440000c3");
    assert_eq!(
        functions(&image),
        [(0, Origin::Entry), (0x10, Origin::Leftover), (0x20, Origin::Call)]
    );
}

#[test]
fn strings_and_numbers_between_functions_are_none() {
    // lea rdi,[text]; call f; jmp .; "shell"; two numbers; f: movzx eax,[rdi]; ret
    let image = code("488d3d07000000e810000000ebfe7368656c6c0078563412efbeedfe0fb607c3");
    assert_eq!(functions(&image), [(0, Origin::Entry), (0x1c, Origin::Call)]);
}

#[test]
fn code_that_uses_its_callers_registers_or_frame_is_no_function() {
    // call f; jmp .; mov rdi,[rbx+8]; call f; add rsp,32; pop rbx; ret; f: ret
    let image = code("e811000000ebfe488b7b08e8060000004883c4205bc3c3");
    assert_eq!(functions(&image), [(0, Origin::Entry), (0x16, Origin::Call)]);
}

/// `jmp .`, "/bin/busybox", padding, then a function that saves a register.
const POINTED: &str = "ebfe2f62696e2f62757379626f7800905389fb89d85bc3";

#[test]
fn a_pointer_in_data_names_a_function() {
    let image = image(X86_64, &hex(POINTED), &pointer(0x10));
    assert_eq!(functions(&image), [(0, Origin::Entry), (0x10, Origin::Pointer)]);
}

#[test]
fn pointers_to_strings_and_into_instructions_name_none() {
    for offset in [0, 1, 2, 3, 7, 0x11, 0x13] {
        let image = image(X86_64, &hex(POINTED), &pointer(offset));
        let found = functions(&image);
        assert_eq!(found, [(0, Origin::Entry)], "pointer to {offset:#x}");
    }
}

/// What lies behind a trap that compilers put where control must not come is not reached from it.
#[test]
fn a_trap_of_the_compiler_ends_a_function() {
    // move.l #g,-(sp); jsr f; a trap; g: move.l 0x20000,d0; rts; f: move.l 0x20004,d0; rts
    let functions = |trap: &str| {
        let code = hex(&format!("2f3c0001000e4eb900010016{trap}2039000200004e752039000200044e75"));
        let image = image(M68K, &code, &[0; 16]);
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let program = Program::analyze(&image, language.as_ref()).unwrap();
        program.functions().iter().map(|function| function.entry.0 - CODE).collect::<Vec<_>>()
    };
    assert_eq!(functions("4e47"), [0, 0xe, 0x16]);
    // A system call goes on.
    assert_eq!(functions("4e40"), [0, 0x16]);
}
