//! Clocks of several sources.

use std::io::Read;

use serde::Deserialize;

use super::{Clock, Moment, Zone, rfc3339};
use crate::sources::is_named;

/// Why a table of clocks cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// No table, or a column is missing.
    #[error("CSV: {0}")]
    Csv(#[from] csv::Error),
    /// A value that is none.
    #[error("line {line}: {column} {text:?} is none")]
    Value {
        /// From 1.
        line: u64,
        /// Its column.
        column: &'static str,
        /// What it is.
        text: String,
    },
}

/// Clocks by the sources that they are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    all: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    source: String,
    zone: Option<Zone>,
    ahead: Option<i64>,
    latest: Option<Moment>,
}

/// A line of the table.
#[derive(Deserialize)]
struct Line {
    source: String,
    #[serde(default)]
    timezone: String,
    #[serde(default)]
    ahead: String,
    #[serde(default)]
    latest: String,
}

impl Clocks {
    /// Reads a table: `source`, the name of a file up to a dot or of a folder, with any of `timezone`,
    /// `ahead` in seconds, and `latest` as a time of RFC 3339. What is empty is as for all logs.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(reader: impl Read) -> Result<Self, ClockError> {
        let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let headers = table.headers()?.clone();
        let mut all = Vec::new();
        for record in table.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let row: Line = record.deserialize(Some(&headers))?;
            all.push(Row {
                zone: value(line, "timezone", &row.timezone, |text| Zone::parse(text).ok())?,
                ahead: value(line, "ahead", &row.ahead, |text| text.parse().ok())?,
                latest: value(line, "latest", &row.latest, |text| {
                    let (time, rest) = rfc3339(text.as_bytes(), &Clock::utc(Moment(0)))?;
                    rest.is_empty().then_some(time)
                })?,
                source: row.source,
            });
        }
        Ok(Self { all })
    }

    /// The clock of the log at `path`: the first row that names it, and `usual` for what that leaves open.
    #[must_use]
    pub fn of(&self, path: &str, usual: Clock) -> Clock {
        let row = self.all.iter().find(|row| is_named(path, &row.source));
        row.map_or(usual, |row| Clock {
            zone: row.zone.unwrap_or(usual.zone),
            ahead: row.ahead.unwrap_or(usual.ahead),
            latest: row.latest.unwrap_or(usual.latest),
        })
    }
}

fn value<T>(
    line: u64,
    column: &'static str,
    text: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ClockError> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || ClockError::Value { line, column, text: text.to_owned() };
    read(text).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_source_has_its_own() {
        let table =
            "source,timezone,ahead,latest\nmail-1,+09:00,30,\ngate,,,2025-06-01T00:00:00Z\n";
        let clocks = Clocks::read(table.as_bytes()).unwrap();
        let usual = Clock { ahead: 5, ..Clock::utc(Moment(7)) };
        let mail = Clock { zone: Zone::fixed(9 * 3600), ahead: 30, latest: Moment(7) };
        assert_eq!(clocks.of("logs/mail-1/x.log", usual), mail);
        assert_eq!(clocks.of("logs/mail-1.log.2", usual), mail);
        let gate = clocks.of("gate.log", usual);
        assert_eq!((gate.ahead, gate.latest), (5, Moment::from_unix(1_748_736_000)));
        // Another source, whose name only begins so.
        assert_eq!(clocks.of("logs/mail-10.log", usual), usual);
    }

    #[test]
    fn what_is_no_clock_is_told() {
        for table in
            ["source,timezone\na,Nowhere/City\n", "source,ahead\na,soon\n", "timezone\n+09:00\n"]
        {
            assert!(Clocks::read(table.as_bytes()).is_err(), "{table}");
        }
    }
}
