//! What `export` writes, read again as indicators.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::common::{at, folder, miyaburi};
use miyaburi_hunting::indicators::{Indicator, Indicators, Passed, SourceError, read};
use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

const SAMPLES: &str = "../../specimens/warning-lists";

/// The example's indicators as reports have them, and as every format of an export does.
fn exported() -> TempDir {
    let root = folder(&[("report.json", include_bytes!("../data/report.json"))]);
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLES);
    let run = miyaburi()
        .args(["export", "--to", "stix,misp,csv", "--now", "2026-11-23T00:00:00Z"])
        .args(["--warning-lists".into(), lists])
        .args(["--output".into(), at(&root, "out"), at(&root, "report.json")])
        .assert();
    run.code(0);
    root
}

fn indicators(path: &Path) -> (Vec<Indicator>, Passed) {
    let mut set = Indicators::default();
    let refused = &mut |error: SourceError| unreachable!("{error}");
    let passed = read(&mut BufReader::new(File::open(path).unwrap()), &mut set, refused).unwrap();
    let mut all: Vec<Indicator> = set.iter().cloned().collect();
    all.sort_by_key(|indicator| indicator.value.clone());
    (all, passed)
}

fn event(root: &TempDir) -> PathBuf {
    let mut files = fs::read_dir(at(root, "out/misp")).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.file_name().unwrap() != "manifest.json").unwrap()
}

#[test]
fn every_format_of_an_export_says_the_same_of_what_passed_the_gate() {
    let root = exported();
    let (table, _) = indicators(&at(&root, "out/indicators.csv"));
    let (stix, passed) = indicators(&at(&root, "out/miyaburi.stix.json"));
    assert_eq!(passed, Passed::default());
    let (misp, _) = indicators(&event(&root));
    let (report, _) = indicators(&at(&root, "report.json"));
    assert!(!table.is_empty());
    for (number, row) in table.iter().enumerate() {
        let (stix, misp) = (&stix[number], &misp[number]);
        let of_report = report.iter().find(|it| it.value == row.value).unwrap();
        let what = |it: &Indicator| (it.value.clone(), it.role, it.protocol);
        // What is no address has no transport in a pattern, and logs of names none that counts.
        let is_name = row.value.kind() == "domain";
        assert_eq!(what(row), what(of_report));
        assert_eq!((&stix.value, stix.role), (&row.value, row.role));
        assert_eq!((&misp.value, misp.role), (&row.value, row.role));
        assert!(is_name || (stix.protocol, misp.protocol) == (row.protocol, row.protocol));
        assert_eq!(row.confidence, of_report.confidence);
        assert_eq!(stix.confidence, of_report.confidence);
        assert_eq!(stix.validity.until, row.validity.until);
        assert_eq!(misp.validity.until, row.validity.until);
        assert!(row.validity.until.is_some());
    }
    assert_eq!((stix.len(), misp.len()), (table.len(), table.len()));
}

#[test]
fn what_of_a_bundle_is_not_looked_for_is_told() {
    let bundle = br#"{"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "revoked": true,
         "pattern": "[domain-name:value = 'a.example']"},
        {"type": "indicator", "id": "indicator--2", "pattern_type": "stix",
         "pattern": "[domain-name:value MATCHES 'b']"},
        {"type": "indicator", "id": "indicator--3", "pattern_type": "stix",
         "pattern": "[domain-name:value = 'c.example']"}]}"#;
    let root = folder(&[("bundle.json", bundle)]);
    let asked = |name| format!("Nov 23 04:29:09 dnsmasq[7]: query[A] {name} from 192.0.2.7\n");
    let run = miyaburi()
        .args(["hunt", "-", "--latest", "2026-11-24", "-i"])
        .arg(at(&root, "bundle.json"))
        .write_stdin(["a.example", "b.example", "c.example"].map(asked).concat())
        .assert();
    let told = contains("1 revoked").and(contains("\"MATCHES\" is not understood"));
    run.code(1).stderr(told).stdout(contains("c.example").and(contains("a.example").not()));
}
