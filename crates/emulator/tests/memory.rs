//! Snapshots, roll-back and limits of guest memory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use miyaburi_emulator::{Access, Memory, MemoryError};
use miyaburi_image::{Address, Image};
use support::{CODE, Program};

const X86_64: u16 = 62;

/// A 64-bit x86 program whose one segment says that it has 0x40 bytes more than the file.
fn cut_off() -> Vec<u8> {
    let mut file = vec![0; 120];
    file[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0");
    let mut set = |at: usize, value: u64, size: usize| {
        file[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    };
    // e_version, e_entry, e_phoff, e_ehsize, e_phentsize, e_phnum.
    for (at, value, size) in
        [(20, 1, 4), (24, 0x1078, 8), (32, 64, 8), (52, 64, 2), (54, 56, 2), (56, 1, 2)]
    {
        set(at, value, size);
    }
    // p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz.
    for (at, value, size) in
        [(64, 1, 4), (68, 7, 4), (72, 0, 8), (80, 0x1000, 8), (96, 0xc0, 8), (104, 0x200, 8)]
    {
        set(at, value, size);
    }
    file.extend([0x90; 8]);
    file
}

#[test]
fn bytes_that_the_file_lacks_cannot_be_read_or_written() {
    let image = Image::parse(&cut_off()).unwrap();
    let mut memory = Memory::new(&image, 16);
    assert_eq!(memory.load(Address(0x107c), 4), Ok(0x9090_9090));
    let refused =
        |address| MemoryError::Missing { address: Address(address), access: Access::Read };
    for at in [0x107d, 0x1080, 0x10bf] {
        assert_eq!(memory.load(Address(at), 4), Err(refused(at)));
    }
    assert_eq!(memory.read(Address(0x1070), &mut [0; 64]), Err(refused(0x1070)));
    assert!(memory.store(Address(0x1080), 1, 7).is_err());
    assert!(memory.write(Address(0x107f), &[1, 2]).is_err());
    // Behind them lies what never was in a file.
    assert_eq!(memory.load(Address(0x10c0), 4), Ok(0));
}

#[test]
fn a_snapshot_does_not_see_later_writes_of_either_side() {
    let program = Program::new(X86_64, true, false, &[1, 2, 3, 4]);
    let mut memory = Memory::new(&program.image, 16);
    memory.store(Address(CODE), 2, 0xbbaa).unwrap();
    let mut snapshot = memory.clone();
    memory.store(Address(CODE), 1, 0xcc).unwrap();
    snapshot.store(Address(CODE + 1), 1, 0xdd).unwrap();
    assert_eq!(memory.load(Address(CODE), 4), Ok(0x0403_bbcc));
    assert_eq!(snapshot.load(Address(CODE), 4), Ok(0x0403_ddaa));
}

#[test]
fn rolling_back_restores_bytes_across_a_page_boundary() {
    let program = Program::new(X86_64, true, false, &[0x90]);
    let mut memory = Memory::new(&program.image, 16);
    let edge = Address(CODE + 0x1000 - 3);
    memory.store(edge, 8, 0x1122_3344_5566_7788).unwrap();
    memory.start_journal();
    let mark = memory.journal_mark();
    memory.store(edge, 8, 0).unwrap();
    memory.write(edge.offset(2), &[9; 20]).unwrap();
    memory.roll_back(mark);
    assert_eq!(memory.load(edge, 8), Ok(0x1122_3344_5566_7788));
    assert_eq!(memory.load(edge.offset(8), 8), Ok(0));
    assert_eq!(memory.written_since(mark).count(), 0);
}

#[test]
fn the_journal_keeps_writes_in_order() {
    let program = Program::new(X86_64, true, false, &[0x90]);
    let mut memory = Memory::new(&program.image, 16);
    memory.start_journal();
    let mark = memory.journal_mark();
    memory.store(Address(CODE + 8), 4, 1).unwrap();
    memory.store(Address(CODE), 2, 2).unwrap();
    let writes: Vec<_> = memory.written_since(mark).collect();
    assert_eq!(writes, [(Address(CODE + 8), 4), (Address(CODE), 2)]);
}

#[test]
fn unmapped_addresses_and_the_page_budget_are_errors() {
    let program = Program::new(X86_64, true, false, &[0x90]);
    let mut memory = Memory::new(&program.image, 2);
    let unmapped = Address(0x7000_0000);
    assert_eq!(
        memory.load(unmapped, 4),
        Err(MemoryError::Unmapped { address: unmapped, access: Access::Read })
    );
    memory.store(Address(CODE), 1, 1).unwrap();
    memory.store(Address(CODE + 0x1000), 1, 1).unwrap();
    let third = Address(CODE + 0x2000);
    assert_eq!(memory.store(third, 1, 1), Err(MemoryError::Budget { address: third }));
}

#[test]
fn a_write_that_fails_on_its_second_page_changes_nothing() {
    let program = Program::new(X86_64, true, false, &[0x90]);
    let mut memory = Memory::new(&program.image, 1);
    memory.start_journal();
    let mark = memory.journal_mark();
    let (edge, second) = (Address(CODE + 0x1000 - 2), Address(CODE + 0x1000));
    memory.store(edge, 2, 0x1234).unwrap();
    assert_eq!(memory.store(edge, 4, 0), Err(MemoryError::Budget { address: second }));
    assert_eq!(memory.write(edge, &[0; 40]), Err(MemoryError::Budget { address: second }));
    assert_eq!(memory.load(edge, 2), Ok(0x1234));
    assert_eq!(memory.written_since(mark).count(), 1);
}

#[test]
fn a_store_across_a_page_boundary_is_one_write() {
    let program = Program::new(X86_64, true, false, &[0x90]);
    let mut memory = Memory::new(&program.image, 16);
    memory.start_journal();
    let mark = memory.journal_mark();
    let edge = Address(CODE + 0x1000 - 2);
    memory.store(edge, 4, 0x1234_5678).unwrap();
    assert_eq!(memory.written_since(mark).collect::<Vec<_>>(), [(edge, 4)]);
}
