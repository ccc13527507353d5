//! Rules of YARA look for what lies encoded in files, and hold nothing but numbers of a report.
#![allow(clippy::unwrap_used)]

mod support;

use miyaburi_export::{Written, yara};
use miyaburi_model::Report;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::findings::{configurations, hostile, hostile_report, report_with};
use support::{Memory, list_of};

/// A table of texts whose bytes lie in the file combined with a mask, which no cipher of the report says;
/// the first is the C2's host.
fn table(mask: u8, texts: &[&str]) -> Value {
    let entries: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(id, text)| {
            let hex = |mask: u8| -> String {
                text.bytes().chain([0]).map(|byte| format!("{:02x}", byte ^ mask)).collect()
            };
            let role = if id == 0 { "c2_host" } else { "unknown" };
            json!({"id": id, "kind": "text", "text": text, "hex": hex(0), "stored": hex(mask), "role": role})
        })
        .collect();
    json!({"string_table": {"key": null, "effective_key": null, "cipher": "unknown", "nonce": null,
                            "entries": entries, "sha256": null}})
}

fn rules(report: Report) -> (Written, String) {
    let reports = [report];
    let mut folder = Memory::default();
    let written = yara::write(&list_of(&reports), &configurations(&reports), &mut folder).unwrap();
    (written, folder.text(yara::FILE).to_owned())
}

const TEXTS: [&str; 8] = [
    "c2.bot.example",
    "listening tun0",
    "/proc/net/tcp",
    "/dev/watchdog",
    "TSource Engine Query",
    "assword",
    "ncorrect",
    "sh",
];

#[test]
fn a_rule_looks_for_encoded_texts() {
    let (written, text) = rules(report_with(1, &table(0x22, &TEXTS)));
    assert_eq!(written, Written { entries: 1, left_out: 0 });
    // "c2.bot.example" and "assword", every byte with 0x22.
    assert!(text.contains("$server0 = { 41 10 0c 40 4d 56 0c 47 5a 43 4f 52 4e 47 }"), "{text}");
    assert!(text.contains("= { 43 51 51 55 4d 50 46 }"), "{text}");
    // "sh" is too short, five of the other six are three quarters.
    assert!(text.contains("all of ($server*)\n        and 5 of ($text*)"), "{text}");
}

#[test]
fn what_does_not_lie_in_the_file_or_is_not_encoded_has_no_rule() {
    let mut nowhere = table(0x22, &TEXTS);
    for entry in nowhere["string_table"]["entries"].as_array_mut().unwrap() {
        entry["stored"] = json!(null);
    }
    for found in [nowhere, table(0, &TEXTS)] {
        let (written, text) = rules(report_with(1, &found));
        assert_eq!(written, Written { entries: 0, left_out: 1 });
        assert!(!text.contains("rule "), "{text}");
    }
    let (written, _) = rules(report_with(1, &table(0x22, &TEXTS[..6])));
    assert_eq!(written.entries, 0);
}

#[test]
fn texts_without_a_host_are_everybodys() {
    let mut found = table(0x22, &TEXTS);
    found["string_table"]["entries"][0]["role"] = json!("unknown");
    let (written, _) = rules(report_with(1, &found));
    assert_eq!(written, Written { entries: 0, left_out: 1 });
}

proptest! {
    #[test]
    fn hostile_texts_are_numbers(
        texts in prop::collection::vec(hostile(), 8..12),
        pairs in prop::collection::vec((hostile(), hostile()), 1..3),
        mask in 1_u8..,
    ) {
        let words: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut report = hostile_report(&texts, &pairs, &texts);
        let found = table(mask, &words);
        report.string_table = serde_json::from_value(found["string_table"].clone()).unwrap();
        let (written, text) = rules(report);
        prop_assert_eq!(text.matches("rule ").count(), written.entries);
        let is_plain = |it: u8| it.is_ascii_alphanumeric() || b" \n_$={}()*:\"/.,-".contains(&it);
        prop_assert!(text.bytes().all(is_plain), "{}", text);
        for line in text.lines().filter(|line| line.trim_start().starts_with('$')) {
            let digits = line.split(['{', '}']).nth(1).unwrap();
            prop_assert!(digits.bytes().all(|it| it.is_ascii_hexdigit() || it == b' '));
        }
    }
}
