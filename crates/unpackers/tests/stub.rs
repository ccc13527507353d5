//! Programs that a packer of our own encrypted come out when its stub is run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use miyaburi_image::{Endian, Image, Segment};
use miyaburi_unpackers::stub::{self, Budget};

/// What every byte of the program is encrypted with.
const KEY: u8 = 0xa7;

/// Instructions enough for any of the programs here.
const ENOUGH: u64 = 5_000_000;

fn budget(instructions: u64) -> Budget {
    Budget { instructions, memory: 64 << 20, deadline: None }
}

/// A program, and a stub that decrypts in place and jumps to the entry. Behind the stub are the
/// address of the program, its size, the key and its entry.
struct Case {
    original: &'static str,
    stub: &'static [u8],
}

const CASES: [Case; 4] = [
    // lea params(%rip),%rsi; mov (%rsi),%rdi; mov 8(%rsi),%rcx; mov 16(%rsi),%al;
    // 1: xor %al,(%rdi); inc %rdi; dec %rcx; jnz 1b; jmp *24(%rsi); two bytes of padding
    Case {
        original: "x86_64-gcc-tiny.no_scanner-O1.modules",
        stub: &[
            0x48, 0x8d, 0x35, 0x19, 0x00, 0x00, 0x00, 0x48, 0x8b, 0x3e, 0x48, 0x8b, 0x4e, 0x08,
            0x8a, 0x46, 0x10, 0x30, 0x07, 0x48, 0xff, 0xc7, 0x48, 0xff, 0xc9, 0x75, 0xf6, 0xff,
            0x66, 0x18, 0x66, 0x90,
        ],
    },
    // adr r4,params; ldr r5,[r4]; ldr r6,[r4,#4]; ldr r7,[r4,#8]; 1: ldrb r8,[r5]; eor r8,r8,r7;
    // strb r8,[r5],#1; subs r6,r6,#1; bne 1b; ldr pc,[r4,#12]
    Case {
        original: "armv5-gcc-tiny.classic-O0.single",
        stub: &[
            0x20, 0x40, 0x8f, 0xe2, 0x00, 0x50, 0x94, 0xe5, 0x04, 0x60, 0x94, 0xe5, 0x08, 0x70,
            0x94, 0xe5, 0x00, 0x80, 0xd5, 0xe5, 0x07, 0x80, 0x28, 0xe0, 0x01, 0x80, 0xc5, 0xe4,
            0x01, 0x60, 0x56, 0xe2, 0xfa, 0xff, 0xff, 0x1a, 0x0c, 0xf0, 0x94, 0xe5,
        ],
    },
    // adr x4,params; ldr x5,[x4]; ldr x6,[x4,#8]; ldr x7,[x4,#16]; 1: ldrb w8,[x5]; eor w8,w8,w7;
    // strb w8,[x5],#1; subs x6,x6,#1; b.ne 1b; ldr x9,[x4,#24]; br x9; nop
    Case {
        original: "aarch64-gcc-tiny.plain_c2-O1.single",
        stub: &[
            0x84, 0x01, 0x00, 0x10, 0x85, 0x00, 0x40, 0xf9, 0x86, 0x04, 0x40, 0xf9, 0x87, 0x08,
            0x40, 0xf9, 0xa8, 0x00, 0x40, 0x39, 0x08, 0x01, 0x07, 0x4a, 0xa8, 0x14, 0x00, 0x38,
            0xc6, 0x04, 0x00, 0xf1, 0x81, 0xff, 0xff, 0x54, 0x89, 0x0c, 0x40, 0xf9, 0x20, 0x01,
            0x1f, 0xd6, 0x1f, 0x20, 0x03, 0xd5,
        ],
    },
    // bal 1f; nop; 1: addiu $8,$31,params-1b; lw $9,($8); lw $10,4($8); lw $11,8($8);
    // 2: lbu $12,($9); xor $12,$12,$11; sb $12,($9); addiu $10,$10,-1; bnez $10,2b;
    // addiu $9,$9,1; lw $25,12($8); jr $25; nop; nop
    Case {
        original: "mips-be-gcc-tiny.immediate-O0.modules",
        stub: &[
            0x04, 0x11, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x27, 0xe8, 0x00, 0x38, 0x8d, 0x09,
            0x00, 0x00, 0x8d, 0x0a, 0x00, 0x04, 0x8d, 0x0b, 0x00, 0x08, 0x91, 0x2c, 0x00, 0x00,
            0x01, 0x8b, 0x60, 0x26, 0xa1, 0x2c, 0x00, 0x00, 0x25, 0x4a, 0xff, 0xff, 0x15, 0x40,
            0xff, 0xfb, 0x25, 0x29, 0x00, 0x01, 0x8d, 0x19, 0x00, 0x0c, 0x03, 0x20, 0x00, 0x08,
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        ],
    },
];

/// A program without the place and number of its section headers, which nothing loads.
fn read(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
    let mut file = std::fs::read(folder.join(name)).unwrap();
    let (place, number) = if file[4] == 2 { (40..48, 60..64) } else { (32..36, 48..52) };
    file[place].fill(0);
    file[number].fill(0);
    file
}

/// Numbers of the size of a pointer.
fn pointers(image: &Image, values: &[u64]) -> Vec<u8> {
    let size = image.arch().pointer_size() as usize;
    let of = |value: &u64| match image.arch().endian {
        Endian::Little => value.to_le_bytes()[..size].to_vec(),
        Endian::Big => value.to_be_bytes()[8 - size..].to_vec(),
    };
    values.iter().flat_map(of).collect()
}

/// One segment with all of the program, encrypted, and one with the stub, where it starts; both may
/// be written and executed when `is_writable`.
fn packed(case: &Case, is_writable: bool) -> Vec<u8> {
    let original = read(case.original);
    let image = Image::parse(&original).unwrap();
    let (first, last) = (&image.segments()[0], image.segments().last().unwrap());
    let (start, end) = (first.address.0, last.end().0);
    let mut memory = vec![0; (end - start) as usize];
    for segment in image.segments() {
        let at = (segment.address.0 - start) as usize;
        memory[at..at + segment.data.len()].copy_from_slice(&segment.data);
    }
    let encrypted: Vec<u8> = memory.iter().map(|byte| byte ^ KEY).collect();
    let parameters = [start, memory.len() as u64, KEY.into(), image.entry().0];
    let stub = [case.stub, &pointers(&image, &parameters)].concat();
    let at = end.next_multiple_of(0x10000);
    let is_64_bit = image.arch().pointer_size() == 8;
    let half = |value: u16| match image.arch().endian {
        Endian::Little => value.to_le_bytes(),
        Endian::Big => value.to_be_bytes(),
    };
    let word = |value: u32| match image.arch().endian {
        Endian::Little => value.to_le_bytes(),
        Endian::Big => value.to_be_bytes(),
    };
    let (header, entry, flags) = if is_64_bit { (64, 56, 48) } else { (52, 32, 36) };
    // Identification, kind, machine and version are the original's, as are its flags.
    let mut file = original[..24].to_vec();
    file.extend(pointers(&image, &[at, header, 0]));
    file.extend(&original[flags..flags + 4]);
    file.extend([header as u16, entry, 2, 0, 0, 0].into_iter().flat_map(half));
    let rights = if is_writable { 7 } else { 5 };
    let mut offset = header + 2 * u64::from(entry);
    for (address, size) in [(start, encrypted.len()), (at, stub.len())] {
        file.extend(word(1));
        if is_64_bit {
            file.extend(word(rights));
        }
        file.extend(pointers(&image, &[offset, address, address, size as u64, size as u64]));
        if !is_64_bit {
            file.extend(word(rights));
        }
        file.extend(pointers(&image, &[1]));
        offset += size as u64;
    }
    [file, encrypted, stub].concat()
}

#[test]
fn the_program_is_there_when_the_stub_jumps_to_it() {
    for case in &CASES {
        let file = packed(case, true);
        let program = stub::run(&file, &budget(ENOUGH)).unwrap().expect(case.original);
        let original = read(case.original);
        let (found, wanted) = (Image::parse(&program).unwrap(), Image::parse(&original).unwrap());
        assert_eq!(found.entry(), wanted.entry(), "{}", case.original);
        assert_eq!(found.arch(), wanted.arch(), "{}", case.original);
        for Segment { address, data, .. } in wanted.segments() {
            let there = found.read(*address, data.len() as u64).unwrap();
            assert!(there == data.as_slice(), "{} at {address}", case.original);
        }
    }
}

/// A 32-bit ARM program with this code in one segment of so many bytes in memory, which may be written and
/// executed.
fn in_memory_of(size: u32, code: &[u32]) -> Vec<u8> {
    const HEADERS: u32 = 84;
    const BASE: u32 = 0x1_0000;
    let file_size = HEADERS + 4 * code.len() as u32;
    let identification = *b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0";
    let header: Vec<u8> =
        [2 | 40 << 16, 1, BASE + HEADERS, 52, 0, 0x0500_0000, 52 | 32 << 16, 1, 0]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
    let segment = [1, 0, BASE, BASE, file_size, size, 7, 0x1000];
    let words = segment.into_iter().chain(code.iter().copied());
    [identification.to_vec(), header, words.flat_map(u32::to_le_bytes).collect()].concat()
}

/// Code that writes `bx lr` to one word behind the other, far behind its own, and calls each: every one is
/// a piece that the file does not hold, and the stack is that of a program that begins.
const MAKES_PIECES: [u32; 8] = [
    0xe59f_0010, // ldr r0, [pc, #16]
    0xe59f_1010, // ldr r1, [pc, #16]
    0xe480_1200, // 1: str r1, [r0], #0x200
    0xe240_2c02, // sub r2, r0, #0x200
    0xe12f_ff32, // blx r2
    0xeaff_fffb, // b 1b
    0x0002_0000,
    0xe12f_ff1e, // bx lr
];

/// Each piece had the whole of a large memory copied.
#[test]
fn a_stub_that_makes_pieces_without_end_in_a_large_memory_is_over_in_time() {
    let file = in_memory_of(0x1dc2_be4d, &MAKES_PIECES);
    assert!(Image::parse(&file).is_ok());
    let program = stub::run(&file, &budget(60_000)).unwrap().expect("what is there by then");
    let made = Image::parse(&program).unwrap();
    assert_eq!(made.read_uint(miyaburi_image::Address(0x2_0000), 4), Some(0xe12f_ff1e));
}

#[test]
fn a_stub_whose_time_is_over_makes_nothing() {
    let file = in_memory_of(0x4_0000, &MAKES_PIECES);
    let late = Budget { deadline: Some(std::time::Instant::now()), ..budget(60_000) };
    assert_eq!(stub::run(&file, &late), Ok(None));
}

#[test]
fn what_no_stub_makes_is_not_there() {
    for case in &CASES {
        // Too few instructions for all of the program.
        assert_eq!(stub::run(&packed(case, true), &budget(50_000)), Ok(None), "{}", case.original);
        assert_eq!(stub::run(&read(case.original), &budget(ENOUGH)), Ok(None), "{}", case.original);
    }
}

#[test]
fn programs_look_packed_by_their_rights_or_by_their_bytes() {
    let looks_packed = |file: &[u8]| stub::looks_packed(file, &Image::parse(file).unwrap());
    for case in &CASES {
        assert!(!looks_packed(&read(case.original)), "{}", case.original);
        assert!(looks_packed(&packed(case, true)), "{}", case.original);
        // Nothing is written without the right to, and one value for all bytes hides no order.
        assert!(!looks_packed(&packed(case, false)), "{}", case.original);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/packed");
    let upx = std::fs::read(folder.join("x86_64.lzma.upx-4.2.2")).unwrap();
    assert!(looks_packed(&upx));
}
