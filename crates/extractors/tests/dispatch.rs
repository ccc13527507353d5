//! Which commands a routine takes: what it hands on must be what the command says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_extractors::attacks::dispatch::{self, Order};
use support::{Code, with_subject};

/// Where a command has its vector, the number of targets, and the number of options behind three
/// targets of five bytes.
const VECTOR: u8 = 4;
const TARGETS: u8 = 5;
const OPTIONS: u8 = 21;

/// A program that takes commands for the vectors 1, 4 and 7: whether it reads them to their end, and
/// which byte it hands on as the number of targets.
fn program(reads_all: bool, targets: u8) -> Code {
    let mut code = Code::default();
    // lea rdi, [bytes]; mov esi, 30; call parse; jmp .
    code.point_to("bytes").add(&[0xbe]).word(30).call("parse").add(&[0xeb, 0xfe]);
    code.routine("parse");
    if reads_all {
        // next: movzx eax, byte [rdi + rsi - 1]; dec rsi; jne next
        code.add(&[0x0f, 0xb6, 0x44, 0x37, 0xff, 0x48, 0xff, 0xce, 0x75, 0xf6]);
    }
    // mov r8, rdi; movzx edi, byte [r8 + targets]; lea rsi, [r8 + 6]
    code.add(&[0x49, 0x89, 0xf8, 0x41, 0x0f, 0xb6, 0x78, targets, 0x49, 0x8d, 0x70, TARGETS + 1]);
    // movzx edx, byte [r8 + 21]; lea rcx, [r8 + 22]; movzx eax, byte [r8 + 4]
    code.add(&[0x41, 0x0f, 0xb6, 0x50, OPTIONS, 0x49, 0x8d, 0x48, OPTIONS + 1]);
    code.add(&[0x41, 0x0f, 0xb6, 0x40, VECTOR]);
    let attacks = [(1, "first", "one"), (4, "second", "two"), (7, "third", "three")];
    for (vector, case, _) in attacks {
        // cmp al, vector; je case
        code.add(&[0x3c, vector]).jump_if_equal(case);
    }
    code.add(&[0xc3]);
    for (_, case, handler) in attacks {
        code.routine(case).call(handler).add(&[0xc3]);
    }
    for (_, _, handler) in attacks {
        // nop; ret
        code.routine(handler).add(&[0x90, 0xc3]);
    }
    code.routine("bytes").add(&[0; 30]);
    code
}

/// The vectors that are found.
fn vectors(program: Code) -> Option<Vec<Order>> {
    with_subject(&program.image(), |subject| {
        let state = subject.bare_state();
        let found = dispatch::extract(subject, &state)?;
        Some(found.attacks.into_iter().map(|attack| attack.order).collect())
    })
}

#[test]
fn vectors_are_those_that_lead_to_a_handler() {
    let expected = [1, 4, 7].map(Order::Vector);
    assert_eq!(vectors(program(true, TARGETS)), Some(expected.to_vec()));
}

#[test]
fn what_hands_on_other_numbers_takes_no_commands() {
    assert_eq!(vectors(program(true, VECTOR)), None);
}

#[test]
fn what_does_not_read_a_command_takes_none() {
    assert_eq!(vectors(program(false, TARGETS)), None);
}
