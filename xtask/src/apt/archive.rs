//! Where this machine gets its packages from.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};

/// Where a release comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    address: String,
    signed_by: Option<String>,
}

impl Archive {
    /// A one-line-style sources list for binaries and sources of `suite`.
    pub(crate) fn list(&self, suite: &str) -> String {
        let options =
            self.signed_by.as_ref().map(|key| format!("[signed-by={key}] ")).unwrap_or_default();
        ["deb", "deb-src"]
            .map(|kind| format!("{kind} {options}{} {suite} main\n", self.address))
            .concat()
    }
}

/// The archive from which the machine gets `suite`.
///
/// # Errors
/// When no file of sources names it, or one cannot be read.
pub(crate) fn of_machine(suite: &str) -> anyhow::Result<Archive> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    }
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let archive = if file.extension().is_some_and(|it| it == "sources") {
            stanza_archive(&text, suite)
        } else {
            line_archive(&text, suite)
        };
        if let Some(archive) = archive {
            return Ok(archive);
        }
    }
    bail!("no package source of this machine offers {suite} main")
}

/// Finds `suite` in the deb822 style of `*.sources` files.
fn stanza_archive(text: &str, suite: &str) -> Option<Archive> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                (key == name).then(|| value.trim().to_owned())
            })
        };
        let has = |name: &str, word: &str| {
            field(name).is_some_and(|value| value.split_whitespace().any(|it| it == word))
        };
        (has("Types", "deb") && has("Suites", suite) && has("Components", "main")).then_some(())?;
        Some(Archive {
            address: field("URIs")?.split_whitespace().next()?.to_owned(),
            signed_by: field("Signed-By").filter(|key| key.starts_with('/')),
        })
    })
}

/// Finds `suite` in the one-line style of `*.list` files.
fn line_archive(text: &str, suite: &str) -> Option<Archive> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let address = words.next()?.to_owned();
        (words.next()? == suite && words.any(|word| word == "main")).then_some(())?;
        let signed_by = options
            .split_whitespace()
            .find_map(|it| it.strip_prefix("signed-by="))
            .map(str::to_owned);
        Some(Archive { address, signed_by })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn reads_stanzas() {
        let text = "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: b-security\n\
                    Components: main\n\n# a comment\nTypes: deb deb-src\n\
                    URIs: http://mirror.example/debian\nSuites: b b-updates\n\
                    Components: main contrib\nSigned-By: /usr/share/keyrings/k.gpg\n";
        let archive = stanza_archive(text, "b").unwrap();
        assert_eq!(
            archive.list("b"),
            "deb [signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian b main\n\
             deb-src [signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian b main\n"
        );
        assert_eq!(stanza_archive(text, "c"), None);
    }

    #[test]
    fn reads_lines() {
        let text = "# deb http://old.example/debian b main\n\
                    deb http://mirror.example/debian b-updates main\n\
                    deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian b contrib main\n";
        assert_eq!(
            line_archive(text, "b"),
            Some(Archive {
                address: "http://mirror.example/debian".to_owned(),
                signed_by: Some("/k.gpg".to_owned()),
            })
        );
        assert_eq!(line_archive(text, "c"), None);
    }
}
