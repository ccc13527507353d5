//! Which crate may touch files, processes and the network.
//!
//! A scan of the sources for paths of the standard library, test modules and comments left out.
//! False negatives: access through another crate's function; aliases of `std`. False positives:
//! a string literal that holds such a path.

use std::{fs, path::Path};

use anyhow::Context;

/// A module of the standard library and who may use it.
struct Rule {
    module: &'static str,
    allowed: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 3] = [
    Rule {
        module: "fs",
        allowed: &["cli", "corpus", "hunting", "robustness"],
        reason: "everything else takes bytes or readers",
    },
    Rule {
        module: "process",
        allowed: &["cli", "confinement", "corpus", "robustness"],
        reason: "analysis ends with a report, never with the process, and starts none",
    },
    Rule {
        module: "net",
        allowed: &[],
        reason: "nothing reaches the network; address types are in core::net",
    },
];

/// One line for every use that the rules forbid, in all crates below `crates`.
pub(super) fn violations(crates: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in sorted_entries(crates)? {
        let sources = folder.join("src");
        let name = folder.file_name().and_then(|name| name.to_str());
        if let (Some(name), true) = (name, sources.is_dir()) {
            scan_folder(name, &sources, &mut found)?;
        }
    }
    Ok(found)
}

fn sorted_entries(folder: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn scan_folder(name: &str, folder: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    for path in sorted_entries(folder)? {
        if path.is_dir() {
            scan_folder(name, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source =
                fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
            found.extend(scan(name, &path.display().to_string(), &source));
        }
    }
    Ok(())
}

/// The forbidden uses in one source file of the crate `name`.
fn scan(name: &str, path: &str, source: &str) -> Vec<String> {
    let rules = || RULES.iter().filter(|rule| !rule.allowed.contains(&name));
    let mut found = Vec::new();
    let mut in_group = false;
    for (index, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("").trim();
        if code == "#[cfg(test)]" && is_test_module(source, index) {
            break;
        }
        in_group |= code.starts_with("use std::{");
        for rule in rules() {
            if names_module(code, rule.module, in_group) {
                let Rule { module, reason, .. } = rule;
                found.push(format!("{path}:{}: std::{module} in {name}: {reason}", index + 1));
            }
        }
        in_group &= !code.ends_with(';');
    }
    found
}

/// Whether the line after an attribute opens a module, the last item of a file by convention.
fn is_test_module(source: &str, attribute: usize) -> bool {
    source.lines().nth(attribute + 1).is_some_and(|line| {
        let line = line.trim();
        line.starts_with("mod ") && line.ends_with('{')
    })
}

/// Whether a line names `std::module`, in a path or as a member of a `use std::{..}` group.
fn names_module(code: &str, module: &str, in_group: bool) -> bool {
    let ends_word = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let in_path = code
        .match_indices("std::")
        .any(|(at, path)| code[at + path.len()..].strip_prefix(module).is_some_and(ends_word));
    let is_member = || {
        let members = code.strip_prefix("use std::{").unwrap_or(code);
        members
            .split(['{', ',', ' '])
            .any(|member| member.strip_prefix(module).is_some_and(ends_word))
    };
    in_path || (in_group && is_member())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, source: &str) -> Vec<usize> {
        scan(name, "x.rs", source)
            .iter()
            .filter_map(|found| found.split(':').nth(1)?.parse().ok())
            .collect()
    }

    #[test]
    fn paths_and_grouped_uses_are_found() {
        assert_eq!(lines("image", "use std::fs;\nlet x = std::fs::read(p);\n"), [1, 2]);
        assert_eq!(lines("model", "use std::{fmt, fs::File};\n"), [1]);
        assert_eq!(lines("model", "use std::{\n    fmt,\n    fs,\n};\n"), [3]);
        assert_eq!(lines("emulator", "std::process::exit(1);\n"), [1]);
    }

    #[test]
    fn crates_that_may_are_left_alone_but_none_has_the_network() {
        assert!(lines("corpus", "use std::fs;\nuse std::process::Command;\n").is_empty());
        assert_eq!(lines("cli", "use std::net::TcpStream;\n"), [1]);
        assert!(lines("model", "use core::net::Ipv4Addr;\n").is_empty());
    }

    #[test]
    fn comments_test_modules_and_longer_names_are_no_uses() {
        assert!(lines("image", "// std::fs\n/// std::fs::read\n").is_empty());
        assert!(lines("image", "let a = std::fsx::y;\n").is_empty());
        assert!(
            lines("image", "fn a() {}\n#[cfg(test)]\nmod tests {\n use std::fs;\n}\n").is_empty()
        );
        assert_eq!(lines("image", "#[cfg(test)]\nmod tests;\nuse std::fs;\n"), [3]);
        assert!(lines("image", "use std::{fmt};\nlet fs = 1;\n").is_empty());
    }

    #[test]
    fn the_reason_is_told() {
        let found = scan("pcode", "a.rs", "use std::fs;");
        assert_eq!(found, ["a.rs:1: std::fs in pcode: everything else takes bytes or readers"]);
    }
}
