//! Web servers' common and combined log format (Apache, nginx), with requests of proxies in absolute
//! form.
//!
//! ```text
//! 192.0.2.7 - alice [23/Nov/2026:04:29:09 +0900] "GET /a?b HTTP/1.1" 200 512 "-" "agent"
//! ```

use super::text::{Text, address, number};
use super::{Format, Reading};
use crate::event::{Event, Kind, Outcome};
use crate::time::{Clock, common_log};

/// The format.
pub(super) struct Combined;

/// The first status of an error (RFC 9110, section 15.5).
const ERRORS: u16 = 400;

impl Format for Combined {
    fn name(&self) -> &'static str {
        "combined"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        Reading::of(request(line, clock))
    }
}

fn request<'l>(line: &'l [u8], clock: &Clock) -> Option<Event<'l>> {
    let mut text = Text(line);
    let client = address(text.word());
    // The identity is of no use, and the account may hold blanks.
    text.word();
    let account = text.behind(b" [")?;
    let (time, rest) = common_log(text.0, clock)?;
    text = Text(rest);
    text.expect(b"] \"")?;
    let request = quoted(&mut text)?;
    text.expect(b" ")?;
    let status: u16 = number(text.word())?;
    let mut parts = Text(request);
    parts.word();
    let target = parts.word();
    let outcome = if status < ERRORS { Outcome::Success } else { Outcome::Failure };
    let host = host_of(target);
    let server = host.and_then(address);
    Some(Event {
        client,
        server,
        account: Some(account).filter(|account| *account != b"-"),
        url: Some(target).filter(|target| !target.is_empty()),
        name: host.filter(|_| server.is_none()),
        outcome: Some(outcome),
        ..Event::new(Kind::WebRequest, Some(time))
    })
}

/// What is before the next quote that is not escaped by a backslash.
fn quoted<'l>(text: &mut Text<'l>) -> Option<&'l [u8]> {
    let end = memchr::memchr_iter(b'"', text.0).find(|end| {
        let escapes = text.0.get(..*end).unwrap_or_default().iter().rev();
        escapes.take_while(|byte| **byte == b'\\').count() % 2 == 0
    })?;
    let (inside, rest) = text.0.split_at_checked(end)?;
    text.0 = rest.get(1..)?;
    Some(inside)
}

/// The host of a target in absolute form, as proxies are asked (RFC 9112, section 3.2.2).
fn host_of(target: &[u8]) -> Option<&[u8]> {
    let mut text = Text(target);
    text.behind(b"://")?;
    let end = text.0.iter().position(|byte| b":/?#".contains(byte)).unwrap_or(text.0.len());
    text.0.get(..end).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::time::Moment;

    fn read(line: &[u8]) -> Reading<'_> {
        Combined.read(line, &Clock::utc(Moment::from_unix(1_795_435_200)))
    }

    #[test]
    fn requests() {
        let event = Event {
            client: Some("192.0.2.7".parse().unwrap()),
            account: Some(b"alice b"),
            url: Some(b"/a?b"),
            outcome: Some(Outcome::Success),
            ..Event::new(Kind::WebRequest, Some(Moment::from_unix(1_795_404_549)))
        };
        let line = b"192.0.2.7 - alice b [23/Nov/2026:12:29:09 +0900] \"GET /a?b HTTP/1.1\" 200 5 \"-\" \"x\"";
        assert_eq!(read(line), Reading::Event(event));
        let proxied = b"2001:db8::7 - - [23/Nov/2026:03:29:09 +0000] \"GET http://c2.example:8080/x HTTP/1.1\" 502 -";
        let Reading::Event(event) = read(proxied) else { panic!("unread") };
        assert_eq!((event.name, event.account), (Some(&b"c2.example"[..]), None));
        assert_eq!(event.outcome, Some(Outcome::Failure));
    }

    #[test]
    fn an_address_that_a_proxy_is_asked_for_is_the_server() {
        let line =
            b"192.0.2.7 - - [23/Nov/2026:03:29:09 +0000] \"GET http://192.0.2.9/x HTTP/1.1\" 200 5";
        let Reading::Event(event) = read(line) else { panic!("unread") };
        assert_eq!((event.server, event.name), ("192.0.2.9".parse().ok(), None));
    }

    #[test]
    fn a_quote_in_the_request_ends_nothing() {
        let line = b"192.0.2.7 - - [23/Nov/2026:03:29:09 +0000] \"GET /\\\" 200 5 HTTP/1.1\" 404 5";
        let Reading::Event(event) = read(line) else { panic!("unread") };
        assert_eq!(event.outcome, Some(Outcome::Failure));
    }

    #[test]
    fn other_lines() {
        assert_eq!(read(b"192.0.2.7 - - [23/Nov/2026:03:29:09 +0000] GET / 200"), Reading::Unread);
        assert_eq!(read(b""), Reading::Unread);
    }
}
