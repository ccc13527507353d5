//! Who uses entries of a table: by instructions written here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_extractors::endpoints::consumers::{EntryReference, references};
use miyaburi_extractors::string_table::{Entry, Table};
use miyaburi_extractors::subject::Subject;
use miyaburi_image::Address;
use support::{CODE, Code, DATA, with_subject};

/// Bytes of a record: its pointer alone.
const STRIDE: u64 = 8;

/// A table of two records, which `initialiser` fills or decodes.
fn table<'a>(subject: &Subject<'a>, initialiser: Address, is_filled: bool) -> Table<'a> {
    let entry = |id: u32| Entry {
        id,
        decoded: b"ab\0".to_vec(),
        encoded: b"ab\0".to_vec(),
        cell: Address(DATA + STRIDE * u64::from(id)),
        buffer: Address(0),
        added_at: None,
        stale_key: None,
    };
    Table {
        initialiser,
        is_filled,
        is_allocated: false,
        base: Address(DATA),
        base_is_certain: true,
        stride: STRIDE,
        pointer_offset: 0,
        effective_key: 0,
        key_observed: true,
        inferred_key: None,
        key_word: None,
        accessors: Vec::new(),
        entries: (0..2).map(entry).collect(),
        filled: subject.bare_state(),
    }
}

/// A function that reads the first record, and then has the address of the second.
fn reader() -> Code {
    let mut code = Code::default();
    // mov rdi, [DATA]
    code.add(&[0x48, 0x8b, 0x3c, 0x25]).word(DATA as u32);
    // mov edi, DATA + STRIDE; ret
    code.add(&[0xbf]).word((DATA + STRIDE) as u32).add(&[0xc3]);
    code
}

#[test]
fn the_address_of_a_record_alone_is_no_use_of_it() {
    with_subject(&reader().image(), |subject| {
        let table = table(subject, Address(0), true);
        let use_of = EntryReference { id: 0, site: Address(CODE), function: Address(CODE) };
        assert_eq!(references(subject, &table), [use_of]);
    });
}

#[test]
fn what_fills_a_table_does_not_use_it() {
    with_subject(&reader().image(), |subject| {
        let table = table(subject, Address(CODE), true);
        assert_eq!(references(subject, &table), []);
    });
}

#[test]
fn what_decodes_a_table_does_not_fill_it() {
    with_subject(&reader().image(), |subject| {
        assert_eq!(table(subject, Address(CODE), true).filler(), Some(Address(CODE)));
        assert_eq!(table(subject, Address(CODE), false).filler(), None);
    });
}
