//! What happened around one entity, in order, with the lines that say so.

mod subject;

use serde::Serialize;

use crate::event::{Event, Field, Kind, Outcome};
use crate::hunt::{Evidence, Sighted};
use crate::time::Moment;
use miyaburi_model::Protocol;

pub use subject::{Empty, Subject};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When; entries without a time stand before all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
    /// What.
    pub event: Kind,
    /// The field that names the entity.
    pub field: Field,
    /// Who asked, connected or logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<core::net::IpAddr>,
    /// Who was asked or connected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<core::net::IpAddr>,
    /// The server's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Transport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// The name that was asked for or contacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL, or its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The account that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The line.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// The time line of one entity.
#[derive(Clone, Debug)]
pub struct Timeline {
    subject: Subject,
    since: Option<Moment>,
    until: Option<Moment>,
    entries: Vec<Entry>,
}

impl Timeline {
    /// An empty one. Of events within the span, and of those without a time, note is taken.
    #[must_use]
    pub const fn new(subject: Subject, since: Option<Moment>, until: Option<Moment>) -> Self {
        Self { subject, since, until, entries: Vec::new() }
    }

    /// Looks at an event.
    pub fn look(&mut self, event: &Event<'_>, at: Sighted<'_>) {
        let is_outside = event.time.is_some_and(|time| {
            self.since.is_some_and(|since| time < since)
                || self.until.is_some_and(|until| until < time)
        });
        let Some(field) = self.subject.place(event).filter(|_| !is_outside) else { return };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.entries.push(Entry {
            time: event.time,
            event: event.kind,
            field,
            client: event.client,
            server: event.server,
            port: event.port,
            protocol: event.protocol,
            name: event.name.map(text),
            url: event.url.map(text),
            account: event.account.map(text),
            outcome: event.outcome,
            evidence: Evidence::of(at),
        });
    }

    /// What happened, the earliest first; at the same time, in the order of the logs.
    #[must_use]
    pub fn finish(mut self) -> Vec<Entry> {
        self.entries.sort_by_key(|entry| entry.time);
        self.entries
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn at(line: &[u8]) -> Sighted<'_> {
        Sighted { file: "x.log", offset: 3, line }
    }

    #[test]
    fn what_happened_is_in_order_and_within_the_span() {
        let since = Some(Moment::from_unix(10));
        let mut timeline =
            Timeline::new("192.0.2.7".parse().unwrap(), since, Some(Moment::from_unix(20)));
        let event = |seconds: Option<i64>, client: &str| Event {
            client: client.parse().ok(),
            ..Event::new(Kind::Connection, seconds.map(Moment::from_unix))
        };
        for (seconds, client) in [
            (Some(20), "192.0.2.7"),
            (Some(10), "192.0.2.7"),
            (Some(15), "192.0.2.8"),
            (Some(9), "192.0.2.7"),
            (Some(21), "192.0.2.7"),
            (None, "192.0.2.7"),
        ] {
            timeline.look(&event(seconds, client), at(b"x"));
        }
        let times: Vec<_> =
            timeline.finish().iter().map(|entry| entry.time.map(Moment::unix)).collect();
        assert_eq!(times, [None, Some(10), Some(20)]);
    }

    #[test]
    fn an_entry_says_what_its_record_says() {
        let mut timeline = Timeline::new("alice".parse().unwrap(), None, None);
        let event = Event {
            client: "192.0.2.7".parse().ok(),
            account: Some(b"alice"),
            outcome: Some(Outcome::Failure),
            ..Event::new(Kind::Login, Some(Moment::from_unix(0)))
        };
        timeline.look(&event, at(b"the line"));
        let entries = timeline.finish();
        let json = serde_json::to_value(&entries[0]).unwrap();
        let expected = serde_json::json!({
            "time": "1970-01-01T00:00:00Z", "event": "login", "field": "account", "client": "192.0.2.7",
            "account": "alice", "outcome": "failure", "file": "x.log", "offset": 3,
            // printf 'the line' | sha256sum
            "line_sha256": "366ffdeec8bf5dda2d1466824dc275769cba0e8c5fc0b50af8c58abc4fe9fff7",
            "line": "the line",
        });
        assert_eq!(json, expected);
    }
}
