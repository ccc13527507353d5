//! What the command can do while it analyses, where the system can confine it.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::common::{at, exits, folder, miyaburi, reports};
use predicates::str::contains;

/// The state of a process while it waits for somebody to read its output.
fn status_of_a_running(arguments: &[&str]) -> String {
    // More than a pipe holds.
    let root = folder(&[("program", &crate::common::elf(3, &vec![0x90; 200_000]))]);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"))
        .args(arguments)
        .arg(at(&root, "program"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut first = [0];
    std::io::Read::read_exact(&mut output, &mut first).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(output);
    child.wait().unwrap();
    status
}

#[test]
fn system_calls_are_filtered_unless_not_wanted() {
    let dump = ["dump", "--stage", "disasm"];
    let is_filtered = |arguments: &[&str]| {
        let status = status_of_a_running(arguments);
        let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).unwrap().trim();
        mode == "2"
    };
    let run = miyaburi().args(["extract", "/dev/null"]).output().unwrap();
    let is_possible = !String::from_utf8_lossy(&run.stderr).contains("not confined");
    assert_eq!(is_filtered(&dump), is_possible);
    assert!(!is_filtered(&["dump", "--stage", "disasm", "--unconfined"]));
}

#[test]
fn inputs_are_read_wherever_links_lead() {
    let root = folder(&[("elsewhere/program", &exits()), ("in/program", &exits())]);
    symlink("../elsewhere/program", at(&root, "in/link")).unwrap();
    symlink("in", at(&root, "link to a directory")).unwrap();
    for input in ["in", "link to a directory"] {
        let run = miyaburi().arg("extract").arg(at(&root, input)).assert().code(0).stderr("");
        let reports = reports(&run.get_output().stdout);
        let verdicts: Vec<_> = reports.iter().map(|report| &report["verdict"]).collect();
        assert_eq!(verdicts, ["no_config", "no_config"]);
    }
}

#[test]
fn what_is_no_file_is_read_as_well() {
    let root = folder(&[("program", &exits())]);
    let piped = miyaburi().args(["extract", "/dev/stdin"]).write_stdin(exits()).assert().code(0);
    assert_eq!(reports(&piped.get_output().stdout)[0]["verdict"], "no_config");
    let path = at(&root, "program");
    let redirected = miyaburi().args(["extract", "/dev/stdin"]).pipe_stdin(path).unwrap().assert();
    assert_eq!(reports(&redirected.code(0).get_output().stdout)[0]["verdict"], "no_config");
}

#[test]
fn an_output_that_cannot_be_opened_is_told_before_anything_is_read() {
    let root = folder(&[("program", &exits())]);
    let absent = at(&root, "absent/reports");
    let mut run = miyaburi();
    run.arg("extract").arg(at(&root, "program")).arg("--output").arg(absent);
    run.assert().code(1).stderr(contains("absent/reports: No such file"));
}
