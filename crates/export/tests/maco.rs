//! Documents of MACO hold what was found, in the members that its model has.
#![allow(clippy::unwrap_used)]

use miyaburi_export::maco::Document;
use miyaburi_model::Report;
use proptest::prelude::*;
use serde_json::{Value, json};

fn report(changes: &Value) -> Report {
    let mut report = json!({
        "schema_version": 1, "verdict": "config",
        "sample": {"path": "a", "sha256": "ab"},
        "family": {"name": "mirai", "confidence": "high"},
    });
    for (name, value) in changes.as_object().unwrap() {
        report[name] = value.clone();
    }
    serde_json::from_value(report).unwrap()
}

fn document(changes: &Value) -> Value {
    let document = Document::new(&report(changes)).unwrap();
    serde_json::from_str(&document.text().unwrap()).unwrap()
}

fn endpoint(host: &str, port: u16, protocol: &str, role: &str) -> Value {
    json!({"host": host, "port": port, "protocol": protocol, "url": null, "role": role,
           "order": null, "method": "table", "confidence": "high"})
}

#[test]
fn endpoints_go_where_their_role_belongs() {
    let found = document(&json!({"endpoints": [
        endpoint("c2.example.com", 23, "tcp", "c2"),
        endpoint("192.0.2.1", 80, "tcp", "decoy"),
        endpoint("192.0.2.2", 9000, "udp", "scan_receiver"),
        endpoint("192.0.2.53", 53, "udp", "resolver"),
        endpoint("127.0.0.1", 48101, "tcp", "single_instance"),
    ]}));
    assert_eq!(
        found["tcp"],
        json!([
            {"server_domain": "c2.example.com", "server_port": 23, "usage": "c2"},
            {"server_ip": "192.0.2.1", "server_port": 80, "usage": "decoy"},
        ])
    );
    let receiver = json!([{"server_ip": "192.0.2.2", "server_port": 9000, "usage": "upload"}]);
    assert_eq!(found["udp"], receiver);
    assert_eq!(found["dns"], json!([{"ip": "192.0.2.53", "port": 53, "usage": "other"}]));
    assert_eq!(found["mutex"], json!(["127.0.0.1:48101"]));
    assert_eq!(found["category"], json!(["bot"]));
    assert_eq!(found["attack"], json!([]));
}

#[test]
fn logins_keys_exploits_and_floods_are_told() {
    let found = document(&json!({
        "credentials": {"effective_key": "0x22", "cipher": "xor", "sha256": null, "entries": [
            {"user": "root", "password": "x\"y", "weight": 3},
            {"user": "admin", "password": "x\"y", "weight": 1},
        ]},
        "scan": {"exploits": [{"port": 80, "method": "POST", "path": "/x", "loader": "http://192.0.2.7/b"}]},
        "attacks": [{"vector": 3, "handler": "0x1000", "kind": "syn", "kind_method": null}],
        "diagnostics": [{"stage": "a", "level": "info", "message": "b"},
                        {"stage": "c", "level": "warning", "message": "d"}],
    }));
    assert_eq!(found["password"], json!(["x\"y"]));
    assert_eq!(found["other"]["credentials"][1]["user"], "admin");
    let key = json!([{"algorithm": "xor", "key": "0x22", "nonce": null, "usage": "config"}]);
    assert_eq!(found["encryption"], key);
    assert_eq!(
        found["http"],
        json!([
            {"method": "POST", "path": "/x", "port": 80, "usage": "propagate"},
            {"uri": "http://192.0.2.7/b", "usage": "download"},
        ])
    );
    assert_eq!(found["capability_enabled"], json!(["flood_syn"]));
    assert_eq!(found["category"], json!(["ddos", "bruteforcer", "worm"]));
    assert_eq!(found["attack"], json!(["T1498.001", "T1110.001", "T1190", "T1140"]));
    assert_eq!(found["warnings"], json!([{"message": "c: d"}]));
}

#[test]
fn a_file_without_a_family_has_no_document() {
    assert_eq!(Document::new(&report(&json!({"family": null}))), None);
}

#[test]
fn nothing_found_is_nothing_told() {
    let found = document(&json!({}));
    assert_eq!(found["family"], "mirai");
    for name in ["category", "attack", "tcp", "udp", "http", "dns", "password", "encryption"] {
        assert_eq!(found[name], json!([]), "{name}");
    }
}

/// The members of a document and the types of what they hold, whatever the texts.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => json!("text"),
        other => other.clone(),
    }
}

proptest! {
    /// A text of a file is a value of the document: it makes no member, and comes back as it was.
    #[test]
    fn any_text_is_one_value(host in any::<String>(), user in any::<String>(), path in any::<String>()) {
        // An address is told in another member.
        prop_assume!(host.parse::<core::net::IpAddr>().is_err());
        let with = |host: &str, user: &str, path: &str| document(&json!({
            "endpoints": [endpoint(host, 23, "tcp", "c2")],
            "credentials": {
                "cipher": "xor", "effective_key": null, "sha256": null,
                "entries": [{"user": user, "password": "\u{1}\"", "weight": 1, "evidence": []}],
            },
            "scan": {"probes": [], "exploits": [
                {"port": 80, "method": "POST", "path": path, "body_hex": "", "loader": null, "evidence": []},
            ]},
        }));
        let (hostile, harmless) = (with(&host, &user, &path), with("c2.example", "root", "/x"));
        prop_assert_eq!(shape(&hostile), shape(&harmless));
        prop_assert!(hostile.to_string().contains(&serde_json::to_string(&path).unwrap()));
        prop_assert!(hostile.to_string().contains(&serde_json::to_string(&user).unwrap()));
    }
}
