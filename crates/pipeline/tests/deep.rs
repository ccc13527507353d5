//! Whatever nests in a file nests on the heap: files made to nest a thousandfold are analysed on
//! a stack that suffices for any other.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use miyaburi_model::{Report, Verdict};
use miyaburi_pipeline::{Options, analyze};
use std::thread;

/// Bytes of stack; a thread usually has sixteen times as much.
const STACK: usize = 512 << 10;

/// Where the code lies.
const CODE: u32 = 0x40_0000;

/// How often things nest.
const DEPTH: u32 = 20_000;

/// An x86-64 program of one segment, readable, writable and executable, entered at its first byte.
fn program(code: &[u8]) -> Vec<u8> {
    let offset = 64 + 56;
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    file.resize(16, 0);
    for half in [2_u16, 62] {
        file.extend(half.to_le_bytes());
    }
    file.extend(1_u32.to_le_bytes());
    for word in [u64::from(CODE), 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    for half in [1_u32, 7] {
        file.extend(half.to_le_bytes());
    }
    let size = code.len() as u64;
    for word in [offset, u64::from(CODE), u64::from(CODE), size, size + 0x1000, 16] {
        file.extend(word.to_le_bytes());
    }
    file.extend(code);
    file
}

fn analyze_on_small_stack(code: &[u8]) -> Report {
    let file = program(code);
    let run = move || {
        let options = Options { time_limit: None, ..Options::default() };
        analyze(&file, "deep", &options)
    };
    thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap()
}

fn assert_whole(report: &Report) {
    assert_eq!(report.verdict, Verdict::NoConfig, "{:?}", report.diagnostics);
}

/// `DEPTH` times what `part` yields for a number, then a return.
fn chain(part: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let mut code: Vec<u8> = (0..DEPTH).flat_map(part).collect();
    code.push(0xc3);
    code
}

/// An instruction of five bytes at `place` that goes to `target`, both counted in bytes.
fn to(opcode: u8, place: u32, target: u32) -> Vec<u8> {
    let mut code = vec![opcode];
    code.extend(target.wrapping_sub(place + 5).to_le_bytes());
    code
}

const CALL: u8 = 0xe8;
const JUMP: u8 = 0xe9;

#[test]
fn a_chain_of_blocks() {
    // jz over; nop; over:
    assert_whole(&analyze_on_small_stack(&chain(|_| vec![0x74, 0x01, 0x90])));
}

#[test]
fn blocks_in_reverse_order() {
    // Jumps to the one before, entered at the last.
    let mut code = to(JUMP, 0, 5 * DEPTH);
    code.push(0xc3);
    code.resize(10, 0x90);
    code.extend((2..=DEPTH).flat_map(|number| to(JUMP, 5 * number, 5 * (number - 1))));
    assert_whole(&analyze_on_small_stack(&code));
}

#[test]
fn calls_that_return_only_once_the_innermost_has() {
    // call of the next function; ret
    let part = |number| {
        let mut code = to(CALL, 6 * number, 6 * (number + 1));
        code.push(0xc3);
        code
    };
    assert_whole(&analyze_on_small_stack(&chain(part)));
}

#[test]
fn functions_that_end_in_the_next() {
    // push rbp; pop rbp; jmp to the next, which is called as well, so that it is a function
    let size = 7;
    let mut code: Vec<u8> = (0..DEPTH)
        .flat_map(|number| {
            [vec![0x55, 0x5d], to(JUMP, size * number + 2, size * (number + 1))].concat()
        })
        .collect();
    code.push(0xc3);
    let start = code.len() as u32;
    code.extend((0..DEPTH).flat_map(|number| to(CALL, start + 5 * number, size * number)));
    code.push(0xc3);
    assert_whole(&analyze_on_small_stack(&code));
}

#[test]
fn values_made_of_values() {
    // lea rax, [rax + rax * 2 + 1] ... jmp [rax * 8 + 0x400000]
    let mut code = [0x48, 0x8d, 0x44, 0x40, 0x01].repeat(DEPTH as usize);
    code.extend([0xff, 0x24, 0xc5]);
    code.extend(CODE.to_le_bytes());
    assert_whole(&analyze_on_small_stack(&code));
}

#[test]
fn a_routine_that_calls_itself() {
    // Called again and again with numbers, as one that fills a table: push; mov rdi, rsi; call of
    // itself; pop; ret
    let part = |number: u32| {
        let mut code = vec![0xbf];
        code.extend(number.to_le_bytes());
        code.push(0xbe);
        code.extend((CODE + number).to_le_bytes());
        code.extend(to(CALL, 15 * number + 10, 15 * DEPTH + 1));
        code
    };
    let mut code = chain(part);
    let routine = code.len() as u32;
    code.extend([0x56, 0x48, 0x89, 0xf7]);
    code.extend(to(CALL, routine + 4, routine));
    code.extend([0x5e, 0xc3]);
    let report = analyze_on_small_stack(&code);
    assert_ne!(report.verdict, Verdict::Failed, "{:?}", report.diagnostics);
}
