//! Goldens of the text formats.
#![allow(clippy::unwrap_used)]

use miyaburi_corpus::score::{Scorer, parse_truths};
use miyaburi_model::{EndpointRole, Report, Sample, Verdict};
use serde_json::{Value, json};

use super::{Palette, report, score};

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
