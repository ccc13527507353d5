//! `miyaburi behaviour` and `miyaburi count` from the outside.

use std::fmt::Write;

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

fn packets(hosts: u32, port: u16) -> String {
    let mut log = String::new();
    for host in 0..hosts {
        let second = host % 60;
        writeln!(
            log,
            "Nov 23 04:{:02}:{second:02} gate kernel: [8.2] fw: IN=a OUT=b SRC=198.51.100.7 \
             DST=192.0.2.{host} PROTO=TCP SPT=4 DPT={port} SYN",
            host / 60,
        )
        .unwrap();
    }
    log
}

#[test]
fn a_scan_is_told_with_its_line() {
    let (scan, visits) = (packets(50, 23), packets(50, 443));
    let root = folder(&[("scan.log", scan.as_bytes()), ("web.log", visits.as_bytes())]);
    let run = miyaburi()
        .args(["behaviour", "--latest", "2026-11-24"])
        .args(["web.log", "scan.log"].map(|name| at(&root, name)))
        .assert()
        .code(0);
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let alerts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(alerts.len(), 1, "{text}");
    assert_eq!(
        (&alerts[0]["behaviour"], &alerts[0]["entity"]),
        (&"scanning".into(), &"198.51.100.7".into())
    );
    assert_eq!(alerts[0]["line"], scan.lines().nth(29).unwrap());
}

#[test]
fn accesses_are_counted_by_day_port_and_network() {
    let root = folder(&[("scan.log", packets(50, 23).as_bytes())]);
    miyaburi()
        .args(["count", "--latest", "2026-11-24", "--own", "192.0.2.0/24", "--format", "markdown"])
        .arg(at(&root, "scan.log"))
        .assert()
        .code(0)
        .stdout(
            contains("50 to 50 devices in 1 day: 1.0 for each device and day")
                .and(contains("| 2026-11-23T00:00:00Z | 50 | 1.0 | 0 |"))
                .and(contains("| 23 | 50 |"))
                .and(contains("| 198.51.100.0/24 | 50 |")),
        );
    miyaburi()
        .args(["count", "--own", "x"])
        .arg(at(&root, "scan.log"))
        .assert()
        .code(2)
        .stderr(contains("neither a network nor an address"));
}
