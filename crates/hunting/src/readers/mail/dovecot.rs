//! Dovecot's logins.
//!
//! ```text
//! imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=7, TLS
//! imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<alice>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1
//! ```

use crate::event::{Event, Kind, Outcome};
use crate::readers::Reading;
use crate::readers::text::{Text, address, value};
use crate::time::Moment;

/// A message of `dovecot`.
pub(in crate::readers) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    login(text, time).map_or(Reading::Quiet, Reading::Event)
}

fn login(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut text = Text(text);
    let service = text.behind(b": ")?;
    service.ends_with(b"-login").then_some(())?;
    let mut rest = text;
    let before = rest.behind(b"user=<")?;
    let account = rest.until(b'>')?;
    let outcome = if before.starts_with(b"Login: ") {
        Outcome::Success
    } else if memchr::memmem::find(before, b"auth failed").is_some() {
        Outcome::Failure
    } else {
        return None;
    };
    let client = address(value(rest.0, b"rip=")?)?;
    let server = value(rest.0, b"lip=").and_then(address);
    let event = Event::new(Kind::Login, time);
    let account = Some(account);
    Some(Event { client: Some(client), server, account, outcome: Some(outcome), ..event })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn logins() {
        let event = Event {
            client: Some("192.0.2.7".parse().unwrap()),
            server: Some("192.0.2.1".parse().unwrap()),
            account: Some(b"alice"),
            outcome: Some(Outcome::Success),
            ..Event::new(Kind::Login, None)
        };
        let good =
            b"imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=7";
        assert_eq!(message(good, None), Reading::Event(event));
        let bad =
            b"pop3-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): \
            user=<alice>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, session=<x>";
        let failed = Event { outcome: Some(Outcome::Failure), ..event };
        assert_eq!(message(bad, None), Reading::Event(failed));
    }

    #[test]
    fn what_is_no_login() {
        for text in [
            &b"imap(alice)<7><x>: Disconnected: Logged out in=1 out=2"[..],
            b"imap-login: Disconnected: Too many invalid commands (no auth attempts): user=<>, rip=192.0.2.7",
            b"master: Dovecot v2.3 starting up",
        ] {
            assert_eq!(message(text, None), Reading::Quiet);
        }
    }

    #[test]
    fn an_account_cannot_imitate_an_address() {
        // Dovecot replaces what would end the brackets; a comma stays.
        let text = b"imap-login: Login: user=<a, rip=198.51.100.9>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1";
        let Reading::Event(event) = message(text, None) else { panic!("quiet") };
        assert_eq!(event.client, Some("192.0.2.7".parse().unwrap()));
    }
}
