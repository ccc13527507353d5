//! `miyaburi export` from the outside: the specimens there and back.

use core::net::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

const NOW: &str = "2026-11-23T00:00:00Z";

fn specimens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens")
}

/// A folder with the reports of the example specimens.
fn reports() -> TempDir {
    let root = folder(&[]);
    let run = miyaburi()
        .args(["extract", "--format", "ndjson", "--no-observe", "--output"])
        .args([at(&root, "reports.ndjson"), specimens().join("examples")])
        .assert();
    run.code(0);
    root
}

/// Hosts of the truth by whether they are a C2's.
fn truth() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = fs::read_to_string(specimens().join("examples.truth.ndjson")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let endpoints: Vec<Value> =
        lines.flat_map(|line| line["endpoints"].as_array().unwrap().clone()).collect();
    let (servers, others): (Vec<Value>, Vec<Value>) =
        endpoints.into_iter().partition(|endpoint| endpoint["role"] == "c2");
    let hosts = |of: Vec<Value>| of.iter().map(|it| it["host"].as_str().unwrap().into()).collect();
    (hosts(servers), hosts(others))
}

/// A column of a CSV file, with `of` to choose rows.
fn column(path: &Path, index: usize, of: impl Fn(&csv::StringRecord) -> bool) -> BTreeSet<String> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path).unwrap();
    let rows = reader.records().map(Result::unwrap).filter(of);
    rows.map(|row| row[index].to_owned()).collect()
}

#[test]
fn the_default_lists_refuse_every_specimen_with_the_reason() {
    let root = reports();
    let run = miyaburi()
        .args(["export", "--to", "csv,rpz,nftables", "--now", NOW, "--output"])
        .args([at(&root, "out"), at(&root, "reports.ndjson")])
        .assert();
    run.code(0).stderr(contains("0 indicators exported").and(contains("warning_list")));
    assert!(column(&at(&root, "out/indicators.csv"), 1, |_| true).is_empty());
    let is_listed = |row: &csv::StringRecord| &row[3] == "c2" && &row[4] == "warning_list";
    let reasons = column(&at(&root, "out/refusals.csv"), 5, is_listed);
    let expected = ["Reserved names", "Special-purpose addresses"].map(str::to_owned);
    assert_eq!(reasons, BTreeSet::from(expected));
    assert_eq!(column(&at(&root, "out/refusals.csv"), 0, is_listed), truth().0);
}

#[test]
fn without_documentation_ranges_exactly_the_servers_pass() {
    let root = reports();
    let export = |name: &str| {
        let run = miyaburi()
            .args(["export", "--to", "csv,rpz,nftables", "--role", "c2", "--now", NOW])
            .args(["--warning-lists".into(), specimens().join("warning-lists")])
            .args(["--output".into(), at(&root, name), at(&root, "reports.ndjson")])
            .assert();
        run.code(0);
    };
    export("out");
    let values = column(&at(&root, "out/indicators.csv"), 1, |_| true);
    let host = |value: &String| {
        value.parse().map_or_else(|_| value.clone(), |it: SocketAddr| it.ip().to_string())
    };
    let hosts: BTreeSet<String> = values.iter().map(host).collect();
    let (servers, others) = truth();
    assert_eq!(hosts, servers);
    assert!(hosts.is_disjoint(&others));
    export("again");
    for entry in fs::read_dir(at(&root, "out")).unwrap() {
        let name = entry.unwrap().file_name();
        let read = |folder: &str| fs::read(at(&root, folder).join(&name)).unwrap();
        assert_eq!(read("out"), read("again"), "{}", name.display());
    }
}

#[test]
fn a_format_that_is_named_twice_is_written_once() {
    let root = reports();
    let export = |formats: &str, out: &str| {
        let run = miyaburi()
            .args(["export", "--to", formats, "--now", NOW, "--output"])
            .args([at(&root, out), at(&root, "reports.ndjson")])
            .assert();
        run.code(0);
        tree(&at(&root, out))
    };
    assert_eq!(export("csv,csv", "twice"), export("csv", "once"));
}

#[test]
fn what_cannot_be_read_ends_the_command_before_anything_is_written() {
    let report = include_str!("../data/report.json");
    let root = folder(&[
        ("report.json", report.as_bytes()),
        ("broken.ndjson", b"{"),
        ("own", b"not a name\n"),
        ("lists/readme.txt", b"none here"),
        ("bad-lists/a.json", b"{}"),
    ]);
    let fails = |arguments: &[&str], message: &str| {
        let run = miyaburi()
            .args(["export", "--to", "csv", "--output"])
            .arg(at(&root, "out"))
            .args(arguments.iter().map(|name| at(&root, name)))
            .assert();
        run.code(1).stderr(contains(message));
        assert!(!at(&root, "out").exists());
    };
    fails(&["report.json", "broken.ndjson"], "broken.ndjson");
    fails(&["report.json", "missing.ndjson"], "missing.ndjson");
    for (option, file, message) in [
        ("--allow", "own", "line 1"),
        ("--warning-lists", "lists", "no warning lists"),
        ("--warning-lists", "bad-lists", "missing field"),
        ("--observed", "own", "the header is not"),
    ] {
        let run = miyaburi()
            .args(["export", "--to", "csv", option])
            .args([at(&root, file), "--output".into(), at(&root, "out"), at(&root, "report.json")])
            .assert();
        run.code(1).stderr(contains(message));
        assert!(!at(&root, "out").exists());
    }
}

/// Paths below a folder, and what the files hold.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(open) = folders.pop() {
        for entry in fs::read_dir(open).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn documents_of_single_files_are_those_of_extract() {
    let specimen = specimens().join("examples/x86_64-gcc-tiny.no_scanner-O1.modules");
    let root = folder(&[]);
    let extract = |format: &str| {
        let run = miyaburi()
            .args(["extract", "--no-observe", "--format", format, "--output"])
            .args([&at(&root, format), &specimen])
            .assert();
        run.code(0);
    };
    ["ndjson", "maco", "labels"].into_iter().for_each(extract);
    let run = miyaburi()
        .args(["export", "--to", "maco,labels", "--output"])
        .args([at(&root, "out"), at(&root, "ndjson")])
        .assert();
    run.code(0).stderr(contains("maco: 1 entries").and(contains("labels: 1 entries")));
    for (format, count) in [("maco", 1), ("labels", 3)] {
        let documents = tree(&at(&root, "out").join(format));
        assert_eq!(documents.len(), count);
        assert_eq!(documents, tree(&at(&root, format)));
    }
}

#[test]
fn what_is_shared_carries_its_label_and_marks_nothing_that_is_refused() {
    let report = include_str!("../data/report.json");
    let root = folder(&[("report.json", report.as_bytes())]);
    let export = |name: &str, options: &[&str]| {
        let run = miyaburi()
            .args(["export", "--to", "stix,misp", "--now", NOW, "--output"])
            .args([at(&root, name), at(&root, "report.json")])
            .args(options)
            .assert();
        run.code(0);
        let files = tree(&at(&root, name)).into_values();
        files.map(|bytes| String::from_utf8(bytes).unwrap()).collect::<String>()
    };
    let text = export("amber", &[]);
    assert!(text.contains("\"tlp_2_0\":\"amber\"") && text.contains("\"tlp:amber\""));
    assert!(!text.contains("\"type\":\"indicator\"") && !text.contains("\"to_ids\":true"));
    let text = export("strict", &["--tlp", "amber+strict"]);
    assert!(text.contains("\"tlp_2_0\":\"amber+strict\"") && text.contains("tlp:amber+strict"));
}

#[test]
fn options_without_a_meaning_are_usage_errors() {
    for arguments in [
        &["--to", "csv", "report.json"][..],
        &["--output", "out", "report.json"],
        &["--to", "nothing", "--output", "out", "report.json"],
        &["--to", "csv", "--output", "out", "--role", "decoy", "report.json"],
        &["--to", "csv", "--output", "out", "--ttl", "30", "report.json"],
        &["--to", "stix", "--output", "out", "--tlp", "white", "report.json"],
        &["--to", "csv", "--output", "out", "--since", NOW, "report.json"],
        &["--to", "flowspec", "--output", "out", "--victim", "bot.example", "report.json"],
        &["--to", "flowspec", "--output", "out", "--max-rules", "1001", "report.json"],
        &["--to", "flowspec", "--output", "out", "--victim-networks", "report.json"],
    ] {
        miyaburi().arg("export").args(arguments).assert().code(2);
    }
}

#[test]
fn a_victim_is_one_address_unless_said_otherwise() {
    let report = include_str!("../data/report.json");
    let root = folder(&[("report.json", report.as_bytes())]);
    let export = |arguments: &[&str]| {
        let run = miyaburi()
            .args(["export", "--to", "flowspec", "--output"])
            .args([at(&root, "out"), at(&root, "report.json")])
            .args(arguments)
            .assert();
        let script = fs::read_to_string(at(&root, "out/flowspec.gobgp.sh")).unwrap_or_default();
        (run, script)
    };
    let (run, script) = export(&["--victim", "203.0.113.0/24"]);
    run.code(1).stderr(contains("203.0.113.0/24 is a network"));
    assert_eq!(script, "");
    let (run, _) = export(&["--victim", "0.0.0.0/0", "--victim-networks"]);
    run.code(1).stderr(contains("0.0.0.0/0 is no one's own"));
    let (run, script) = export(&["--victim", "203.0.113.7"]);
    run.code(0);
    assert!(script.contains(" destination 203.0.113.7/32 "), "{script}");
    let (run, script) = export(&["--victim", "203.0.113.0/24", "--victim-networks"]);
    run.code(0);
    assert!(script.contains(" destination 203.0.113.0/24 "), "{script}");
}
