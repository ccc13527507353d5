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
fn rules_of_ones_own_are_asked_and_what_is_none_is_told() {
    let rule = "title: Shells are tried\nid: 5d1b1d0e-6c2f-4c0f-8a1c-0f6d7f2d9b11\nlevel: medium\n\
                logsource: {product: linux, service: sshd}\n\
                detection: {words: ['Failed password'], condition: words}\n";
    let tried = "Nov 23 04:29:09 h sshd[7]: Failed password for root from 192.0.2.7 port 4 ssh2\n";
    let root = folder(&[
        ("rules/ssh.yml", rule.as_bytes()),
        ("rules/README.md", b"no rule: ["),
        ("bad.yml", b"title: x\n"),
        ("auth.log", tried.repeat(3).as_bytes()),
    ]);
    let ask = |rules: &str, code| {
        let mut run = miyaburi();
        run.args(["behaviour", "--latest", "2026-11-24", "--sigma"]);
        run.args([rules, "auth.log"].map(|name| at(&root, name))).assert().code(code)
    };
    let run = ask("rules", 0).stderr(contains("1 Sigma rules"));
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    // Once a day and account.
    let alert: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(alert["behaviour"], "rule");
    assert_eq!(alert["rule"]["title"], "Shells are tried");
    assert_eq!(alert["rule"]["level"], "medium");
    assert_eq!([&alert["entity"], &alert["other"]], ["root", "192.0.2.7"]);
    assert_eq!(alert["line"], tried.trim_end());
    ask("bad.yml", 1)
        .stderr(contains("bad.yml, document 1: missing field").and(contains("0 Sigma")));
}

#[test]
fn an_account_is_elsewhere_in_another_country() {
    let mut log = String::new();
    let mut login = |day: u32, hour: u32, client: &str| {
        writeln!(
            log,
            "Nov {day:02} {hour:02}:00:00 h sshd[7]: Accepted password for alice from {client} port 4 ssh2"
        )
    };
    for day in 1..=20 {
        login(day, 9, "198.51.100.7").unwrap();
        login(day, 17, "198.51.100.7").unwrap();
    }
    login(21, 3, "203.0.113.9").unwrap();
    let root = folder(&[
        ("auth.log", log.as_bytes()),
        ("same.csv", b"network,country\n198.51.100.0/24,JP\n203.0.113.0/24,JP\n"),
        ("other.csv", b"198.51.100.0,198.51.100.255,JP\n203.0.113.0,203.0.113.255,KR\n"),
        ("bad.csv", b"network,country\nJP,198.51.100.0/24\n"),
    ]);
    let ask = |countries: &str, code| {
        let mut run = miyaburi();
        run.args(["behaviour", "--latest", "2026-11-24", "--countries"]);
        run.args([countries, "auth.log"].map(|name| at(&root, name))).assert().code(code)
    };
    ask("same.csv", 0).stdout("");
    ask("other.csv", 0).stdout(contains("first login from country \\\"KR\\\", at 3:00 UTC"));
    ask("bad.csv", 1).stderr(contains("bad.csv: line 2: neither"));
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

/// Accounts of the staff are watched for hours at which they never worked, others are not.
#[test]
fn staff_at_night_is_told() {
    let mut log = String::new();
    for day in 1..=20 {
        for account in ["clerk", "alice"] {
            let hour = if day == 20 { 3 } else { 10 };
            writeln!(
                log,
                "192.0.2.7 - {account} [{day:02}/Nov/2026:{hour}:00:00 +0000] \"GET /c/{day} HTTP/1.1\" 200 1"
            )
            .unwrap();
        }
    }
    let log = log.replace("2026:3:", "2026:03:");
    let root = folder(&[("web.log", log.as_bytes()), ("staff.txt", b"# those who may\nClerk\n")]);
    let run = miyaburi()
        .args(["behaviour", "--latest", "2026-11-24", "--staff"])
        .args(["staff.txt", "web.log"].map(|name| at(&root, name)))
        .assert()
        .code(0);
    let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let alert: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(
        (&alert["behaviour"], &alert["entity"], &alert["other"]),
        (&"insider".into(), &"clerk".into(), &"192.0.2.7".into())
    );
}
