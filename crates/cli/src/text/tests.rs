//! Goldens of the text formats.
#![allow(clippy::unwrap_used)]

use miyaburi_corpus::diff::diff as compare;
use miyaburi_corpus::score::{Scorer, parse_truths};
use miyaburi_corpus::{FiledReport, ReportSet};
use miyaburi_model::{EndpointRole, Report, Sample, Verdict};
use serde_json::{Value, json};

use super::{Palette, diff, report, score};

const EVERY_PART: &str = include_str!("../../tests/data/report.json");

fn plain(of: &Report) -> String {
    report(of, Palette::for_terminal(false))
}

#[test]
fn a_report_with_every_part() {
    let text = plain(&serde_json::from_str(EVERY_PART).unwrap());
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
    insta::assert_snapshot!(text);
}

#[test]
fn a_partial_report_says_what_is_missing() {
    let mut partial: Report = serde_json::from_str(EVERY_PART).unwrap();
    partial.verdict = Verdict::Partial;
    partial.endpoints.retain(|endpoint| endpoint.role != EndpointRole::C2);
    partial.string_table = None;
    partial.credentials = None;
    partial.scan = None;
    partial.attacks.clear();
    insta::assert_snapshot!(plain(&partial));
}

#[test]
fn a_failed_report() {
    let sample = Sample { path: "absent".to_owned(), ..Sample::default() };
    insta::assert_snapshot!(plain(&Report::failed(sample, "read", "No such file")));
}

#[test]
fn a_score() {
    let sha256 = |digit: &str| digit.repeat(64);
    let c2 = |host: &str| json!({"host": host, "port": 23, "role": "c2"});
    let truths = [
        json!({"sha256": sha256("1"), "labels": {"target": "mips", "opt": "O2"},
               "verdict": "config", "endpoints": [c2("a.example")]}),
        json!({"sha256": sha256("2"), "labels": {"target": "mips", "opt": "O3"},
               "verdict": "config", "endpoints": [c2("a.example"), c2("b.example")]}),
        json!({"sha256": sha256("3"), "labels": {"target": "arm", "opt": "O3"},
               "endpoints": [], "remark": "none"}),
    ];
    let report = |digit: &str, endpoints: Value| {
        json!({"sample": {"sha256": sha256(digit), "path": format!("in/{digit}")},
               "verdict": "config", "endpoints": endpoints})
    };
    let lines: Vec<_> = truths.iter().map(Value::to_string).collect();
    let mut scorer = Scorer::new(parse_truths(lines.join("\n").as_bytes()).unwrap());
    scorer.add(&report("1", json!([c2("a.example")])));
    scorer.add(&report("1", json!([])));
    scorer.add(&report("2", json!([c2("a.example"), c2("bad\u{1b}[0m.example")])));
    scorer.add(&report("4", json!([])));
    insta::assert_snapshot!(score(&scorer.finish()));
}

#[test]
fn a_score_of_nothing() {
    insta::assert_snapshot!(score(&Scorer::new(vec![]).finish()));
}

/// Reports as one file held them.
fn set(reports: &[Value]) -> ReportSet {
    let path = std::path::PathBuf::from("reports.ndjson");
    let reports = reports.iter().map(|report| FiledReport {
        file: path.clone(),
        is_alone: reports.len() == 1,
        report: serde_json::from_value(report.clone()).unwrap(),
    });
    ReportSet { path: path.clone(), is_directory: false, reports: reports.collect() }
}

#[test]
fn a_diff_of_every_part() {
    let old: Value = serde_json::from_str(EVERY_PART).unwrap();
    let mut new = old.clone();
    new["sample"]["cpu"] = json!("armv5");
    new["verdict"] = json!("partial");
    new["family"] = Value::Null;
    new["endpoints"][0]["host"] = json!("2001:db8::1");
    new["string_table"]["key"] = Value::Null;
    new["string_table"]["entries"][0]["text"] = json!("bad\u{1b}[0m.example");
    new["string_table"]["entries"][0]["hex"] = json!("00");
    new["strings"][0]["text"] = json!("/bin/sh");
    new["credentials"]["entries"][0]["weight"] = json!(3);
    new["credentials"]["sha256"] = json!("1".repeat(64));
    new["attacks"][0]["kind"] = Value::Null;
    new["attacks"][0]["packets"] = json!([]);
    new["attacks"][0]["options"] =
        json!([{"key": 6, "name": "port", "type": "int", "default": null}]);
    new["scan"]["probes"][0]["port"] = json!(80);
    new["scan"]["syn"] = json!({});
    new["scan"]["exploits"][0]["loader"] = json!("http://192.0.2.9/x");
    let comparisons = compare(&set(&[old]), &set(&[new]));
    let text = diff(&comparisons, Palette::for_terminal(false));
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
    insta::assert_snapshot!(text);
}

#[test]
fn diffs_of_sets() {
    let report = |digit: &str, verdict: &str| {
        let sha256 = (digit != "-").then(|| digit.repeat(64));
        json!({"schema_version": 1, "verdict": verdict,
               "sample": {"sha256": sha256, "path": format!("in/{verdict}-{digit}")}})
    };
    let a = set(&[
        report("1", "config"),
        report("2", "no_config"),
        report("-", "failed"),
        report("3", "config"),
    ]);
    let b = set(&[
        report("2", "no_config"),
        report("1", "failed"),
        report("-", "failed"),
        report("4", "config"),
    ]);
    let text = |a, b| diff(&compare(a, b), Palette::for_terminal(false));
    insta::assert_snapshot!("a_diff_of_two_sets", text(&a, &b));
    insta::assert_snapshot!("a_diff_of_a_set_with_itself", text(&a, &a));
}
