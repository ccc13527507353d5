//! `miyaburi scope` from the outside.

use std::fs::read_to_string;

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;

const MAIL: &str = "\
Nov 21 09:00:00 mx dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.1, mpid=7
Nov 21 09:00:10 mx dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.8, lip=192.0.2.1, mpid=7
Nov 21 09:00:20 mx dovecot: imap-login: Login: user=<=cmd()>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.1, mpid=7
";

#[test]
fn lists_tell_who_was_touched() {
    let accounts = "account,contract,data_classes,sources\nAlice,k1,mail,\nbob,k1,mail,\ncarol,k2,mail,other\n";
    let root = folder(&[
        ("mail.log", MAIL.as_bytes()),
        ("accounts.csv", accounts.as_bytes()),
        ("list.txt", b"198.51.100.7\n"),
    ]);
    miyaburi()
        .args(["scope", "--latest", "2026-11-24", "--since", "2026-11-21", "--until", "2026-11-22"])
        .arg("--accounts")
        .arg(at(&root, "accounts.csv"))
        .arg("-i")
        .arg(at(&root, "list.txt"))
        .arg("-o")
        .args(["out", "mail.log"].map(|name| at(&root, name)))
        .assert()
        .code(0)
        .stdout(
            contains("| mail | confirmed | 1 | 1 |")
                .and(contains("| mail | possible | 1 | 1 |"))
                .and(contains("| mail | excluded | 1 | 0 |")),
        );
    let list = |name: &str| read_to_string(root.path().join("out").join(name)).unwrap();
    let confirmed = list("confirmed.csv");
    let row = "alice,k1,mail,confirmed,accessed by an indicator,2026-11-21T09:00:00Z,2026-11-21T09:00:00Z,1,";
    assert!(confirmed.lines().nth(1).unwrap().starts_with(row), "{confirmed}");
    assert!(list("possible.csv").contains("carol,k2,mail,possible,no log of other,"));
    assert!(list("excluded.csv").contains("bob,k1,mail,excluded,"));
    assert_eq!(
        list("contracts.csv"),
        "contract,data_class,confirmed,possible,excluded\nk1,mail,1,0,1\nk2,mail,0,1,0\n"
    );
    assert_eq!(list("unlisted.csv"), "account,events\n'=cmd(),1\n");
    assert!(
        list("scope.md")
            .starts_with("# Scope from 2026-11-21T00:00:00Z until 2026-11-22T00:00:00Z")
    );
}

#[test]
fn a_table_that_is_none_is_told() {
    let root = folder(&[
        ("mail.log", MAIL.as_bytes()),
        ("x.csv", b"account\nalice\n"),
        ("list.txt", b"198.51.100.7\n"),
    ]);
    miyaburi()
        .args(["scope", "--since", "2026-11-21", "--until", "2026-11-22", "--accounts"])
        .arg(at(&root, "x.csv"))
        .arg("-i")
        .arg(at(&root, "list.txt"))
        .arg("-o")
        .args(["out", "mail.log"].map(|name| at(&root, name)))
        .assert()
        .code(1)
        .stderr(contains("x.csv: no column \"contract\""));
}

#[test]
fn what_behaviour_tells_of_is_possible_without_an_indicator() {
    let alert =
        r#"{"behaviour":"reset","entity":"bob","time":"2026-11-21T09:00:10Z","reason":"x"}"#;
    let root = folder(&[
        ("mail.log", MAIL.as_bytes()),
        ("accounts.csv", b"account,contract,data_classes\nalice,k1,mail\nbob,k1,mail\n"),
        ("alerts.ndjson", format!("{alert}\n{}\n", alert.replace("bob", "zoe")).as_bytes()),
        ("broken.ndjson", format!("{alert}\nx\n").as_bytes()),
    ]);
    let scope = |alerts: &str| {
        let mut scope = miyaburi();
        scope.args(["scope", "--latest", "2026-11-24", "--since", "2026-11-21"]);
        scope.args(["--until", "2026-11-22", "--accounts"]).arg(at(&root, "accounts.csv"));
        scope.arg("--alerts").arg(at(&root, alerts));
        scope.arg("-o").args(["out", "mail.log"].map(|name| at(&root, name)));
        scope.assert()
    };
    scope("alerts.ndjson")
        .code(0)
        .stdout(contains("| mail | possible | 1 | 1 |"))
        .stderr(contains("1 accounts of alerts stand in no row of the table"));
    let possible = read_to_string(root.path().join("out/possible.csv")).unwrap();
    let row = "bob,k1,mail,possible,an alert: reset at 2026-11-21T09:00:10Z,,,0,";
    assert!(possible.contains(row), "{possible}");
    scope("broken.ndjson").code(1).stderr(contains("broken.ndjson: line 2: no alert"));
    miyaburi()
        .args(["scope", "--since", "2026-11-21", "--until", "2026-11-22", "--accounts"])
        .args(["accounts.csv", "mail.log"].map(|name| at(&root, name)))
        .arg("-o")
        .arg(at(&root, "out"))
        .assert()
        .code(2)
        .stderr(contains("--indicators"));
}
