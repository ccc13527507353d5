//! The string table and loose strings in the terms of the report.

use super::at;
use super::left_over;
use super::roles::{endpoint_role_of, host_role_of, port_role_of, role_of};
use crate::findings::Findings;
use miyaburi_extractors::cipher;
use miyaburi_extractors::endpoints::consumers::references_to;
use miyaburi_extractors::endpoints::ports;
use miyaburi_extractors::loose_strings::{self, Source as StringSource};
use miyaburi_extractors::string_table::{self, Table};
use miyaburi_extractors::{stored, xor};
use miyaburi_image::Image;
use miyaburi_model::{
    Cipher, EntryRole, EntryValue, Evidence, Key, LooseString, Reference, StringTable, TableEntry,
    printable, string_table_sha256,
};

/// The table; one with gaps has no hash, which would compare as another table's.
pub(super) fn table_of(image: &Image, table: &Table<'_>, findings: &Findings<'_>) -> StringTable {
    let Findings { references, purposes, contacts, .. } = findings;
    let endpoints = &contacts.endpoints;
    let ports = ports::purposes(&table.entries, references, contacts);
    let mut entries: Vec<TableEntry> = table
        .entries
        .iter()
        .map(|entry| {
            let mut reported = entry_of(table, entry);
            reported.role = endpoint_role_of(entry.id, endpoints)
                .or_else(|| ports.get(&entry.id).copied().and_then(port_role_of))
                .or_else(|| match &reported.value {
                    EntryValue::Text { text } => host_role_of(text, endpoints),
                    _ => None,
                })
                .or_else(|| purposes.get(&entry.id).copied().map(role_of))
                .or_else(|| role_of_printed(&reported.hex.0, &contacts.printed))
                .unwrap_or(EntryRole::Unknown);
            // What is used as a port is one, even if it reads as text.
            let is_port = match reported.role {
                EntryRole::C2Port | EntryRole::ScanReceiverPort => true,
                EntryRole::Unknown | EntryRole::ScannerDialogue => is_no_word(&reported.hex.0),
                _ => false,
            };
            if let ([high, low] | [high, low, 0], true) = (reported.hex.0.as_slice(), is_port) {
                reported.value = EntryValue::Port { port: u16::from_be_bytes([*high, *low]) };
            }
            reported.references = references_to(references, entry.id)
                .iter()
                .map(|reference| Reference {
                    address: at(reference.site),
                    function: Some(at(reference.function)),
                })
                .collect();
            reported
        })
        .collect();
    left_over::add_port_roles(&mut entries, contacts);
    add_stored(image, &table.entries, &mut entries);
    let mut report = StringTable {
        key: table.coding.key.as_deref().map(Key::from),
        effective_key: table.coding.effective_key.map(Key::from),
        cipher: cipher_of(table.coding.cipher),
        nonce: table.coding.nonce.as_deref().map(Key::from),
        entries,
        sha256: None,
    };
    if table.gaps.is_empty() {
        report.sha256 = Some(string_table_sha256(&report.entries));
    }
    report
}

/// Adds how entries lie in the file, of those that do.
fn add_stored(image: &Image, entries: &[string_table::Entry], reported: &mut [TableEntry]) {
    let encoded: Vec<&[u8]> =
        entries.iter().map(|entry| entry.made_of.as_deref().unwrap_or(&entry.encoded)).collect();
    for number in stored::standing(image, &encoded) {
        let (Some(entry), Some(encoded)) = (entries.get(number), encoded.get(number)) else {
            continue;
        };
        if let Some(reported) = reported.get_mut(number).filter(|_| *encoded != entry.decoded) {
            reported.stored = Some((*encoded).into());
        }
    }
}

/// Whether a terminated entry of two characters is more likely a port than a text: one of them is
/// a sign, and they are no format of `printf`.
///
/// False positives: texts such as `::` that nothing is seen to use. False negatives: ports whose
/// bytes are two letters or digits.
fn is_no_word(bytes: &[u8]) -> bool {
    let [first, second, 0] = bytes else { return false };
    let is_format = *first == b'%' && second.is_ascii_alphabetic();
    let has_sign = first.is_ascii_punctuation() || second.is_ascii_punctuation();
    first.is_ascii_graphic() && second.is_ascii_graphic() && has_sign && !is_format
}

/// A cipher in the report's terms.
pub(super) const fn cipher_of(cipher: cipher::Cipher) -> Cipher {
    match cipher {
        cipher::Cipher::Plain => Cipher::Plain,
        cipher::Cipher::Xor => Cipher::Xor,
        cipher::Cipher::XorCyclic => Cipher::XorCyclic,
        cipher::Cipher::Rc4 => Cipher::Rc4,
        cipher::Cipher::Rc4Modified => Cipher::Rc4Modified,
        cipher::Cipher::Chacha20 => Cipher::Chacha20,
        cipher::Cipher::Xtea => Cipher::Xtea,
        cipher::Cipher::Xxtea => Cipher::Xxtea,
        cipher::Cipher::Aes128Cbc => Cipher::Aes128Cbc,
        cipher::Cipher::Substitution => Cipher::Substitution,
        cipher::Cipher::RotXor => Cipher::RotXor,
        cipher::Cipher::Hex => Cipher::Hex,
        cipher::Cipher::StackString => Cipher::StackString,
        cipher::Cipher::Unknown => Cipher::Unknown,
    }
}

fn entry_of(table: &Table<'_>, entry: &string_table::Entry) -> TableEntry {
    let stale = entry.stale_key.is_some();
    let meant = match entry.stale_key {
        Some(key) => xor::apply(&entry.encoded, key),
        None => entry.decoded.clone(),
    };
    let value = match meant.as_slice() {
        _ if xor::is_text(&meant) => EntryValue::Text { text: printable(&meant) },
        _ if let Some(port) = entry.as_port() => EntryValue::Port { port },
        _ if meant.last() == Some(&0) => EntryValue::Text { text: printable(&meant) },
        _ => EntryValue::Bytes,
    };
    let evidence = Evidence::new(
        at(entry.added_at.unwrap_or(entry.cell)),
        Some(at(table.initialiser)),
        "added here",
    );
    TableEntry {
        id: entry.id,
        value,
        hex: meant.into(),
        role: EntryRole::Unknown,
        cipher: None,
        effective_key: entry.stale_key.or(entry.own_key).map(Key::from),
        stale,
        code_hex: stale.then(|| entry.decoded.clone().into()),
        stored: None,
        cell: Some(at(entry.cell)),
        references: Vec::new(),
        evidence: vec![evidence],
    }
}

/// Loose strings, with what they are for and the first use that says so.
pub(super) fn strings_of(findings: &Findings<'_>) -> Vec<LooseString> {
    let Findings { strings, string_references, string_purposes, contacts, .. } = findings;
    let with_role = |(number, string): (u32, &loose_strings::LooseString)| {
        let mut reported = string_of(string);
        let first = references_to(string_references, number).first();
        let by_use = first.and_then(|_| {
            host_role_of(&reported.text, &contacts.endpoints)
                .or_else(|| string_purposes.get(&number).copied().map(role_of))
        });
        reported.role = by_use.or_else(|| role_of_printed(&string.decoded, &contacts.printed));
        if let Some(first) = first.filter(|_| reported.role.is_some()) {
            let evidence = Evidence::new(at(first.site), Some(at(first.function)), "used here");
            reported.evidence.push(evidence);
        }
        reported
    };
    (0..).zip(strings).map(with_role).collect()
}

/// The role of a text that is a line of what the program was seen to print.
///
/// False positives: one that it prints for another purpose.
fn role_of_printed(text: &[u8], printed: &[u8]) -> Option<EntryRole> {
    const LEAST: usize = 3;
    let text = text.strip_suffix(&[0]).unwrap_or(text);
    let is_line = || printed.split(|byte| *byte == b'\n').any(|line| line == text);
    (text.len() >= LEAST && is_line()).then_some(EntryRole::ExecutionMessage)
}

fn string_of(string: &loose_strings::LooseString) -> LooseString {
    let address = at(string.address);
    let evidence = match string.source {
        StringSource::Decoded { decoder, site, function } => vec![
            Evidence::new(at(site), Some(at(function)), "decoded here"),
            Evidence::new(at(decoder), Some(at(decoder)), "decodes"),
        ],
        StringSource::OnStack { site, function } => {
            vec![Evidence::new(at(site), Some(at(function)), "on the stack here, of constants")]
        }
        StringSource::Referenced { site, function } => {
            vec![Evidence::new(at(site), function.map(at), "text under the key of most strings")]
        }
        StringSource::InRow { .. } => {
            vec![Evidence::new(address, None, "one of many texts in a row under one key")]
        }
        StringSource::Beside { neighbour } => vec![
            Evidence::new(address, None, "text under the key of its neighbours"),
            Evidence::new(at(neighbour), None, "the neighbour before it"),
        ],
    };
    let is_on_stack = matches!(string.source, StringSource::OnStack { .. });
    LooseString {
        address,
        text: printable(&string.decoded),
        hex: string.decoded.clone().into(),
        cipher: if is_on_stack { Cipher::StackString } else { Cipher::Xor },
        effective_key: (!is_on_stack).then(|| Key::from(string.key)),
        stored: (!is_on_stack).then(|| xor::apply(&string.decoded, string.key).into()),
        role: None,
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_no_word, role_of_printed};
    use miyaburi_model::EntryRole;

    #[test]
    fn two_characters_with_a_sign_are_a_port_and_words_and_formats_are_none() {
        for port in [b"%\"\0", b"#R\0", b"q^\0"] {
            assert!(is_no_word(port), "{port:?}");
        }
        for text in [&b"sh\0"[..], b"%d\0", b": \0", b"\r\n\0", b"#R", b"-c x\0"] {
            assert!(!is_no_word(text), "{text:?}");
        }
    }

    #[test]
    fn a_whole_line_that_was_printed_is_the_message_at_the_start() {
        let role = |text: &[u8]| role_of_printed(text, b"ready to go\nok\nhello\n");
        assert_eq!(role(b"ready to go\0"), Some(EntryRole::ExecutionMessage));
        assert_eq!(role(b"hello"), Some(EntryRole::ExecutionMessage));
        // Part of a line, too short to tell, nothing.
        for text in [&b"ready\0"[..], b"ok\0", b"\0", b""] {
            assert_eq!(role(text), None, "{text:?}");
        }
    }
}
