//! Which functions belong to which part of a program: by calls alone, so that the truth is in the
//! calls written here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_extractors::roles::readers::{Part, Parts};
use miyaburi_image::Address;
use support::{CODE, Code, with_subject};

/// Names of the functions.
const NAMES: [&str; 7] = ["0", "1", "2", "3", "4", "5", "6"];

/// Bytes that one call takes, and one return.
const CALL: u64 = 5;
const RETURN: u64 = 1;

/// The parts of functions by number, each calling the ones listed, when those of `known` are known;
/// the first one is the entry.
fn parts(calls: &[&[usize]], known: &[(Part, usize)]) -> Vec<Option<Part>> {
    let mut code = Code::default();
    let mut starts = vec![CODE];
    for (number, callees) in calls.iter().enumerate() {
        code.routine(NAMES[number]);
        for callee in *callees {
            code.call(NAMES[*callee]);
        }
        code.add(&[0xc3]);
        starts.push(starts[number] + callees.len() as u64 * CALL + RETURN);
    }
    let known: Vec<(Part, Address)> =
        known.iter().map(|(part, function)| (*part, Address(starts[*function]))).collect();
    with_subject(&code.image(), |subject| {
        let parts = Parts::around(subject, &known);
        let functions = starts[..calls.len()].iter();
        let part = |start: &u64| parts.of(subject.program.function_at(Address(*start))?);
        functions.map(part).collect()
    })
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
