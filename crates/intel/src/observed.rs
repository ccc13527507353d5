//! When files were seen: what no file tells and the user has to.

use std::collections::BTreeMap;

use miyaburi_model::HexBytes;
use serde::{Deserialize, Serialize};

/// First and last time, ISO 8601 (`2026-01-31` or `2026-01-31T12:00:00Z`), so that the order of
/// the texts is the order of the times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// First time.
    pub first: String,
    /// Last time.
    pub last: String,
}

impl Seen {
    /// The span that covers both.
    #[must_use]
    pub fn merged(self, other: &Self) -> Self {
        Self { first: self.first.min(other.first.clone()), last: self.last.max(other.last.clone()) }
    }
}

/// When each file was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed(BTreeMap<HexBytes, Seen>);

/// A line of observations that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ObservedError {
    /// It is no CSV with the columns.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// A time is none, or the last lies before the first.
    #[error(
        "line {line}: {text:?} is not a time such as 2026-01-31 or 2026-01-31T12:00:00Z, or the last lies before the first"
    )]
    Time {
        /// The line, from 1 for the header.
        line: u64,
        /// What stands there.
        text: String,
    },
}

#[derive(Deserialize)]
struct Line {
    sha256: HexBytes,
    first_seen: String,
    last_seen: String,
}

impl Observed {
    /// Reads CSV with the columns `sha256`, `first_seen` and `last_seen`; several lines of one file
    /// are merged.
    ///
    /// # Errors
    /// The first line that cannot be taken.
    pub fn parse(csv: &[u8]) -> Result<Self, ObservedError> {
        let mut seen = BTreeMap::<HexBytes, Seen>::new();
        let mut reader = csv::Reader::from_reader(csv);
        let headers = reader.headers()?.clone();
        for record in reader.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let read: Line = record.deserialize(Some(&headers))?;
            let wrong = [&read.first_seen, &read.last_seen].into_iter().find(|text| !is_time(text));
            if let Some(text) =
                wrong.or((read.last_seen < read.first_seen).then_some(&read.last_seen))
            {
                return Err(ObservedError::Time { line, text: text.clone() });
            }
            let new = Seen { first: read.first_seen, last: read.last_seen };
            let merged = match seen.remove(&read.sha256) {
                Some(old) => old.merged(&new),
                None => new,
            };
            seen.insert(read.sha256, merged);
        }
        Ok(Self(seen))
    }

    /// When the file of this SHA-256 was seen.
    #[must_use]
    pub fn of(&self, sha256: Option<&HexBytes>) -> Option<&Seen> {
        self.0.get(sha256?)
    }
}

/// Whether `text` has the shape of a date, or of a date and time in UTC.
fn is_time(text: &str) -> bool {
    let shape = |shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    shape("0000-00-00") || shape("0000-00-00T00:00:00Z")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_of_one_file_are_merged() {
        let csv = b"sha256,first_seen,last_seen\nab,2026-02-01,2026-02-03\nAB,2026-01-05T00:00:00Z,2026-01-06\n";
        let observed = Observed::parse(csv).unwrap();
        let seen = observed.of(Some(&HexBytes(vec![0xab]))).unwrap();
        assert_eq!(
            (seen.first.as_str(), seen.last.as_str()),
            ("2026-01-05T00:00:00Z", "2026-02-03")
        );
        assert_eq!(observed.of(Some(&HexBytes(vec![0xac]))), None);
        assert_eq!(observed.of(None), None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for times in ["yesterday,2026-01-01", "2026-01-02,2026-01-01", "2026-1-1,2026-01-02"] {
            let csv = format!("sha256,first_seen,last_seen\nab,{times}\n");
            assert!(
                matches!(Observed::parse(csv.as_bytes()), Err(ObservedError::Time { line: 2, .. })),
                "{times}"
            );
        }
        assert!(matches!(Observed::parse(b"sha256\nab\n"), Err(ObservedError::Csv(_))));
        assert!(matches!(
            Observed::parse(b"sha256,first_seen,last_seen\nxx,2026-01-01,2026-01-01\n"),
            Err(ObservedError::Csv(_))
        ));
    }
}
