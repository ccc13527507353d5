//! `miyaburi events` from the outside.

use crate::common::{folder, miyaburi};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_ipc::reader::StreamReader;
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
