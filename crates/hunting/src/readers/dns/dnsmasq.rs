//! dnsmasq's `log-queries`, plain and `extra`.
//!
//! ```text
//! query[A] a.example from 192.0.2.7
//! 5 192.0.2.7/39951 query[A] a.example from 192.0.2.7
//! ```

use crate::event::{Event, Kind};
use crate::readers::Reading;
use crate::readers::text::{Text, address};
use crate::time::Moment;

const FROM: &[u8] = b" from ";

/// A message of `dnsmasq`.
pub(in crate::readers) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    query(text, time).map_or(Reading::Quiet, Reading::Event)
}

fn query(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut text = Text(text);
    if text.0.first().is_some_and(u8::is_ascii_digit) {
        text.word();
        text.word();
    }
    text.expect(b"query[")?;
    text.behind(b"] ")?;
    // A name may hold blanks, which are printed as they are: the last address is the client's.
    let place = memchr::memmem::rfind(text.0, FROM)?;
    let (name, client) = text.0.split_at_checked(place)?;
    let client = address(client.strip_prefix(FROM)?)?;
    let event = Event::new(Kind::DnsQuery, time);
    Some(Event { client: Some(client), name: Some(name), ..event })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn queries_and_what_follows_them() {
        let expected = Event {
            client: Some("192.0.2.7".parse().unwrap()),
            name: Some(b"a.example"),
            ..Event::new(Kind::DnsQuery, None)
        };
        for text in [
            &b"query[A] a.example from 192.0.2.7"[..],
            b"5 192.0.2.7/39951 query[AAAA] a.example from 192.0.2.7",
        ] {
            assert_eq!(message(text, None), Reading::Event(expected));
        }
        let forged = message(b"query[A] c2.example from 198.51.100.9 from 192.0.2.7", None);
        let Reading::Event(forged) = forged else { panic!("quiet") };
        assert_eq!(forged.client, expected.client);
        assert_eq!(forged.name, Some(&b"c2.example from 198.51.100.9"[..]));
        for text in [&b"forwarded a.example to 192.0.2.1"[..], b"reply a.example is 192.0.2.9", b""]
        {
            assert_eq!(message(text, None), Reading::Quiet);
        }
    }
}
