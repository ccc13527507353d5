//! The values of indicators, as lists spell them.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use miyaburi_model::{DomainName, HostError};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A domain name, and what is below it.
    Name(DomainName),
    /// An address, with a port where only that port is meant.
    Address(IpAddr, Option<u16>),
    /// All addresses of a network.
    Prefix(IpNet),
    /// A host and what is behind it, without the scheme: `c2.example/bins/a`. The host is in lower
    /// case, and a port is there when it was given.
    Url(Box<str>),
}

/// Why a text is no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is no address, and no host name either.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A name of another script that has no form in ASCII (UTS 46).
    #[error("no domain name")]
    Idna,
    /// A URL without a host.
    #[error("a URL without a host")]
    NoHost,
    /// All addresses, or nearly: a list that says so is mistaken.
    #[error("a network that is too large")]
    TooLarge,
}

/// The shortest prefixes that mean anything as an indicator.
const SHORTEST: [u8; 2] = [8, 16];

impl Value {
    /// Reads a value, defanged or not: `hxxp://a[.]example/x`, `192.0.2[.]1:23`, `2001:db8::/48`.
    ///
    /// # Errors
    /// When the text is none of them.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = fanged(text.trim());
        if let Some((_, rest)) = text.split_once("://") {
            return url(rest);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical(), None));
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(Self::Address(socket.ip().to_canonical(), Some(socket.port())));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return prefix(network);
        }
        // A port behind a name says nothing to logs of names.
        let host = match text.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => &text,
        };
        if host.contains('/') {
            return url(host);
        }
        Ok(Self::Name(name(host)?))
    }

    /// What kind it is, in the words of threat lists.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Name(_) => "domain",
            Self::Address(_, None) => "ip",
            Self::Address(_, Some(_)) => "ip:port",
            Self::Prefix(_) => "prefix",
            Self::Url(_) => "url",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(formatter),
            Self::Address(address, None) => address.fmt(formatter),
            Self::Address(address, Some(port)) => SocketAddr::new(*address, *port).fmt(formatter),
            Self::Prefix(network) => network.fmt(formatter),
            Self::Url(url) => formatter.write_str(url),
        }
    }
}

/// The text without what keeps people from following it by mistake.
fn fanged(text: &str) -> String {
    let mut text = text.replace("[.]", ".").replace("(.)", ".").replace("[dot]", ".");
    text = text.replace("[:]", ":").replace("[://]", "://");
    for (defanged, scheme) in [("hxxps", "https"), ("hxxp", "http")] {
        if text.get(..defanged.len()).is_some_and(|start| start.eq_ignore_ascii_case(defanged)) {
            return format!("{scheme}{}", text.get(defanged.len()..).unwrap_or_default());
        }
    }
    text
}

fn name(text: &str) -> Result<DomainName, ValueError> {
    let text = text.strip_prefix("*.").unwrap_or(text);
    if text.is_ascii() {
        return Ok(text.parse()?);
    }
    Ok(idna::domain_to_ascii(text).map_err(|_| ValueError::Idna)?.parse()?)
}

fn prefix(network: IpNet) -> Result<Value, ValueError> {
    let network = network.trunc();
    let shortest = if network.addr().is_ipv4() { SHORTEST[0] } else { SHORTEST[1] };
    if network.prefix_len() < shortest {
        return Err(ValueError::TooLarge);
    }
    if network.prefix_len() == network.max_prefix_len() {
        return Ok(Value::Address(network.addr(), None));
    }
    Ok(Value::Prefix(network))
}

/// What is behind the scheme of a URL. A host alone is a host.
fn url(rest: &str) -> Result<Value, ValueError> {
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host).to_lowercase();
    if host.is_empty() {
        return Err(ValueError::NoHost);
    }
    if matches!(path, "" | "/") {
        return Value::parse(&host);
    }
    Ok(Value::Url(format!("{host}{path}").into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn parsed(text: &str) -> (&'static str, String) {
        let value = Value::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (value.kind(), value.to_string())
    }

    fn is(text: &str, kind: &'static str, value: &str) {
        assert_eq!(parsed(text), (kind, value.to_owned()), "{text}");
    }

    #[test]
    fn all_kinds_defanged_or_not() {
        is("CNC.example", "domain", "cnc.example");
        is("cnc[.]example.", "domain", "cnc.example");
        is("*.cnc(.)example", "domain", "cnc.example");
        is("cnc.example:23", "domain", "cnc.example");
        is("b\u{fc}cher.example", "domain", "xn--bcher-kva.example");
        is("192.0.2[.]1", "ip", "192.0.2.1");
        is("192[.]0[.]2[.]1[:]23", "ip:port", "192.0.2.1:23");
        is("::ffff:192.0.2.1", "ip", "192.0.2.1");
        is("2001:DB8::1", "ip", "2001:db8::1");
        is("[2001:db8::1]:23", "ip:port", "[2001:db8::1]:23");
        is("192.0.2.77/24", "prefix", "192.0.2.0/24");
        is("192.0.2.7/32", "ip", "192.0.2.7");
        is("hxxp://CNC[.]example:8080/Bins/a?x", "url", "cnc.example:8080/Bins/a?x");
        is("https://user@cnc.example/", "domain", "cnc.example");
        is("http://192.0.2.1:8080/", "ip:port", "192.0.2.1:8080");
        is("cnc.example/bins", "url", "cnc.example/bins");
    }

    #[test]
    fn what_is_no_indicator() {
        for text in ["", "example", "0.0.0.0/0", "::/0", "http:///x", "a b.example", "a..example"] {
            assert!(Value::parse(text).is_err(), "{text}");
        }
    }
}
