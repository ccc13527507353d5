//! `miyaburi export --dry-run` from the outside.

use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{at, folder, miyaburi};

/// Somebody asks for the C2 of the report and for others, and connects to its addresses.
const QUERIES: &str = "\
23-Nov-2026 04:29:09.123 queries: info: client @0x7f 192.0.2.77#53000 (x.example.net): query: X.example.net IN TXT + (192.0.2.1)
23-Nov-2026 04:30:09.123 queries: info: client @0x7f 192.0.2.78#53000 (x.example.net): query: x.example.net IN TXT + (192.0.2.1)
23-Nov-2026 04:31:09.123 queries: info: client @0x7f 192.0.2.78#53000 (a.x.example.net): query: a.x.example.net IN A + (192.0.2.1)
";

const PACKETS: &str = "\
Nov 23 13:29:09 gw kernel: [12.3] IN=a OUT=b SRC=198.51.100.7 DST=2001:db8::1 PROTO=TCP SPT=4 DPT=1312 SYN
Nov 23 13:29:10 gw kernel: [12.3] IN=a OUT=b SRC=198.51.100.8 DST=2001:db8::1 PROTO=TCP SPT=4 DPT=443 SYN
";

fn logs() -> TempDir {
    folder(&[
        ("report.ndjson", include_bytes!("../data/report.json")),
        ("logs/queries.log", QUERIES.as_bytes()),
        ("logs/kern.log", PACKETS.as_bytes()),
        ("unknown.log", b"no such format\n"),
    ])
}

fn dry_run(root: &TempDir, options: &[&str]) -> assert_cmd::assert::Assert {
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specimens/warning-lists");
    miyaburi()
        .current_dir(root)
        .args(["export", "--dry-run", "--now", "2026-11-24", "report.ndjson", "--warning-lists"])
        .arg(lists)
        .args(options)
        .assert()
}

fn files(root: &TempDir) -> usize {
    std::fs::read_dir(root.path()).unwrap().count()
}

#[test]
fn it_tells_rule_by_rule_what_would_have_hit_and_writes_nothing() {
    let root = logs();
    let before = files(&root);
    let formats = ["--to", "rpz,nftables,suricata,flowspec,csv", "--against", "logs"];
    let run = dry_run(&root, &formats).code(0);
    let run = run.stderr(contains("5 records of 2 files: 5 of ").and(contains("no log says")));
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows: Vec<(&str, &str, u64, u64)> = lines
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap();
            let number = |name: &str| line[name].as_u64().unwrap();
            (text("format"), text("rule"), number("records"), number("clients"))
        })
        .collect();
    let expected = [
        ("flowspec", "to 2001:db8::1 tcp port 1312", 1, 1),
        ("nftables", "to 2001:db8::1 tcp port 1312", 1, 1),
        ("rpz", "query for x.example.net", 2, 2),
        ("suricata", "query for x.example.net", 2, 2),
        ("suricata", "packet to 2001:db8::1", 2, 2),
    ];
    assert_eq!(rows, expected);
    assert_eq!(lines[2]["first"], "2026-11-23T04:29:09.123Z");
    assert_eq!(lines[2]["last"], "2026-11-23T04:30:09.123Z");
    assert_eq!(
        (lines[2]["file"].as_str(), lines[2]["offset"].as_u64()),
        (Some("logs/queries.log"), Some(0))
    );
    assert_eq!(files(&root), before);
    // Stages make no difference to what would be hit, a ledger that is not there is not made.
    let more = ["--to", "rpz", "--against", "logs", "--stage", "enforce", "--state", "ledger"];
    dry_run(&root, &more).code(0);
    assert_eq!(files(&root), before);
    let text = ["--to", "rpz", "--against", "logs", "--format", "text"];
    dry_run(&root, &text).code(0).stdout(
        "rpz: query for x.example.net: 2 records of 2 clients, 2026-11-23T04:29:09.123Z to \
         2026-11-23T04:30:09.123Z\n",
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let root = logs();
    let unknown = ["--to", "rpz", "--against", "unknown.log"];
    dry_run(&root, &unknown).code(1).stderr(contains("unknown.log: no known log format"));
    let missing = ["--to", "rpz", "--against", "missing.log"];
    dry_run(&root, &missing).code(1).stderr(contains("missing.log"));
    for arguments in [
        &["--to", "rpz", "--against", "logs", "--output", "out"][..],
        &["--to", "rpz"],
        &["--against", "logs"],
    ] {
        dry_run(&root, arguments).code(2);
    }
    assert!(!at(&root, "out").exists());
}
