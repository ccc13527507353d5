//! `--redact` from the outside: nothing of whom logs tell comes through, in no format.

use std::fs::{read_dir, read_to_string};
use std::path::Path;

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

const MAIL: &str = "\
Nov 20 08:58:12 mx dovecot: imap-login: Login: user=<alice@amber.example>, method=PLAIN, rip=198.51.100.20, lip=192.0.2.25, mpid=811, TLS
Nov 21 02:14:55 mx dovecot: imap-login: Login: user=<alice@amber.example>, method=PLAIN, rip=203.0.113.77, lip=192.0.2.25, mpid=951, TLS
Nov 21 02:15:55 mx dovecot: imap-login: Login: user=<eve@dune.example>, method=PLAIN, rip=203.0.113.77, lip=192.0.2.25, mpid=952, TLS
";

const OTHERS: &str = "\
Nov 21 02:14:56 gate kernel: [1.2] IN=a OUT=b SRC=198.51.100.140 DST=203.0.113.9 PROTO=TCP SPT=4 DPT=23 SYN
Nov 21 02:14:57 gate kernel: [1.2] IN=b OUT=a SRC=198.51.101.1 DST=198.51.100.140 PROTO=TCP SPT=4 DPT=23 SYN
Nov 21 02:14:58 dnsmasq[7]: query[A] beacon.cnc.example from 198.51.100.20
";

const ACCOUNTS: &str = "account,contract,data_classes,sources
alice@amber.example,K-1001,mail,mail-1
bob@amber.example,K-1002,mail,mail-1
dave@cedar.example,K-1003,mail,mail-2
";

/// Of whom the logs tell, in every spelling that an output could have. Indicators are not among them.
const PEOPLE: [&str; 18] = [
    "alice",
    "bob",
    "dave",
    "eve@",
    "amber",
    "cedar",
    "dune",
    "K-100",
    "beacon",
    "198.51.100",
    "198.51.101",
    "192.0.2",
    "203.0.113.77",
    "203.0.113.9",
    "subscriber 7",
    "mail-1",
    "mail-2",
    "imap-login",
];

fn logs() -> TempDir {
    folder(&[
        ("list.txt", b"203.0.113.0/24\ncnc.example\n"),
        ("logs/mail-1.log", MAIL.as_bytes()),
        ("logs/gate.log", OTHERS.as_bytes()),
        ("accounts.csv", ACCOUNTS.as_bytes()),
        ("leases.csv", b"address,holder\n198.51.100.140,subscriber 7\n"),
        ("key", b"sixteen bytes and more"),
        ("short", b"secret"),
    ])
}

/// What a command writes to standard output.
fn told(root: &TempDir, arguments: &[&str]) -> String {
    let path = |name: &&str| match name.strip_prefix("./") {
        Some(name) => at(root, name).into_os_string(),
        None => name.into(),
    };
    let run = miyaburi()
        .args(arguments.iter().map(path))
        .args(["--latest", "2026-11-24", "--redact"])
        .assert()
        .code(0);
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

fn has_nobody(text: &str, what: &str) {
    for name in PEOPLE {
        assert!(!text.contains(name), "{what}: {name} in {text}");
    }
    assert!(
        !text.contains(env!("CARGO_MANIFEST_DIR")) && !text.contains("/tmp/"),
        "{what}: {text}"
    );
}

#[test]
fn nobody_is_in_any_output() {
    let root = logs();
    for format in ["ndjson", "summary", "text"] {
        let of_all = ["hunt", "./logs", "-i", "./list.txt", "--leases", "./leases.csv"];
        let text = told(&root, &[&of_all[..], &["--format", format]].concat());
        has_nobody(&text, format);
        assert!(text.contains("cnc.example") && text.contains("redacted-"), "{text}");
    }
    for format in ["ndjson", "markdown", "html"] {
        let text = told(&root, &["timeline", "alice@amber.example", "./logs", "--format", format]);
        has_nobody(&text, format);
        assert!(text.contains("redacted-"), "{text}");
    }
    for format in ["ndjson", "markdown"] {
        let own = ["count", "./logs", "--own", "198.51.100.0/24", "--format", format];
        has_nobody(&told(&root, &own), format);
    }
}

#[test]
fn nobody_is_in_alerts() {
    let tried = |what: &str, second: usize| {
        format!(
            "Nov 21 03:00:{second:02} mx sshd[1]: {what} for alice from 192.0.2.7 port 4 ssh2\n"
        )
    };
    let failed: String = (0..40).map(|second| tried("Failed password", second)).collect();
    let log = failed + &tried("Accepted password", 50);
    let root = folder(&[("logs/auth.log", log.as_bytes())]);
    let text = told(&root, &["behaviour", "./logs"]);
    for name in ["192.0.2.7", "alice", "auth", "sshd"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    let alert: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(alert["behaviour"], "guessing");
    assert_eq!(alert["reason"], "40 failures from one client, then a success");
    assert!(alert["entity"].as_str().unwrap().starts_with("redacted-"), "{text}");
    assert!(alert["other"].as_str().unwrap().starts_with("2001:db8:4:"), "{text}");
}

#[test]
fn nobody_is_in_the_lists_of_a_scope() {
    let root = logs();
    let span = ["--since", "2026-11-20", "--until", "2026-11-22", "--accounts", "./accounts.csv"];
    let scope = ["scope", "./logs", "-i", "./list.txt", "-o", "./out", "--silence", "6"];
    let report = told(&root, &[&scope[..], &span].concat());
    has_nobody(&report, "standard output");
    let mut lists = 0;
    for entry in read_dir(at(&root, "out")).unwrap() {
        let path = entry.unwrap().path();
        has_nobody(&read_to_string(&path).unwrap(), &path.display().to_string());
        lists += 1;
    }
    assert_eq!(lists, 7);
    let rows = |name: &str| {
        read_to_string(Path::new(&at(&root, "out")).join(name)).unwrap().lines().count() - 1
    };
    assert_eq!([rows("confirmed.csv"), rows("possible.csv"), rows("unlisted.csv")], [1, 2, 1]);
}

#[test]
fn a_key_gives_the_same_pseudonyms_in_every_run_and_command() {
    let root = logs();
    let hunt = ["hunt", "./logs", "-i", "./list.txt", "--format", "ndjson"];
    let keyed = [&hunt[..], &["--redact-key", "./key"]].concat();
    let first = told(&root, &keyed);
    assert_eq!(first, told(&root, &keyed));
    assert_ne!(told(&root, &hunt), told(&root, &hunt));
    let hits = first.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let account = hits.filter_map(|hit| hit["account"].as_str().map(str::to_owned)).next().unwrap();
    let timeline = ["timeline", "Alice@amber.example", "./logs", "--redact-key", "./key"];
    assert!(told(&root, &timeline).contains(&format!("\"account\":\"{account}\"")));
}

#[test]
fn a_key_that_could_be_guessed_is_refused() {
    let root = logs();
    let hunt = |key: &str| {
        let run = miyaburi()
            .args(["hunt", "--redact", "-i"])
            .args([at(&root, "list.txt"), at(&root, "logs"), "--redact-key".into(), at(&root, key)])
            .assert();
        run.code(1)
    };
    hunt("short").stderr(contains("a key of 6 bytes, at least 16").and(contains("secret").not()));
    hunt("missing").stderr(contains("missing: "));
}
