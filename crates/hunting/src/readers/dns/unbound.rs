//! Unbound's `log-queries` and `log-replies`, in a file of its own or through syslog.
//!
//! ```text
//! [1700000000] unbound[123:0] info: 192.0.2.7 a.example. A IN
//! [1700000000] unbound[123:0] info: 192.0.2.7 a.example. A IN NOERROR 0.000000 1 58
//! ```

use crate::event::{Event, Kind, Outcome};
use crate::readers::text::{Text, address};
use crate::readers::{Format, Reading};
use crate::time::{Clock, Moment, epoch};

/// The log in a file.
pub(in crate::readers) struct UnboundFile;

impl Format for UnboundFile {
    fn name(&self) -> &'static str {
        "unbound"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        let Some(rest) = line.strip_prefix(b"[") else { return Reading::Unread };
        let Some((time, rest)) = epoch(rest, clock) else { return Reading::Unread };
        let mut text = Text(rest);
        if text.expect(b"] unbound").is_none() {
            return Reading::Unread;
        }
        message(text.0, Some(time))
    }
}

/// A message of `unbound`, from its process and thread in brackets on.
pub(in crate::readers) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    let mut text = Text(text);
    if text.behind(b"] ").is_none() {
        return Reading::Unread;
    }
    query(text, time).map_or(Reading::Quiet, Reading::Event)
}

fn query(mut text: Text<'_>, time: Option<Moment>) -> Option<Event<'_>> {
    // Newer versions have severities of their own for both, with log-tag-queryreply.
    [&b"info: "[..], b"query: ", b"reply: "].iter().find_map(|severity| text.expect(severity))?;
    let client = address(text.word())?;
    let name = text.word();
    let kind = text.word();
    let class = text.word();
    if name.is_empty() || kind.is_empty() || !matches!(class, b"IN" | b"CH" | b"HS" | b"ANY") {
        return None;
    }
    let outcome = match text.word() {
        b"" => None,
        b"NOERROR" => Some(Outcome::Success),
        _ => Some(Outcome::Failure),
    };
    let event = Event::new(Kind::DnsQuery, time);
    Some(Event { client: Some(client), name: Some(name), outcome, ..event })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(line: &[u8]) -> Reading<'_> {
        UnboundFile.read(line, &Clock::utc(Moment::from_unix(1_795_435_200)))
    }

    #[test]
    fn queries_and_replies() {
        let event = Event {
            client: Some("192.0.2.7".parse().unwrap()),
            name: Some(b"a.example."),
            ..Event::new(Kind::DnsQuery, Some(Moment::from_unix(1_700_000_000)))
        };
        let query = b"[1700000000] unbound[123:0] info: 192.0.2.7 a.example. A IN";
        assert_eq!(read(query), Reading::Event(event));
        let reply =
            b"[1700000000] unbound[123:0] reply: 192.0.2.7 a.example. A IN NXDOMAIN 0.0 1 58";
        let failed = Event { outcome: Some(Outcome::Failure), ..event };
        assert_eq!(read(reply), Reading::Event(failed));
    }

    #[test]
    fn other_messages() {
        let start = b"[1700000000] unbound[123:0] notice: init module 0: iterator";
        assert_eq!(read(start), Reading::Quiet);
        assert_eq!(read(b"[1700000000] other[1:0] info: 192.0.2.7 a. A IN"), Reading::Unread);
        assert_eq!(read(b"unbound"), Reading::Unread);
    }
}
