//! `miyaburi timeline` from the outside.

use crate::common::{at, folder, miyaburi};
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

const SSH: &str = "\
Nov 22 03:16:30 gate sshd[4711]: Failed password for alice from 192.0.2.31 port 50222 ssh2
Nov 22 03:16:41 gate sshd[4711]: Accepted password for alice from 192.0.2.31 port 50222 ssh2
Nov 22 03:16:45 gate sshd[4712]: Accepted password for bob from 192.0.2.8 port 50222 ssh2
";

const MAIL: &str = "\
Nov 21 09:00:00 mx dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.1, mpid=7
Nov 23 09:00:00 mx dovecot: imap-login: Login: user=<<b>x|y>, method=PLAIN, rip=198.51.100.9, lip=192.0.2.1, mpid=7
";

fn logs() -> TempDir {
    folder(&[("ssh.log", SSH.as_bytes()), ("mail.log", MAIL.as_bytes())])
}

#[test]
fn what_happened_is_told_in_order_with_gaps() {
    let root = logs();
    let output = miyaburi()
        .args(["timeline", "Alice", "--latest", "2026-11-24", "--silence", "24"])
        .args(["ssh.log", "mail.log"].map(|name| at(&root, name)))
        .assert()
        .code(0)
        .get_output()
        .clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = |line: &Value| {
        let start = line["time"].as_str().or(line["from"].as_str());
        (line["type"].as_str().unwrap().to_owned(), start.unwrap().to_owned())
    };
    let told: Vec<(String, String)> = lines.iter().map(told).collect();
    let expected = [
        ("event", "2026-11-21T09:00:00Z"),
        ("gap", "2026-11-21T09:00:00Z"),
        ("event", "2026-11-22T03:16:30Z"),
        ("event", "2026-11-22T03:16:41Z"),
        ("gap", "2026-11-22T03:16:45Z"),
    ];
    let expected = expected.map(|(kind, time)| (kind.to_owned(), time.to_owned()));
    let mut sorted = told.clone();
    sorted.sort_by_key(|(kind, time)| (time.clone(), kind.clone()));
    assert_eq!(sorted, expected, "{text}");
    let gap = lines.iter().find(|line| line["type"] == "gap").unwrap();
    assert_eq!(
        (&gap["until"], &lines[2]["outcome"]),
        (&"2026-11-23T09:00:00Z".into(), &"failure".into())
    );
    assert_eq!(lines[2]["line"], SSH.lines().next().unwrap());
}

#[test]
fn a_span_bounds_it_and_nothing_is_no_error() {
    let root = logs();
    miyaburi()
        .args([
            "timeline",
            "192.0.2.0/24",
            "--latest",
            "2026-11-24",
            "--since",
            "2026-11-22T03:16:35Z",
        ])
        .args(["--until", "2026-11-22T03:16:42Z"])
        .arg(at(&root, "ssh.log"))
        .assert()
        .code(0)
        .stdout(contains("Accepted password for alice").and(contains("bob").not()));
    miyaburi()
        .args(["timeline", "nobody"])
        .arg(at(&root, "ssh.log"))
        .assert()
        .code(0)
        .stdout(predicate::str::is_empty());
}

#[test]
fn markdown_holds_no_markup_of_a_log() {
    let root = logs();
    miyaburi()
        .args(["timeline", "198.51.100.0/24", "--latest", "2026-11-24", "--format", "markdown"])
        .arg(at(&root, "mail.log"))
        .assert()
        .code(0)
        .stdout(
            contains("# Time line of 198.51.100.0/24\n\n2 records, 0 gaps in the logs\n")
                .and(contains("| 2026-11-21T09:00:00Z | login | 198.51.100.7 | 192.0.2.1 |  | alice | success |"))
                .and(contains("&#60;b"))
                .and(contains("<b").not()),
        );
}

#[test]
fn a_page_draws_it_and_runs_nothing() {
    let hostile = "Nov 23 09:00:00 mx dovecot: imap-login: Login: user=<<script>alert(1)</script>\u{202e}\u{1b}[2J\"' \
        onload=x>, method=PLAIN, rip=198.51.100.9, lip=192.0.2.1, mpid=7\n";
    let name = "<svg onload=alert(2)>.log";
    let root =
        folder(&[(name, (hostile.to_owned() + MAIL).as_bytes()), ("ssh.log", SSH.as_bytes())]);
    let file = at(&root, "page.html");
    miyaburi()
        .args([
            "timeline",
            "0.0.0.0/0",
            "--latest",
            "2026-11-24",
            "--format",
            "html",
            "--silence",
            "9",
        ])
        .arg("--output")
        .args([&file, &at(&root, name), &at(&root, "ssh.log")])
        .assert()
        .code(0)
        .stdout("");
    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"), "{html}");
    assert!(html.contains("&lt;script"), "{html}");
    assert!(html.contains("<h2>Gaps</h2>") && html.matches("<svg ").count() == 3, "{html}");
    // 21 November 2026 was a Saturday, and one record is of 9 o'clock.
    assert!(html.contains("Saturday") && html.contains("198.51.100.7"), "{html}");
    for markup in
        ["<script", "<svg onload", "<img", "<link", "src=", "@import", "url(", "\u{1b}", "\u{202e}"]
    {
        assert!(!html.contains(markup), "{markup}");
    }
}
