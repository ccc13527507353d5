//! Starts of functions that nothing calls, each rule with what looks much the same and is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_analysis::{Origin, Program};
use support::{CODE, X86_64, hex, image};

/// x86-64 code whose functions stand at offsets of their own, with no-operations between them.
#[derive(Default)]
struct Layout {
    code: Vec<u8>,
}

impl Layout {
    /// Puts bytes at an offset, in hexadecimal digits; `call N`, `jmp N` and `jz N` with an offset
    /// (hexadecimal, too) stand for those instructions.
    fn at(mut self, offset: usize, parts: &[&str]) -> Self {
        assert!(self.code.len() <= offset, "{offset:#x} is taken");
        self.code.resize(offset, 0x90);
        for part in parts {
            match part.split_once(' ') {
                None => self.code.extend(hex(part)),
                Some((mnemonic, target)) => {
                    let opcode: &[u8] = match mnemonic {
                        "call" => &[0xe8],
                        "jmp" => &[0xe9],
                        "jz" => &[0x0f, 0x84],
                        _ => panic!("{mnemonic}"),
                    };
                    self.code.extend(opcode);
                    let target = i64::from_str_radix(target, 16).unwrap();
                    let next = self.code.len() as i64 + 4;
                    self.code.extend(((target - next) as i32).to_le_bytes());
                }
            }
        }
        self
    }

    /// Offsets and origins of the functions found, with pointers to offsets in the data.
    fn functions(&self, pointers: &[u64]) -> Vec<(u64, Origin)> {
        let data: Vec<u8> = pointers.iter().flat_map(|at| (CODE + at).to_le_bytes()).collect();
        let image = image(X86_64, &self.code, &data);
        let language = miyaburi_pcode::language_for(image.arch()).unwrap();
        let program = Program::analyze(&image, language.as_ref()).unwrap();
        program.functions().iter().map(|f| (f.entry.0 - CODE, f.origin)).collect()
    }
}

/// `jmp .`
const HALT: &str = "ebfe";
const RET: &str = "c3";
/// `sub rsp, 8`, `add rsp, 8`
const TAKE: &str = "4883ec08";
const RELEASE: &str = "4883c408";
/// `test edi, edi`
const TEST: &str = "85ff";
/// `push rbx`, `pop rbx`
const SAVE: &str = "53";
const RESTORE: &str = "5b";
/// `mov eax, edi`
const MOVE: &str = "89f8";

/// The entry point calls a function at 0x20, which calls one at 0x80.
fn caller() -> Layout {
    Layout::default().at(0, &["call 20", HALT])
}

#[test]
fn a_jump_behind_a_released_frame_to_code_that_makes_one_is_a_tail_call() {
    let found = caller()
        .at(0x20, &[TAKE, TEST, "jz 40", "call 80", RELEASE, "jmp 45"])
        .at(0x40, &[RELEASE, RET])
        .at(0x45, &[TAKE, "call 80", RELEASE, RET])
        .at(0x80, &[RET])
        .functions(&[]);
    let expected = [(0, Origin::Entry), (0x20, Origin::Call), (0x45, Origin::TailCall)];
    assert_eq!(found[..3], expected);
    assert_eq!(found[3..], [(0x80, Origin::Call)]);
}

/// The end of a function, moved behind another of its ends.
#[test]
fn a_jump_behind_a_released_frame_to_code_without_one_stays_inside() {
    let found = caller()
        .at(0x20, &[TAKE, TEST, "jz 40", "call 80", RELEASE, "jmp 45"])
        .at(0x40, &[RELEASE, RET])
        .at(0x45, &[MOVE, RET])
        .at(0x80, &[RET])
        .functions(&[]);
    assert_eq!(found, [(0, Origin::Entry), (0x20, Origin::Call), (0x80, Origin::Call)]);
}

/// A function that makes its frame on one path alone, which lies behind the other.
#[test]
fn a_jump_without_a_frame_to_where_the_function_makes_one_stays_inside() {
    let found = caller()
        .at(0x20, &[TEST, "jz 40", MOVE, "jmp 43"])
        .at(0x40, &[MOVE, RET])
        .at(0x43, &[TAKE, "call 80", RELEASE, RET])
        .at(0x80, &[RET])
        .functions(&[]);
    assert_eq!(found, [(0, Origin::Entry), (0x20, Origin::Call), (0x80, Origin::Call)]);
}

/// The entry point calls functions at 0x60, 0x40 and 0x20, so that the start of each is known
/// before those that jump over it are looked at.
fn three_callees() -> Layout {
    Layout::default().at(0, &["call 60", "call 40", "call 20", HALT])
}

#[test]
fn an_end_that_two_functions_jump_to_over_a_third_is_shared() {
    let found = three_callees()
        .at(0x20, &[SAVE, MOVE, "jmp 80"])
        .at(0x40, &[SAVE, MOVE, "jmp 80"])
        .at(0x60, &[RET])
        .at(0x80, &[RESTORE, RET])
        .functions(&[]);
    let calls = [0x20, 0x40, 0x60].map(|at| (at, Origin::Call));
    assert_eq!(found[0], (0, Origin::Entry));
    assert_eq!(found[1..4], calls);
    assert_eq!(found[4..], [(0x80, Origin::TailCall)]);
}

/// Part of a function that was moved away from the rest of it.
#[test]
fn an_end_that_one_function_jumps_to_over_another_is_its_own() {
    let found = three_callees()
        .at(0x20, &[SAVE, MOVE, "jmp 80"])
        .at(0x40, &[SAVE, MOVE, RESTORE, RET])
        .at(0x60, &[RET])
        .at(0x80, &[RESTORE, RET])
        .functions(&[]);
    assert_eq!(found[1..], [0x20, 0x40, 0x60].map(|at| (at, Origin::Call)));
}

/// Compilers leave no function by a branch under a condition.
#[test]
fn an_end_that_functions_branch_to_under_a_condition_is_not_shared() {
    let found = three_callees()
        .at(0x20, &[SAVE, TEST, "jz 80", RESTORE, RET])
        .at(0x40, &[SAVE, TEST, "jz 80", RESTORE, RET])
        .at(0x60, &[RET])
        .at(0x80, &[RESTORE, RET])
        .functions(&[]);
    assert_eq!(found[1..], [0x20, 0x40, 0x60].map(|at| (at, Origin::Call)));
}

/// A function at 0x60 that neither has a frame nor returns, and a string at 0x48.
fn unreached() -> Layout {
    Layout::default()
        .at(0, &["call 20", "call a0", HALT])
        .at(0x20, &[RET])
        // "/bin/busybox"
        .at(0x48, &["2f62696e2f62757379626f7800"])
        .at(0x60, &[MOVE, HALT])
        // mov rax, [rbx + 8]; ret
        .at(0x80, &["488b4308", RET])
        .at(0xa0, &[MOVE, MOVE, RET])
}

/// What is found without any pointer.
const KNOWN: [(u64, Origin); 3] = [(0, Origin::Entry), (0x20, Origin::Call), (0xa0, Origin::Call)];

#[test]
fn what_stands_beside_a_functions_address_in_data_is_one_too() {
    let [first, second, third] = KNOWN;
    for table in [[0x20, 0x60], [0x60, 0xa0]] {
        let found = unreached().functions(&table);
        assert_eq!(found, [first, second, (0x60, Origin::Pointer), third], "{table:x?}");
    }
}

#[test]
fn a_pointer_to_such_code_beside_no_function_names_none() {
    // The number between them is none of the program.
    for table in [&[0x60][..], &[0x20, 0x7fff_0000, 0x60], &[0x60, 0x7fff_0000, 0xa0]] {
        assert_eq!(unreached().functions(table), KNOWN, "{table:x?}");
    }
}

#[test]
fn a_functions_neighbours_are_none_when_they_cannot_be() {
    // A string; into an instruction; a value that only its caller's register leads to.
    for neighbour in [0x48, 0xa1, 0x80] {
        assert_eq!(unreached().functions(&[0x20, neighbour]), KNOWN, "{neighbour:x}");
        assert_eq!(unreached().functions(&[neighbour, 0xa0]), KNOWN, "{neighbour:x}");
    }
}

#[test]
fn a_pointer_leads_to_a_function_that_makes_room_behind_an_early_way_out() {
    let idle = "90".repeat(80);
    let with = |room: &[&str]| {
        let parts = [&[TEST, "jz a0"][..], room, &[&idle, RELEASE, RET]].concat();
        let layout = Layout::default().at(0, &[HALT]).at(0x40, &parts).at(0xb0, &[RET]);
        layout.functions(&[0x40]).contains(&(0x40, Origin::Pointer))
    };
    assert!(with(&[TAKE]));
    // Long code that makes no room may be anything.
    assert!(!with(&[]));
}
