//! Which functions belong to which part of a program: by calls alone, so that the truth is in the
//! calls written here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../../analysis/tests/support/mod.rs"]
mod support;

use miyaburi_analysis::Program;
use miyaburi_emulator::Emulator;
use miyaburi_extractors::budget::Budget;
use miyaburi_extractors::roles::readers::{Part, Parts};
use miyaburi_extractors::subject::Subject;
use miyaburi_image::Address;
use support::{CODE, X86_64};

/// Bytes of one function.
const SIZE: usize = 32;

fn address(function: usize) -> Address {
    Address(CODE + (function * SIZE) as u64)
}

/// x86-64 functions by number, each calling the ones listed; the first one is the entry.
fn code(calls: &[&[usize]]) -> Vec<u8> {
    let mut code = Vec::new();
    for (number, callees) in calls.iter().enumerate() {
        for callee in *callees {
            code.push(0xe8);
            let next = code.len() + 4;
            code.extend(((callee * SIZE) as i32 - next as i32).to_le_bytes());
        }
        code.push(0xc3);
        code.resize((number + 1) * SIZE, 0x90);
    }
    code
}

/// The parts of the functions, when those of `known` are known.
fn parts(calls: &[&[usize]], known: &[(Part, usize)]) -> Vec<Option<Part>> {
    let image = support::image(X86_64, &code(calls), &[0; 16]);
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();
    let subject = Subject {
        image: &image,
        program: &program,
        emulator: Emulator::new(&image, language.as_ref(), program.abi().clone()),
        pages: 16,
        budget: Budget::new(1, None),
    };
    let known: Vec<(Part, Address)> =
        known.iter().map(|(part, function)| (*part, address(*function))).collect();
    let parts = Parts::around(&subject, &known);
    (0..calls.len()).map(|function| parts.of(program.function_at(address(function))?)).collect()
}

#[test]
fn callees_and_callers_of_one_part_belong_to_it() {
    use Part::{Killer, Scanner, Setup};
    // 0 main: 1 fills tables, 2 begins the scanner 3 with its helper 4, 5 begins the killer 6.
    let calls: [&[usize]; 7] = [&[1, 2, 5], &[], &[3], &[4], &[], &[6], &[]];
    let found = parts(&calls, &[(Setup, 1), (Scanner, 3), (Killer, 6)]);
    let (scanner, killer) = (Some(Scanner), Some(Killer));
    assert_eq!(found, [None, None, scanner, scanner, scanner, killer, killer]);
}

#[test]
fn a_helper_of_two_parts_belongs_to_neither() {
    use Part::{Killer, Scanner};
    let calls: [&[usize]; 4] = [&[1, 2], &[3], &[3], &[]];
    let found = parts(&calls, &[(Scanner, 1), (Killer, 2)]);
    assert_eq!(found, [None, Some(Scanner), Some(Killer), None]);
}

#[test]
fn a_part_inlined_into_start_up_code_belongs_to_nothing() {
    use Part::{Killer, Scanner, Setup};
    // 0 itself looks for rivals, and calls what fills the table and the scanner.
    let calls: [&[usize]; 4] = [&[1, 2, 3], &[], &[], &[]];
    let found = parts(&calls, &[(Setup, 1), (Scanner, 2), (Killer, 0)]);
    assert_eq!(found, [None, None, Some(Scanner), None]);
}

#[test]
fn an_http_flood_reaches_up_to_its_handler_only() {
    use Part::{Attack, Http};
    // 0 dispatches to the handlers 1 and 2; 1 makes requests in 3, with a helper 4.
    let calls: [&[usize]; 5] = [&[1, 2], &[3, 4], &[], &[], &[]];
    let found = parts(&calls, &[(Attack, 1), (Attack, 2), (Http, 3)]);
    assert_eq!(found, [None, Some(Http), Some(Attack), Some(Http), Some(Http)]);
    // Where no handler is known, only the function itself and what it calls.
    let found = parts(&calls, &[(Http, 3)]);
    assert_eq!(found, [None, None, None, Some(Http), None]);
}
