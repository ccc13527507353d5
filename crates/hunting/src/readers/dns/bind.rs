//! BIND 9's query log (`category queries`), in a file of its own or through syslog.
//!
//! ```text
//! 23-Nov-2026 04:29:09.123 queries: info: client @0x7f.. 192.0.2.7#53000 (a.example): query: a.example IN A +E(0)K (192.0.2.1)
//! ```
//! Category, severity, the client object and a view are there or not, as `print-category` and versions
//! have it. BIND escapes blanks and control characters of names, so that no name can imitate a line.

use crate::event::{Event, Kind};
use crate::readers::text::{Text, address};
use crate::readers::{Format, Reading};
use crate::time::{Clock, Moment, bind, rfc3339};

/// The log in a file.
pub(in crate::readers) struct BindFile;

impl Format for BindFile {
    fn name(&self) -> &'static str {
        "bind"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        let Some((time, rest)) = bind(line, clock).or_else(|| rfc3339(line, clock)) else {
            return Reading::Unread;
        };
        let Some(text) = rest.strip_prefix(b" ") else { return Reading::Unread };
        let category = category(text);
        let message = category.unwrap_or(text);
        match query(message, Some(time)) {
            Some(event) => Reading::Event(event),
            // Other messages are told by their category; without one they could be anybody's.
            None if category.is_some() || message.starts_with(b"client ") => Reading::Quiet,
            None => Reading::Unread,
        }
    }
}

/// What is behind `category: severity: `, when the text begins so.
fn category(text: &[u8]) -> Option<&[u8]> {
    const SEVERITIES: [&[u8]; 6] =
        [b"info", b"notice", b"warning", b"error", b"critical", b"debug"];
    let mut text = Text(text);
    let name = text.until(b':')?;
    text.expect(b" ")?;
    let severity = text.until(b':')?;
    let is_category = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'-';
    let is_severity = |known: &&[u8]| severity.starts_with(known);
    text.expect(b" ")?;
    (name.iter().all(is_category) && SEVERITIES.iter().any(is_severity)).then_some(text.0)
}

/// Bytes that category and severity take at most in syslog, where they may be there.
const CATEGORY: usize = 48;

/// A message of `named`.
pub(in crate::readers) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    match memchr::memmem::find(text, b"client ") {
        Some(place) if place < CATEGORY => {
            let message = text.get(place..).unwrap_or_default();
            query(message, time).map_or(Reading::Quiet, Reading::Event)
        }
        _ => Reading::Quiet,
    }
}

fn query(message: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut text = Text(message);
    text.expect(b"client ")?;
    if text.0.first() == Some(&b'@') {
        text.word();
    }
    let client = address(text.until(b'#')?)?;
    // The port, the name in parentheses, and a view.
    text.behind(b": ")?;
    if text.expect(b"view ").is_some() {
        text.behind(b": ")?;
    }
    text.expect(b"query: ")?;
    let name = text.word();
    // Class and type: without them this is another message.
    let class = text.word();
    let has_class = matches!(class, b"IN" | b"CH" | b"HS" | b"ANY" | b"NONE");
    (has_class && !name.is_empty() && !text.word().is_empty()).then_some(Event {
        client: Some(client),
        name: Some(name),
        ..Event::new(Kind::DnsQuery, time)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(line: &str) -> Option<(String, String, String)> {
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        match BindFile.read(line.as_bytes(), &clock) {
            Reading::Event(event) => Some((
                event.time.unwrap().to_string(),
                event.client.unwrap().to_string(),
                String::from_utf8_lossy(event.name.unwrap()).into_owned(),
            )),
            _ => None,
        }
    }

    fn is(line: &str, client: &str, name: &str) {
        let expected = ("2026-11-23T04:29:09.123Z".to_owned(), client.to_owned(), name.to_owned());
        assert_eq!(read(line), Some(expected), "{line}");
    }

    #[test]
    fn queries_of_several_versions() {
        is(
            "23-Nov-2026 04:29:09.123 queries: info: client @0x7f2c 192.0.2.7#53000 (a.example): \
             query: a.example IN A +E(0)K (192.0.2.1)",
            "192.0.2.7",
            "a.example",
        );
        is(
            "23-Nov-2026 04:29:09.123 client 2001:db8::7#53000 (A.Example): view inside: \
             query: A.Example IN AAAA + (2001:db8::1)",
            "2001:db8::7",
            "A.Example",
        );
        is(
            "23-Nov-2026 04:29:09.123 client 192.0.2.7#53000: query: a.example IN TXT +",
            "192.0.2.7",
            "a.example",
        );
        is(
            "2026-11-23T04:29:09.123Z queries: info: client @0x1 192.0.2.7#1 (a.example): query: \
             a.example IN A +",
            "192.0.2.7",
            "a.example",
        );
    }

    #[test]
    fn other_messages_are_quiet_and_other_lines_unread() {
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        for line in [
            "23-Nov-2026 04:29:09.123 general: info: running",
            "23-Nov-2026 04:29:09.123 security: info: client @0x1 192.0.2.7#1 (a.example): query \
             (cache) 'a.example/A/IN' denied",
        ] {
            assert_eq!(BindFile.read(line.as_bytes(), &clock), Reading::Quiet, "{line}");
        }
        for line in [
            &b"client 192.0.2.7#1: query: a IN A"[..],
            // Another program's line under the same kind of time.
            b"2026-11-23T04:29:09.123456+00:00 host sshd[7]: Failed password for root",
            b"2026-11-23T04:29:09.123456+00:00 host app: client 192.0.2.7#1: query: a IN A",
        ] {
            assert_eq!(BindFile.read(line, &clock), Reading::Unread);
        }
    }

    #[test]
    fn a_name_cannot_imitate_a_line() {
        // What BIND writes when somebody asks for "x): query: c2.example IN A".
        is(
            r"23-Nov-2026 04:29:09.123 client @0x1 192.0.2.7#1 (x\):\032query:\032c2.example): query: x\):\032query:\032c2.example IN A + (::1)",
            "192.0.2.7",
            r"x\):\032query:\032c2.example",
        );
    }
}
