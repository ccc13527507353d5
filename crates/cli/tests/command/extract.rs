//! `miyaburi extract` from the outside: exit codes, order, formats.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::common::{at, elf, exits, folder, for_another_cpu, miyaburi, reports};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

#[test]
fn a_program_without_a_configuration_is_no_failure() {
    let root = folder(&[("exits", &exits())]);
    let run = miyaburi().arg("extract").arg(at(&root, "exits")).assert().code(0).stderr("");
    let reports = reports(&run.get_output().stdout);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0]["schema_version"], 1);
    assert_eq!(reports[0]["verdict"], "no_config");
    assert_eq!(reports[0]["sample"]["arch"], "x86");
    assert_eq!(reports[0]["sample"]["size"], 91);
}

#[test]
fn where_nobody_reads_what_is_told_the_exit_code_is_the_same() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let binary = assert_cmd::cargo::cargo_bin!("miyaburi");
    let mut command = Command::new(binary);
    let status = command.args(["extract", "missing"]).stdout(Stdio::null()).stderr(writer);
    assert_eq!(status.status().unwrap().code(), Some(1));
}

#[test]
fn a_missing_file_is_failed_and_named_and_the_batch_goes_on() {
    let root = folder(&[("exits", &exits())]);
    let run = miyaburi()
        .arg("extract")
        .args([at(&root, "absent"), at(&root, "exits")])
        .assert()
        .code(1)
        .stderr(contains("absent: failed: No such file").and(contains("\n").count(1)));
    let reports = reports(&run.get_output().stdout);
    assert_eq!(reports[0]["verdict"], "failed");
    assert_eq!(reports[0]["sample"]["path"], at(&root, "absent").to_str().unwrap());
    assert_eq!(reports[0]["sample"]["sha256"], Value::Null);
    assert_eq!(reports[1]["verdict"], "no_config");
}

#[test]
fn what_is_no_elf_fails_only_when_named() {
    let root = folder(&[("d/notes.txt", b"hello"), ("d/exits", &exits()), ("d/empty", b"")]);
    let met = miyaburi().arg("extract").arg(at(&root, "d")).assert().code(0).stderr("");
    let verdicts: Vec<_> =
        reports(&met.get_output().stdout).iter().map(|report| report["verdict"].clone()).collect();
    assert_eq!(verdicts, ["unsupported", "no_config", "unsupported"]);

    for name in ["d/notes.txt", "d/empty"] {
        let named = miyaburi().arg("extract").arg(at(&root, name)).assert().code(1);
        named.stderr(contains(name).and(contains("unsupported")));
    }
}

#[test]
fn a_cpu_outside_the_list_fails_only_when_named() {
    let root = folder(&[("d/rx", &for_another_cpu())]);
    let run = miyaburi().arg("extract").arg(at(&root, "d")).assert().code(0);
    assert_eq!(reports(&run.get_output().stdout)[0]["verdict"], "unsupported");
    miyaburi().arg("extract").arg(at(&root, "d/rx")).assert().code(1);
}

#[test]
fn wrong_usage_is_two() {
    for arguments in [
        &["extract"][..],
        &["extract", "--format", "xml", "x"],
        &["extract", "-j", "0", "x"],
        &["extract", "--time-limit", "-1", "x"],
        &["extract", "--pcap", "d", "--no-observe", "x"],
        &["score", "--truth", "t"],
        &["score", "--truth", "t", "--require", "101", "r"],
        &["sing"],
        &[],
    ] {
        miyaburi().args(arguments).assert().code(2).stdout("");
    }
}

#[test]
fn output_is_the_same_whatever_the_number_of_threads() {
    let programs: Vec<(String, Vec<u8>)> = (0..60_u8)
        .map(|number| match number % 3 {
            0 => (format!("{number:02}"), elf(3, &vec![0x90; 400 * usize::from(number)])),
            1 => (format!("{number:02}"), exits()),
            _ => (format!("{number:02}"), vec![number; 10]),
        })
        .collect();
    let files: Vec<(&str, &[u8])> =
        programs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let root = folder(&files);
    let run = |jobs: &str| {
        let run = miyaburi().args(["extract", "-j", jobs]).arg(root.path()).assert().code(0);
        run.get_output().stdout.clone()
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one, run("7"));
    let paths: Vec<_> = reports(&one)
        .iter()
        .map(|report| report["sample"]["path"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> =
        files.iter().map(|(name, _)| at(&root, name).to_str().unwrap().to_owned()).collect();
    assert_eq!(paths, expected);
}

#[test]
fn emitted_reports_fit_the_published_schema() {
    let root = folder(&[("exits", &exits()), ("text", b"x"), ("rx", &for_another_cpu())]);
    let run = miyaburi().arg("extract").arg(root.path()).arg(at(&root, "absent")).assert();
    let schema = miyaburi().arg("schema").assert().code(0);
    let schema: Value = serde_json::from_slice(&schema.get_output().stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let reports = reports(&run.get_output().stdout);
    assert_eq!(reports.len(), 4);
    for report in &reports {
        let errors: Vec<_> = validator.iter_errors(report).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{report}");
    }
    let by_hand: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    let model: miyaburi_model::Report = serde_json::from_value(by_hand).unwrap();
    let mut full = serde_json::to_value(model).unwrap();
    assert!(validator.is_valid(&full));
    full["verdict"] = "maybe".into();
    assert!(!validator.is_valid(&full));
}

#[test]
fn json_is_an_object_for_one_named_file_and_an_array_elsewhere() {
    let root = folder(&[("d/a", &exits()), ("d/b", &exits()), ("e/.keep", b"")]);
    fs::remove_file(at(&root, "e/.keep")).unwrap();
    let json = |path: &str| {
        let run = miyaburi().args(["extract", "--format", "json"]).arg(at(&root, path)).assert();
        let stdout = run.code(0).get_output().stdout.clone();
        assert_eq!(stdout.last(), Some(&b'\n'));
        serde_json::from_slice::<Value>(&stdout).unwrap()
    };
    assert_eq!(json("d/a")["verdict"], "no_config");
    assert_eq!(json("d").as_array().unwrap().len(), 2);
    assert_eq!(json("e").as_array().unwrap().len(), 0);
}

#[test]
fn text_is_for_people_and_not_the_default_in_a_pipe() {
    let root = folder(&[("exits", &exits())]);
    let path = at(&root, "exits");
    let text = miyaburi().args(["extract", "--format", "text"]).arg(&path).assert().code(0);
    text.stdout(contains("no_config").and(contains("i386")).and(contains("\u{1b}").not()));
    miyaburi().arg("extract").arg(&path).assert().stdout(predicate::str::starts_with("{\""));
}

#[test]
fn output_goes_to_a_file_when_asked() {
    let root = folder(&[("exits", &exits())]);
    let target = at(&root, "out.ndjson");
    let run = |target| {
        miyaburi().arg("extract").arg(at(&root, "exits")).arg("-o").arg(target).assert().stdout("")
    };
    run(&target).code(0);
    assert_eq!(reports(&fs::read(&target).unwrap()).len(), 1);
    run(&at(&root, "no/such/folder")).code(1).stderr(contains("no/such/folder: No such file"));
}

#[test]
fn names_cannot_drive_the_terminal() {
    let root = folder(&[("a\u{1b}[2Jb\nc", b"x")]);
    let run = miyaburi()
        .args(["extract", "--format", "text"])
        .arg(at(&root, "a\u{1b}[2Jb\nc"))
        .assert()
        .code(1);
    let escaped = || contains("a\\u{1b}[2Jb\\u{a}c").and(contains("\u{1b}").not());
    run.stdout(escaped()).stderr(escaped().and(contains("\n").count(1)));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let files: Vec<(String, Vec<u8>)> =
        (0..400).map(|number| (format!("{number}"), vec![b'x'; 5])).collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let root = folder(&files);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"))
        .arg("extract")
        .arg(root.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}
