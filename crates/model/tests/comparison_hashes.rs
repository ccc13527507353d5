//! The comparison hashes against those published with mirai-toushi (see
//! `data/mirai-toushi/NOTICE`).
#![allow(clippy::unwrap_used)]

use miyaburi_model::{
    Credential, EntryRole, EntryValue, HexBytes, TableEntry, credentials_sha256,
    string_table_sha256,
};
use serde_json::Value;

const TABLE_SHA256: &str = "5c4a784a20ca5269802f1b39be5a9b5ca9e2fe9deca5285467788e4ba95182dd";
const CREDENTIALS_SHA256: &str = "0e60e37e94702511c143b8d69f551b055b136458ca6c2d5728e5029417f1fb76";

fn entry(id: u32, value: EntryValue, hex: Vec<u8>) -> TableEntry {
    TableEntry {
        id,
        value,
        hex: HexBytes(hex),
        role: EntryRole::Unknown,
        cipher: None,
        effective_key: None,
        stale: false,
        code_hex: None,
        stored: None,
        cell: None,
        references: vec![],
        evidence: vec![],
    }
}

fn text(id: u32, text: &str) -> TableEntry {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    entry(id, EntryValue::Text { text: text.to_owned() }, bytes)
}

fn port(id: u32, port: u16) -> TableEntry {
    entry(id, EntryValue::Port { port }, port.to_be_bytes().to_vec())
}

fn published_table() -> Vec<TableEntry> {
    let rows: Vec<Value> =
        serde_json::from_str(include_str!("data/mirai-toushi/table.json")).unwrap();
    rows.iter()
        .map(|row| {
            let id = u32::try_from(row["id"].as_u64().unwrap()).unwrap();
            match row["int"].as_u64() {
                Some(number) => port(id, u16::try_from(number).unwrap()),
                None => text(id, row["str"].as_str().unwrap()),
            }
        })
        .collect()
}

#[test]
fn published_table_has_the_published_hash() {
    let table = published_table();
    assert_eq!(table.len(), 50);
    assert_eq!(string_table_sha256(&table).to_string(), TABLE_SHA256);
}

#[test]
fn published_credentials_have_the_published_hash() {
    let credentials: Vec<Credential> =
        serde_json::from_str(include_str!("data/mirai-toushi/credentials.json")).unwrap();
    assert_eq!(credentials.len(), 23);
    assert_eq!(credentials_sha256(&credentials).to_string(), CREDENTIALS_SHA256);
}

#[test]
fn order_and_every_value_count() {
    let mut swapped = published_table();
    swapped.swap(0, 1);
    assert_ne!(string_table_sha256(&swapped).to_string(), TABLE_SHA256);
    let mut changed = published_table();
    changed[0] = text(3, "example.org");
    assert_ne!(string_table_sha256(&changed).to_string(), TABLE_SHA256);
}

#[test]
fn a_stale_entry_counts_as_the_code_sees_it() {
    let under_old_key = b"old.example\0".to_vec();
    let seen: Vec<u8> = under_old_key.iter().map(|byte| byte ^ 0x76).collect();
    let mut stale = entry(3, EntryValue::Text { text: "old.example".to_owned() }, under_old_key);
    stale.stale = true;
    stale.code_hex = Some(HexBytes(seen.clone()));
    let code_view = entry(3, EntryValue::Bytes, seen);
    assert_eq!(string_table_sha256(&[stale]), string_table_sha256(&[code_view]));
}
