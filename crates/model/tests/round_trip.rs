//! The report as the contract spells it, read and written.
#![allow(clippy::unwrap_used)]

use miyaburi_model::{
    Cipher, Constant, EntryRole, EntryValue, FieldValue, Report, Verdict, VirtualAddress,
};
use serde_json::{Value, json};

/// A report with every part in it, spelled by hand.
const EVERY_PART: &str = include_str!("data/every_part.json");

#[test]
fn writing_gives_back_what_was_read_field_order_included() {
    let report: Report = serde_json::from_str(EVERY_PART).unwrap();
    let written = serde_json::to_string_pretty(&report).unwrap();
    assert_eq!(written, EVERY_PART.trim_end());
}

#[test]
fn parts_are_typed() {
    let report: Report = serde_json::from_str(EVERY_PART).unwrap();
    assert_eq!(report.verdict, Verdict::Config);
    let table = report.string_table.unwrap();
    assert_eq!(table.cipher, Cipher::Xor);
    assert_eq!(table.entries[0].role, EntryRole::C2Host);
    assert_eq!(table.entries[0].references[0].address, VirtualAddress(0x804_e552));
    assert_eq!(table.entries[1].value, EntryValue::Port { port: 23 });
    let fields = &report.attacks[0].packets[0].fields;
    assert_eq!(fields["ip.ttl"].value, FieldValue::Constant { constant: Constant::Number(64) });
    assert_eq!(fields["udp.dstport"].value, FieldValue::Random { random: [0, 65535] });
    assert_eq!(fields["udp.dstport"].option, Some(7));
    assert!(matches!(
        fields["udp.payload"].value,
        FieldValue::Payload { length: 512, random: true, .. }
    ));
}

#[test]
fn unknown_fields_are_ignored_and_optional_ones_may_be_absent() {
    let mut value: Value = serde_json::from_str(EVERY_PART).unwrap();
    value["added_later"] = json!({"a": 1});
    value["string_table"]["entries"][1] = json!({"id": 4, "kind": "port", "port": 23, "hex": "0017", "role": "c2_port",
               "references": [], "new": true});
    let report: Report = serde_json::from_value(value).unwrap();
    let entry = &report.string_table.unwrap().entries[1];
    assert_eq!(entry.value, EntryValue::Port { port: 23 });
    assert!(!entry.stale && entry.cipher.is_none() && entry.evidence.is_empty());
}

#[test]
fn misspelled_values_are_refused() {
    for (pointer, wrong) in [
        ("/verdict", json!("maybe")),
        ("/endpoints/0/role", json!("C2")),
        ("/endpoints/0/port", json!(65536)),
        ("/endpoints/0/evidence/0/address", json!(4660)),
        ("/string_table/entries/0/kind", json!("number")),
        ("/string_table/cipher", json!("xor1")),
    ] {
        let mut value: Value = serde_json::from_str(EVERY_PART).unwrap();
        *value.pointer_mut(pointer).unwrap() = wrong;
        assert!(serde_json::from_value::<Report>(value).is_err(), "{pointer}");
    }
}

#[test]
fn ciphers_are_spelled_as_published() {
    let names = [
        "xor",
        "xor_cyclic",
        "rc4",
        "rc4_modified",
        "chacha20",
        "xtea",
        "xxtea",
        "aes_128_cbc",
        "substitution",
        "rot_xor",
        "hex",
        "stack_string",
        "plain",
        "unknown",
    ];
    for name in names {
        let cipher: Cipher = serde_json::from_value(json!(name)).unwrap();
        assert_eq!(serde_json::to_value(cipher).unwrap(), json!(name));
    }
}

#[test]
fn verdicts_count_as_the_contract_says() {
    for verdict in [Verdict::Config, Verdict::ExternalC2, Verdict::Partial, Verdict::NoConfig] {
        assert!(!verdict.is_failure(true) && !verdict.is_failure(false));
    }
    assert!(Verdict::Unsupported.is_failure(true) && !Verdict::Unsupported.is_failure(false));
    assert!(Verdict::Failed.is_failure(true) && Verdict::Failed.is_failure(false));
    for verdict in [Verdict::Config, Verdict::ExternalC2, Verdict::Unsupported] {
        assert_eq!(serde_json::to_value(verdict).unwrap(), json!(verdict.name()));
    }
}

#[test]
fn the_schema_names_its_version_and_requires_the_verdict() {
    let schema = miyaburi_model::schema().to_value();
    assert_eq!(schema["$id"], "urn:miyaburi:report:1");
    let required = schema["required"].as_array().unwrap();
    for field in ["schema_version", "sample", "verdict", "endpoints", "string_table"] {
        assert!(required.contains(&json!(field)), "{field}");
    }
    assert_eq!(schema["$defs"]["VirtualAddress"]["type"], "string");
}
