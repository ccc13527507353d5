//! Position-independent and dynamic files: relocations at load base 0, imports, resolvers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;
mod tables;

use miyaburi_image::{Address, Endian, Image, ImageDiagnostic, ImageKind, ImportKind};
use support::{DYN, EXEC, EXECUTE, ElfBuilder, READ, WRITE, machine};
use tables::{BIG_DATA, DATA, DEFINED, Hash, IMPORTED, TABLES, TARGETS, TEXT, Tables};

#[test]
fn relative_relocations_give_addresses_at_load_base_0() {
    for target in TARGETS {
        let mut tables = Tables::new(target, Hash::SystemV);
        let mut data = target.words();
        let in_place = !target.with_addend;
        data.word(if in_place { TEXT + 8 } else { 0 });
        data.word(0x1111);
        tables.relocations.relocation(DATA, 0, target.relative, (!in_place).then_some(TEXT + 8));
        let image = target.image(tables, data);
        let machine = target.machine;
        assert_eq!(image.read_pointer(Address(DATA)), Some(Address(TEXT + 8)), "{machine}");
        let next = Address(DATA + target.word_size());
        assert_eq!(image.read_pointer(next), Some(Address(0x1111)), "{machine}");
        assert_eq!(image.kind(), ImageKind::PositionIndependent);
        assert_eq!(image.diagnostics(), []);
    }
}

#[test]
fn symbols_of_the_file_are_linked_and_others_are_imports() {
    for target in TARGETS {
        let mut tables = Tables::new(target, Hash::SystemV);
        let word = target.word_size();
        let mut data = target.words();
        let addend = |value: u64| target.with_addend.then_some(value);
        data.word(if target.with_addend { 0 } else { 4 });
        data.word(0x77);
        data.word(0x88);
        tables.relocations.relocation(DATA, DEFINED, target.absolute, addend(4));
        tables.relocations.relocation(DATA + word, IMPORTED, target.absolute, addend(0));
        tables.linkage.relocation(DATA + 2 * word, IMPORTED, target.slot_call, addend(0));
        let image = target.image(tables, data);
        let machine = target.machine;
        assert_eq!(image.read_pointer(Address(DATA)), Some(Address(TEXT + 0x44)), "{machine}");
        let kept = image.read_pointer(Address(DATA + word));
        assert_eq!(kept, Some(Address(0x77)), "an import's slot keeps the file's value");
        let imports: Vec<_> = image
            .imports()
            .iter()
            .map(|import| (import.name.as_str(), import.slot.0, import.kind))
            .collect();
        let address = ("socket", DATA + word, ImportKind::Address);
        assert_eq!(imports, [address, ("socket", DATA + 2 * word, ImportKind::Function)]);
        assert_eq!(image.import_at(Address(DATA + word)).unwrap().name, "socket");
        assert_eq!(image.import_at(Address(DATA)), None);
        assert_eq!(image.needed_libraries(), ["libc.so.0"]);
    }
}

#[test]
fn dynamic_symbols_are_counted_without_section_headers() {
    for target in TARGETS {
        for hash in [Hash::SystemV, Hash::Gnu, Hash::None] {
            let image = target.image(Tables::new(target, hash), target.words());
            let names: Vec<_> = image.symbols().iter().map(|symbol| symbol.name.as_str()).collect();
            assert_eq!(names, ["start_bot"], "{}", target.machine);
            assert_eq!(image.symbols()[0].address, Address(TEXT + 0x40));
            assert_eq!(image.symbols()[0].size, 16);
        }
    }
}

#[test]
fn relr_words_hold_their_value_already() {
    let target = TARGETS[0];
    let mut tables = Tables::new(target, Hash::SystemV);
    tables.extra.extend([(36, TABLES), (35, 8), (37, 8)]);
    let mut data = target.words();
    data.word(TEXT + 0x10);
    let image = target.image(tables, data);
    assert_eq!(image.read_pointer(Address(DATA)), Some(Address(TEXT + 0x10)));
    assert_eq!(image.diagnostics(), []);
}

#[test]
fn superh_takes_a_zero_addend_as_one_in_place() {
    let target = TARGETS[8];
    let mut tables = Tables::new(target, Hash::SystemV);
    let mut data = target.words();
    data.word(TEXT + 0x20);
    tables.relocations.relocation(DATA, 0, target.relative, Some(0));
    let image = target.image(tables, data);
    assert_eq!(image.read_pointer(Address(DATA)), Some(Address(TEXT + 0x20)));
}

#[test]
fn the_global_part_of_a_mips_got_follows_the_symbols() {
    let target = TARGETS[5];
    let mut tables = Tables::new(target, Hash::SystemV);
    // DT_PLTGOT, DT_MIPS_LOCAL_GOTNO, DT_MIPS_GOTSYM, DT_MIPS_SYMTABNO
    tables.extra.extend([(3, DATA), (0x7000_000a, 2), (0x7000_0013, 1), (0x7000_0011, 3)]);
    let mut data = target.words();
    [0, 0x8000_0000, 0x4242, 0].iter().for_each(|word| data.word(*word));
    let image = target.image(tables, data);
    assert_eq!(image.imports().len(), 1);
    assert_eq!(image.import_at(Address(DATA + 8)).unwrap().name, "socket");
    assert_eq!(image.import_at(Address(DATA + 8)).unwrap().kind, ImportKind::Function);
    assert_eq!(image.read_pointer(Address(DATA + 8)), Some(Address(0x4242)));
    assert_eq!(image.read_pointer(Address(DATA + 12)), Some(Address(TEXT + 0x40)));
    assert_eq!(image.global_pointer(), Some(Address(DATA + 0x7ff0)));
}

#[test]
fn initializers_come_from_the_dynamic_section() {
    let target = TARGETS[0];
    let mut tables = Tables::new(target, Hash::SystemV);
    // DT_INIT; DT_INIT_ARRAY with two entries, one of which is not mapped
    tables.extra.extend([(12, TEXT + 4), (25, DATA), (27, 16)]);
    tables.relocations.relocation(DATA, 0, 8, Some(TEXT + 0x80));
    let mut data = target.words();
    data.word(0);
    data.word(0xffff_ffff_ffff_ffff);
    let image = target.image(tables, data);
    assert_eq!(image.initializers(), [Address(TEXT + 4), Address(TEXT + 0x80)]);
}

#[test]
fn relocations_that_cannot_be_applied_are_counted() {
    let target = TARGETS[0];
    let mut tables = Tables::new(target, Hash::SystemV);
    tables.relocations.relocation(0x9999_0000, 0, 8, Some(TEXT));
    tables.relocations.relocation(DATA, 0, 0x7777, Some(TEXT));
    tables.relocations.relocation(DATA, 999, 6, Some(0));
    let mut data = target.words();
    data.word(5);
    let image = target.image(tables, data);
    assert_eq!(image.read_pointer(Address(DATA)), Some(Address(5)));
    let skipped = image.diagnostics().iter().find_map(|diagnostic| match diagnostic {
        ImageDiagnostic::RelocationsSkipped { count, address, .. } => Some((*count, *address)),
        _ => None,
    });
    assert_eq!(skipped, Some((3, Address(DATA))));
}

#[test]
fn resolver_tables_of_static_programs_are_found_by_content() {
    let irelative = [
        (TARGETS[0], 37),
        (TARGETS[1], 42),
        (TARGETS[2], 160),
        (TARGETS[4], 1032),
        (TARGETS[6], 248),
    ];
    for (target, kind) in irelative {
        let word = target.word_size();
        let mut table = target.words();
        let addend = |value: u64| target.with_addend.then_some(value);
        table.word(0x55);
        table.relocation(DATA, 0, kind, addend(TEXT + 0x30));
        // Negatives: a slot in read-only memory, a resolver outside of code, an unaligned slot.
        table.relocation(TEXT, 0, kind, addend(TEXT + 0x30));
        table.relocation(DATA + word, 0, kind, addend(DATA));
        table.relocation(DATA + 1, 0, kind, addend(TEXT + 0x30));
        let mut data = target.words();
        data.word(TEXT + 0x30);
        data.word(DATA);
        let (bytes, size) = (table.bytes.clone(), table.bytes.len() as u64);
        let file = ElfBuilder::new(target.machine, target.wide, target.endian)
            .file_type(EXEC)
            .entry(TEXT)
            .load(TABLES, bytes, size, READ)
            .load(TEXT, vec![0; 0x100], 0x100, READ | EXECUTE)
            .load(DATA, data.bytes, 0x100, READ | WRITE)
            .build();
        let image = Image::parse(&file).unwrap();
        let found: Vec<_> = image
            .indirect_functions()
            .iter()
            .map(|function| (function.slot.0, function.resolver.0))
            .collect();
        assert_eq!(found, [(DATA, TEXT + 0x30)], "{}", target.machine);
    }
}

#[test]
fn kinds_follow_type_entry_point_and_interpreter() {
    let program = |file_type, entry| {
        let builder = ElfBuilder::new(machine::X86_64, true, Endian::Little)
            .file_type(file_type)
            .entry(entry)
            .load(0, b"/lib/ld.so\0".to_vec(), 0x100, READ)
            .load(TEXT, vec![0; 0x100], 0x100, READ | EXECUTE);
        Image::parse(&builder.build()).unwrap()
    };
    assert_eq!(program(EXEC, TEXT).kind(), ImageKind::Executable);
    assert_eq!(program(DYN, TEXT).kind(), ImageKind::PositionIndependent);
    let library = program(DYN, 0);
    assert_eq!(library.kind(), ImageKind::SharedObject);
    assert_eq!(library.interpreter(), None);
    assert_eq!(library.diagnostics(), []);
}

#[test]
fn an_import_needs_a_slot_that_is_mapped() {
    let target = TARGETS[0];
    let mut tables = Tables::new(target, Hash::SystemV);
    let unmapped = 0x7000_0000;
    tables.linkage.relocation(unmapped, IMPORTED, target.slot_call, Some(0));
    tables.linkage.relocation(DATA, IMPORTED, target.slot_call, Some(0));
    let mut data = target.words();
    data.word(0);
    let image = target.image(tables, data);
    let slots: Vec<Address> = image.imports().iter().map(|import| import.slot).collect();
    assert_eq!(slots, [Address(DATA)]);
    let skipped = ImageDiagnostic::RelocationsSkipped {
        count: 1,
        kind: target.slot_call as u32,
        address: Address(unmapped),
    };
    assert_eq!(image.diagnostics(), [skipped]);
}

/// Tables of a hundred thousand imports, each with a slot of its own.
#[test]
fn a_huge_relocation_table_gives_a_bounded_number_of_imports() {
    let (asked, kept) = (100_000, 1 << 16);
    let target = TARGETS[0];
    let mut words = Tables::new(target, Hash::SystemV);
    for index in 0..asked {
        words.linkage.relocation(BIG_DATA + 8 * index, IMPORTED, target.slot_call, Some(0));
    }
    let image = target.image_with_data_at(BIG_DATA, 8 * asked, words);
    assert_eq!(image.imports().len() as u64, kept);
    assert!(image.imports().iter().all(|import| import.name == "socket"));
    let (count, address) = ((asked - kept) as usize, Address(BIG_DATA + 8 * kept));
    let skipped =
        ImageDiagnostic::RelocationsSkipped { count, kind: target.slot_call as u32, address };
    assert_eq!(image.diagnostics(), [skipped]);
}

/// Words that relocations write far into zeroed memory, a hundred thousand of them.
#[test]
fn a_huge_relocation_table_makes_a_bounded_part_of_zeroed_memory_stored_bytes() {
    let (asked, stored) = (100_000, 1 << 16);
    let target = TARGETS[0];
    let mut words = Tables::new(target, Hash::SystemV);
    for index in 0..asked {
        words.relocations.relocation(BIG_DATA + 8 * index, 0, target.relative, Some(TEXT + index));
    }
    let image = target.image_with_data_at(BIG_DATA, 8 * asked, words);
    let segment = image.segment_at(Address(BIG_DATA)).unwrap();
    assert_eq!((segment.data.len() as u64, segment.size), (stored, 8 * asked));
    let word = |index: u64| image.read_uint(Address(BIG_DATA + 8 * index), 8);
    let written = stored / 8;
    assert_eq!(word(written - 1), Some(TEXT + written - 1));
    assert_eq!(word(written), Some(0));
    let (count, address) = ((asked - written) as usize, Address(BIG_DATA + stored));
    let skipped =
        ImageDiagnostic::RelocationsSkipped { count, kind: target.relative as u32, address };
    assert_eq!(image.diagnostics(), [skipped]);
}
