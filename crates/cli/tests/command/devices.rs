//! `miyaburi devices` from the outside.

use crate::common::{at, folder, miyaburi, reports};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

const INVENTORY: &str = "address,vendor,model,firmware,open_ports,login_changed
192.0.2.1,Linksys,WRT,1.0,23,no
192.0.2.2,Huawei,HG532,V1,,yes
192.0.2.3,Axis,M1,,80,no
";

/// One report, as it is and with values that try to get out of where they are printed.
fn corpus() -> TempDir {
    let report: Value = serde_json::from_str(include_str!("../data/report.json")).unwrap();
    let mut hostile = report.clone();
    hostile["credentials"]["entries"][0]["user"] = json!("\u{1b}[31mx\r\n\u{202e}");
    hostile["scan"]["exploits"][0]["path"] = json!("=cmd|' /C x'!A1\u{0}\n");
    let devices = "address,vendor,model,firmware,open_ports,login_changed\n\"=1+1\u{1b}[2J\",Huawei,HG532,@x,37215,no\n";
    folder(&[
        ("report.json", report.to_string().as_bytes()),
        ("hostile.json", hostile.to_string().as_bytes()),
        ("inventory.csv", INVENTORY.as_bytes()),
        ("devices.csv", devices.as_bytes()),
        ("seen.csv", b"sha256,first_seen,last_seen\n"),
        ("wrong.csv", b"address,vendor\n1,2\n"),
        ("sources.csv", b"id,title,url,licence\nown,Own,https://example.org/,own\n"),
        (
            "own.csv",
            b"user,password,vendor,product,kind,confidence,sources\nguest,,Example,,,high,own\n",
        ),
        (
            "again.csv",
            b"user,password,vendor,product,kind,confidence,sources\nroot,vizxv,Dahua,,dvr,high,defaultcreds\n",
        ),
    ])
}

#[test]
fn targets_are_listed_with_their_sources() {
    let root = corpus();
    miyaburi()
        .args(["devices", "--format", "text"])
        .arg(at(&root, "report.json"))
        .assert()
        .code(0)
        .stdout(
            contains("1 report, 1 configuration that look")
                .and(contains("POST /ctrlt/DeviceUpgrade_1* at port 37215 (CVE-2017-17215)"))
                .and(contains("  23    1 configuration\n"))
                .and(contains("<https://research.checkpoint.com/good-zero-day-skiddie/>")),
        );
    let run = miyaburi().arg("devices").arg(at(&root, "report.json")).assert().code(0);
    let targets = reports(&run.get_output().stdout);
    let huawei = targets.iter().find(|target| target["product"] == "HG532").unwrap();
    assert_eq!(huawei["configurations"], 1);
    assert_eq!(huawei["causes"][0]["cve"], json!(["CVE-2017-17215"]));
}

#[test]
fn own_devices_come_most_urgent_first() {
    let root = corpus();
    let run = miyaburi()
        .args(["devices", "--inventory"])
        .args([at(&root, "inventory.csv"), at(&root, "report.json")])
        .assert()
        .code(0);
    let risks = reports(&run.get_output().stdout);
    let listed: Vec<_> = risks.iter().map(|risk| (&risk["urgency"], &risk["address"])).collect();
    assert_eq!(
        listed,
        [(&json!("now"), &json!("192.0.2.1")), (&json!("soon"), &json!("192.0.2.2"))]
    );
}

/// Nothing is at risk, of one vendor nothing is known, and what is wrong is told with its line.
#[test]
fn what_the_list_does_not_say_is_told() {
    const HEADER: &str = "address,vendor,model,firmware,open_ports,login_changed\n";
    let root = corpus();
    let run = |lines: &str| {
        std::fs::write(at(&root, "few.csv"), format!("{HEADER}{lines}")).unwrap();
        let mut run = miyaburi();
        run.args(["devices", "--inventory"]).arg(at(&root, "few.csv"));
        run.arg(at(&root, "report.json")).assert()
    };
    run("192.0.2.1,Huawei,HG532,,none,yes\n192.0.2.2,Nosuch\u{7},A,,none,no\n192.0.2.3,,,,none,\n")
        .code(0)
        .stdout("")
        .stderr(
            contains("none of 3 devices is at risk")
                .and(contains("only open ports count: none named (1), Nosuch\\u{7} (1)\n"))
                .and(contains("Huawei").not()),
        );
    run(",Axis,M1,,80,no\n")
        .code(1)
        .stderr(contains("few.csv").and(contains("line 2: no address")));
    // Its ports are not known, but its login is.
    run("192.0.2.4,Nosuch,A,,,no\n")
        .code(0)
        .stdout(contains("\"urgency\":\"check\"").and(contains("set a password of its own")));
}

#[test]
fn tables_of_the_user_are_added_and_checked() {
    let root = corpus();
    let run = |credentials: &str| {
        miyaburi()
            .args(["devices", "--format", "csv", "--sources"])
            .arg(at(&root, "sources.csv"))
            .arg("--credentials")
            .args([at(&root, credentials), at(&root, "report.json")])
            .assert()
    };
    run("own.csv").code(0).stdout(contains("\nExample,,,high,1,1,,,guest without password\n"));
    run("again.csv").code(1).stdout("").stderr(contains("credentials, line 2: another row"));
}

#[test]
fn what_cannot_be_read_ends_it_before_anything_is_listed() {
    let root = corpus();
    for (option, file) in
        [("--inventory", "wrong.csv"), ("--observed", "wrong.csv"), ("--exploits", "none")]
    {
        miyaburi()
            .args(["devices", option])
            .args([at(&root, file), at(&root, "report.json")])
            .assert()
            .code(1)
            .stdout("")
            .stderr(contains(file));
    }
    miyaburi().arg("devices").arg(at(&root, "seen.csv")).assert().code(1).stdout("");
    miyaburi().arg("devices").assert().code(2);
}

#[test]
fn hostile_values_neither_drive_a_terminal_nor_a_spreadsheet() {
    let root = corpus();
    for format in ["text", "csv", "ndjson", "json"] {
        for inventory in [false, true] {
            let mut command = miyaburi();
            command.args(["devices", "--format", format]).arg(at(&root, "hostile.json"));
            command.arg(at(&root, "report.json"));
            if inventory {
                command.arg("--inventory").arg(at(&root, "devices.csv"));
            }
            let run = command.assert().code(0);
            let printed = String::from_utf8(run.get_output().stdout.clone()).unwrap();
            let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            let is_json = format.ends_with("json");
            assert!(!printed.contains(|c| bad(c) && !(is_json && c == '\u{202e}')), "{printed}");
            if format == "csv" {
                let starts = printed.lines().flat_map(|line| line.split(','));
                assert!(
                    !starts.into_iter().any(|cell| cell.starts_with(['=', '+', '@'])),
                    "{printed}"
                );
            }
        }
    }
}
