//! The bundled specimens, whose truth was written by their build.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use assert_cmd::Command;
use std::path::{Path, PathBuf};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples")
}

fn miyaburi() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"))
}

/// Reports of all examples, in a file that lives as long as the folder.
fn reports(folder: &Path) -> PathBuf {
    let reports = folder.join("reports.ndjson");
    miyaburi()
        .arg("extract")
        .arg(examples())
        .args(["--format", "ndjson", "--output"])
        .arg(&reports)
        .assert()
        .success();
    reports
}

fn assert_exact(reports: &Path, fields: &str, select: &[&str]) {
    let mut score = miyaburi();
    score.arg("score").arg(reports).arg("--truth").arg(examples().join("truth.ndjson"));
    score.args(["--fields", fields, "--require", "100"]).args(select).assert().success();
}

#[test]
fn every_cpu_type_is_recognised_and_none_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(folder.path());
    assert_exact(&reports, "sample.arch,sample.cpu,sample.bits,sample.endian", &[]);
}

#[test]
fn the_classic_layout_is_seen_through() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(folder.path());
    let fields = "verdict,endpoints,string_table.effective_key,string_table.key,\
                  string_table.sha256,string_table.entries,credentials.effective_key,\
                  credentials.sha256,credentials.entries";
    assert_exact(&reports, fields, &["--select", "fork=classic"]);
}

#[test]
fn tables_and_credentials_of_other_forks_are_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(folder.path());
    let fields = "string_table.effective_key,string_table.sha256,credentials.effective_key,\
                  credentials.sha256";
    let select = ["renumbered", "mixed_keys", "plain_c2", "immediate", "many_c2", "debug_layout"]
        .map(|fork| format!("fork={fork}"));
    let select: Vec<&str> =
        select.iter().flat_map(|select| ["--select", select.as_str()]).collect();
    assert_exact(&reports, fields, &select);
}

#[test]
fn a_wrong_truth_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let reports = reports(folder.path());
    let truth = std::fs::read_to_string(examples().join("truth.ndjson")).unwrap();
    let wrong = folder.path().join("wrong.ndjson");
    std::fs::write(&wrong, truth.replace("\"effective_key\":\"0x", "\"effective_key\":\"0xff"))
        .unwrap();
    miyaburi()
        .arg("score")
        .arg(&reports)
        .arg("--truth")
        .arg(&wrong)
        .args(["--fields", "string_table.effective_key", "--select", "fork=classic"])
        .args(["--require", "100"])
        .assert()
        .code(1);
}
