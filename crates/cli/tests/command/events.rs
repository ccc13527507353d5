//! `miyaburi events` from the outside.

use crate::common::{folder, miyaburi};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_ipc::reader::StreamReader;
use predicates::str::contains;
use serde_json::{Value, json};

const MAIL: &str = "\
Nov 21 09:00:00 mx dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.1, mpid=7
";
const WEB: &str = "192.0.2.7 - - [21/Nov/2026:10:00:00 +0900] \"GET /c HTTP/1.1\" 404 1\n";

fn events(arguments: &[&str], code: i32) -> Vec<u8> {
    let root = folder(&[
        ("a.log", MAIL.as_bytes()),
        ("b.log", WEB.as_bytes()),
        ("c.log", b"nothing that is known\n"),
    ]);
    let logs = if code == 0 { &["a.log", "b.log"][..] } else { &["a.log", "b.log", "c.log"] };
    let run = miyaburi()
        .current_dir(root.path())
        .args(["events", "--latest", "2026-11-24"])
        .args(arguments)
        .args(logs)
        .assert()
        .code(code);
    run.get_output().stdout.clone()
}

#[test]
fn all_formats_have_the_same_columns() {
    let text = String::from_utf8(events(&[], 1)).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let login = json!({
        "time": "2026-11-21T09:00:00Z", "event": "login", "client": "198.51.100.7",
        "server": "192.0.2.1", "port": null, "protocol": null, "name": null, "url": null,
        "account": "alice", "host": "mx", "outcome": "success", "packets": null, "bytes": null,
        "file": "a.log", "offset": 0,
    });
    let request = json!({
        "time": "2026-11-21T01:00:00Z", "event": "web_request", "client": "192.0.2.7",
        "server": null, "port": null, "protocol": null, "name": null, "url": "/c",
        "account": null, "host": null, "outcome": "failure", "packets": null, "bytes": null,
        "file": "b.log", "offset": 0,
    });
    assert_eq!(rows, [login, request]);
}

#[test]
fn arrow_says_the_same() {
    let stream = events(&["--format", "arrow"], 0);
    let batches: Vec<_> =
        StreamReader::try_new(stream.as_slice(), None).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(batches.len(), 1);
    let accounts = batches[0].column_by_name("account").unwrap().as_string::<i32>();
    assert_eq!((accounts.value(0), accounts.is_valid(1)), ("alice", false));
}

#[test]
fn redaction_names_nobody() {
    let text = String::from_utf8(events(&["--redact"], 0)).unwrap();
    for named in ["alice", "\"mx\"", "198.51.100.7", "192.0.2.7", "a.log", "\"/c\""] {
        assert!(!text.contains(named), "{named}: {text}");
    }
    assert_eq!(text.lines().count(), 2);
}

/// Flow records know all packets of their flow; a capture tells them one by one.
#[test]
fn packets_are_those_of_whole_flows() {
    let flows = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt\n\
        2026-11-23 04:29:09.5,x,2.250,192.0.2.7,198.51.100.9,9,80,TCP,...A..S.,0,0,7,420\n";
    // libpcap's header for raw IP; then one packet of IPv4, UDP, without data.
    let mut capture = Vec::new();
    for number in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101, 1_795_000_000, 0, 28, 28] {
        capture.extend(number.to_le_bytes());
    }
    capture.extend([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 7, 198, 51, 100, 9]);
    capture.extend([0, 9, 0, 53, 0, 8, 0, 0]);
    let root = folder(&[("flows.csv", flows.as_bytes()), ("x.pcap", &capture)]);
    let run = miyaburi().current_dir(root.path()).args(["events", "flows.csv", "x.pcap"]).assert();
    let text = String::from_utf8(run.code(0).get_output().stdout.clone()).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = rows.iter().map(|row| (&row["packets"], &row["bytes"])).collect();
    assert_eq!(told, [(&json!(7), &json!(420)), (&Value::Null, &Value::Null)]);
}

#[test]
fn a_file_that_is_full_is_named() {
    let root = folder(&[("a.log", MAIL.as_bytes())]);
    for format in ["arrow", "ndjson"] {
        let mut run = miyaburi();
        run.current_dir(root.path()).args(["events", "--latest", "2026-11-24", "--format", format]);
        run.args(["-o", "/dev/full", "a.log"]).assert().code(1).stderr(contains("/dev/full"));
    }
}
