//! ELF files within other bytes.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::path::Path;

use miyaburi_archives::{Limit, Limits, Member, MemberError, Options, walk};

type Found = Vec<(String, Result<Vec<u8>, MemberError>)>;

fn members(bytes: &[u8], options: &Options) -> Found {
    let mut found = Found::new();
    walk("in", bytes.to_vec(), options, &mut |Member { name, content, .. }| {
        found.push((name, content));
        ControlFlow::Continue(())
    });
    found
}

fn carved(bytes: &[u8]) -> Found {
    members(bytes, &Options { carve: true, ..Options::default() })
}

fn example(name: &str) -> Vec<u8> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
    std::fs::read(examples.join(name)).unwrap()
}

/// A program of 32 bits, little endian, and one of 64.
fn programs() -> [Vec<u8>; 3] {
    [
        example("armv5-gcc-tiny.classic-O0.single"),
        example("riscv64-gcc-tiny.no_attacks-O1.modules"),
        example("mips-be-gcc-tiny.immediate-O0.modules"),
    ]
}

fn at(offset: usize, content: &[u8]) -> (String, Result<Vec<u8>, MemberError>) {
    (format!("in!elf@{offset:#x}"), Ok(content.to_vec()))
}

#[test]
fn files_one_behind_the_other_are_told_apart_to_the_byte() {
    let [first, second, third] = programs();
    let blob = [first.clone(), second.clone(), third.clone()].concat();
    let expected =
        [at(0, &first), at(first.len(), &second), at(first.len() + second.len(), &third)];
    assert_eq!(carved(&blob), expected);
}

#[test]
fn a_file_ends_where_its_headers_say() {
    let [first, second, _] = programs();
    let pad = vec![0xff_u8; 5000];
    let blob = [&b"HDR0"[..], &pad, &first, &pad, &second, &pad].concat();
    let start = 4 + pad.len();
    let expected = [at(start, &first), at(start + first.len() + pad.len(), &second)];
    assert_eq!(carved(&blob), expected);
}

#[test]
fn what_packers_leave_behind_a_file_belongs_to_it() {
    let [first, second, _] = programs();
    let packed = [first.as_slice(), &[7; 40]].concat();
    let blob = [packed.clone(), second.clone(), vec![9; 300]].concat();
    let expected = [at(0, &packed), at(packed.len(), &[second, vec![9; 300]].concat())];
    assert_eq!(carved(&blob), expected);
}

#[test]
fn a_file_in_another_is_carved_once() {
    let [first, second, _] = programs();
    let middle = first.len() / 2;
    let blob = [&first[..middle], &second, &first[middle..]].concat();
    let found = carved(&blob);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["in!elf@0x0".to_owned(), format!("in!elf@{middle:#x}")]);
    assert_eq!(found[1].1.as_ref().unwrap().get(..second.len()), Some(second.as_slice()));
}

#[test]
fn a_file_that_is_cut_off_ends_with_the_bytes() {
    let [first, second, _] = programs();
    let half = &second[..second.len() / 2];
    let blob = [first.as_slice(), half].concat();
    assert_eq!(carved(&blob), [at(0, &first), at(first.len(), half)]);
}

#[test]
fn what_is_one_file_or_none_is_given_as_it_is() {
    let [first, ..] = programs();
    let mut absurd = [b"text ", first.as_slice()].concat();
    // No such type.
    absurd[5 + 16] = 0x77;
    let texts = [b"".to_vec(), b"\x7fELF in a text, \x7fELF twice".repeat(9), absurd, first];
    for bytes in texts {
        assert_eq!(carved(&bytes), [("in".to_owned(), Ok(bytes))]);
    }
}

#[test]
fn nothing_is_carved_unless_asked() {
    let blob = programs().concat();
    assert_eq!(members(&blob, &Options::default()), [("in".to_owned(), Ok(blob))]);
}

#[test]
fn headers_without_end_meet_the_limits() {
    // A header of 52 bytes that claims 65,535 program headers.
    let mut header = example("armv5-gcc-tiny.classic-O0.single")[..52].to_vec();
    header[44..46].copy_from_slice(&[0xff, 0xff]);
    let blob = header.repeat(20_000);
    let limits = Limits { members: 100, ..Limits::default() };
    let found = members(&blob, &Options { carve: true, limits, ..Options::default() });
    assert_eq!(found.len(), 101);
    let last = ("in".to_owned(), Err(MemberError::Limit(Limit::Members(100))));
    assert_eq!(found.last(), Some(&last));
}
