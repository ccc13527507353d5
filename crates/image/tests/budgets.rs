//! Tables that cost more than they weigh, and dynamic sections where none belongs. What is left is
//! counted from how the files are made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use miyaburi_image::{Address, Endian, Image, ImageDiagnostic};
use support::{EXECUTE, ElfBuilder, Load, READ, Section, WRITE, Words, machine};

const CODE: u64 = 0x1_0000;
const DATA: u64 = 0x2_0000;
const TABLES: u64 = 0x4000_0000;

const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;

/// Bytes of names that are kept, symbols and relocations that are read.
const NAME_BYTES: u64 = 16 << 20;
const SYMBOLS: u64 = 1 << 18;
const RELOCATIONS: u64 = 1 << 19;

/// A 32-bit x86 program with so many function symbols of one name, all but `distinct` of them
/// again and again the same.
fn with_symbols(count: u64, distinct: u64, name: &[u8]) -> Image {
    let mut symbols = Words::new(false, Endian::Little);
    symbols.symbol(0, 0, 0, 0, 0);
    for index in 0..count {
        symbols.symbol(1, CODE + index % distinct, 1, 0x12, 1);
    }
    let mut table = Section::new(".symtab", 2, symbols.bytes);
    table.link = 2;
    let file = ElfBuilder::new(machine::I386, false, Endian::Little)
        .entry(CODE)
        .load(CODE, vec![0xc3; SYMBOLS as usize], SYMBOLS, READ | EXECUTE)
        .section(table)
        .section(Section::new(".strtab", 3, [b"\0", name].concat()))
        .build();
    Image::parse(&file).unwrap()
}

#[test]
fn many_symbols_of_one_long_name_have_a_budget() {
    let image = with_symbols(1 << 16, 1 << 16, &[vec![b'n'; 500], vec![0]].concat());
    let kept = NAME_BYTES / 500;
    assert_eq!(image.symbols().len() as u64, kept);
    let count = (1 << 16) - kept;
    assert_eq!(image.diagnostics(), [ImageDiagnostic::NamesLeftOut { count }]);
}

/// Bytes that are no UTF-8 take three each.
#[test]
fn names_count_as_they_are_kept() {
    let image = with_symbols(1 << 16, 1 << 16, &[vec![0xff; 600], vec![0]].concat());
    assert_eq!(image.symbols().len() as u64, NAME_BYTES / (3 * 512));
}

#[test]
fn a_symbol_that_stands_there_many_times_is_kept_once() {
    let image = with_symbols(1 << 16, 3, b"same\0");
    assert_eq!(image.symbols().len(), 3);
    assert_eq!(image.diagnostics(), []);
}

/// Names without an end: as many bytes of them are looked at as are kept.
#[test]
fn names_without_an_end_are_not_searched_for_one() {
    let image = with_symbols(SYMBOLS - 1, 1, &vec![b'n'; 4 << 20]);
    assert_eq!(image.symbols()[0].name.len(), 512);
}

/// The entries of a dynamic section.
fn dynamic(entries: &[(u64, u64)]) -> Vec<u8> {
    let mut words = Words::new(false, Endian::Little);
    for (tag, value) in entries.iter().chain([&(0, 0)]) {
        words.word(*tag);
        words.word(*value);
    }
    words.bytes
}

/// A program of a code, a data and a constants segment, 16 zero bytes each, with these tables at
/// [`TABLES`] and this dynamic section.
fn with_dynamic(interpreter: Option<&str>, tables: Vec<u8>, section: Vec<u8>) -> Image {
    let end = (TABLES + tables.len() as u64).next_multiple_of(0x1000);
    let size = section.len() as u64;
    let mut builder = ElfBuilder::new(machine::I386, false, Endian::Little)
        .entry(CODE)
        .load(CODE, vec![0x90; 16], 16, READ | EXECUTE)
        .load(DATA, vec![0; 16], 16, READ | WRITE)
        .load(DATA + 0x1000, vec![0; 16], 16, READ)
        .load(TABLES, tables, end - TABLES, READ)
        .load(end, section, size, READ)
        .view(DYNAMIC, end, size);
    if let Some(path) = interpreter {
        let data = [path.as_bytes(), b"\0"].concat();
        let memory_size = data.len() as u64;
        builder.loads.push(Load { kind: INTERPRETER, address: 0, data, memory_size, flags: READ });
    }
    Image::parse(&builder.build()).unwrap()
}

/// `R_386_32` against the one symbol, whose value is 0x11223344, for each slot.
fn overwriting(slots: &[u64]) -> (Vec<u8>, Vec<u8>) {
    let mut tables = Words::new(false, Endian::Little);
    for slot in slots {
        tables.relocation(*slot, 1, 1, None);
    }
    let symbols = TABLES + tables.bytes.len() as u64;
    tables.symbol(0, 0, 0, 0, 0);
    tables.symbol(0, 0x1122_3344, 0, 0x11, 0xfff1);
    let names = TABLES + tables.bytes.len() as u64;
    let size = 8 * slots.len() as u64;
    let section = dynamic(&[(17, TABLES), (18, size), (6, symbols), (5, names), (10, 1)]);
    (tables.bytes, section)
}

#[test]
fn nobody_relocates_the_code_and_constants_of_a_static_program() {
    let (tables, section) = overwriting(&[CODE, DATA, DATA + 0x1000]);
    let image = with_dynamic(None, tables, section);
    assert_eq!(image.read_uint(Address(CODE), 4), Some(0x9090_9090));
    assert_eq!(image.read_uint(Address(DATA), 4), Some(0x1122_3344));
    assert_eq!(image.read_uint(Address(DATA + 0x1000), 4), Some(0));
    let address = Address(CODE);
    assert_eq!(image.diagnostics(), [ImageDiagnostic::RelocationsRefused { count: 2, address }]);
}

#[test]
fn relocated_code_of_a_dynamic_program_is_told() {
    let (tables, section) = overwriting(&[CODE + 4, DATA]);
    let image = with_dynamic(Some("/lib/ld.so.1"), tables, section);
    // 0x90909090 is the addend.
    assert_eq!(image.read_uint(Address(CODE + 4), 4), Some(0xa1b2_c3d4));
    let address = Address(CODE + 4);
    assert_eq!(image.diagnostics(), [ImageDiagnostic::CodeRelocated { count: 1, address }]);
}

/// `R_386_IRELATIVE` in what DT_REL, DT_RELA and DT_JMPREL all name: each entry counts once.
#[test]
fn tables_that_name_the_same_bytes_are_read_once() {
    let mut tables = Words::new(false, Endian::Little);
    for _ in 0..RELOCATIONS + 5 {
        // R_386_COPY against a symbol that is not there: cannot be applied.
        tables.relocation(DATA, 7, 5, None);
    }
    let size = tables.bytes.len() as u64;
    let entries = [(17, TABLES), (18, size), (7, TABLES), (8, size), (23, TABLES + 8), (2, size)];
    let image = with_dynamic(Some("/lib/ld.so.1"), tables.bytes, dynamic(&entries));
    let left_out = ImageDiagnostic::RelocationsLeftOut { count: 5 };
    assert_eq!(image.diagnostics().first(), Some(&left_out));
    let skipped = |diagnostic: &ImageDiagnostic| match diagnostic {
        ImageDiagnostic::RelocationsSkipped { count, .. } => Some(*count),
        _ => None,
    };
    // Equal ones are one.
    assert_eq!(image.diagnostics().iter().find_map(skipped), Some(1));
}

/// The table of the procedure linkage lies at the end of DT_REL's and beyond it.
#[test]
fn what_one_of_two_tables_names_alone_is_read() {
    let mut tables = Words::new(false, Endian::Little);
    for index in 0..4 {
        tables.relocation(DATA + 4 * index, 1, 1, None);
    }
    let symbols = TABLES + tables.bytes.len() as u64;
    tables.symbol(0, 0, 0, 0, 0);
    tables.symbol(0, 0x11, 0, 0x11, 0xfff1);
    let table = [(17, TABLES), (18, 16), (23, TABLES + 8), (2, 24), (20, 17), (6, symbols)];
    let image = with_dynamic(Some("/lib/ld.so.1"), tables.bytes, dynamic(&table));
    // Applied twice, the sum would be twice the value.
    let words: Vec<_> =
        (0..4).map(|index| image.read_uint(Address(DATA + 4 * index), 4).unwrap()).collect();
    assert_eq!(words, [0x11; 4]);
}
