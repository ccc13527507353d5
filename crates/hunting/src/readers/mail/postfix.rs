//! Postfix.
//!
//! ```text
//! connect from unknown[192.0.2.7]
//! warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: ..., sasl_username=alice
//! 4A5B6: client=host.example[192.0.2.7], sasl_method=PLAIN, sasl_username=alice
//! 4A5B6: to=<bob@a.example>, relay=mx.a.example[192.0.2.9]:25, delay=1, status=sent (250 ok)
//! ```

use crate::event::{Event, Kind, Outcome};
use crate::readers::Reading;
use crate::readers::text::{Text, address, number, value};
use crate::time::Moment;
use miyaburi_model::Protocol;

/// A message of one of the programs of `postfix`.
pub(in crate::readers) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    let event = connection(text, time)
        .or_else(|| failed_login(text, time))
        .or_else(|| login(text, time))
        .or_else(|| delivery(text, time));
    event.map_or(Reading::Quiet, Reading::Event)
}

/// Name and address of `host.example[192.0.2.7]`; no name when there is none.
fn peer(text: &[u8]) -> Option<(Option<&[u8]>, core::net::IpAddr)> {
    let mut text = Text(text);
    let name = text.until(b'[')?;
    let address = address(text.until(b']')?)?;
    Some((Some(name).filter(|name| *name != b"unknown"), address))
}

fn connection(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let (_, client) = peer(text.strip_prefix(b"connect from ")?)?;
    let event = Event::new(Kind::Connection, time);
    Some(Event { client: Some(client), protocol: Some(Protocol::Tcp), ..event })
}

fn failed_login(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut text = Text(text.strip_prefix(b"warning: ")?);
    let (_, client) = peer(text.behind(b": SASL ")?)?;
    text.behind(b"authentication failed")?;
    Some(Event {
        client: Some(client),
        account: value(text.0, b"sasl_username="),
        outcome: Some(Outcome::Failure),
        ..Event::new(Kind::Login, time)
    })
}

fn login(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut text = Text(text);
    // The number of the mail stands before it.
    text.until(b' ')?;
    let text = text.0;
    let (_, client) = text.starts_with(b"client=").then(|| peer(value(text, b"client=")?))??;
    let account = value(text, b"sasl_username=");
    let kind = if account.is_some() { Kind::Login } else { Kind::Mail };
    let outcome = account.map(|_| Outcome::Success);
    Some(Event { client: Some(client), account, outcome, ..Event::new(kind, time) })
}

fn delivery(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    // Before it stands the recipient, behind it what the other server said: both may hold anything,
    // so that of two one is forged.
    let mut places = memchr::memmem::find_iter(text, b">, relay=");
    let place = places.next().filter(|_| places.next().is_none())?;
    let text = text.get(place + 1..)?;
    let relay = value(text, b"relay=")?;
    let (name, server) = peer(relay)?;
    let outcome = match value(text, b"status=")? {
        b"sent" => Outcome::Success,
        _ => Outcome::Failure,
    };
    let port = memchr::memrchr(b':', relay).and_then(|colon| number(relay.get(colon + 1..)?));
    let event = Event::new(Kind::Mail, time);
    let protocol = Some(Protocol::Tcp);
    Some(Event { server: Some(server), port, protocol, name, outcome: Some(outcome), ..event })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(text: &str) -> Option<Event<'_>> {
        match message(text.as_bytes(), None) {
            Reading::Event(event) => Some(event),
            _ => None,
        }
    }

    #[test]
    fn who_connects_and_logs_in() {
        let event = read("connect from unknown[192.0.2.7]").unwrap();
        assert_eq!(
            (event.kind, event.client),
            (Kind::Connection, Some("192.0.2.7".parse().unwrap()))
        );
        let failed = read(
            "warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, \
             sasl_username=alice",
        )
        .unwrap();
        assert_eq!((failed.kind, failed.outcome), (Kind::Login, Some(Outcome::Failure)));
        assert_eq!(failed.account, Some(&b"alice"[..]));
        let good =
            read("4A5B6: client=h.example[192.0.2.7], sasl_method=PLAIN, sasl_username=alice");
        let good = good.unwrap();
        assert_eq!((good.kind, good.outcome), (Kind::Login, Some(Outcome::Success)));
    }

    #[test]
    fn where_mail_goes() {
        let sent = read(
            "4A5B6: to=<bob@a.example>, relay=mx.a.example[192.0.2.9]:25, delay=1, dsn=2.0.0, \
             status=sent (250 ok)",
        )
        .unwrap();
        assert_eq!((sent.server, sent.port), (Some("192.0.2.9".parse().unwrap()), Some(25)));
        assert_eq!((sent.name, sent.outcome), (Some(&b"mx.a.example"[..]), Some(Outcome::Success)));
        assert_eq!(
            read("4A5B6: to=<bob@a.example>, relay=none, delay=1, status=deferred (x)"),
            None
        );
        assert_eq!(read("4A5B6: removed"), None);
    }

    #[test]
    fn a_recipient_or_an_answer_cannot_imitate_a_relay() {
        let within = read(
            "A: to=<\"a relay=x.example[192.0.2.66]:25, status=sent\"@b.example>, \
             relay=mx.b.example[192.0.2.9]:25, delay=1, status=sent (ok)",
        );
        assert_eq!(within.unwrap().server, Some("192.0.2.9".parse().unwrap()));
        let twice = "A: to=<\"a>, relay=x.example[192.0.2.66]:25, status=sent\"@b.example>, \
                     relay=mx.b.example[192.0.2.9]:25, delay=1, status=sent (ok)";
        assert_eq!(read(twice), None);
        assert_eq!(read("warning: x client=h.example[192.0.2.66], sasl_username=a"), None);
    }
}
