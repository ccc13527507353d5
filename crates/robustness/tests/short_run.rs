//! A short run over the examples, and that each way to fail is noticed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::{Command, Output};

fn examples() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/examples");
    folder.display().to_string()
}

fn run(arguments: &[&str]) -> (bool, String) {
    let specimens = examples();
    let mut command = Command::new(env!("CARGO_BIN_EXE_miyaburi-robustness"));
    command.args(["--specimens", &specimens]).args(arguments);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = [stdout, stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (status.success(), text)
}

#[test]
fn damaged_files_neither_crash_nor_hang_nor_take_too_much() {
    let (succeeded, text) = run(&["--files", "240", "--seed", "1"]);
    assert!(succeeded, "{text}");
    assert!(text.contains("240 damaged files, 0 pieces"), "{text}");
}

#[test]
fn random_code_neither_crashes_nor_hangs_nor_takes_too_much() {
    let (succeeded, text) = run(&["--files", "0", "--random-code", "8192"]);
    assert!(succeeded, "{text}");
    assert!(text.contains("19 pieces of random code"), "{text}");
}

#[test]
fn patterns_neither_crash_nor_hang_nor_take_too_much() {
    let (succeeded, text) = run(&["--files", "0", "--patterns", "65536"]);
    assert!(succeeded, "{text}");
    assert!(text.contains("0 pieces of random code, 19 patterns"), "{text}");
}

#[test]
fn a_run_can_be_gone_on_with() {
    let (succeeded, text) = run(&["--files", "240", "--first", "235", "--seed", "1"]);
    assert!(succeeded, "{text}");
    assert!(text.contains("5 damaged files, 0 pieces"), "{text}");
}

/// With a stack too small for anything every case dies, and the run goes on behind each.
#[test]
fn a_stack_overflow_is_told_and_survived() {
    let (succeeded, text) = run(&["--files", "3", "--jobs", "1", "--stack", "16"]);
    assert!(!succeeded);
    assert_eq!(text.matches("file:0: stack overflow").count(), 2, "{text}");
    assert!(text.contains("3 failures"), "{text}");
    assert!(text.contains("--seed 1 --mostly-below 32768 --only file:2"), "{text}");
}

#[test]
fn too_much_memory_is_told() {
    let (succeeded, text) = run(&["--files", "1", "--jobs", "1", "--memory", "3"]);
    assert!(!succeeded);
    assert!(text.contains("file:0: memory: memory allocation of"), "{text}");
}

#[test]
fn a_case_can_be_written_and_run_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case");
    let path = path.display().to_string();
    let (succeeded, text) = run(&["--only", "file:7", "--write", &path]);
    assert!(succeeded, "{text}");
    assert!(std::fs::read(&path).unwrap().starts_with(b"\x7fELF"));
}
