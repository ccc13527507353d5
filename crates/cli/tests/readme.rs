//! What the README shows of the output is what comes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A line that stands for any number of others.
const SHORTENED: &str = "...";

/// How the README calls the command from the sources.
const FROM_SOURCES: &str = "cargo run --release -p miyaburi-cli --bin miyaburi --";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A command line with what the README shows of its output.
#[derive(Debug)]
struct Shown {
    command: String,
    lines: Vec<String>,
}

/// The commands in `console` blocks; a `text` block shows the output of the command before it.
fn shown(readme: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut block: Option<&str> = None;
    for line in readme.lines() {
        match (block, line.strip_prefix("```")) {
            (None, Some(language)) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (Some("console"), None) => match line.strip_prefix("$ ") {
                Some(command) => {
                    shown.push(Shown { command: command.to_owned(), lines: Vec::new() });
                }
                None => shown.last_mut().unwrap().lines.push(line.to_owned()),
            },
            (Some("text"), None) => shown.last_mut().unwrap().lines.push(line.to_owned()),
            _ => {}
        }
    }
    shown
}

/// Whether the parts between shortened places stand in `output`, each whole and in this order.
fn find_missing<'s>(output: &[&str], shown: &'s [String]) -> Option<&'s [String]> {
    let mut rest = output;
    for part in shown.split(|line| line.trim() == SHORTENED).filter(|part| !part.is_empty()) {
        let start = rest.windows(part.len()).position(|lines| lines == part);
        let Some(start) = start else { return Some(part) };
        rest = &rest[start + part.len()..];
    }
    None
}

#[cfg(unix)]
#[test]
fn output_that_the_readme_shows_is_real() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let specimens = root().join("specimens").canonicalize().unwrap();
    std::os::unix::fs::symlink(specimens, folder.path().join("specimens")).unwrap();
    let miyaburi = assert_cmd::cargo::cargo_bin!("miyaburi");
    let mut path = vec![miyaburi.parent().unwrap().to_path_buf()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let path = env::join_paths(path).unwrap();
    let mut seen = 0;
    for Shown { command, lines } in shown(&readme) {
        let command = command.replace(FROM_SOURCES, "miyaburi");
        if command.starts_with("cargo ") {
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir(folder.path()).env("PATH", &path);
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let printed: Vec<&str> = text.lines().collect();
        if let Some(missing) = find_missing(&printed, &lines) {
            panic!("`{command}` does not print\n{}\nbut\n{text}", missing.join("\n"));
        }
        seen += 1;
    }
    assert!(seen >= 8, "{seen} commands");
}

#[test]
fn parts_are_found_in_their_order_only() {
    let output = ["a", "b", "c", "d"];
    let is_there = |shown: &[&str]| {
        let shown: Vec<String> = shown.iter().map(|line| (*line).to_owned()).collect();
        find_missing(&output, &shown).is_none()
    };
    assert!(is_there(&["a", "b", "...", "d"]) && is_there(&["b", "c"]) && is_there(&[]));
    assert!(!is_there(&["a", "c"]) && !is_there(&["c", "...", "a"]) && !is_there(&["e"]));
}
