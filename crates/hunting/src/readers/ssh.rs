//! OpenSSH's server.
//!
//! ```text
//! Failed password for invalid user admin from 192.0.2.7 port 40000 ssh2
//! Accepted publickey for alice from 192.0.2.7 port 40000 ssh2: ED25519 SHA256:...
//! Connection closed by invalid user admin 192.0.2.7 port 40000 [preauth]
//! ```

use super::Reading;
use super::text::{Text, address, number};
use crate::event::{Event, Kind, Outcome};
use crate::time::Moment;
use miyaburi_model::Protocol;

const FROM: &[u8] = b" from ";

/// How a message ends that tells of the end of a connection without a login.
const BEFORE_LOGIN: &[u8] = b" [preauth]";

/// A message of `sshd`.
pub(super) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    login(text, time).or_else(|| left(text, time)).map_or(Reading::Quiet, Reading::Event)
}

/// Who left without a login: that may be all that is said of attempts, as of a server that takes keys alone.
fn left(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let begins = |start: &[u8]| text.starts_with(start);
    if ![&b"Connection closed by "[..], b"Connection reset by ", b"Disconnected from "]
        .into_iter()
        .any(begins)
    {
        return None;
    }
    // Before the address stands an account, which may hold anything.
    let text = text.strip_suffix(BEFORE_LOGIN)?;
    let mut words = text.rsplit(|byte| *byte == b' ');
    let _port: u16 = number(words.next()?)?;
    let client =
        words.next().filter(|word| *word == b"port").and(words.next()).and_then(address)?;
    let event = Event::new(Kind::Connection, time);
    Some(Event { client: Some(client), protocol: Some(Protocol::Tcp), ..event })
}

fn login(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut text = Text(text);
    let outcome = match text.word() {
        b"Accepted" => Outcome::Success,
        b"Failed" => Outcome::Failure,
        _ => return None,
    };
    let method = text.word();
    text.expect(b"for ")?;
    let _ = text.expect(b"invalid user ");
    let mut places = memchr::memmem::find_iter(text.0, FROM);
    let place = match outcome {
        // The account exists. Behind the address a certificate may say anything.
        Outcome::Success => places.next()?,
        // An account that was tried may be anything; behind the address nothing follows.
        Outcome::Failure if method != b"publickey" => places.last()?,
        // Both may be forged: there has to be one.
        Outcome::Failure => places.next().filter(|_| places.next().is_none())?,
    };
    let (account, rest) = text.0.split_at_checked(place)?;
    let mut rest = Text(rest);
    rest.expect(FROM)?;
    let client = address(rest.word())?;
    rest.expect(b"port ")?;
    let event = Event::new(Kind::Login, time);
    Some(Event { client: Some(client), account: Some(account), outcome: Some(outcome), ..event })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(text: &str) -> Option<(String, String, Outcome)> {
        match message(text.as_bytes(), None) {
            Reading::Event(event) => Some((
                event.client.unwrap().to_string(),
                String::from_utf8_lossy(event.account.unwrap()).into_owned(),
                event.outcome.unwrap(),
            )),
            _ => None,
        }
    }

    #[test]
    fn logins() {
        let is = |text, account: &str, outcome| {
            assert_eq!(read(text), Some(("192.0.2.7".to_owned(), account.to_owned(), outcome)));
        };
        let failed = Outcome::Failure;
        is("Failed password for invalid user a b from 192.0.2.7 port 4 ssh2", "a b", failed);
        is("Failed none for root from 192.0.2.7 port 4 ssh2", "root", failed);
        is(
            "Accepted publickey for alice from 192.0.2.7 port 4 ssh2: ED25519 x",
            "alice",
            Outcome::Success,
        );
    }

    #[test]
    fn who_leaves_without_a_login() {
        let left = |text: &'static str| match message(text.as_bytes(), None) {
            Reading::Event(Event { kind: Kind::Connection, client, account: None, .. }) => client,
            _ => None,
        };
        let client = Some("192.0.2.7".parse().unwrap());
        for text in [
            "Connection closed by 192.0.2.7 port 4 [preauth]",
            "Connection closed by invalid user x 192.0.2.7 port 4 [preauth]",
            "Connection reset by authenticating user root 192.0.2.7 port 4 [preauth]",
            "Disconnected from invalid user 198.51.100.9 port 1 [preauth] 192.0.2.7 port 4 [preauth]",
        ] {
            assert_eq!(left(text), client, "{text}");
        }
        // Behind a login, and what says the same once more.
        for text in [
            "Disconnected from user root 192.0.2.7 port 4",
            "Invalid user x from 192.0.2.7 port 4",
            "Connection closed by 192.0.2.7 [preauth]",
            "Connection closed by 192.0.2.7 port 99999 [preauth]",
        ] {
            assert_eq!(left(text), None, "{text}");
        }
    }

    #[test]
    fn a_certificate_cannot_imitate_an_address() {
        let good = "Accepted publickey for alice from 192.0.2.7 port 4 ssh2: ED25519-CERT SHA256:x ID k \
                    from 198.51.100.9 port 1 (serial 0) CA ED25519 SHA256:y";
        let expected = ("192.0.2.7".to_owned(), "alice".to_owned(), Outcome::Success);
        assert_eq!(read(good), Some(expected));
        let bad = "Failed publickey for x from 192.0.2.7 port 4 ssh2: ED25519-CERT SHA256:x ID k \
                   from 198.51.100.9 port 1 ssh2";
        assert_eq!(read(bad), None);
    }

    #[test]
    fn an_account_cannot_imitate_an_address() {
        let text = "Failed password for invalid user x from 198.51.100.9 port 1 ssh2 from 192.0.2.7 port 4 ssh2";
        let expected = "x from 198.51.100.9 port 1 ssh2".to_owned();
        assert_eq!(read(text), Some(("192.0.2.7".to_owned(), expected, Outcome::Failure)));
    }
}
