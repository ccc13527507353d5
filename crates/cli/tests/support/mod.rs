//! The bundled specimens and their truth.

use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

pub(crate) fn specimens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens")
}

pub(crate) fn examples() -> PathBuf {
    specimens().join("examples")
}

pub(crate) fn truth_of_examples() -> PathBuf {
    specimens().join("examples.truth.ndjson")
}

pub(crate) fn miyaburi() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"))
}

/// Unpacks those specimens of the archive whose name `wanted` accepts.
pub(crate) fn unpack(into: &Path, wanted: impl Fn(&str) -> bool) -> usize {
    let file = BufReader::new(File::open(specimens().join("specimens.tar.xz")).unwrap());
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(file, false));
    let mut count = 0;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if wanted(&name) {
            entry.unpack(into.join(name)).unwrap();
            count += 1;
        }
    }
    count
}

/// Reports of everything in `files`, written beside it.
pub(crate) fn reports(files: &Path, folder: &Path) -> PathBuf {
    let reports = folder.join("reports.ndjson");
    miyaburi()
        .arg("extract")
        .arg(files)
        .args(["--format", "ndjson", "--output"])
        .arg(&reports)
        .assert()
        .success();
    reports
}

/// The truth lines of the files that have a report, in a file of their own.
pub(crate) fn truth_of(reports: &Path, folder: &Path) -> PathBuf {
    let reported: BTreeSet<String> = std::fs::read_to_string(reports)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|report| report["sample"]["sha256"].as_str().unwrap().to_owned())
        .collect();
    let all = std::fs::read_to_string(specimens().join("truth.ndjson")).unwrap();
    let lines: Vec<&str> = all
        .lines()
        .filter(|line| {
            let truth: Value = serde_json::from_str(line).unwrap();
            reported.contains(truth["sha256"].as_str().unwrap())
        })
        .collect();
    assert_eq!(lines.len(), reported.len(), "every file is the one whose truth is committed");
    let truth = folder.join("truth.ndjson");
    std::fs::write(&truth, lines.join("\n")).unwrap();
    truth
}

pub(crate) fn assert_exact(reports: &Path, truth: &Path, fields: &str, select: &[&str]) {
    let mut score = miyaburi();
    score.arg("score").arg(reports).arg("--truth").arg(truth);
    score.args(["--fields", fields, "--require", "100"]).args(select).assert().success();
}
