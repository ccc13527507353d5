//! A folder of built specimens can be read back, and an earlier run's files leave it.

use std::fs;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::specimens::{archive, build::Built};

fn specimen(label: &str, bytes: &[u8]) -> Built {
    let line = |json: Json| json.as_object().unwrap().clone();
    let hash = hex::encode(Sha256::digest(bytes));
    Built {
        label: label.to_owned(),
        bytes: bytes.to_vec(),
        truth: line(json!({"sha256": hash, "verdict": "config"})),
        manifest: line(json!({"sha256": hash, "name": label})),
    }
}

#[test]
fn what_was_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    archive::write_folder(folder.path(), &[specimen("one", b"1"), specimen("two", b"2")]).unwrap();
    let read = archive::read_folder(folder.path()).unwrap();
    let labels: Vec<&str> = read.iter().map(|built| built.label.as_str()).collect();
    assert_eq!(labels, ["one", "two"]);
    assert_eq!(read[1].bytes, b"2");
    assert_eq!(read[1].truth["verdict"], "config");
}

#[test]
fn a_changed_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    archive::write_folder(folder.path(), &[specimen("one", b"1")]).unwrap();
    fs::write(folder.path().join("one"), b"other").unwrap();
    let error = archive::read_folder(folder.path()).err().unwrap();
    assert!(error.to_string().contains("one"), "{error:#}");
}

#[test]
fn an_earlier_run_leaves_nothing_but_what_is_not_its_own() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes"), b"kept").unwrap();
    archive::write_folder(folder.path(), &[specimen("one", b"1")]).unwrap();
    archive::write_folder(folder.path(), &[specimen("two", b"2")]).unwrap();
    assert!(!folder.path().join("one").exists());
    assert!(folder.path().join("two").exists());
    assert!(folder.path().join("notes").exists());
}
