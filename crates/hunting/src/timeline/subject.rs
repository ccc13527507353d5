//! Whose time line it is.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use ipnet::IpNet;

use crate::event::{Event, Field};

/// An entity to follow.
///
/// A text that is neither address nor network is an account and, where it has a dot and no `@`, a domain
/// name as well: which of them a record means follows from the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An address.
    Address(IpAddr),
    /// All addresses of a network.
    Network(IpNet),
    /// An account, or a name with what is below it, in lower case.
    Named(String),
}

/// Why a text is no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("empty")]
pub struct Empty;

impl FromStr for Subject {
    type Err = Empty;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if text.is_empty() { Err(Empty) } else { Ok(Self::Named(text.to_ascii_lowercase())) }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Network(network) => network.fmt(formatter),
            Self::Named(name) => formatter.write_str(name),
        }
    }
}

impl Subject {
    /// The field of the event that holds the subject. Accounts and names are compared without regard to
    /// the case of ASCII letters, as mail servers do; on a host whose accounts differ in case alone,
    /// that takes one for the other.
    #[must_use]
    pub fn place(&self, event: &Event<'_>) -> Option<Field> {
        match self {
            Self::Address(address) => sides(event, |side| side == *address),
            Self::Network(network) => sides(event, |side| network.contains(&side)),
            Self::Named(name) => {
                let is_account =
                    event.account.is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
                let is_name =
                    || name.contains('.') && !name.contains('@') && is_below(event.name, name);
                is_account.then_some(Field::Account).or_else(|| is_name().then_some(Field::Name))
            }
        }
    }
}

fn sides(event: &Event<'_>, is: impl Fn(IpAddr) -> bool) -> Option<Field> {
    let client = event.client.is_some_and(&is).then_some(Field::Client);
    client.or_else(|| event.server.is_some_and(&is).then_some(Field::Server))
}

/// Whether `asked` is `name` or below it.
fn is_below(asked: Option<&[u8]>, name: &str) -> bool {
    let Some(asked) = asked else { return false };
    let asked = asked.strip_suffix(b".").unwrap_or(asked);
    let Some(start) = asked.len().checked_sub(name.len()) else { return false };
    let (above, end) = asked.split_at(start);
    end.eq_ignore_ascii_case(name.as_bytes()) && (above.is_empty() || above.ends_with(b"."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::event::Kind;

    fn place(subject: &str, event: &Event<'_>) -> Option<Field> {
        subject.parse::<Subject>().unwrap().place(event)
    }

    #[test]
    fn entities_are_found_by_field() {
        let event = Event {
            client: "192.0.2.7".parse().ok(),
            server: "2001:db8::1".parse().ok(),
            name: Some(b"Mail.a.example."),
            account: Some(b"Alice@a.example"),
            ..Event::new(Kind::Login, None)
        };
        assert_eq!(place("192.0.2.7", &event), Some(Field::Client));
        assert_eq!(place("::ffff:192.0.2.7", &event), Some(Field::Client));
        assert_eq!(place("192.0.2.0/28", &event), Some(Field::Client));
        assert_eq!(place("2001:db8::/64", &event), Some(Field::Server));
        assert_eq!(place("alice@A.example", &event), Some(Field::Account));
        assert_eq!(place("a.example", &event), Some(Field::Name));
        assert_eq!(place("mail.a.example", &event), Some(Field::Name));
        for other in [
            "192.0.2.70",
            "192.0.2.8/30",
            "alice",
            "il.a.example",
            "example@",
            "x.mail.a.example",
            "example",
        ] {
            assert_eq!(place(other, &event), None, "{other}");
        }
        assert_eq!(" ".parse::<Subject>(), Err(Empty));
    }
}
