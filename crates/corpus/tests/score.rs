//! Scores of hand-made reports against hand-made truth.
#![allow(clippy::unwrap_used)]

use miyaburi_corpus::score::{Score, Scorer, Tally, parse_truths};
use serde_json::{Value, json};

fn sha256(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn score(truths: &[Value], reports: &[Value]) -> Score {
    let lines: Vec<String> = truths.iter().map(Value::to_string).collect();
    let mut scorer = Scorer::new(parse_truths(lines.join("\n").as_bytes()).unwrap());
    reports.iter().for_each(|report| scorer.add(report));
    scorer.finish()
}

/// A truth and a report with the same `parts`.
fn truth(digit: char, mut parts: Value) -> Value {
    parts["sha256"] = json!(sha256(digit));
    parts
}

fn report(digit: char, mut parts: Value) -> Value {
    parts["sample"]["sha256"] = json!(sha256(digit));
    parts["sample"]["path"] = json!(format!("file-{digit}"));
    parts
}

fn field(score: &Score, name: &str) -> Tally {
    score.total.fields[name]
}

fn c2(host: &str) -> Value {
    json!({"host": host, "port": 23, "role": "c2"})
}

#[test]
fn wrong_missing_extra_and_duplicate_items() {
    let found = |mut item: Value| {
        item["method"] = json!("table");
        item["evidence"] = json!([{"address": "0x1"}]);
        item
    };
    let truths = [
        truth('1', json!({"endpoints": [c2("a"), c2("b")]})),
        truth('2', json!({"endpoints": [c2("a"), c2("b")]})),
        truth('3', json!({"endpoints": [c2("a"), c2("b")]})),
        truth('4', json!({"endpoints": [c2("a"), c2("b")]})),
        truth('5', json!({"endpoints": [c2("a"), c2("b")]})),
    ];
    let reports = [
        report('1', json!({"endpoints": [found(c2("b")), found(c2("a"))]})),
        report('2', json!({"endpoints": [found(c2("a")), found(c2("wrong"))]})),
        report('3', json!({"endpoints": [found(c2("a"))]})),
        report('4', json!({"endpoints": [found(c2("a")), found(c2("b")), found(c2("extra"))]})),
        report('5', json!({"endpoints": [found(c2("a")), found(c2("b")), found(c2("b"))]})),
    ];
    let score = score(&truths, &reports);
    let tally = field(&score, "endpoints");
    assert_eq!(tally, Tally { expected: 10, found: 11, correct: 8, files: 5, exact_files: 1 });
    assert_eq!(tally.precision(), Some(8.0 / 11.0));
    assert_eq!(tally.recall(), Some(0.8));
    assert_eq!((score.total.files, score.total.exact_files), (5, 1));
    assert_eq!(score.total.exact_percent(), Some(20.0));
    assert!(score.meets(20.0) && !score.meets(20.1));
    let inexact: Vec<_> = score.inexact.iter().map(|file| file.path.as_deref().unwrap()).collect();
    assert_eq!(inexact, ["file-2", "file-3", "file-4", "file-5"]);
    assert_eq!(score.inexact[0].misses[0].missing, [c2("b")]);
}

#[test]
fn a_wrong_role_or_port_is_a_wrong_endpoint() {
    let truths = [truth('1', json!({"endpoints": [c2("a")]}))];
    for (name, value) in [("role", json!("decoy")), ("port", json!(24)), ("port", json!(null))] {
        let mut item = c2("a");
        item[name] = value;
        let score = score(&truths, &[report('1', json!({"endpoints": [item]}))]);
        assert_eq!(field(&score, "endpoints").correct, 0, "{name}");
    }
}

#[test]
fn absent_is_not_scored_and_empty_means_none() {
    let rich = json!({"verdict": "config", "endpoints": [c2("a")],
                      "credentials": {"entries": [{"user": "u", "password": "p", "weight": 1}]}});
    let absent = score(&[truth('1', json!({"verdict": "config"}))], &[report('1', rich.clone())]);
    assert_eq!(absent.total.exact_files, 1);
    assert_eq!(absent.total.fields.keys().collect::<Vec<_>>(), [&"verdict"]);

    for none in [
        json!({"endpoints": []}),
        json!({"credentials": null}),
        json!({"credentials": {"entries": []}}),
    ] {
        let truths = [truth('1', none)];
        let wrong = score(&truths, &[report('1', rich.clone())]);
        assert_eq!((wrong.total.files, wrong.total.exact_files), (1, 0));
        assert_eq!(wrong.total.all_fields().found, 1);
        let right = score(&truths, &[report('1', json!({"credentials": null}))]);
        assert_eq!((right.total.files, right.total.exact_files), (1, 1));
        assert_eq!(right.total.all_fields().precision(), None);
    }
}

#[test]
fn a_truth_without_a_report_is_a_failure_even_when_it_expects_nothing() {
    let truths =
        [truth('1', json!({"endpoints": []})), truth('2', json!({"endpoints": [c2("a")]}))];
    let score = score(&truths, &[report('3', json!({}))]);
    assert_eq!((score.total.files, score.total.exact_files), (2, 0));
    assert_eq!((score.without_report, score.reports_without_truth), (2, 1));
    assert_eq!(
        field(&score, "endpoints"),
        Tally { expected: 1, found: 0, correct: 0, files: 2, exact_files: 0 }
    );
    assert_eq!(score.inexact.len(), 2);
    assert_eq!(score.inexact[0].path, None);
}

#[test]
fn entries_match_by_id_kind_and_value_and_roles_apart() {
    let table = |entries: Value| json!({"string_table": {"entries": entries}});
    let truths = [truth(
        '1',
        table(json!([
            {"id": 3, "kind": "text", "text": "cnc.example", "role": "c2_host"},
            {"id": 4, "kind": "port", "port": 23, "role": "c2_port"},
            {"id": 5, "kind": "bytes", "hex": "FF00"},
            {"id": 6, "kind": "text", "text": "other"},
        ])),
    )];
    let reports = [report(
        '1',
        table(json!([
            {"id": 3, "kind": "text", "text": "cnc.example", "hex": "00", "role": "unknown"},
            {"id": 4, "kind": "port", "port": 23, "role": "c2_port"},
            {"id": 5, "kind": "bytes", "hex": "ff00", "role": "killer"},
            {"id": 7, "kind": "text", "text": "other", "role": "unknown"},
        ])),
    )];
    let score = score(&truths, &reports);
    let entries = field(&score, "string_table.entries");
    assert_eq!((entries.expected, entries.found, entries.correct), (4, 4, 3));
    let roles = field(&score, "string_table.roles");
    assert_eq!((roles.expected, roles.correct), (2, 1));
    assert_eq!(score.total.exact_files, 0);
}

#[test]
fn what_is_no_part_of_the_key_is_scored_apart() {
    let with = |order: u32, method: &str| {
        let mut item = c2("a");
        item["order"] = json!(order);
        item["method"] = json!(method);
        item
    };
    let mut plain = c2("b");
    plain["order"] = json!(9);
    let truths = [truth('1', json!({"endpoints": [with(1, "table"), c2("b")]}))];
    for (order, right) in [(1, 1), (2, 0)] {
        let found = json!({"endpoints": [plain, with(order, "table")]});
        let score = score(&truths, &[report('1', found)]);
        assert_eq!((field(&score, "endpoints").correct, score.total.exact_files), (2, right));
        let details = field(&score, "endpoints.details");
        assert_eq!((details.expected, details.found, details.correct), (1, 1, right));
    }
}

#[test]
fn options_count_by_key_and_default_and_their_names_apart() {
    let attack = |name: &str, default: u32| {
        let option = json!({"key": 0, "name": name, "default": default});
        json!({"attacks": [{"vector": 0, "kind": "udp", "options": [option]}]})
    };
    let correct = |found: Value| {
        let score = score(&[truth('1', attack("size", 512))], &[report('1', found)]);
        (field(&score, "attacks").correct, field(&score, "attacks.details").correct)
    };
    assert_eq!(correct(attack("size", 512)), (1, 1));
    assert_eq!(correct(attack("length", 512)), (1, 0));
    assert_eq!(correct(attack("size", 513)), (0, 0));
}

#[test]
fn attacks_count_by_vector_or_command_whatever_their_kind() {
    let truths = [truth(
        '1',
        json!({"attacks": [{"vector": 0, "kind": "udp"}, {"command": "SYN", "kind": "syn"}]}),
    )];
    let correct = |found: Value| {
        let score = score(&truths, &[report('1', found)]);
        (field(&score, "attacks.vectors").correct, field(&score, "attacks").correct)
    };
    let vector = json!({"vector": 0, "kind": null});
    let command = json!({"vector": null, "command": "SYN", "kind": null});
    assert_eq!(correct(json!({"attacks": [vector, command]})), (2, 0));
    assert_eq!(correct(json!({"attacks": [vector, {"vector": 1, "command": "UDP"}]})), (1, 0));
}

#[test]
fn roles_are_scored_for_entries_whose_role_is_given() {
    let truths = [truth(
        '1',
        json!({"string_table": {"entries": [
        {"id": 1, "text": "a", "role": "killer"}, {"id": 2, "text": "b"}]}}),
    )];
    let reports = [report(
        '1',
        json!({"string_table": {"entries": [
        {"id": 1, "text": "a", "role": "killer"}, {"id": 2, "text": "b", "role": "watchdog"}]}}),
    )];
    let score = score(&truths, &reports);
    assert_eq!(
        field(&score, "string_table.roles"),
        Tally { expected: 1, found: 1, correct: 1, files: 1, exact_files: 1 }
    );
    assert_eq!(score.total.exact_files, 1);
}

#[test]
fn every_other_kind_of_field() {
    let right = json!({
        "verdict": "external_c2",
        "family": {"name": "mirai"},
        "sample": {"arch": "mips", "cpu": "mips-be-o32"},
        "external": [{"source": "dns_txt"}],
        "string_table": {"key": "0xDEADBEEF", "effective_key": "0x22", "sha256": sha256('A')},
        "strings": [{"text": "/bin/busybox"}],
        "credentials": {"effective_key": "0x22", "sha256": sha256('b'),
                        "entries": [{"user": "root", "password": "", "weight": 3}]},
        "attacks": [{"vector": 0, "kind": "udp", "options": [{"key": 0, "default": 512}]}],
        "scan": {"probes": [{"port": 23, "weight": 9}],
                 "exploits": [{"path": "/x", "loader": "http://192.0.2.7/x"}]},
    });
    let mut same = right.clone();
    same["string_table"]["key"] = json!("0xdeadbeef");
    same["string_table"]["sha256"] = json!(sha256('a'));
    let score_right = score(&[truth('1', right.clone())], &[report('1', same)]);
    assert_eq!(score_right.inexact, []);
    assert_eq!(score_right.total.fields.len(), 16);

    for (pointer, wrong, name) in [
        ("/verdict", json!("config"), "verdict"),
        ("/family", json!(null), "family"),
        ("/sample/cpu", json!("mips-le-o32"), "sample.cpu"),
        ("/external/0/source", json!("doh"), "external"),
        ("/string_table/effective_key", json!("0x23"), "string_table.effective_key"),
        ("/string_table/sha256", json!(sha256('c')), "string_table.sha256"),
        ("/strings/0/text", json!("/bin/busyboX"), "strings"),
        ("/credentials/sha256", json!(null), "credentials.sha256"),
        ("/credentials/entries/0/weight", json!(4), "credentials.entries"),
        ("/attacks/0/kind", json!("syn"), "attacks"),
        ("/attacks/0/options/0/default", json!(1024), "attacks"),
        ("/scan/probes/0/weight", json!(8), "scan.probes"),
        ("/scan/exploits/0/loader", json!(null), "scan.exploits"),
    ] {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = wrong;
        let score = score(&[truth('1', right.clone())], &[report('1', changed)]);
        let misses: Vec<_> =
            score.inexact.iter().flat_map(|file| &file.misses).map(|miss| miss.field).collect();
        assert_eq!(misses, [name], "{pointer}");
        assert_eq!(field(&score, name).correct, 0, "{pointer}");
    }
}

#[test]
fn labels_group_files_and_fields() {
    let labelled = |digit, target: &str, opt: &str| {
        let mut truth = truth(digit, json!({"endpoints": [c2("a")]}));
        truth["labels"] = json!({"target": target, "opt": opt});
        truth
    };
    let truths =
        [labelled('1', "mips", "O2"), labelled('2', "mips", "O3"), labelled('3', "arm", "O3")];
    let good = json!({"endpoints": [c2("a")]});
    let score = score(&truths, &[report('1', good.clone()), report('2', good)]);
    let exact = |label: &str, value: &str| {
        let group = &score.labels[label][value];
        (group.files, group.exact_files, group.fields["endpoints"].recall())
    };
    assert_eq!(exact("target", "mips"), (2, 2, Some(1.0)));
    assert_eq!(exact("target", "arm"), (1, 0, Some(0.0)));
    assert_eq!(exact("opt", "O2"), (1, 1, Some(1.0)));
    assert_eq!(exact("opt", "O3"), (2, 1, Some(0.5)));
}

#[test]
fn identical_builds_share_a_report_and_repeated_reports_are_ignored() {
    let truths =
        [truth('1', json!({"verdict": "config"})), truth('1', json!({"verdict": "config"}))];
    let good = report('1', json!({"verdict": "config"}));
    let bad = report('1', json!({"verdict": "partial"}));
    let score = score(&truths, &[good, bad]);
    assert_eq!((score.total.files, score.total.exact_files), (2, 2));
    assert_eq!(score.repeated_reports, 1);
}

#[test]
fn fields_nobody_scores_are_named() {
    let score = score(
        &[truth('1', json!({"endpoint": [], "verdict": "config"}))],
        &[report('1', json!({"verdict": "config"}))],
    );
    assert_eq!(score.unscored.into_iter().collect::<Vec<_>>(), ["endpoint"]);
}

#[test]
fn no_truth_never_meets_a_requirement() {
    assert!(!score(&[], &[]).meets(0.0));
}
