//! Reports with all kinds of findings, and texts that try to break out.

use miyaburi_export::configurations::Configurations;
use miyaburi_export::indicators::Observed;
use miyaburi_model::Report;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A report of a file whose SHA-256 is `digest` 32 times, with these members.
pub(crate) fn report_with(digest: u8, changes: &Value) -> Report {
    let hash = |length: usize| format!("{digest:02x}").repeat(length);
    let mut report = json!({
        "schema_version": 1, "verdict": "config",
        "sample": {"path": "secret/place", "sha256": hash(32), "sha1": hash(20), "md5": hash(16),
                   "size": 1000, "arch": "mips"},
        "family": {"name": "mirai", "confidence": "high"},
    });
    for (name, value) in changes.as_object().unwrap() {
        report[name] = value.clone();
    }
    serde_json::from_value(report).unwrap()
}

pub(crate) fn host(host: &str, port: u16, role: &str) -> Value {
    json!({"host": host, "port": port, "protocol": "tcp", "url": null, "role": role,
           "order": null, "method": "table", "confidence": "high",
           "evidence": [{"address": "0x8048", "function": null, "note": ""}]})
}

pub(crate) fn logins(pairs: &[(&str, &str)]) -> Value {
    let entries: Vec<Value> = pairs
        .iter()
        .map(|(user, password)| json!({"user": user, "password": password, "weight": 1}))
        .collect();
    json!({"effective_key": "0x22", "cipher": "xor", "sha256": null, "entries": entries})
}

/// A C2 by name, a decoy, a receiver of hits, two logins, an attack.
pub(crate) fn example() -> Report {
    report_with(
        1,
        &json!({
            "endpoints": [
                host("cnc.bot.example", 23, "c2"),
                host("192.0.2.9", 80, "decoy"),
                host("192.0.2.7", 48101, "scan_receiver"),
            ],
            "credentials": logins(&[("root", "root"), ("root", "admin")]),
            "attacks": [{"vector": 3, "handler": "0x1000", "kind": "syn", "kind_method": null}],
        }),
    )
}

/// A report that holds these texts wherever a report has any.
pub(crate) fn hostile_report(
    hosts: &[String],
    pairs: &[(String, String)],
    texts: &[String],
) -> Report {
    let mut all: Vec<Value> = hosts.iter().map(|name| host(name, 23, "c2")).collect();
    all[0]["url"] = json!(texts[0]);
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(user, password)| (user.as_str(), password.as_str())).collect();
    report_with(
        1,
        &json!({
            "endpoints": all, "credentials": logins(&pairs),
            "family": {"name": texts[1], "confidence": "high"},
            "scan": {"exploits": [{"port": 80, "method": texts[2], "path": texts[3]}]},
            "attacks": [{"vector": 3, "handler": "0x1", "kind": texts[2], "kind_method": null}],
        }),
    )
}

/// Texts that are hostile, or nearly right with something hostile in them.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let parts = (
        "[a-z0-9.:/]{0,70}",
        "[\n\r\0\"'`;{}()$\\\\=+@#%&|<>, \t\u{e9}\u{202e}-]{0,3}",
        "[a-z.]{0,9}",
    );
    let insert = |(before, middle, after): (String, String, String)| before + &middle + &after;
    let url = "[\n\r\0\"' <>a-z/]{0,9}".prop_map(|rest| format!("http://192.0.2.7/{rest}"));
    prop_oneof![any::<String>(), parts.prop_map(insert), url]
}

pub(crate) fn configurations(reports: &[Report]) -> Configurations {
    let mut configurations = Configurations::default();
    reports.iter().for_each(|report| configurations.add(report, &Observed::default()));
    configurations
}
