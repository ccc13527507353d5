//! `miyaburi export --dry-run` from the outside.

use std::fs;
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

/// Flows as the specimens' logs have them, a capture of one packet, and a table of the user's own.
#[test]
fn flows_packets_and_logs_that_the_user_describes_are_held_against_rules() {
    let root = logs();
    let description = serde_json::json!({
        "layout": { "separated": { "by": ";", "columns": ["when", "from", "to", "port", "over"] } },
        "kind": "connection",
        "time": { "field": "when", "as": "rfc3164" },
        "fields": { "client": "from", "server": "to", "port": "port", "protocol": "over" },
    });
    fs::write(at(&root, "flows.json"), description.to_string()).unwrap();
    let own = "Nov 23 10:00:00;192.0.2.7;2001:db8::1;1312;tcp\n";
    fs::write(at(&root, "own.log"), own).unwrap();
    fs::write(at(&root, "packet.pcap"), capture()).unwrap();
    let nfdump = "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt\n\
        2026-11-23 10:00:00.000,2026-11-23 10:00:01.000,1.0,192.0.2.8,2001:db8::1,4000,1312,TCP,....S.,1,60\n";
    fs::write(at(&root, "nfdump.csv"), nfdump).unwrap();
    let hits = |log: &str, more: &[&str]| {
        let options =
            [&["--to", "nftables", "--against", log, "--format", "ndjson"], more].concat();
        let run = dry_run(&root, &options).code(0);
        let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["rule"], "to 2001:db8::1 tcp port 1312");
        (line["records"].as_u64().unwrap(), line["first"].as_str().unwrap().to_owned())
    };
    assert_eq!(hits("packet.pcap", &[]), (1, "2026-11-23T10:00:00Z".to_owned()));
    assert_eq!(hits("nfdump.csv", &[]), (1, "2026-11-23T10:00:00Z".to_owned()));
    let described = ["--log-description", "flows.json", "--timezone", "+09:00"];
    assert_eq!(hits("own.log", &described), (1, "2026-11-23T01:00:00Z".to_owned()));
    let unknown = ["--to", "nftables", "--against", "own.log"];
    dry_run(&root, &unknown).code(1).stderr(contains("own.log: no known log format"));
}

/// A capture of one TCP packet to port 1312 of 2001:db8::1, put together here: the header of the file
/// (libpcap's, network type 101, raw IP) and of the packet, IPv6, TCP with SYN.
fn capture() -> Vec<u8> {
    let packet = [
        &[0x60, 0, 0, 0, 0, 20, 6, 64][..],
        &address(7),
        &address(1),
        &[0x0f, 0xa0, 0x05, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0],
    ]
    .concat();
    let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
    let seconds = 1_795_428_000_u32.to_le_bytes();
    let head = [
        &0xa1b2_c3d4_u32.to_le_bytes()[..],
        &[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &65_535_u32.to_le_bytes(),
        &101_u32.to_le_bytes(),
    ];
    [&head.concat()[..], &seconds, &[0; 4], &length, &length, &packet].concat()
}

/// 2001:db8:: with this last byte.
fn address(last: u8) -> [u8; 16] {
    let mut address = [0; 16];
    address[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    address[15] = last;
    address
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
    let logs = ["--timezone=+09:00", "--log-format=bind", "--latest=2026-11-24", "--clock-ahead=3"];
    for option in logs {
        let mut export = miyaburi();
        export.current_dir(root.path()).args(["export", "report.ndjson", "--to", "rpz", option]);
        export.args(["--output", "out"]).assert().code(2).stderr(contains("--output"));
    }
    assert!(!at(&root, "out").exists());
}
