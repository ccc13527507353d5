//! When files were seen, as others know it: reports hold no times.

use std::collections::HashMap;
use std::io::Read;
use std::str::FromStr;

use miyaburi_model::HexBytes;
use serde::{Deserialize, Serialize};

use super::{Timestamp, TimestampError};

/// First and last time that files were seen, by SHA-256.
///
/// Read from CSV with the header `sha256,first_seen,last_seen` and times as [`Timestamp`] reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed(HashMap<[u8; 32], Span>);

/// From the first to the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First.
    pub first: Timestamp,
    /// Last, never before the first.
    pub last: Timestamp,
}

/// What is wrong with a file of times.
#[derive(Debug, thiserror::Error)]
pub enum ObservedError {
    /// It is not the CSV that it should be; the text names the line.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// Another header.
    #[error("the header is not sha256,first_seen,last_seen")]
    Header,
    /// A digest that is none.
    #[error("record {0}: sha256 is no SHA-256")]
    Digest(usize),
    /// A time that is none.
    #[error("record {0}: {1}")]
    Time(usize, TimestampError),
    /// Last before first.
    #[error("record {0}: last_seen is before first_seen")]
    Order(usize),
}

const HEADER: [&str; 3] = ["sha256", "first_seen", "last_seen"];

#[derive(Deserialize)]
struct Record {
    sha256: String,
    first_seen: String,
    last_seen: String,
}

impl Span {
    /// The span that covers both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

impl Observed {
    /// Reads times; records of the same file are merged.
    ///
    /// # Errors
    /// At the first record that is not as it should be.
    pub fn read(reader: impl Read) -> Result<Self, ObservedError> {
        let mut spans: HashMap<[u8; 32], Span> = HashMap::new();
        let mut reader = csv::Reader::from_reader(reader);
        // Without records, a file that is something else would go unnoticed.
        if reader.headers()? != HEADER.as_slice() {
            return Err(ObservedError::Header);
        }
        for (index, record) in reader.deserialize::<Record>().enumerate() {
            let (record, number) = (record?, index + 1);
            let time = |text: &str| text.parse().map_err(|it| ObservedError::Time(number, it));
            let digest = HexBytes::from_str(&record.sha256).ok();
            let digest = digest.and_then(|digest| digest.0.try_into().ok());
            let digest = digest.ok_or(ObservedError::Digest(number))?;
            let span = Span { first: time(&record.first_seen)?, last: time(&record.last_seen)? };
            if span.last < span.first {
                return Err(ObservedError::Order(number));
            }
            spans.entry(digest).and_modify(|known| *known = known.with(span)).or_insert(span);
        }
        Ok(Self(spans))
    }

    /// When the file with this SHA-256 was seen.
    #[must_use]
    pub fn of(&self, sha256: &[u8; 32]) -> Option<Span> {
        self.0.get(sha256).copied()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn records_of_one_file_are_merged() {
        let digest = "ab".repeat(32);
        let text = format!(
            "sha256,first_seen,last_seen\n{digest},2026-01-02T00:00:00Z,2026-01-03T00:00:00Z\n\
             {digest},2026-01-01T00:00:00Z,2026-01-01T00:00:00Z\n"
        );
        let span = Observed::read(text.as_bytes()).unwrap().of(&[0xab; 32]).unwrap();
        assert_eq!(span.first.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(span.last.to_string(), "2026-01-03T00:00:00Z");
    }

    #[test]
    fn a_wrong_record_is_named() {
        let read = |record: &str| {
            let text = format!("sha256,first_seen,last_seen\n{record}\n");
            Observed::read(text.as_bytes()).unwrap_err().to_string()
        };
        let digest = "ab".repeat(32);
        assert_eq!(read("12,x,y"), "record 1: sha256 is no SHA-256");
        let wrong = format!("{digest},today,2026-01-01T00:00:00Z");
        assert_eq!(read(&wrong), "record 1: not a time such as 2026-11-23T00:00:00Z or 2026-11-23");
        let wrong = format!("{digest},2026-01-02T00:00:00Z,2026-01-01T00:00:00Z");
        assert_eq!(read(&wrong), "record 1: last_seen is before first_seen");
    }
}
