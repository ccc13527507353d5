//! Files of UPX that no reader of their blocks unpacks come out when their stub is run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::{Image, Segment};
use miyaburi_unpackers::stub::{self, Budget};
use miyaburi_unpackers::{Limits, upx};
use support::{PACKED, Packed};

const BUDGET: Budget = Budget { instructions: 20_000_000, memory: 64 << 20, deadline: None };

/// A stub that does not come to an end: its wrapper of `mprotect` returns to itself.
const ENDLESS: &str = "mips-be.nrv2e.upx-3.96";

/// What the stub leaves out of the first block's header: its filter, the filter's parameter and a
/// byte that means nothing. Who looks for blocks takes them for a sign that this is none.
fn damaged(packed: &Packed) -> Vec<u8> {
    let mut file = packed.file();
    file[packed.block + 9..packed.block + 12].copy_from_slice(&[0xa1, 0xb2, 0xc3]);
    file
}

/// The file without the place and number of its section headers, which no stub loads.
fn without_sections(mut file: Vec<u8>) -> Vec<u8> {
    let (place, number) = if file[4] == 2 { (40..48, 60..64) } else { (32..36, 48..52) };
    file[place].fill(0);
    file[number].fill(0);
    file
}

#[test]
fn the_stub_loads_what_the_reader_does_not_find() {
    for packed in PACKED.iter().filter(|packed| packed.name != ENDLESS) {
        let file = damaged(packed);
        assert!(upx::unpack(&file, Limits::default()).is_err(), "{}", packed.name);
        let program = stub::run(&file, &BUDGET).unwrap().expect(packed.name);
        let original = without_sections(packed.original());
        let (found, wanted) = (Image::parse(&program).unwrap(), Image::parse(&original).unwrap());
        assert_eq!(found.entry(), wanted.entry(), "{}", packed.name);
        assert_eq!(found.entry_is_thumb(), wanted.entry_is_thumb(), "{}", packed.name);
        assert_eq!(found.arch(), wanted.arch(), "{}", packed.name);
        assert!(found.segments() == wanted.segments(), "{}", packed.name);
    }
}

#[test]
fn a_stub_that_does_not_end_gives_nothing() {
    let packed = PACKED.iter().find(|packed| packed.name == ENDLESS).unwrap();
    let budget = Budget { instructions: 3_000_000, ..BUDGET };
    assert_eq!(stub::run(&damaged(packed), &budget), Ok(None));
}

#[test]
fn a_stub_without_its_program_gives_nothing() {
    for packed in PACKED.iter().filter(|packed| packed.name != ENDLESS) {
        let mut file = damaged(packed);
        // Within the compressed code.
        file[packed.block + 0x200..packed.block + 0x400].fill(0xff);
        let program = stub::run(&file, &Budget { instructions: 3_000_000, ..BUDGET }).unwrap();
        let original = without_sections(packed.original());
        let wanted = Image::parse(&original).unwrap();
        let is_program = |file: &Vec<u8>| {
            let found = Image::parse(file).unwrap();
            let same = |it: &Segment| found.segment_at(it.address).is_some_and(|is| is == it);
            wanted.segments().iter().all(same)
        };
        assert!(!program.as_ref().is_some_and(is_program), "{}", packed.name);
    }
}

/// An x86-64 program of this code, in memory that may be written.
fn program(code: &[u8]) -> Vec<u8> {
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    for word in [0x40_0078_u64, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    file.extend([1, 0, 0, 0, 7, 0, 0, 0]);
    let size = 120 + code.len() as u64;
    for word in [0, 0x40_0000, 0x40_0000, size, 0x10000, 0x1000_u64] {
        file.extend(word.to_le_bytes());
    }
    file.extend(code);
    file
}

#[test]
fn hostile_stubs_end_with_the_budget() {
    // 1: mov $9,%eax; mov $0x10000000,%edi; mov $0x4000000,%esi; mov $7,%edx; mov $0x32,%r10d;
    // mov $-1,%r8; xor %r9d,%r9d; syscall; movb $1,(%rdi); jmp 1b
    let maps: &[u8] = &[
        0xb8, 0x09, 0x00, 0x00, 0x00, 0xbf, 0x00, 0x00, 0x00, 0x10, 0xbe, 0x00, 0x00, 0x00, 0x04,
        0xba, 0x07, 0x00, 0x00, 0x00, 0x41, 0xba, 0x32, 0x00, 0x00, 0x00, 0x49, 0xc7, 0xc0, 0xff,
        0xff, 0xff, 0xff, 0x45, 0x31, 0xc9, 0x0f, 0x05, 0xc6, 0x07, 0x01, 0xeb, 0xd5,
    ];
    // push $0; mov $319,%eax; mov %rsp,%rdi; xor %esi,%esi; syscall; mov %eax,%ebx;
    // 1: mov $1,%eax; mov %ebx,%edi; mov $0x400000,%esi; mov $0x1000,%edx; syscall; jmp 1b
    let writes: &[u8] = &[
        0x6a, 0x00, 0xb8, 0x3f, 0x01, 0x00, 0x00, 0x48, 0x89, 0xe7, 0x31, 0xf6, 0x0f, 0x05, 0x89,
        0xc3, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x89, 0xdf, 0xbe, 0x00, 0x00, 0x40, 0x00, 0xba, 0x00,
        0x10, 0x00, 0x00, 0x0f, 0x05, 0xeb, 0xeb,
    ];
    // 1: jmp 1b
    for code in [maps, writes, &[0xeb, 0xfe]] {
        assert_eq!(stub::run(&program(code), &BUDGET), Ok(None));
    }
    // 1: incl 2f+1(%rip); 2: mov $0,%eax; jmp 1b, which is new code each time: what it is first is all
    // that comes of it.
    let changes: &[u8] =
        &[0xff, 0x05, 0x01, 0x00, 0x00, 0x00, 0xb8, 0x00, 0x00, 0x00, 0x00, 0xeb, 0xf3];
    let first = stub::run(&program(changes), &BUDGET).unwrap().unwrap();
    let first = Image::parse(&first).unwrap();
    assert_eq!(first.segments()[0].data[0x78 + 7], 1);
}

#[test]
fn a_file_that_takes_the_programs_place_is_the_program() {
    // push $0; mov $319,%eax (memfd_create); mov %rsp,%rdi; xor %esi,%esi; syscall; mov %eax,%ebx;
    // mov $1,%eax (write); mov %ebx,%edi; mov $0x400000,%esi; mov $0x78,%edx; syscall;
    // mov $322,%eax (execveat); mov %ebx,%edi; mov %rsp,%rsi; xor %edx,%edx; xor %r10d,%r10d;
    // mov $0x1000,%r8d; syscall
    let code: &[u8] = &[
        0x6a, 0x00, 0xb8, 0x3f, 0x01, 0x00, 0x00, 0x48, 0x89, 0xe7, 0x31, 0xf6, 0x0f, 0x05, 0x89,
        0xc3, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x89, 0xdf, 0xbe, 0x00, 0x00, 0x40, 0x00, 0xba, 0x78,
        0x00, 0x00, 0x00, 0x0f, 0x05, 0xb8, 0x42, 0x01, 0x00, 0x00, 0x89, 0xdf, 0x48, 0x89, 0xe6,
        0x31, 0xd2, 0x45, 0x31, 0xd2, 0x41, 0xb8, 0x00, 0x10, 0x00, 0x00, 0x0f, 0x05,
    ];
    let file = program(code);
    assert_eq!(stub::run(&file, &BUDGET).unwrap().as_deref(), Some(&file[..0x78]));
}
