//! The documents of mirai-toushi, from reports with the values of its published sample output (see
//! `crates/model/tests/data/mirai-toushi/NOTICE`) and from others.
#![allow(clippy::unwrap_used)]

use miyaburi_export::mirai_toushi::Documents;
use miyaburi_model::{Report, credentials_sha256, string_table_sha256};
use serde_json::{Value, json};

const TABLE: &str = include_str!("../../model/tests/data/mirai-toushi/table.json");
const CREDENTIALS: &str = include_str!("../../model/tests/data/mirai-toushi/credentials.json");
const TABLE_SHA256: &str = "5c4a784a20ca5269802f1b39be5a9b5ca9e2fe9deca5285467788e4ba95182dd";
const CREDENTIALS_SHA256: &str = "0e60e37e94702511c143b8d69f551b055b136458ca6c2d5728e5029417f1fb76";

fn report(parts: Value) -> Report {
    let mut report = json!({"schema_version": 1, "verdict": "config",
        "sample": {"path": "in/sample.i586", "sha256": "0".repeat(64), "arch": "x86",
                   "endian": "little"}});
    for (name, value) in parts.as_object().unwrap() {
        report[name] = value.clone();
    }
    let mut report: Report = serde_json::from_value(report).unwrap();
    if let Some(table) = &mut report.string_table {
        table.sha256 = Some(string_table_sha256(&table.entries));
    }
    if let Some(credentials) = &mut report.credentials {
        credentials.sha256 = Some(credentials_sha256(&credentials.entries));
    }
    report
}

/// The files of a report, as text in the order `parse_main`, `xor_scanner`, `xor_table`.
fn texts(report: &Report) -> [String; 3] {
    let files = Documents::new(report).unwrap().files().unwrap();
    let names = files.each_ref().map(|(name, _)| *name);
    assert_eq!(names, ["parse_main.json", "xor_scanner.json", "xor_table.json"]);
    files.map(|(_, text)| text)
}

fn documents(parts: Value) -> [Value; 3] {
    texts(&report(parts)).map(|text| serde_json::from_str(&text).unwrap())
}

fn program() -> Value {
    json!({"name": "sample.i586", "path": "in/sample.i586", "sha256": "0".repeat(64),
           "language_id": "x86:LE:32:default"})
}

/// An entry of 8 bytes a record at 0x80565c0, read once by a function at 0x804e520.
fn entry(row: &Value) -> Value {
    let id = row["id"].as_u64().unwrap();
    let mut entry = json!({"id": id, "role": "unknown", "cell": format!("{:#x}", 0x80565c0 + 8 * id),
        "references": [{"address": "0x804e552", "function": "0x804e520"}],
        "evidence": [{"address": "0x8051090", "function": "0x8051080"}]});
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match row["int"].as_u64() {
        Some(port) => {
            entry["kind"] = json!("port");
            entry["port"] = json!(port);
            entry["hex"] = json!(format!("{port:04x}"));
        }
        None => {
            entry["kind"] = json!("text");
            entry["text"] = row["str"].clone();
            entry["hex"] = json!(hex(row["str"].as_str().unwrap().as_bytes()) + "00");
        }
    }
    entry
}

#[test]
fn the_published_table_gives_back_its_published_values() {
    let rows: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    let entries: Vec<Value> = rows.iter().map(entry).collect();
    let [_, _, document] = documents(json!({
        "string_table": {"key": "0xdeadbeef", "effective_key": "0x22", "cipher": "xor",
                         "entries": entries},
        "functions": [{"address": "0x8050f80", "size": null, "role": "table_lock_val"},
                      {"address": "0x804e520", "size": null, "role": "resolve_cnc_addr"}],
    }));
    let references = json!([{"func": "resolve_cnc_addr", "addr": "0804e552"}]);
    let tables: Vec<Value> = rows
        .iter()
        .map(|row| {
            let address = format!("{:08x}", 0x80565c0 + 8 * row["id"].as_u64().unwrap());
            match row.get("int") {
                Some(port) => json!({"id": row["id"], "type": "int", "int_data": port,
                                     "table_addr": address, "refs": references}),
                None => json!({"id": row["id"], "type": "str", "str_data": row["str"],
                               "table_addr": address, "refs": references}),
            }
        })
        .collect();
    assert_eq!(tables[0]["table_addr"], "080565d8");
    let expected = json!({
        "script_name": "xor_table.py",
        "ghidra_current_program": program(),
        "table_lock_val_func": {"name": "table_lock_val", "entrypoint": "08050f80",
                                "table_key": "0x22", "table_original_key": "0xdeadbeef"},
        "table_init_func": {"name": "table_init", "entrypoint": "08051080",
                            "tables_sha256": TABLE_SHA256, "tables_count": 50,
                            "tables_int_count": 2, "tables_str_count": 48, "tables": tables},
    });
    assert_eq!(document, expected);
}

#[test]
fn the_published_credentials_give_back_their_published_values() {
    let mut pairs: Vec<Value> = serde_json::from_str(CREDENTIALS).unwrap();
    let expected: Vec<Value> = pairs
        .iter()
        .map(|pair| {
            json!({"user": pair["user"], "pass": pair["password"], "weight": pair["weight"]})
        })
        .collect();
    for pair in &mut pairs {
        pair["evidence"] = json!([{"address": "0x804fa30", "function": "0x804fa20"}]);
    }
    let [_, document, _] = documents(json!({
        "credentials": {"effective_key": "0x22", "cipher": "xor", "entries": pairs},
        "functions": [{"address": "0x804f8d0", "size": null, "role": "add_auth_entry"}],
    }));
    let expected = json!({
        "script_name": "xor_scanner.py",
        "ghidra_current_program": program(),
        "add_auth_entry_func": {"name": "add_auth_entry", "entrypoint": "0804f8d0",
                                "scanner_key": "0x22"},
        "scanner_init_func": {"name": "scanner_init", "entrypoint": "0804fa20",
                              "auth_tables_sha256": CREDENTIALS_SHA256, "auth_tables_count": 23,
                              "auth_tables": expected},
    });
    assert_eq!(document, expected);
}

#[test]
fn the_first_c2_and_the_vectors_with_their_functions() {
    let evidence = |function: &str| json!([{"address": "0x804a634", "function": function}]);
    let c2 = |host: &str, role: &str, order: Option<u32>| {
        json!({"host": host, "port": 23, "role": role, "order": order, "method": "string",
               "confidence": "high", "evidence": evidence("0x804dc40")})
    };
    let [document, _, _] = documents(json!({
        "endpoints": [c2("192.0.2.9", "decoy", None), c2("192.0.2.2", "c2", Some(2)),
                      c2("192.0.2.1", "c2", Some(1))],
        "attacks": [
            {"vector": 0, "handler": "0x804b530", "kind": "syn", "evidence": evidence("0x804a630")},
            {"vector": 4, "handler": "0x804ace0", "kind": "new", "evidence": evidence("0x804a630")},
            {"vector": 3, "handler": "0x804a7c0", "evidence": evidence("0x804a630")},
        ],
        "functions": [{"address": "0x804df60", "size": 100, "role": "main"},
                      {"address": "0x804a7c0", "size": 100, "role": "attack_gre_tcpfrag"}],
    }));
    let expected = json!({
        "script_name": "parse_main.py",
        "ghidra_current_program": program(),
        "main_func": {"name": "main", "entrypoint": "0804df60"},
        "resolve_cnc_addr_func": {"name": "resolve_cnc_addr", "entrypoint": "0804dc40",
                                  "cnc": "192.0.2.1"},
        "attack_init_func": {"name": "attack_init", "entrypoint": "0804a630", "attacks_count": 3,
            "attacks": [
                {"vector": 0, "name": "attack_tcp_syn", "entrypoint": "0804b530"},
                {"vector": 4, "name": "FUN_0804ace0", "entrypoint": "0804ace0"},
                {"vector": 3, "name": "attack_gre_tcpfrag", "entrypoint": "0804a7c0"},
            ]},
    });
    assert_eq!(document, expected);
}

#[test]
fn members_stand_in_the_published_order() {
    let parts = json!({"string_table": {"key": "0xdeadbeef", "effective_key": "0x22",
        "cipher": "xor", "entries": [entry(&json!({"id": 4, "int": 23}))]}});
    let [_, _, text] = texts(&report(parts));
    let order = [
        "script_name",
        "ghidra_current_program",
        "name",
        "path",
        "sha256",
        "language_id",
        "table_lock_val_func",
        "table_key",
        "table_original_key",
        "table_init_func",
        "entrypoint",
        "tables_sha256",
        "tables_count",
        "tables_int_count",
        "tables_str_count",
        "\"tables\"",
        "id",
        "type",
        "int_data",
        "table_addr",
        "refs",
        "func",
        "addr",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|name| text.find(&format!("\"{}\": ", name.trim_matches('"'))).unwrap())
        .collect();
    assert!(places.is_sorted_by(|one, other| one < other), "{places:?}\n{text}");
}

#[test]
fn a_stale_entry_is_what_the_running_code_sees_as_in_the_hash() {
    let stale = json!({"id": 1, "kind": "text", "text": "old", "hex": "6f6c6400", "stale": true,
                       "effective_key": "0x54", "code_hex": "191a1276", "role": "unknown"});
    let [_, _, document] = documents(json!({"string_table":
        {"effective_key": "0x22", "cipher": "xor", "entries": [stale]}}));
    let value = &document["table_init_func"]["tables"][0];
    assert_eq!(value["str_data"], "\\x19\\x1a\\x12v");
    assert!(value.get("table_addr").is_none());
    assert!(document["table_init_func"].get("entrypoint").is_none());
}

#[test]
fn keys_of_another_length_and_functions_that_disagree_are_left_out() {
    let pair = |function: &str| {
        json!({"user": "root", "password": "x", "weight": 1,
               "evidence": [{"address": "0x1", "function": function}]})
    };
    let [_, scanner, table] = documents(json!({
        "string_table": {"key": "0x00112233445566778899", "effective_key": "0x0011",
                         "cipher": "rc4", "entries": [entry(&json!({"id": 1, "str": "a"}))]},
        "credentials": {"effective_key": null, "cipher": "plain",
                        "entries": [pair("0x10"), pair("0x20")]},
    }));
    assert!(table.get("table_lock_val_func").is_none());
    assert_eq!(table["table_init_func"]["tables"][0]["str_data"], "a");
    assert!(scanner.get("add_auth_entry_func").is_none());
    assert_eq!(scanner["scanner_init_func"]["name"], "scanner_init");
    assert!(scanner["scanner_init_func"].get("entrypoint").is_none());
}

#[test]
fn a_long_text_is_cut_to_what_the_schema_allows_and_the_hash_takes_all() {
    let long = "x".repeat(2000);
    let [_, _, document] = documents(json!({"string_table":
        {"cipher": "plain", "entries": [entry(&json!({"id": 1, "str": long}))]}}));
    let init = &document["table_init_func"];
    assert_eq!(init["tables"][0]["str_data"], "x".repeat(1024));
    // The characters `str` and 2000 times `x`.
    let sha256 = "fa2a8e55ea30655ba24a747bbfc8b696971eb281b72efbe3202b63e5bfeff5e0";
    assert_eq!(init["tables_sha256"], sha256);
}

#[test]
fn a_file_that_was_not_analysed_has_no_documents_and_one_without_findings_says_nothing() {
    for verdict in ["failed", "unsupported"] {
        assert_eq!(Documents::new(&report(json!({"verdict": verdict}))), None);
    }
    let [main, scanner, table] = documents(json!({"verdict": "no_config",
        "string_table": {"cipher": "xor", "entries": []},
        "sample": {"path": "d/a.zip!inner", "sha256": "1".repeat(64), "arch": "s390",
                   "endian": "big"}}));
    let program = json!({"name": "inner", "path": "d/a.zip!inner", "sha256": "1".repeat(64)});
    for (document, script) in
        [(main, "parse_main.py"), (scanner, "xor_scanner.py"), (table, "xor_table.py")]
    {
        assert_eq!(document, json!({"script_name": script, "ghidra_current_program": program}));
    }
}

#[test]
fn addresses_have_eight_digits_or_more() {
    let attack = |vector: u32, handler: &str| json!({"vector": vector, "handler": handler});
    let [document, _, _] = documents(json!({"attacks":
        [attack(0, "0x1000"), attack(1, "0x7f0012345678")]}));
    let attacks = &document["attack_init_func"]["attacks"];
    assert_eq!(attacks[0]["entrypoint"], "00001000");
    assert_eq!(attacks[1]["name"], "FUN_7f0012345678");
}
