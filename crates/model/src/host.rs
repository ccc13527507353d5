//! Hosts as files give them, and the few of those that a block list may hold.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use core::net::{IpAddr, Ipv4Addr};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Characters of a name without its last dot (RFC 1035, section 2.3.4: 255 bytes on the wire).
const MAX_NAME: usize = 253;

/// Characters of a label (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// An address or a domain name. Everything a format writes of a host comes through here, so that
/// no quote, space, newline or control character of a file reaches a consumer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An address; one of IPv4 is never written as one of IPv6.
    Address(IpAddr),
    /// A name.
    Name(DomainName),
}

/// A domain name in lower case, without its last dot: at least two labels of ASCII letters,
/// digits, hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Box<str>);

/// Why a text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum HostError {
    /// Nothing, or nothing between two dots.
    #[error("a label is empty")]
    Empty,
    /// Longer than DNS allows.
    #[error("longer than a name or label may be")]
    TooLong,
    /// A character that no host name has. Other scripts are refused rather than converted: a
    /// program of the family asks for the bytes that it holds, not for their IDNA form.
    #[error("a character that no host name has")]
    Character,
    /// A label that begins or ends with a hyphen.
    #[error("a label begins or ends with a hyphen")]
    Hyphen,
    /// A name without a dot, which means another host in every network.
    #[error("a single label")]
    SingleLabel,
    /// Numbers that are no address, such as `1.2.3`.
    #[error("numbers that are no address")]
    Numeric,
}

impl Host {
    /// The name, when it is one.
    #[must_use]
    pub const fn name(&self) -> Option<&DomainName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Address(_) => None,
        }
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        text.parse().map(Self::Name)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
        }
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl DomainName {
    /// The name as text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }

    /// The name and every name above it, the longest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |name| Some(name.split_once('.')?.1))
    }
}

impl FromStr for DomainName {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() > MAX_NAME {
            return Err(HostError::TooLong);
        }
        name.split('.').try_for_each(check_label)?;
        let (_, last) = name.rsplit_once('.').ok_or(HostError::SingleLabel)?;
        if last.bytes().all(|byte| byte.is_ascii_digit()) || name.parse::<Ipv4Addr>().is_ok() {
            return Err(HostError::Numeric);
        }
        Ok(Self(name.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn check_label(label: &str) -> Result<(), HostError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if label.is_empty() {
        Err(HostError::Empty)
    } else if !label.bytes().all(is_allowed) {
        Err(HostError::Character)
    } else if label.len() > MAX_LABEL {
        Err(HostError::TooLong)
    } else if label.starts_with('-') || label.ends_with('-') {
        Err(HostError::Hyphen)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parsed(text: &str) -> Result<String, HostError> {
        text.parse::<Host>().map(|host| host.to_string())
    }

    #[test]
    fn names_and_addresses_have_one_spelling() {
        assert_eq!(parsed("CNC.Example.COM."), Ok("cnc.example.com".to_owned()));
        assert_eq!(parsed("_x.xn--bcher-kva.example"), Ok("_x.xn--bcher-kva.example".to_owned()));
        assert_eq!(parsed("192.0.2.1"), Ok("192.0.2.1".to_owned()));
        assert_eq!(parsed("::ffff:192.0.2.1"), Ok("192.0.2.1".to_owned()));
        assert_eq!(parsed("2001:DB8:0::1"), Ok("2001:db8::1".to_owned()));
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_reason() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "a.".repeat(124));
        let cases = [
            ("", HostError::Empty),
            (".", HostError::Empty),
            ("a..example", HostError::Empty),
            ("localhost", HostError::SingleLabel),
            ("1.2.3", HostError::Numeric),
            ("300.1.1.1", HostError::Numeric),
            ("-a.example", HostError::Hyphen),
            ("a.example-", HostError::Hyphen),
            ("a.example\n", HostError::Character),
            ("a\0.example", HostError::Character),
            ("a;drop.example", HostError::Character),
            ("=cmd.example|x", HostError::Character),
            ("b\u{fc}cher.example", HostError::Character),
            ("fe80::1%eth0", HostError::Character),
            (&long_label, HostError::TooLong),
            (&long_name, HostError::TooLong),
        ];
        for (text, expected) in cases {
            assert_eq!(parsed(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn ancestors_end_with_the_top() {
        let name: DomainName = "a.b.example".parse().unwrap();
        assert_eq!(name.ancestors().collect::<Vec<_>>(), ["a.b.example", "b.example", "example"]);
    }
}
