//! `miyaburi export --state` and `miyaburi ledger` from the outside.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{at, folder, miyaburi};

/// A report of a file with the digest `number` that connects to these addresses.
fn report(number: u32, addresses: &[&str]) -> String {
    let endpoints: Vec<Value> = addresses
        .iter()
        .map(|address| {
            json!({
                "host": address, "port": 23, "protocol": "tcp", "role": "c2", "url": null,
                "order": null, "method": "emulation", "confidence": "high", "evidence": [],
            })
        })
        .collect();
    let mut report: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    report["sample"]["sha256"] = json!(format!("{number:064x}"));
    report["endpoints"] = json!(endpoints);
    report["external"] = json!([]);
    format!("{report}\n")
}

fn with_reports(files: &[(&str, String)]) -> TempDir {
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    folder(&files)
}

fn lists() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/warning-lists")
}

/// Exports reports on a day of November 2026, with a ledger.
fn export(root: &TempDir, day: u8, reports: &str, options: &[&str]) -> Assert {
    let now = format!("2026-11-{day:02}");
    miyaburi()
        .current_dir(root)
        .args(["export", "--state", "ledger", "--output", "out", "--now", &now, "--warning-lists"])
        .arg(lists())
        .args(["--to", "rpz,nftables,flowspec,suricata,csv", reports])
        .args(options)
        .assert()
}

fn roll_back(root: &TempDir, day: u8) -> Assert {
    let now = format!("2026-11-{day:02}");
    let arguments = ["export", "--rollback", "--state", "ledger", "--output", "out", "--now"];
    miyaburi().current_dir(root).args(arguments).arg(now).assert()
}

fn read(root: &TempDir, name: &str) -> String {
    fs::read_to_string(at(root, name)).unwrap()
}

fn difference(root: &TempDir) -> Value {
    serde_json::from_str(&read(root, "out/difference.json")).unwrap()
}

/// Lines of a kind in what `ledger` prints.
fn records(root: &TempDir, kind: &str) -> Vec<Value> {
    let run = miyaburi().current_dir(root).args(["ledger", "ledger"]).assert().code(0);
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["record"] == kind).collect()
}

/// What events of the feed mark for detection.
fn marked(root: &TempDir) -> BTreeSet<String> {
    let json = |name: &str| -> Value {
        serde_json::from_str(&read(root, &format!("out/misp/{name}"))).unwrap()
    };
    let manifest = json("manifest.json");
    let events = manifest.as_object().unwrap().keys().map(|uuid| json(&format!("{uuid}.json")));
    let objects = events.flat_map(|it| it["Event"]["Object"].as_array().unwrap().clone());
    let attributes = objects.flat_map(|it| it["Attribute"].as_array().unwrap().clone());
    let marked = attributes.filter(|it| it["to_ids"] == true);
    marked.map(|it| it["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn events_of_earlier_exports_mark_what_is_blocked_and_nothing_else() {
    let root = with_reports(&[
        ("one", report(1, &["192.0.2.1", "192.0.2.2"])),
        ("two", report(2, &["192.0.2.3"])),
        ("revoked", "192.0.2.1\n".to_owned()),
    ]);
    let export = |day: u8, reports: &str, options: &[&str]| {
        let now = format!("2026-11-{day:02}");
        let mut run = miyaburi();
        run.current_dir(&root).args(["export", "--state", "ledger", "--output", "out", "--to"]);
        run.args(["misp", "--now", &now, "--warning-lists"]).arg(lists());
        run.arg(reports).args(options).assert().code(0);
        marked(&root)
    };
    let is = |hosts: &[u8]| hosts.iter().map(|it| format!("192.0.2.{it}")).collect();
    assert_eq!(export(1, "one", &[]), is(&[1, 2]));
    assert_eq!(export(2, "two", &[]), is(&[1, 2, 3]));
    roll_back(&root, 3).code(0);
    assert_eq!(marked(&root), is(&[1, 2]));
    assert_eq!(export(4, "two", &["--revoked", "revoked"]), is(&[2, 3]));
    roll_back(&root, 5).code(0);
    assert_eq!(marked(&root), is(&[2]), "what was revoked stays so");
}

#[test]
fn a_later_export_keeps_adds_renews_and_withdraws() {
    let root = with_reports(&[
        ("one", report(1, &["192.0.2.1", "192.0.2.2", "192.0.2.3"])),
        ("two", report(2, &["192.0.2.2", "192.0.2.4"])),
        ("revoked", "# taken down\n192.0.2.3\n".to_owned()),
    ]);
    export(&root, 1, "one", &["--stage", "enforce"])
        .code(0)
        .stdout(contains("export 1, stage enforce\n+ c2 192.0.2.1 port 23 tcp until 2026-12-01"));
    let run = export(&root, 2, "two", &["--stage", "enforce", "--revoked", "revoked"]).code(0);
    run.stdout(
        "export 2 after 1, stage enforce\n\
         + c2 192.0.2.4 port 23 tcp until 2026-12-02T00:00:00Z\n\
         - c2 192.0.2.3 port 23 tcp since 2026-11-01T00:00:00Z: revoked: 192.0.2.3/32\n\
         1 added, 1 withdrawn, 1 with another end, 1 unchanged\n",
    );
    let changed = difference(&root);
    assert_eq!(changed["before"], json!({ "run": 1, "stage": "enforce" }));
    assert_eq!(changed["unchanged"], 1);
    assert_eq!(changed["renewed"][0]["host"], "192.0.2.2");
    assert_eq!(changed["renewed"][0]["until_before"], "2026-12-01T00:00:00Z");
    assert_eq!(changed["renewed"][0]["until"], "2026-12-02T00:00:00Z");
    assert_eq!(changed["withdrawn"][0]["reason"], "revoked");
    let gone = "192.0.2.3/32 protocol '==6'";
    assert!(read(&root, "out/flowspec.withdraw.gobgp.sh").contains(gone));
    assert!(!read(&root, "out/flowspec.gobgp.sh").contains(gone));
    let gone = "delete element inet miyaburi v4_port { 192.0.2.3 . tcp . 23 }";
    assert!(read(&root, "out/miyaburi.withdraw.nft").contains(gone));
    assert_eq!(read(&root, "out/miyaburi-addresses.lst"), "192.0.2.1\n192.0.2.2\n192.0.2.4\n");
    // What is revoked stays so, until it is reinstated.
    export(&root, 3, "one", &[]).code(0).stdout(contains("192.0.2.3").not());
    assert!(read(&root, "out/refusals.csv").contains("192.0.2.3,23,tcp,c2,revoked"));
    export(&root, 3, "one", &["--reinstate", "revoked"])
        .code(0)
        .stdout(contains("+ c2 192.0.2.3 port 23 tcp until 2026-12-03"));
    // What nobody names any more ends with its time.
    fs::write(at(&root, "nothing"), "").unwrap();
    let run = export(&root, 30, "nothing", &["--ttl", "1d"]).code(0);
    run.stdout(contains("0 added, 0 withdrawn, 0 with another end, 4 unchanged"));
    fs::write(at(&root, "later"), report(9, &["192.0.2.9"])).unwrap();
    let arguments = ["export", "--state", "ledger", "--output", "out", "--now", "2026-12-02"];
    let run = miyaburi()
        .current_dir(&root)
        .args(arguments)
        .args(["--to", "rpz", "later", "--warning-lists"])
        .arg(lists())
        .assert();
    run.code(0)
        .stdout(contains("- c2 192.0.2.4 port 23 tcp since 2026-11-02T00:00:00Z: valid until"));
}

#[test]
fn an_export_without_ledger_leaves_no_withdrawals_of_earlier_ones() {
    let root =
        with_reports(&[("one", report(1, &["192.0.2.1"])), ("two", report(2, &["192.0.2.2"]))]);
    const OF_A_LEDGER: [&str; 4] = [
        "difference.json",
        "flowspec.withdraw.exabgp",
        "flowspec.withdraw.gobgp.sh",
        "miyaburi.withdraw.nft",
    ];
    let there = || OF_A_LEDGER.map(|name| at(&root, &format!("out/{name}")).exists());
    export(&root, 1, "one", &[]).code(0);
    export(&root, 2, "two", &[]).code(0);
    assert_eq!(there(), [true; 4]);
    let mut run = miyaburi();
    run.current_dir(&root).args(["export", "--output", "out", "--to", "nftables,flowspec"]);
    run.args(["--now", "2026-11-03", "one", "--warning-lists"]).arg(lists()).assert().code(0);
    assert_eq!(there(), [false; 4]);
}

#[test]
fn a_ledger_that_is_read_stays_as_it_is_and_time_that_runs_back_is_told() {
    let root = with_reports(&[("one", report(1, &["192.0.2.1"])), ("log", String::new())]);
    export(&root, 5, "one", &[]).code(0).stderr(contains("is before").not());
    let before = fs::read(at(&root, "ledger")).unwrap();
    let modified = fs::metadata(at(&root, "ledger")).unwrap().modified().unwrap();
    assert_eq!(records(&root, "run").len(), 1);
    let mut dry = miyaburi();
    dry.current_dir(&root).args(["export", "--dry-run", "--against", "log", "--to", "rpz"]);
    dry.args(["--now", "2026-11-06", "--state", "ledger", "one", "--warning-lists"]).arg(lists());
    dry.assert().code(0);
    assert_eq!(fs::read(at(&root, "ledger")).unwrap(), before);
    assert_eq!(fs::metadata(at(&root, "ledger")).unwrap().modified().unwrap(), modified);
    export(&root, 4, "one", &[])
        .code(0)
        .stderr(contains("2026-11-04T00:00:00Z, is before that of the last one, 2026-11-05T"));
}

/// Told before reports, which are none here, are read.
#[test]
fn a_directory_that_cannot_be_written_is_told_first() {
    let root = with_reports(&[("file", String::new())]);
    let mut run = miyaburi();
    run.current_dir(&root).args(["export", "--to", "rpz", "--output", "file/out"]);
    run.args(["--state", "ledger", "missing"]);
    run.assert().code(1).stderr(contains("file/out").and(contains("missing").not()));
    assert!(!at(&root, "ledger").exists());
}

#[test]
fn who_is_innocent_in_one_export_is_blocked_by_no_later_one() {
    let decoy = report(1, &["192.0.2.1"]).replace("\"c2\"", "\"decoy\"");
    let root = with_reports(&[
        ("decoy", decoy),
        ("c2", report(2, &["192.0.2.1", "192.0.2.2"])),
        ("host", "192.0.2.1\n".to_owned()),
    ]);
    export(&root, 1, "c2", &[]).code(0).stdout(contains("2 added"));
    export(&root, 2, "decoy", &[])
        .code(0)
        .stdout(contains("- c2 192.0.2.1 port 23 tcp since 2026-11-01T00:00:00Z: also a decoy"));
    export(&root, 3, "c2", &[]).code(0).stdout(contains("0 added"));
    let refusals = read(&root, "out/refusals.csv");
    assert!(refusals.contains("192.0.2.1,23,tcp,c2,contradicted,a decoy in an earlier export"));
    let [innocent] = records(&root, "innocent").try_into().unwrap();
    assert_eq!(
        (innocent["host"].clone(), innocent["role"].clone()),
        (json!("192.0.2.1"), json!("decoy"))
    );
    let run = miyaburi().current_dir(&root).args(["ledger", "ledger", "--format", "text"]).assert();
    run.code(0).stdout(contains("not blocked: decoy 192.0.2.1 port 23 tcp\n"));
    // A roll back does not block it either, though it was in force before.
    let arguments =
        ["export", "--rollback", "--state", "ledger", "-o", "out", "--now", "2026-11-04"];
    miyaburi().current_dir(&root).args(arguments).assert().code(0);
    assert_eq!(read(&root, "out/miyaburi-addresses.lst"), "192.0.2.2\n");
    // The user knows better.
    export(&root, 5, "c2", &["--reinstate", "host"])
        .code(0)
        .stdout(contains("+ c2 192.0.2.1 port 23 tcp until"));
    assert!(records(&root, "innocent").is_empty());
}

#[test]
fn a_directory_stands_for_the_reports_below_it() {
    let root = with_reports(&[
        ("in/one.ndjson", report(1, &["192.0.2.1"])),
        ("in/deep/two.json", report(2, &["192.0.2.2"])),
        ("in/note.txt", "no report".to_owned()),
    ]);
    export(&root, 1, "in", &[]).code(0).stdout(contains("2 added"));
    fs::write(at(&root, "in/other.json"), "{\"a\": 1}").unwrap();
    let run = export(&root, 2, "in", &[]).code(1);
    run.stderr(contains("in/other.json: not a report: missing field").and(contains("no list")));
}

/// A format that some exports leave out gets what they withdrew when it is written again.
#[test]
fn what_is_withdrawn_reaches_formats_that_were_left_out_meanwhile() {
    let root = with_reports(&[
        ("one", report(1, &["192.0.2.1", "192.0.2.2"])),
        ("host", "192.0.2.1\n".to_owned()),
    ]);
    let export = |day: u8, formats: &str, more: &[&str]| {
        let now = format!("2026-11-{day:02}");
        let arguments = ["export", "--state", "ledger", "--output", "out", "--now", &now, "one"];
        let mut run = miyaburi();
        run.current_dir(&root).args(arguments).args(["--to", formats, "--warning-lists"]);
        run.arg(lists()).args(more).assert().code(0)
    };
    export(1, "nftables,stix,rpz", &[]);
    let told = contains("nftables: last written by export 1").and(contains("stix: last written"));
    export(2, "rpz", &["--revoked", "host"]).stderr(told);
    let gone = "delete element inet miyaburi v4_port { 192.0.2.1 . tcp . 23 }";
    assert!(!read(&root, "out/miyaburi.withdraw.nft").contains(gone));
    let run = export(3, "nftables,stix", &[]);
    // It is no change of this export's own.
    run.stdout(contains("0 added, 0 withdrawn")).stderr(contains("last written").not());
    assert!(read(&root, "out/miyaburi.withdraw.nft").contains(gone));
    let bundle: Value = serde_json::from_str(&read(&root, "out/miyaburi.stix.json")).unwrap();
    let ended = |it: &&Value| it["valid_until"] == "2026-11-03T00:00:00.000Z";
    let [ended] =
        bundle["objects"].as_array().unwrap().iter().filter(ended).collect::<Vec<_>>()[..]
    else {
        unreachable!("{bundle}")
    };
    assert!(ended["pattern"].as_str().unwrap().contains("'192.0.2.1'"));
    // Once told, it is not told again; who is blocked again is not withdrawn.
    export(4, "nftables", &[]);
    assert!(!read(&root, "out/miyaburi.withdraw.nft").contains(gone));
    export(5, "rpz", &["--reinstate", "host"]);
    export(6, "nftables", &[]);
    assert!(!read(&root, "out/miyaburi.withdraw.nft").contains(gone));
    assert!(read(&root, "out/miyaburi.nft").contains("192.0.2.1"));
}

#[test]
fn what_is_revoked_and_reinstated_at_once_is_not_blocked() {
    let root =
        with_reports(&[("one", report(1, &["192.0.2.1"])), ("host", "192.0.2.1\n".to_owned())]);
    let both = ["--revoked", "host", "--reinstate", "host"];
    let told = contains("192.0.2.1/32: not reinstated, as no line of that text was revoked");
    export(&root, 1, "one", &both).code(0).stdout(contains("0 added")).stderr(told);
    export(&root, 2, "one", &["--reinstate", "host"])
        .code(0)
        .stdout(contains("1 added"))
        .stderr(contains("not reinstated").not());
}

#[test]
fn another_file_is_no_ledger() {
    let root = with_reports(&[("one", report(1, &["192.0.2.1"]))]);
    for command in
        [&["ledger", "one"][..], &["export", "--rollback", "-o", "out", "--state", "one"]]
    {
        let run = miyaburi().current_dir(&root).args(command).assert().code(1);
        run.stderr(contains("one: not a ledger"));
    }
}

#[test]
fn the_ledger_tells_since_when_until_when_and_which_export_did() {
    let root = with_reports(&[
        ("one", report(1, &["192.0.2.1", "192.0.2.2"])),
        ("two", report(1, &["192.0.2.1"])),
    ]);
    export(&root, 1, "one", &["--stage", "enforce"]).code(0);
    // The same file, analysed again, has one of them no more.
    export(&root, 2, "two", &[]).code(0).stdout(contains("its files no longer have it"));
    let runs = records(&root, "run");
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["stage"], "enforce");
    assert_eq!(runs[0]["provenance"]["reports"], 1);
    let digest = runs[0]["provenance"]["reports_sha256"].as_str().unwrap();
    assert_eq!(digest.len(), 64);
    let [entry] = records(&root, "in_force").try_into().unwrap();
    assert_eq!((entry["host"].clone(), entry["run"].clone()), (json!("192.0.2.1"), json!(1)));
    assert_eq!(entry["since"], "2026-11-01T00:00:00Z");
    assert_eq!(entry["until"], "2026-12-02T00:00:00Z");
    assert_eq!(entry["sources"][0]["sha256"], format!("{:064x}", 1));
    let [withdrawn] = records(&root, "withdrawn").try_into().unwrap();
    assert_eq!(withdrawn["withdrawn_by"], 2);
    assert_eq!(withdrawn["reason"], "gone");
    let run = miyaburi().current_dir(&root).args(["ledger", "ledger", "--format", "text"]).assert();
    run.code(0).stdout(contains(
        "- c2 192.0.2.2 port 23 tcp since 2026-11-01T00:00:00Z, withdrawn by export 2: its files no \
         longer have it\n",
    ));
    let run = miyaburi().current_dir(&root).args(["ledger", "missing"]).assert();
    run.code(1).stderr(contains("missing"));
    let run = miyaburi().current_dir(&root).args(["ledger", "one"]).assert();
    run.code(1).stderr(contains("one: "));
}

#[test]
fn a_roll_back_writes_every_list_as_it_was() {
    let root = with_reports(&[
        ("one", report(1, &["192.0.2.1", "192.0.2.2"])),
        ("two", report(1, &["192.0.2.1", "192.0.2.3"])),
    ]);
    roll_back(&root, 1).code(1).stderr(contains("ledger"));
    export(&root, 1, "one", &[]).code(0);
    let names = ["rpz.zone", "miyaburi.nft", "flowspec.bird.conf", "miyaburi-addresses.lst"];
    let lists = ["rpz.named.conf", "miyaburi.rules", "indicators.csv", "flowspec.gobgp.sh"];
    let plain = |name: &str| {
        let text = read(&root, &format!("out/{name}"));
        // The time of the export, and what follows from it.
        let lines = text.lines().filter(|line| !line.starts_with(['#', ';', '@']));
        let lines =
            lines.map(|line| line.split(" timeout ").next().unwrap().replace("_11_02", "_11_01"));
        let lines: Vec<String> = lines.collect();
        assert!(!lines.is_empty(), "{name}");
        lines
    };
    let before: Vec<Vec<String>> = names.iter().chain(&lists).map(|name| plain(name)).collect();
    let serial = |root: &TempDir| {
        let zone = read(root, "out/rpz.zone");
        let record = zone.lines().find(|line| line.starts_with("@ SOA")).unwrap().to_owned();
        record.split(' ').nth(4).unwrap().parse::<u32>().unwrap()
    };
    export(&root, 2, "two", &["--stage", "enforce"]).code(0);
    let serial_before = serial(&root);
    assert_ne!(names.iter().chain(&lists).map(|name| plain(name)).collect::<Vec<_>>(), before);
    let run = roll_back(&root, 2).code(0);
    run.stdout(
        "export 3 after 2, stage enforce -> log\n\
         + c2 192.0.2.2 port 23 tcp until 2026-12-01T00:00:00Z\n\
         - c2 192.0.2.3 port 23 tcp since 2026-11-02T00:00:00Z: the export that had it was rolled back\n\
         1 added, 1 withdrawn, 1 with another end, 0 unchanged\n",
    );
    assert_eq!(names.iter().chain(&lists).map(|name| plain(name)).collect::<Vec<_>>(), before);
    assert!(serial(&root) > serial_before);
    assert!(read(&root, "out/flowspec.withdraw.gobgp.sh").contains(" 192.0.2.3/32 "));
    assert_eq!(records(&root, "run")[2]["kind"], json!({ "roll_back": 2 }));
    roll_back(&root, 2).code(1).stderr(contains("nothing to roll back"));
}

#[test]
fn before_the_first_export_nothing_was_in_force() {
    let root = with_reports(&[("one", report(1, &["192.0.2.1"]))]);
    export(&root, 1, "one", &[]).code(0);
    roll_back(&root, 1).code(0).stdout(contains("0 added, 1 withdrawn"));
    assert_eq!(read(&root, "out/miyaburi-addresses.lst"), "");
    assert!(!read(&root, "out/miyaburi.nft").contains("elements"));
}

#[test]
fn options_of_the_ledger_need_one_and_a_roll_back_takes_no_others() {
    let root = with_reports(&[("one", report(1, &["192.0.2.1"]))]);
    for arguments in [
        &["--to", "rpz", "one", "--revoked", "one"][..],
        &["--to", "rpz", "one", "--reinstate", "one"],
        &["--rollback"],
        &["--rollback", "--state", "ledger", "one"],
        &["--rollback", "--state", "ledger", "--to", "rpz"],
        &["--rollback", "--state", "ledger", "--ttl", "3d"],
    ] {
        let mut run = miyaburi();
        run.current_dir(&root).args(["export", "-o", "out"]).args(arguments).assert().code(2);
    }
    assert!(!at(&root, "ledger").exists());
    // One that cannot be made or is none ends the export before anything is written.
    for state in ["missing/ledger", "one"] {
        let run = miyaburi()
            .current_dir(&root)
            .args(["export", "-o", "out", "--to", "rpz", "one", "--state", state])
            .assert();
        run.code(1).stderr(contains(state));
        assert!(!at(&root, "out").exists());
    }
}

/// Killed at any time, it leaves a ledger that can be read, and files that are all of one export.
#[test]
fn a_killed_export_leaves_a_ledger_that_the_next_one_goes_on_with() {
    let many: String = (0..4000_u32)
        .map(|number| {
            let [_, _, high, low] = number.to_be_bytes();
            report(number, &[&format!("2001:db8::{high:x}{low:02x}")])
        })
        .collect();
    let root = with_reports(&[("one", report(99_999, &["192.0.2.1"])), ("many", many)]);
    export(&root, 1, "one", &[]).code(0);
    let mut seen = Vec::new();
    for milliseconds in [5, 40, 80, 120, 160, 200, 240, 300, 400] {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("miyaburi"));
        command
            .current_dir(&root)
            .args(["export", "--state", "ledger", "--output", "out", "--now", "2026-11-02"])
            .args(["--to", "csv,rpz,nftables,suricata", "many", "--warning-lists"])
            .arg(lists())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        // One that ended by itself is no failure.
        let _ = child.kill();
        child.wait().unwrap();
        let runs = records(&root, "run");
        let entries = records(&root, "in_force").len();
        let is_complete = runs.last().unwrap()["is_complete"] == true;
        seen.push((runs.len(), is_complete, entries));
        assert!(entries == 1 || entries > 4000, "{seen:?}");
    }
    let run = export(&root, 3, "one", &[]).code(0);
    run.stdout(contains(" withdrawn, ").and(contains("192.0.2.1").not()));
    let last = records(&root, "run");
    assert_eq!(last.last().unwrap()["is_complete"], true);
    assert!(!at(&root, "out/.miyaburi-export").exists());
}
