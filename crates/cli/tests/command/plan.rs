//! `miyaburi plan` from the outside.

use std::fs;

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

/// One report as it is, and with a name that tries to become markup.
fn corpus() -> TempDir {
    let report: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    let mut hostile = report.clone();
    hostile["attacks"][0]["kind"] = json!("<script>alert(1)</script>\n# x | y");
    folder(&[
        ("report.json", report.to_string().as_bytes()),
        ("hostile.json", hostile.to_string().as_bytes()),
        ("broken.json", b"{"),
    ])
}

#[test]
fn a_plan_names_kind_handler_and_victim() {
    let root = corpus();
    let report: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    let handler = report["attacks"][0]["handler"].as_str().unwrap();
    miyaburi()
        .args(["plan", "--victim", "198.51.100.7"])
        .arg(at(&root, "report.json"))
        .assert()
        .code(0)
        .stdout(
            contains("# Defence against observed attacks\n")
                .and(contains(format!("handler {handler} in ")))
                .and(contains("match destination 198.51.100.7/32 protocol '=="))
                .and(contains("VICTIM").not()),
        );
}

#[test]
fn reports_without_packets_are_told() {
    let mut report: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    for attack in report["attacks"].as_array_mut().unwrap() {
        attack["packets"] = json!([]);
    }
    let root = folder(&[("report.json", report.to_string().as_bytes())]);
    let plan = |file: &str| miyaburi().arg("plan").arg(at(&root, file)).assert().code(0);
    plan("report.json")
        .stdout(contains("Attacks without packets"))
        .stderr(contains("no report has packets").and(contains("--no-observe")));
    let root = corpus();
    miyaburi().arg("plan").arg(at(&root, "report.json")).assert().code(0).stderr("");
}

#[test]
fn html_holds_no_script_and_loads_nothing() {
    let root = corpus();
    let file = at(&root, "plan.html");
    miyaburi()
        .args(["plan", "--format", "html", "--output"])
        .args([&file, &at(&root, "hostile.json")])
        .assert()
        .code(0)
        .stdout("");
    let html = fs::read_to_string(file).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;\\u{a}# x | y"), "{html}");
    for loading in ["<script", "<img", "<link", "src=", "@import", "url("] {
        assert!(!html.contains(loading), "{loading}");
    }
}

#[test]
fn wrong_input_writes_nothing() {
    let root = corpus();
    let file = at(&root, "plan.md");
    miyaburi()
        .args(["plan", "--output"])
        .args([&file, &at(&root, "report.json"), &at(&root, "broken.json")])
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains("broken.json"));
    assert!(!file.exists());
    for victim in ["198.51.100.0/24", "2001:db8::1", "x;reboot"] {
        let run =
            miyaburi().args(["plan", "--victim", victim]).arg(at(&root, "report.json")).assert();
        run.code(2).stdout("");
    }
}
