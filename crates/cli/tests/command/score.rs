//! `miyaburi score` from the outside.

use crate::common::{at, exits, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A folder with one report and two truths, the second without a report.
fn corpus() -> TempDir {
    let report = include_str!("../data/report.json");
    let one: Value = serde_json::from_str(report).unwrap();
    let truths = [
        json!({"sha256": SHA256, "labels": {"opt": "O2"}, "verdict": "config",
               "credentials": {"entries": [{"user": "root", "password": "admin", "weight": 10},
                                           {"user": "guest", "password": "", "weight": 1}]}}),
        json!({"sha256": "1".repeat(64), "labels": {"opt": "O3"}, "verdict": "config"}),
    ];
    folder(&[
        ("report.json", report.as_bytes()),
        ("report.ndjson", format!("{one}\n").as_bytes()),
        ("array.json", json!([one]).to_string().as_bytes()),
        ("truth.ndjson", format!("{}\n{}\n", truths[0], truths[1]).as_bytes()),
        ("broken.ndjson", format!("{one}\n{{").as_bytes()),
        ("bad-truth.ndjson", b"{}\n"),
    ])
}

#[test]
fn every_spelling_of_reports_scores_the_same() {
    let root = corpus();
    for reports in ["report.json", "report.ndjson", "array.json"] {
        let run = miyaburi()
            .args(["score", "--format", "json", "--truth"])
            .args([at(&root, "truth.ndjson"), at(&root, reports)])
            .assert()
            .code(0);
        let score: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
        assert_eq!(score["total"]["files"], 2);
        assert_eq!(score["total"]["exact_files"], 1);
        assert_eq!(score["total"]["fields"]["credentials.entries"]["correct"], 2);
        assert_eq!(score["labels"]["opt"]["O3"]["exact_files"], 0);
        assert_eq!(score["without_report"], 1);
    }
}

#[test]
fn standard_input_is_read() {
    let root = corpus();
    let run = miyaburi()
        .args(["score", "-", "--truth"])
        .arg(at(&root, "truth.ndjson"))
        .pipe_stdin(at(&root, "report.ndjson"))
        .unwrap()
        .assert();
    run.code(0).stdout(contains("2 files, 1 exact (50.0 %)"));
}

#[test]
fn the_requirement_decides_the_exit_code() {
    let root = corpus();
    let run = |percent: &str| {
        miyaburi()
            .args(["score", "--require", percent, "--truth"])
            .args([at(&root, "truth.ndjson"), at(&root, "report.ndjson")])
            .assert()
    };
    run("50").code(0).stderr("");
    run("50.1").code(1).stderr(contains("1 of 2 files are exact, 50.1 % are required"));
}

#[test]
fn unreadable_reports_and_truths_are_named() {
    let root = corpus();
    let run = |truth: &str, reports: &str| {
        miyaburi()
            .args(["score", "--truth"])
            .args([at(&root, truth), at(&root, reports)])
            .assert()
            .code(1)
    };
    run("truth.ndjson", "broken.ndjson")
        .stderr(contains("broken.ndjson: EOF"))
        .stdout(contains("1 exact"));
    run("truth.ndjson", "absent").stderr(contains("absent: No such file"));
    run("absent", "report.json").stderr(contains("absent: No such file")).stdout("");
    run("bad-truth.ndjson", "report.json").stderr(contains("bad-truth.ndjson: line 1: no sha256"));
}

#[test]
fn a_score_of_nothing_is_an_error_and_an_unknown_field_wrong_usage() {
    let root = corpus();
    std::fs::write(at(&root, "empty.ndjson"), "").unwrap();
    let run = |truth: &str, more: &[&str]| {
        let files = [at(&root, truth), at(&root, "report.json")];
        miyaburi().args(["score", "--truth"]).args(files).args(more).assert().stdout("")
    };
    run("empty.ndjson", &[]).code(1).stderr(contains("empty.ndjson: no truth to compare with"));
    let nothing = contains("no truth has the selected labels");
    run("truth.ndjson", &["--select", "opt=O9"]).code(1).stderr(nothing);
    run("truth.ndjson", &["--fields", "nonsense"]).code(2).stderr(contains("nonsense"));
}

#[test]
fn extract_pipes_into_score() {
    let root = folder(&[("exits", &exits())]);
    let extracted = miyaburi().arg("extract").arg(at(&root, "exits")).assert().code(0);
    let stdout = extracted.get_output().stdout.clone();
    let report: Value = serde_json::from_slice(&stdout).unwrap();
    let truth = json!({"sha256": report["sample"]["sha256"], "verdict": "no_config",
                       "endpoints": [], "string_table": null, "credentials": null,
                       "attacks": [], "sample": {"arch": "x86", "cpu": "i386"}});
    std::fs::write(at(&root, "truth"), truth.to_string()).unwrap();
    miyaburi()
        .args(["score", "-", "--require", "100", "--truth"])
        .arg(at(&root, "truth"))
        .write_stdin(stdout)
        .assert()
        .code(0)
        .stdout(predicate::str::starts_with("1 file, 1 exact (100.0 %)\n"));
}
