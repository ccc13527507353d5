//! Lines taken apart into named fields.

use std::borrow::Cow;

use regex::bytes::{Captures, Regex, RegexBuilder};
use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::DescriptionError;
use crate::readers::json::Value;

/// Bytes that a compiled pattern may take.
const PATTERN_SIZE: usize = 1 << 20;

/// How lines are laid out, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Description {
    /// A JSON object; a field is a name, or a path of names with points between.
    Json,
    /// Values with a character between, and their names.
    Separated { by: char, columns: Vec<String> },
    /// A pattern whose named groups are the fields.
    Pattern(String),
}

/// How lines are laid out.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    Json,
    Separated { by: Vec<u8>, columns: Vec<String> },
    Pattern(Regex),
}

/// The fields of a line.
pub(super) enum Fields<'l> {
    Json(Object<'l>),
    Values(Vec<&'l [u8]>),
    Groups(Captures<'l>, &'l [u8]),
}

type Object<'l> = FxHashMap<Key<'l>, Value<'l>>;

/// A name, which has escapes in few objects.
#[derive(Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub(super) struct Key<'l>(#[serde(borrow)] Cow<'l, str>);

impl core::borrow::Borrow<str> for Key<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Layout {
    pub(super) fn of(description: &Description) -> Result<Self, DescriptionError> {
        Ok(match description {
            Description::Json => Self::Json,
            Description::Separated { by, columns } => {
                Self::Separated { by: by.to_string().into_bytes(), columns: columns.clone() }
            }
            Description::Pattern(pattern) => {
                Self::Pattern(RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build()?)
            }
        })
    }

    /// Whether lines can have this field.
    pub(super) fn has(&self, field: &str) -> bool {
        match self {
            Self::Json => true,
            Self::Separated { columns, .. } => columns.iter().any(|column| column == field),
            Self::Pattern(pattern) => pattern.capture_names().flatten().any(|name| name == field),
        }
    }

    /// The fields of a line; none when it is laid out otherwise.
    pub(super) fn read<'l>(&self, line: &'l [u8]) -> Option<Fields<'l>> {
        Some(match self {
            Self::Json => Fields::Json(serde_json::from_slice(line).ok()?),
            Self::Separated { by, columns } => {
                let values = Values { rest: Some(line), by };
                let values: Vec<&'l [u8]> = values.take(columns.len()).collect();
                Fields::Values(Some(values).filter(|values| values.len() == columns.len())?)
            }
            Self::Pattern(pattern) => Fields::Groups(pattern.captures(line)?, line),
        })
    }
}

impl<'l> Fields<'l> {
    /// What is in a field; none when it is missing or empty.
    pub(super) fn get(&self, layout: &Layout, field: &str) -> Option<&'l [u8]> {
        let value = match (self, layout) {
            (Self::Json(object), _) => return at_path(object, field),
            (Self::Values(values), Layout::Separated { columns, .. }) => {
                let place = columns.iter().position(|column| column == field)?;
                values.get(place).copied()?
            }
            (Self::Groups(captures, line), _) => line.get(captures.name(field)?.range())?,
            (Self::Values(_), _) => return None,
        };
        Some(value).filter(|value| !value.is_empty())
    }
}

/// A whole name comes before a path.
fn at_path<'l>(object: &Object<'l>, path: &str) -> Option<&'l [u8]> {
    if let Some(value) = object.get(path) {
        return value.scalar();
    }
    let (first, rest) = path.split_once('.')?;
    at_path(&object.get(first)?.object()?, rest)
}

/// Values between separators, in quotes or not.
struct Values<'l, 'b> {
    rest: Option<&'l [u8]>,
    by: &'b [u8],
}

impl<'l> Iterator for Values<'l, '_> {
    type Item = &'l [u8];

    fn next(&mut self) -> Option<&'l [u8]> {
        let rest = self.rest?;
        if let Some((value, rest)) = quoted(rest, self.by) {
            self.rest = rest;
            return Some(value);
        }
        let end = memchr::memmem::find(rest, self.by);
        self.rest = end.and_then(|end| rest.get(end + self.by.len()..));
        rest.get(..end.unwrap_or(rest.len()))
    }
}

/// The value in quotes that `text` begins with, and what is behind its separator; a quote that is doubled
/// ends nothing.
fn quoted<'l>(text: &'l [u8], by: &[u8]) -> Option<(&'l [u8], Option<&'l [u8]>)> {
    let inside = text.strip_prefix(b"\"")?;
    let mut from = 0;
    loop {
        let end = from + memchr::memchr(b'"', inside.get(from..)?)?;
        let behind = inside.get(end + 1..)?;
        if behind.first() == Some(&b'"') {
            from = end + 2;
            continue;
        }
        let rest = if behind.is_empty() { None } else { Some(behind.strip_prefix(by)?) };
        return Some((inside.get(..end)?, rest));
    }
}
