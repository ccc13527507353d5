//! Who uses entries of a table, and what for: by instructions written here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use miyaburi_extractors::cipher::{Cipher, Coding};
use miyaburi_extractors::endpoints::consumers::{EntryReference, references};
use miyaburi_extractors::roles::{self, KnownRoutines, Purpose};
use miyaburi_extractors::string_table::accessors::{Access, Accessor, Routine};
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
        own_key: None,
        made_of: None,
    };
    Table {
        initialiser,
        is_filled,
        is_allocated: false,
        base: Address(DATA),
        base_is_certain: true,
        stride: STRIDE,
        pointer_offset: 0,
        coding: Coding::of(Cipher::Unknown),
        is_observed: true,
        inferred_key: None,
        accessors: Vec::new(),
        entries: (0..2).map(entry).collect(),
        gaps: Vec::new(),
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
fn who_only_writes_a_record_does_not_use_it() {
    let mut code = Code::default();
    // mov [DATA], rdi; ret
    code.add(&[0x48, 0x89, 0x3c, 0x25]).word(DATA as u32).add(&[0xc3]);
    with_subject(&code.image(), |subject| {
        assert_eq!(references(subject, &table(subject, Address(0), true)), []);
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

/// What a call on standard output is given beside the descriptor.
#[derive(Clone, Copy)]
enum Written {
    /// What a routine gave out.
    Text,
    /// A constant.
    Complaint,
}

/// Reads the first record, writes, and reads it again when `closes`.
fn message(code: &mut Code, written: Written, closes: bool) {
    // The text: mov rsi, rax, or mov esi, DATA + STRIDE.
    code.call("give");
    match written {
        Written::Text => code.add(&[0x48, 0x89, 0xc6]),
        Written::Complaint => code.add(&[0xbe]).word((DATA + STRIDE) as u32),
    };
    // mov rdi, [DATA]; mov edi, 1
    let open: &[u8] = &[0x48, 0x8b, 0x3c, 0x25];
    code.add(open).word(DATA as u32).add(&[0xbf]).word(1).call("write");
    if closes {
        code.add(open).word(DATA as u32);
    } else {
        // mov edi, 1; mov esi, DATA + STRIDE
        code.add(&[0xbf]).word(1).add(&[0xbe]).word((DATA + STRIDE) as u32).call("write");
    }
    // mov edi, 5
    code.add(&[0xbf]).word(5).call("other");
}

/// What the first entry of a table is for that start-up code reads as in [`message`] each time.
fn purpose(messages: &[(Written, bool)]) -> Option<Purpose> {
    let mut code = Code::default();
    for (written, closes) in messages {
        message(&mut code, *written, *closes);
    }
    code.add(&[0xc3]);
    for name in ["give", "write", "other"] {
        // mov rax, [rsp + 8]; mov edx, [rax]
        code.routine(name).add(&[0x48, 0x8b, 0x44, 0x24, 0x08, 0x8b, 0x10, 0xc3]);
    }
    with_subject(&code.image(), |subject| {
        let table = table(subject, Address(0), true);
        let references = references(subject, &table);
        assert!(references.iter().any(|reference| reference.id == 0));
        roles::find(subject, &table, &references, &KnownRoutines::default()).get(&0).copied()
    })
}

#[test]
fn what_is_written_between_its_accesses_or_behind_its_only_one_is_a_message() {
    use Written::Text;
    let message = Some(Purpose::ExecutionMessage);
    for messages in [&[(Text, true)][..], &[(Text, false)], &[(Text, true), (Text, true)]] {
        assert_eq!(purpose(messages), message);
    }
}

#[test]
fn a_constant_written_beside_a_text_makes_no_message_of_it() {
    use Written::{Complaint, Text};
    for messages in [&[(Complaint, true)][..], &[(Complaint, false)]] {
        assert_eq!(purpose(messages), None);
    }
    // One copy is for something else.
    assert_eq!(purpose(&[(Text, true), (Complaint, true)]), None);
}

/// What the entries are for, both user agents, when an attack asks for one: as the routine `give`
/// says, or the first.
fn agents(chooses: bool, is_attack: bool) -> [Option<Purpose>; 2] {
    let mut code = Code::default();
    code.call("handler").add(&[0xc3]).routine("handler").call("give");
    match chooses {
        // mov edi, eax
        true => code.add(&[0x89, 0xc7]),
        // xor edi, edi
        false => code.add(&[0x31, 0xff]),
    };
    code.call("entry").add(&[0xc3]);
    for name in ["give", "entry"] {
        code.routine(name).add(&[0x48, 0x8b, 0x44, 0x24, 0x08, 0x8b, 0x10, 0xc3]);
    }
    let (handler, function) = (code.address("handler"), code.address("entry"));
    with_subject(&code.image(), |subject| {
        let convention = subject.conventions().into_iter().next().unwrap();
        let routine = Routine {
            function,
            convention,
            id_argument: 0,
            instructions: 30_000,
            arguments: Vec::new(),
        };
        let mut table = table(subject, Address(0), true);
        table.accessors.push(Accessor { routine, access: Access::Retrieves });
        for entry in &mut table.entries {
            entry.decoded = b"Mozilla/5.0 (X11)\0".to_vec();
        }
        let references = references(subject, &table);
        let handlers = is_attack.then_some(handler).into_iter().collect();
        let known = KnownRoutines { handlers, ..KnownRoutines::default() };
        let found = roles::find(subject, &table, &references, &known);
        [0, 1].map(|id| found.get(&id).copied())
    })
}

#[test]
fn user_agents_are_what_an_attack_chooses_among() {
    let agent = Some(Purpose::UserAgent);
    assert_eq!(agents(true, true), [agent, agent]);
    // One that nobody asks for says itself what it is, where there are attacks.
    assert_eq!(agents(false, true), [agent, agent]);
    assert_eq!(agents(false, false), [None, None]);
}
