//! Truth files.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fields::FIELDS;

/// What is known about one file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Truth {
    /// SHA-256 of the file, lower case.
    pub sha256: String,
    /// What `score` groups by, such as `target` or `opt`.
    pub labels: BTreeMap<String, String>,
    /// The parts of a report that are known, as JSON.
    pub parts: Value,
}

/// A truth file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line is not a truth.
    #[error("line {line}: {reason}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl TryFrom<Map<String, Value>> for Truth {
    type Error = &'static str;

    fn try_from(mut parts: Map<String, Value>) -> Result<Self, Self::Error> {
        let labels = match parts.remove("labels") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(labels)) => {
                labels.into_iter().map(|(label, value)| (label, plain_text(value))).collect()
            }
            Some(_) => return Err("labels is not an object"),
        };
        let outer = parts.remove("sha256");
        let inner = parts.get("sample").and_then(|sample| sample.get("sha256"));
        let sha256 = outer.as_ref().or(inner).and_then(Value::as_str).map(str::to_ascii_lowercase);
        let sha256 = sha256
            .filter(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or("no sha256 of 64 hexadecimal digits")?;
        Ok(Self { sha256, labels, parts: Value::Object(parts) })
    }
}

fn plain_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

impl Truth {
    /// Top-level fields that nothing scores: descriptions, or misspelled names.
    pub(crate) fn unscored(&self) -> impl Iterator<Item = &str> {
        let names = self.parts.as_object().into_iter().flat_map(Map::keys);
        names.map(String::as_str).filter(|name| {
            let scored = |pointer: &str| pointer.split('/').nth(1) == Some(name);
            !FIELDS.iter().any(|field| scored(field.pointer))
        })
    }
}

/// Reads a truth file; empty lines are skipped.
///
/// # Errors
/// When it cannot be read, or a line is not an object with a `sha256`.
pub fn parse_truths(reader: impl BufRead) -> Result<Vec<Truth>, TruthError> {
    let mut truths = Vec::new();
    for (index, line) in reader.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        truths.push(
            serde_json::from_str(&line)
                .map_err(|error| TruthError::Line { line: index + 1, reason: error.to_string() })?,
        );
    }
    Ok(truths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_key_may_stand_outside_or_inside_the_sample() {
        let upper = "AB".repeat(32);
        let file = format!(
            "{{\"sha256\":\"{upper}\",\"labels\":{{\"opt\":\"O2\",\"n\":1}}}}\n\n\
             {{\"sample\":{{\"sha256\":\"{upper}\"}},\"note\":1,\"verdict\":\"config\"}}\n"
        );
        let truths = parse_truths(file.as_bytes()).unwrap();
        assert_eq!(truths.len(), 2);
        assert_eq!(truths[0].sha256, "ab".repeat(32));
        assert_eq!(truths[0].labels["opt"], "O2");
        assert_eq!(truths[0].labels["n"], "1");
        assert_eq!(truths[1].sha256, "ab".repeat(32));
        assert_eq!(truths[1].unscored().collect::<Vec<_>>(), ["note"]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let good = format!("{{\"sha256\":\"{}\"}}\n", "0".repeat(64));
        for bad in ["{", "[]", "{}", "{\"sha256\":\"12\"}"] {
            let error = parse_truths(format!("{good}{bad}\n").as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("line 2: "), "{bad}: {error}");
        }
    }
}
