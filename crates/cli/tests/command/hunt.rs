//! `miyaburi hunt` from the outside.

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

const QUERIES: &str = "\
23-Nov-2026 04:29:09.123 queries: info: client @0x7f 192.0.2.7#53000 (a.cnc.example): query: a.cnc.example IN A + (192.0.2.1)
23-Nov-2026 04:30:09.123 queries: info: client @0x7f 192.0.2.8#53000 (xcnc.example): query: xcnc.example IN A + (192.0.2.1)
";

const PACKETS: &str = "\
Nov 23 13:29:09 gw kernel: [12.3] IN=a OUT=b SRC=198.51.100.7 DST=192.0.2.99 PROTO=TCP SPT=4 DPT=23 SYN
Nov 23 13:29:10 gw kernel: [12.3] IN=a OUT=b SRC=198.51.100.7 DST=192.0.2.99 PROTO=TCP SPT=4 DPT=80 SYN
\u{1b}[2J what is no line
";

fn logs() -> TempDir {
    folder(&[
        ("list.txt", b"# C2s\ncnc[.]example\n192.0.2[.]99:23\n"),
        ("wrong.txt", b"cnc.example\nnot_a_host\n"),
        ("report.ndjson", include_bytes!("../data/report.json")),
        ("logs/a/queries.log", QUERIES.as_bytes()),
        ("logs/kern.log", PACKETS.as_bytes()),
        ("unknown.log", b"no such format\n"),
    ])
}

#[test]
fn hits_carry_their_evidence() {
    let root = logs();
    let output = miyaburi()
        .args(["hunt", "--timezone", "+09:00", "--latest", "2026-11-24", "--indicators"])
        .args([at(&root, "list.txt"), at(&root, "logs")])
        .assert()
        .code(0)
        .stderr(contains("1 of 3 lines not read").and(contains("\u{1b}").not()))
        .get_output()
        .clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let hits: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(hits.len(), 2, "{text}");
    assert_eq!(hits[0]["indicator"], "cnc.example");
    assert_eq!(hits[0]["entity"], "192.0.2.7");
    assert_eq!(hits[0]["time"], "2026-11-22T19:29:09.123Z");
    assert_eq!(hits[0]["offset"], 0);
    assert_eq!(hits[0]["line"], QUERIES.lines().next().unwrap());
    assert_eq!(hits[1]["indicator"], "192.0.2.99:23");
    assert_eq!(hits[1]["time"], "2026-11-23T04:29:09Z");
}

#[test]
fn people_get_a_table() {
    let root = logs();
    miyaburi()
        .args(["hunt", "--format", "text", "--latest", "2026-11-24", "-i"])
        .args([at(&root, "list.txt"), at(&root, "logs")])
        .assert()
        .code(0)
        .stdout(contains("2 indicators, 2 entities touched").and(contains("198.51.100.7")));
    miyaburi()
        .args(["hunt", "--format", "summary", "-i"])
        .args([at(&root, "list.txt"), at(&root, "logs/a/queries.log")])
        .assert()
        .code(0)
        .stdout(contains("\"entity_type\":\"address\",\"indicator\":\"cnc.example\""));
}

#[test]
fn logs_come_from_standard_input_too() {
    let root = logs();
    miyaburi()
        .args(["hunt", "-", "-i"])
        .arg(at(&root, "list.txt"))
        .write_stdin(QUERIES)
        .assert()
        .code(0)
        .stdout(contains("\"file\":\"-\"").and(contains("a.cnc.example")));
}

#[test]
fn endpoints_of_reports_are_indicators() {
    let root = logs();
    let report: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    let c2 = report["endpoints"].as_array().unwrap().iter().find(|it| it["role"] == "c2").unwrap();
    let host = c2["host"].as_str().unwrap();
    let line = format!("Nov 23 04:29:09 dnsmasq[7]: query[A] {host} from 192.0.2.7\n");
    miyaburi()
        .args(["hunt", "-", "-i"])
        .arg(at(&root, "report.ndjson"))
        .write_stdin(line)
        .assert()
        .code(0)
        .stdout(contains("\"role\":\"c2\""));
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_goes_on() {
    let root = logs();
    miyaburi()
        .args(["hunt", "-i"])
        .args(["wrong.txt", "unknown.log", "logs/a/queries.log"].map(|name| at(&root, name)))
        .assert()
        .code(1)
        .stdout(contains("a.cnc.example"))
        .stderr(
            contains("line 2: \"not_a_host\"")
                .and(contains("unknown.log: no known log format, such as \"no such format\"")),
        );
    miyaburi()
        .args(["hunt", "-i"])
        .args(["missing", "unknown.log"].map(|name| at(&root, name)))
        .assert()
        .code(1)
        .stderr(contains("missing: "));
    miyaburi()
        .args(["hunt", "--log-format", "x", "-", "-i"])
        .arg(at(&root, "list.txt"))
        .assert()
        .code(2)
        .stderr(contains("one of bind, unbound, combined, syslog"));
}

#[test]
fn formats_can_be_described() {
    let root = logs();
    let description = r#"{"layout":{"pattern":"^(?<q>\\S+) by (?<c>\\S+)$"},"kind":"dns_query",
        "fields":{"name":"q","client":"c"}}"#;
    std::fs::write(at(&root, "own.json"), description).unwrap();
    std::fs::write(at(&root, "own.log"), "a.cnc.example by 192.0.2.8\nx\n").unwrap();
    let hunt = |description: &str| {
        let mut command = miyaburi();
        command.args(["hunt", "--log-description"]).arg(at(&root, description)).arg("-i");
        command.args(["list.txt", "own.log"].map(|name| at(&root, name))).assert()
    };
    hunt("own.json")
        .code(0)
        .stdout(contains(r#""entity":"192.0.2.8","entity_type":"address""#))
        .stderr(contains("1 of 2 lines not read, first byte 27: \"x\""));
    hunt("list.txt").code(2).stderr(contains("no description of a format"));
    hunt("missing.json").code(2).stderr(contains("No such file"));
}

#[test]
fn hits_name_the_subscriber() {
    let root = logs();
    let leases = "address,holder,from,until\n192.0.2.7,line 7,2026-11-23,2026-11-24\n";
    std::fs::write(at(&root, "leases.csv"), leases).unwrap();
    miyaburi()
        .args(["hunt", "--leases"])
        .arg(at(&root, "leases.csv"))
        .arg("-i")
        .args(["list.txt", "logs/a/queries.log"].map(|name| at(&root, name)))
        .assert()
        .code(0)
        .stdout(contains(r#""entity":"line 7","entity_type":"subscriber","address":"192.0.2.7""#));
    miyaburi()
        .args(["hunt", "--leases"])
        .arg(at(&root, "list.txt"))
        .arg("-i")
        .args(["list.txt", "logs/a/queries.log"].map(|name| at(&root, name)))
        .assert()
        .code(1)
        .stderr(contains("list.txt: neither leases"));
}

#[test]
fn each_source_has_a_clock_of_its_own() {
    let line = |name: &str| {
        format!("Jul  1 09:00:00 {name} dnsmasq[7]: query[A] cnc.example from 192.0.2.7\n")
    };
    let root = folder(&[
        ("list.txt", b"cnc.example\n"),
        ("clocks.csv", b"source,timezone,ahead\ntokyo,Asia/Tokyo,\nlondon,Europe/London,60\n"),
        ("wrong.csv", b"source,timezone\ntokyo,Nowhere/City\n"),
        ("logs/london.log", line("a").as_bytes()),
        ("logs/other.log", line("b").as_bytes()),
        ("logs/tokyo.log", line("c").as_bytes()),
    ]);
    let hunt = |clocks: &str| {
        miyaburi()
            .args(["hunt", "--latest", "2026-11-24", "--timezone", "+01:00", "-i"])
            .args([at(&root, "list.txt"), at(&root, "logs"), "--clocks".into(), at(&root, clocks)])
            .assert()
    };
    let output = hunt("clocks.csv").code(0).get_output().stdout.clone();
    let text = String::from_utf8(output).unwrap();
    let hits = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let times: Vec<String> = hits.map(|hit| hit["time"].as_str().unwrap().to_owned()).collect();
    let expected = ["2026-07-01T07:59:00Z", "2026-07-01T08:00:00Z", "2026-07-01T00:00:00Z"];
    assert_eq!(times, expected);
    hunt("wrong.csv").code(2).stderr(contains("line 2: timezone \"Nowhere/City\" is none"));
}
