//! What loose strings are for: by calls and addresses written here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_extractors::loose_strings::{LooseString, Source};
use miyaburi_extractors::roles::loose::{find, references};
use miyaburi_extractors::roles::{KnownRoutines, Purpose};
use miyaburi_image::Address;
use support::{CODE, Code, DATA, with_subject};

/// Bytes of the start-up code, and of the scanner with what fills it up.
const START_UP: u64 = 11;
const SCANNER_SIZE: u64 = 16;

const SCANNER: Address = Address(CODE + START_UP);
const HANDLER: Address = Address(CODE + START_UP + SCANNER_SIZE);

/// Start-up code calls a scanner that reads the string at distance `by_scanner` in the data, and
/// an attack that reads the one at `by_handler` and whose helper reads the one at `by_helper`.
fn code(by_scanner: u32, by_handler: u32, by_helper: u32) -> Code {
    let mut code = Code::default();
    code.call("scanner").call("handler").add(&[0xc3]);
    let text = |code: &mut Code, offset: u32| {
        // mov edi, text
        code.add(&[0xbf]).word(DATA as u32 + offset).call("decode");
    };
    text(code.routine("scanner"), by_scanner);
    code.add(&[0xc3, 0x90, 0x90, 0x90, 0x90, 0x90]);
    text(code.routine("handler"), by_handler);
    code.call("helper").add(&[0xc3]);
    text(code.routine("helper"), by_helper);
    // mov al, [rdi]
    code.add(&[0xc3]).routine("decode").add(&[0x8a, 0x07, 0xc3]);
    code
}

/// The purposes of strings in code with the known scanner and attack.
fn purposes(code: Code) -> Vec<Option<Purpose>> {
    let known =
        KnownRoutines { scanner: Some(SCANNER), handlers: vec![HANDLER], setup: Vec::new() };
    uses(code, &known)
}

/// The purposes of strings in code of which nothing is known.
fn uses_in(code: Code) -> Vec<Option<Purpose>> {
    uses(code, &KnownRoutines::default())
}

/// The purposes of strings of three bytes, four bytes apart.
fn uses(code: Code, known: &KnownRoutines) -> Vec<Option<Purpose>> {
    let string = |number: u64| LooseString {
        address: Address(DATA + 4 * number),
        decoded: b"ab\0".to_vec(),
        key: 0x22,
        source: Source::InRow { before: None },
    };
    let strings: Vec<LooseString> = (0..4).map(string).collect();
    with_subject(&code.image(), |subject| {
        let all = known.scanner.iter().chain(&known.handlers);
        assert!(all.copied().all(|function| subject.program.function_at(function).is_some()));
        let references = references(subject, &strings);
        let found = find(subject, &strings, &references, known);
        (0..4).map(|number| found.get(&number).copied()).collect()
    })
}

#[test]
fn a_string_is_for_the_part_that_hands_it_on() {
    let found = purposes(code(0, 4, 12));
    let (dialogue, payload) = (Some(Purpose::ScannerDialogue), Some(Purpose::AttackPayload));
    // Nobody reads the third; what a helper of attacks reads may be anything.
    assert_eq!(found, [dialogue, payload, None, None]);
}

#[test]
fn a_string_of_two_parts_is_for_neither() {
    assert_eq!(purposes(code(8, 8, 8)), [None; 4]);
}

/// Whether a function that has the address of byte `at` of the data uses a string of 32 bytes that
/// begins `before` them.
fn is_used(before: u64, at: u32) -> bool {
    let mut code = Code::default();
    // mov edi, DATA + at
    code.call("holder").add(&[0xc3]).routine("holder").add(&[0xbf]).word(DATA as u32 + at);
    code.add(&[0xc3]);
    let string = LooseString {
        address: Address(DATA - before),
        decoded: vec![b'a'; 32],
        key: 0x22,
        source: Source::InRow { before: None },
    };
    with_subject(&code.image(), |subject| !references(subject, &[string]).is_empty())
}

#[test]
fn the_first_step_of_another_address_amid_a_string_is_no_use_of_it() {
    // Where the data begin is what the first step makes.
    assert!(!is_used(8, 0));
    assert!(is_used(0, 0) && is_used(8, 4));
}

/// Which strings, given by distance in the data and length, a function uses that has these addresses.
fn used(strings: &[(u64, usize)], addresses: &[u32]) -> Vec<bool> {
    let mut code = Code::default();
    code.call("holder").add(&[0xc3]).routine("holder");
    for at in addresses {
        // mov edi, DATA + at
        code.add(&[0xbf]).word(DATA as u32 + at);
    }
    code.add(&[0xc3]);
    let string = |(at, length): &(u64, usize)| LooseString {
        address: Address(DATA + at),
        decoded: vec![b'a'; *length],
        key: 0x22,
        source: Source::InRow { before: None },
    };
    let strings: Vec<LooseString> = strings.iter().map(string).collect();
    with_subject(&code.image(), |subject| {
        let found = references(subject, &strings);
        (0..strings.len() as u32).map(|id| found.iter().any(|it| it.id == id)).collect()
    })
}

#[test]
fn a_loop_that_steps_first_begins_one_byte_before_its_string() {
    assert_eq!(used(&[(8, 8)], &[7]), [true]);
    assert_eq!(used(&[(8, 8)], &[6]), [false], "two bytes before");
    // The byte before is the last one of another string, which a loop over that one goes towards.
    assert_eq!(used(&[(1, 7), (8, 8)], &[7]), [false, true]);
    assert_eq!(used(&[(1, 7), (8, 8)], &[1, 7]), [true, false]);
    assert_eq!(used(&[(1, 7), (8, 8)], &[2, 7]), [true, true]);
}

#[test]
fn a_string_handed_to_standard_output_is_a_message() {
    let mut code = Code::default();
    // Decode it; then mov esi, text; mov edi, 1; and the end of the line; and encode it again.
    let text = |code: &mut Code| {
        code.add(&[0xbf]).word(DATA as u32).call("decode");
    };
    text(&mut code);
    code.add(&[0xbe]).word(DATA as u32).add(&[0xbf]).word(1).call("write");
    code.add(&[0xbe]).word(DATA as u32 + 12).add(&[0xbf]).word(1).call("write");
    text(&mut code);
    code.add(&[0xc3]).routine("write").add(&[0x8a, 0x06, 0xc3]);
    code.routine("decode").add(&[0x8a, 0x07, 0xc3]);
    assert_eq!(uses_in(code)[0], Some(Purpose::ExecutionMessage));
}
