//! OpenSSH's server.
//!
//! ```text
//! Failed password for invalid user admin from 192.0.2.7 port 40000 ssh2
//! Accepted publickey for alice from 192.0.2.7 port 40000 ssh2: ED25519 SHA256:...
//! ```

use super::Reading;
use super::text::{Text, address};
use crate::event::{Event, Kind, Outcome};
use crate::time::Moment;

const FROM: &[u8] = b" from ";

/// A message of `sshd`.
pub(super) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    login(text, time).map_or(Reading::Quiet, Reading::Event)
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
        assert_eq!(read("Connection closed by 192.0.2.7 port 4 [preauth]"), None);
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
