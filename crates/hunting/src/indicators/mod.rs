//! What is looked for, and where in an event it is found.
//!
//! Matching is by field and meaning: a name matches itself and the names below it, an address itself,
//! an address with a port only connections to that port (or of no known port), a prefix the addresses in
//! it, a URL the same host and path. Never is a text searched for in a line.

mod set;
mod sources;
mod value;

use miyaburi_model::{Confidence, EndpointRole, Protocol};
use serde::Serialize;

use crate::time::Moment;

pub use set::{Indicators, Number};
pub use sources::{Passed, SourceError, read};
pub use value::{Value, ValueError};

/// Something to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// What it is.
    pub value: Value,
    /// The transport that is meant; any when its source does not say.
    pub protocol: Option<Protocol>,
    /// What it is used for, as far as its source says.
    pub role: Option<EndpointRole>,
    /// How sure its source is.
    pub confidence: Option<Confidence>,
    /// When it holds.
    pub validity: Validity,
    /// Whose it is, as far as its source says: names of families with, behind a stroke, the beginning of
    /// the comparison hash of their configuration.
    pub botnets: Vec<Box<str>>,
}

impl From<Value> for Indicator {
    /// Of which nothing else is known.
    fn from(value: Value) -> Self {
        let validity = Validity::default();
        Self { value, protocol: None, role: None, confidence: None, validity, botnets: Vec::new() }
    }
}

/// A span of time, open where there is no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Validity {
    /// Not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// Not after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

impl Validity {
    /// Whether it holds then. Of a record without a time it is not said that it does not.
    #[must_use]
    pub fn holds(&self, time: Option<Moment>) -> bool {
        time.is_none_or(|time| {
            self.from.is_none_or(|from| from <= time)
                && self.until.is_none_or(|until| time <= until)
        })
    }

    /// The shortest span that covers both.
    fn with(self, other: Self) -> Self {
        Self {
            from: self.from.zip(other.from).map(|(one, other)| one.min(other)),
            until: self.until.zip(other.until).map(|(one, other)| one.max(other)),
        }
    }
}
