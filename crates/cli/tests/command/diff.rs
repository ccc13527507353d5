//! `miyaburi diff` from the outside.

use std::fs;

use crate::common::{at, exits, folder, miyaburi, reports};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Reports of one file before and after its C2 moved, alone and among others.
fn corpus() -> TempDir {
    let report: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    let mut moved = report.clone();
    moved["endpoints"][1]["host"] = json!("third.example.com");
    let other = json!({"schema_version": 1, "verdict": "no_config",
                       "sample": {"path": "in/other", "sha256": "0".repeat(64)}});
    folder(&[
        ("old.json", report.to_string().as_bytes()),
        ("new.json", moved.to_string().as_bytes()),
        ("old/1.json", report.to_string().as_bytes()),
        ("old/2.json", other.to_string().as_bytes()),
        ("new.ndjson", format!("{moved}\n{other}\n").as_bytes()),
        ("broken/1.json", report.to_string().as_bytes()),
        ("broken/2.ndjson", format!("{report}\n{{\"verdict\": 1}}\n").as_bytes()),
        ("broken/3.json", b""),
    ])
}

#[test]
fn a_difference_is_no_failure_unless_asked() {
    let root = corpus();
    let run = |a: &str, b: &str, options: &[&str]| {
        miyaburi().arg("diff").args([at(&root, a), at(&root, b)]).args(options).assert().stderr("")
    };
    let moved = || {
        contains("-  c2  second.example.com:?")
            .and(contains("+  c2  third.example.com:?"))
            .and(contains("\n1 pair differs, 0 the same\n"))
            .and(contains("\u{1b}").not())
    };
    run("old.json", "new.json", &[]).code(0).stdout(moved());
    run("old.json", "new.json", &["--exit-code"]).code(1).stdout(moved());
    for options in [&[][..], &["--exit-code"]] {
        run("old.json", "old.json", options).code(0).stdout("no difference (config in both)\n");
    }
    let one_is_missing = "1 pair differs, 0 the same, 1 only in B\n";
    run("old.json", "new.ndjson", &["--exit-code"]).code(1).stdout(contains(one_is_missing));
}

#[test]
fn a_directory_of_reports_compares_with_a_file_of_them() {
    let root = corpus();
    let run = miyaburi()
        .args(["diff", "--format", "json"])
        .args([at(&root, "old"), at(&root, "new.ndjson")])
        .assert()
        .code(0);
    let pairs = reports(&run.get_output().stdout);
    assert_eq!(pairs.len(), 2);
    assert!(pairs.iter().all(|pair| pair["schema_version"] == 1 && pair["paired_by"] == "sha256"));
    assert_eq!(pairs[0]["a"]["report_file"], at(&root, "old/1.json").to_str().unwrap());
    assert_eq!(pairs[0]["changes"]["endpoints"]["added"][0]["host"], "third.example.com");
    assert_eq!(pairs[0]["changes"]["endpoints"]["removed"][0]["host"], "second.example.com");
    assert_eq!(pairs[0]["changes"]["attacks"], json!({"added": [], "removed": [], "changed": []}));
    assert_eq!(pairs[1]["result"], "same");
}

#[test]
fn json_fits_the_published_schema() {
    let root = corpus();
    let schema = miyaburi().args(["schema", "diff"]).assert().code(0);
    let schema: Value = serde_json::from_slice(&schema.get_output().stdout).unwrap();
    assert_eq!(schema["$id"], "urn:miyaburi:diff:1");
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (a, b) in [("old.json", "new.json"), ("old.json", "new.ndjson"), ("new.ndjson", "old")] {
        let run = miyaburi()
            .args(["diff", "--format", "json"])
            .args([at(&root, a), at(&root, b)])
            .assert();
        for pair in reports(&run.get_output().stdout) {
            let errors: Vec<_> = validator.iter_errors(&pair).map(|e| e.to_string()).collect();
            assert_eq!(errors, [""; 0], "{pair}");
            let mut wrong = pair;
            wrong["result"] = json!("maybe");
            assert!(!validator.is_valid(&wrong));
        }
    }
}

#[test]
fn an_unreadable_report_is_named_and_never_no_difference() {
    let root = corpus();
    let broken = at(&root, "broken").display().to_string();
    miyaburi()
        .arg("diff")
        .args([at(&root, "old"), at(&root, "broken")])
        .assert()
        .code(1)
        .stdout("")
        .stderr(
            contains(format!("{broken}/2.ndjson: not a report: expected value at line 2"))
                .and(contains(format!("{broken}/3.json: holds no report")))
                .and(contains("\n").count(2)),
        );
    miyaburi()
        .arg("diff")
        .args([at(&root, "absent"), at(&root, "absent")])
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains("absent: No such file").count(2));
}

#[test]
fn standard_input_is_one_side_at_most() {
    let root = corpus();
    miyaburi()
        .arg("diff")
        .arg(at(&root, "old.json"))
        .arg("-")
        .pipe_stdin(at(&root, "new.json"))
        .unwrap()
        .assert()
        .code(0)
        .stdout(contains("third.example.com"));
    for wrong in [&["diff", "-", "-"][..], &["diff", "a"], &["diff", "a", "b", "c"]] {
        miyaburi().args(wrong).assert().code(2).stdout("");
    }
}

#[test]
fn a_file_that_is_no_longer_analysed_differs_in_its_verdict_alone() {
    let root = folder(&[("exits", &exits())]);
    let extract = |name: &str| {
        let run = miyaburi().arg("extract").arg(at(&root, "exits")).assert();
        fs::write(at(&root, name), &run.get_output().stdout).unwrap();
    };
    extract("before.ndjson");
    fs::remove_file(at(&root, "exits")).unwrap();
    extract("after.ndjson");
    miyaburi()
        .arg("diff")
        .args([at(&root, "before.ndjson"), at(&root, "after.ndjson")])
        .assert()
        .code(0)
        .stdout(
            contains("verdict  no_config -> failed")
                .and(contains("B was not analysed: only verdicts are compared")),
        );
}
