//! Differences between hand-made reports, and which reports are compared.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use miyaburi_corpus::diff::{Comparison, Outcome, PairedBy, Side, diff};
use miyaburi_corpus::{FiledReport, ReportSet, ReportsError, read_reports};
use miyaburi_model::Verdict;
use serde_json::{Value, json};

/// A report of the file `path` whose digest repeats `digit`.
fn report(path: &str, digit: char, parts: Value) -> Value {
    let mut report = json!({"schema_version": 1, "verdict": "config",
                            "sample": {"path": path, "sha256": digit.to_string().repeat(64)}});
    for (name, value) in parts.as_object().unwrap() {
        report[name] = value.clone();
    }
    report
}

fn set(reports: &[Value]) -> ReportSet {
    let filed = |report: &Value| FiledReport {
        file: "reports".into(),
        is_alone: reports.len() == 1,
        report: serde_json::from_value(report.clone()).unwrap(),
    };
    let reports = reports.iter().map(filed).collect();
    ReportSet { path: "reports".into(), is_directory: false, reports }
}

/// The only comparison of two single reports with these parts, as JSON.
fn compared(a: Value, b: Value) -> Value {
    let comparisons = diff(&set(&[report("f", '1', a)]), &set(&[report("f", '2', b)]));
    assert_eq!(comparisons.len(), 1);
    assert_eq!(comparisons[0].paired_by, Some(PairedBy::OnlyOnes));
    serde_json::to_value(&comparisons[0]).unwrap()
}

fn changes(a: Value, b: Value) -> Value {
    let comparison = compared(a, b);
    assert_eq!(comparison["result"], "different");
    comparison["changes"].clone()
}

fn endpoint(host: &str, port: u16, role: &str) -> Value {
    json!({"host": host, "port": port, "protocol": "tcp", "role": role, "method": "table",
           "confidence": "high"})
}

fn text(id: u32, text: &str) -> Value {
    json!({"id": id, "kind": "text", "text": text, "role": "unknown"})
}

fn table(key: &str, entries: Value) -> Value {
    json!({"string_table": {"effective_key": key, "cipher": "xor", "entries": entries}})
}

fn credentials(entries: &[(&str, &str, u32)], sha256: char) -> Value {
    let entry = |(user, password, weight): &(&str, &str, u32)| json!({"user": user, "password": password, "weight": weight});
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    json!({"credentials": {"cipher": "xor", "effective_key": "0x22", "entries": entries,
                           "sha256": sha256.to_string().repeat(64)}})
}

/// The member of each item in a list.
fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|item| &item[member]).collect()
}

#[test]
fn addresses_evidence_and_the_file_itself_do_not_count() {
    let parts = |address: &str| {
        let evidence = json!([{"address": address, "function": null, "note": address}]);
        let mut c2 = endpoint("a.example", 23, "c2");
        c2["evidence"] = evidence.clone();
        let mut entry = text(3, "a.example");
        entry["evidence"] = evidence.clone();
        entry["references"] = json!([{"address": address, "function": null}]);
        let mut parts = table("0x22", json!([entry]));
        parts["endpoints"] = json!([c2]);
        parts["attacks"] = json!([{"vector": 0, "handler": address, "evidence": evidence}]);
        parts["functions"] = json!([{"address": address, "size": 4, "role": "main"}]);
        parts["diagnostics"] = json!([{"stage": address, "level": "info", "message": ""}]);
        parts
    };
    let comparison = compared(parts("0x1000"), parts("0x2000"));
    assert_eq!(comparison["result"], "same");
    assert_eq!(comparison["a"]["sha256"], "1".repeat(64));
    assert_eq!(comparison["changes"]["attacks"]["changed"], json!([]));
}

#[test]
fn endpoints_come_go_and_change_their_role() {
    let a = json!({"endpoints": [endpoint("b.example", 23, "c2"), endpoint("a.example", 23, "c2"),
                                 endpoint("192.0.2.1", 80, "c2")]});
    let b = json!({"endpoints": [endpoint("192.0.2.1", 80, "decoy"),
                                 endpoint("a.example", 24, "c2"), endpoint("b.example", 23, "c2")]});
    let endpoints = &changes(a, b)["endpoints"];
    assert_eq!(each(&endpoints["removed"], "host"), ["a.example"]);
    assert_eq!(each(&endpoints["added"], "port"), [24]);
    let changed = &endpoints["changed"][0];
    assert_eq!(endpoints["changed"].as_array().unwrap().len(), 1);
    assert_eq!(changed["members"], json!(["role"]));
    assert_eq!([&changed["a"]["role"], &changed["b"]["role"]], ["c2", "decoy"]);
}

#[test]
fn the_same_endpoint_twice_is_two_endpoints() {
    let twice = json!({"endpoints": [endpoint("a.example", 23, "c2"),
                                     endpoint("a.example", 23, "c2")]});
    let once = json!({"endpoints": [endpoint("a.example", 23, "c2")]});
    let endpoints = &changes(twice, once)["endpoints"];
    assert_eq!(each(&endpoints["removed"], "host"), ["a.example"]);
    assert_eq!(endpoints["changed"], json!([]));
}

#[test]
fn entries_are_followed_by_value_before_id() {
    let a =
        table("0x22", json!([text(1, "same"), text(2, "moved"), text(3, "old"), text(9, "gone")]));
    let b =
        table("0x54", json!([text(5, "moved"), text(3, "new"), text(1, "same"), text(7, "here")]));
    let table = &changes(a, b)["string_table"];
    assert_eq!(table["effective_key"], json!({"a": "0x22", "b": "0x54"}));
    assert_eq!(table["found"], Value::Null);
    assert_eq!(table["key"], Value::Null);
    let entries = &table["entries"];
    assert_eq!(each(&entries["removed"], "text"), ["gone"]);
    assert_eq!(each(&entries["added"], "text"), ["here"]);
    assert_eq!(each(&entries["changed"], "members"), [&json!(["id"]), &json!(["text"])]);
    assert_eq!(entries["changed"][0]["b"]["id"], 5);
    assert_eq!(entries["changed"][1]["b"]["text"], "new");
}

#[test]
fn a_text_that_became_a_port_changed_in_kind_and_role() {
    let port = json!({"id": 4, "kind": "port", "port": 23, "hex": "0017", "role": "c2_port"});
    let before = json!({"id": 4, "kind": "bytes", "hex": "0017", "role": "unknown"});
    let entries =
        changes(table("0x22", json!([before])), table("0x22", json!([port])))["string_table"]
            .take();
    let changed = &entries["entries"]["changed"];
    assert_eq!(each(changed, "members"), [&json!(["kind", "port", "role"])]);
}

#[test]
fn a_table_that_is_gone_is_told_apart_from_an_empty_one() {
    let gone = changes(table("0x22", json!([])), json!({"string_table": null}));
    assert_eq!(gone["string_table"]["found"], json!({"a": true, "b": false}));
    assert_eq!(gone["string_table"]["cipher"], json!({"a": "xor", "b": null}));
    let found = changes(json!({}), json!({"scan": {}}));
    assert_eq!(found["scan"]["found"], json!({"a": false, "b": true}));
}

#[test]
fn weights_change_and_pairs_come_and_go() {
    let a = credentials(&[("root", "x", 1), ("root", "y", 2), ("root", "x", 3)], '1');
    let b = credentials(&[("root", "x", 3), ("root", "x", 4), ("admin", "y", 2)], '2');
    let credentials = &changes(a, b)["credentials"];
    let entries = &credentials["entries"];
    assert_eq!(each(&entries["removed"], "password"), ["y"]);
    assert_eq!(each(&entries["added"], "user"), ["admin"]);
    assert_eq!(each(&entries["changed"], "members"), [&json!(["weight"])]);
    assert_eq!(entries["changed"][0]["a"]["weight"], 1);
    assert_eq!(entries["changed"][0]["b"]["weight"], 4);
}

#[test]
fn another_order_of_the_same_pairs_shows_in_the_hash_alone() {
    let a = credentials(&[("root", "x", 1), ("root", "y", 2)], '1');
    let b = credentials(&[("root", "y", 2), ("root", "x", 1)], '2');
    let credentials = &changes(a, b)["credentials"];
    let hashes = json!({"a": "1".repeat(64), "b": "2".repeat(64)});
    assert_eq!(credentials["sha256"], hashes);
    assert_eq!(credentials["entries"], json!({"added": [], "removed": [], "changed": []}));
}

#[test]
fn attacks_change_in_kind_and_options_but_not_in_the_order_of_options() {
    let option = |key: u32, default: u32| json!({"key": key, "type": "int", "default": default});
    let attack = |vector: u32, kind: &str, options: Value| json!({"vector": vector, "handler": "0x1", "kind": kind, "options": options});
    let a = json!({"attacks": [attack(0, "udp", json!([option(0, 512), option(7, 1)])),
                               attack(1, "syn", json!([option(0, 1)])),
                               attack(2, "ack", json!([])), attack(10, "dns", json!([]))]});
    let b = json!({"attacks": [attack(0, "udp", json!([option(7, 1), option(0, 512)])),
                               attack(1, "syn", json!([option(0, 2)])),
                               attack(2, "syn", json!([])), attack(9, "dns", json!([]))]});
    let attacks = &changes(a, b)["attacks"];
    assert_eq!(each(&attacks["removed"], "vector"), [10]);
    assert_eq!(each(&attacks["added"], "vector"), [9]);
    assert_eq!(each(&attacks["changed"], "members"), [&json!(["options"]), &json!(["kind"])]);
}

#[test]
fn scan_ports_fields_and_exploits_are_compared() {
    let scan = |weight: u32, loader: &str, syn: Value| {
        json!({"scan": {"probes": [{"port": 23, "weight": weight}, {"port": 80, "weight": null}],
                        "syn": syn,
                        "exploits": [{"port": 8080, "method": "POST", "path": "/x",
                                      "loader": loader}]}})
    };
    let a = scan(9, "http://192.0.2.1/a", json!({"tcp.seq": {"from": "ip.dst"}}));
    let b = scan(8, "http://192.0.2.2/a", json!({"tcp.seq": {"constant": 1}}));
    let scan = &changes(a, b)["scan"];
    assert_eq!(each(&scan["probes"]["changed"], "members"), [&json!(["weight"])]);
    assert_eq!(scan["syn"]["changed"][0]["a"]["field"], "tcp.seq");
    assert_eq!(each(&scan["exploits"]["changed"], "members"), [&json!(["loader"])]);
    assert_eq!(scan["probes"]["added"], json!([]));
}

#[test]
fn nothing_is_removed_because_an_analysis_failed() {
    let known = || json!({"endpoints": [endpoint("a.example", 23, "c2")]});
    let failed = || json!({"verdict": "failed"});
    let comparison = compared(known(), failed());
    assert_eq!(comparison["result"], "different");
    assert_eq!(comparison["changes"]["verdict"], json!({"a": "config", "b": "failed"}));
    assert_eq!(comparison["changes"]["endpoints"]["removed"], json!([]));

    let comparison = compared(failed(), failed());
    assert_eq!(comparison["result"], "not_compared");
    assert_eq!(comparison["changes"], Value::Null);

    let same_file = set(&[report("f", '1', failed())]);
    assert_eq!(diff(&same_file, &same_file)[0].result, Outcome::Same);
}

/// Paths of both sides and how they were paired, in the order of the output.
fn pairs(comparisons: &[Comparison]) -> Vec<(Option<&str>, Option<&str>, Option<PairedBy>)> {
    fn path(side: Option<&Side>) -> Option<&str> {
        side.map(|side| side.path.as_str())
    }
    comparisons
        .iter()
        .map(|each| (path(each.a.as_ref()), path(each.b.as_ref()), each.paired_by))
        .collect()
}

#[test]
fn the_same_file_comes_before_the_same_name_before_the_same_configuration() {
    let hashed = |digit: char| {
        let mut parts = table("0x22", json!([text(1, "x")]));
        parts["string_table"]["sha256"] = json!(digit.to_string().repeat(64));
        parts
    };
    let a = set(&[
        report("old/bin/x", '1', json!({})),
        report("old/bin/y", '2', json!({})),
        report("old/z.mips", '3', hashed('a')),
        report("old/gone", '4', hashed('b')),
    ]);
    let b = set(&[
        report("new/here", '9', json!({})),
        report("new/bin/y", '8', hashed('a')),
        report("new/moved", '1', json!({})),
        report("new/renamed", '7', hashed('a')),
    ]);
    assert_eq!(
        pairs(&diff(&a, &b)),
        [
            (Some("old/bin/x"), Some("new/moved"), Some(PairedBy::Sha256)),
            (Some("old/bin/y"), Some("new/bin/y"), Some(PairedBy::Name)),
            (Some("old/z.mips"), Some("new/renamed"), Some(PairedBy::StringTableHash)),
            (Some("old/gone"), None, None),
            (None, Some("new/here"), None),
        ]
    );
}

#[test]
fn both_hashes_before_one_and_the_same_cpu_before_others() {
    let hashed = |path: &str, digit: char, cpu: &str, hashes: [char; 2]| {
        let mut parts = table("0x22", json!([text(1, "x")]));
        parts["string_table"]["sha256"] = json!(hashes[0].to_string().repeat(64));
        let list = credentials(&[("root", "x", 1)], hashes[1]);
        parts["credentials"] = list["credentials"].clone();
        let mut report = report(path, digit, parts);
        report["sample"]["cpu"] = json!(cpu);
        report
    };
    let a = set(&[hashed("1", '1', "i386", ['a', 'b']), hashed("2", '2', "i386", ['c', 'd'])]);
    let b = set(&[
        hashed("5", '5', "i386", ['0', 'd']),
        hashed("6", '6', "i386", ['a', '0']),
        hashed("7", '7', "armv5", ['a', 'b']),
        hashed("8", '8', "i386", ['a', 'b']),
    ]);
    assert_eq!(
        pairs(&diff(&a, &b)),
        [
            (Some("1"), Some("8"), Some(PairedBy::Hashes)),
            (Some("2"), Some("5"), Some(PairedBy::CredentialsHash)),
            (None, Some("6"), None),
            (None, Some("7"), None),
        ]
    );
}

#[test]
fn the_hash_of_an_empty_list_pairs_nothing() {
    let empty = || credentials(&[], 'e');
    let other = || report("other", '0', json!({}));
    let a = set(&[report("a", '1', empty()), other()]);
    let b = set(&[report("b", '2', empty()), other()]);
    let results: Vec<_> = diff(&a, &b).iter().map(|comparison| comparison.result).collect();
    assert_eq!(results, [Outcome::Same, Outcome::OnlyInA, Outcome::OnlyInB]);
}

fn write(folder: &Path, name: &str, text: impl ToString) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text.to_string()).unwrap();
}

#[test]
fn report_files_of_the_same_name_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    for (name, digit, verdict) in [
        ("a/1.json", '1', "config"),
        ("a/d/2.json", '2', "config"),
        ("b/1.json", '3', "partial"),
        ("b/d/2.json", '4', "no_config"),
        ("b/notes.txt", '5', "config"),
    ] {
        write(
            folder.path(),
            name,
            report(&format!("x{digit}"), digit, json!({"verdict": verdict})),
        );
    }
    let read = |name: &str| read_reports(&folder.path().join(name)).unwrap();
    let comparisons = diff(&read("a"), &read("b"));
    let names = Some(PairedBy::Name);
    assert_eq!(
        pairs(&comparisons),
        [(Some("x1"), Some("x3"), names), (Some("x2"), Some("x4"), names)]
    );
    assert_eq!(comparisons[1].b.as_ref().unwrap().verdict, Verdict::NoConfig);
}

fn only_error(path: &Path) -> String {
    let [error]: [ReportsError; 1] = read_reports(path).unwrap_err().try_into().unwrap();
    error.to_string()
}

#[test]
fn files_that_are_no_reports_are_errors_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let good = report("f", '1', json!({}));
    let newer = good.to_string().replace("\"schema_version\":1", "\"schema_version\":2");
    for (name, text, expected) in [
        ("cut", format!("{good}\n{{\"a\":"), "EOF while parsing a value at line 2 column 5"),
        ("other", format!("{good}\n\n{{}}\n"), "missing field `schema_version` at line 3 column 2"),
        ("list", format!("[{good},\n{{}}]"), "missing field `schema_version` at line 2 column 2"),
        ("number", "1".to_owned(), "expected a report or an array of reports at line 1 column 1"),
        ("newer", newer, "a report of schema version 2, and only 1 is known at line 1 column"),
        ("role", good.to_string().replace("config", "maybe"), "unknown variant `maybe`"),
        ("empty", " \n".to_owned(), "holds no report"),
        ("nothing", "[]".to_owned(), "holds no report"),
    ] {
        let name = format!("{name}/r.json");
        write(folder.path(), &name, text);
        let path = folder.path().join(name);
        let start = format!("{}: ", path.display());
        let error = only_error(&path);
        assert!(error.starts_with(&start) && error.contains(expected), "{error}");
    }
    let errors = read_reports(folder.path()).unwrap_err();
    assert_eq!(errors.len(), 8, "every file is named, not the first alone");
    write(folder.path(), "text/notes.txt", "x");
    let error = only_error(&folder.path().join("text"));
    assert!(error.ends_with("text: no file in it ends in .json, .ndjson or .jsonl"));
    let error = only_error(&folder.path().join("absent"));
    assert!(error.contains("absent: No such file"));
}

#[test]
fn a_file_holds_objects_and_lists_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let one = report("f", '1', json!({}));
    write(folder.path(), "r.json", format!("{one:#}\n[{one},\n{one}] {one}"));
    let set = read_reports(&folder.path().join("r.json")).unwrap();
    assert_eq!(set.reports.len(), 4);
    assert!(!set.reports[0].is_alone && !set.is_directory);
}
