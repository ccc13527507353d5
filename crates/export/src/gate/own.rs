//! The user's own networks and names, which nothing may block.

use std::collections::BTreeSet;

use core::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;

use crate::indicators::{DomainName, Host};

/// Own prefixes and names.
#[derive(Clone, Debug, Default)]
pub struct OwnSpace {
    v4: PrefixMap<Ipv4Net, ()>,
    v6: PrefixMap<Ipv6Net, ()>,
    names: BTreeSet<String>,
}

/// A line that is neither a prefix nor a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: not one prefix, address or, where they are allowed, name")]
pub struct OwnSpaceError {
    line: usize,
}

impl OwnSpace {
    /// Reads one prefix, address or name a line; a name stands for all below it, with `*.` before it or
    /// not. What follows a `#` is a comment.
    ///
    /// # Errors
    /// At the first line that is none of these.
    pub fn parse(text: &str) -> Result<Self, OwnSpaceError> {
        let mut own = Self::default();
        for (line, entry) in entries(text) {
            match prefix(entry) {
                Some(IpNet::V4(prefix)) => {
                    own.v4.insert(prefix, ());
                }
                Some(IpNet::V6(prefix)) => {
                    own.v6.insert(prefix, ());
                }
                None => {
                    let name = entry.strip_prefix("*.").unwrap_or(entry);
                    let name: DomainName = name.parse().map_err(|_| OwnSpaceError { line })?;
                    own.names.insert(name.as_str().to_owned());
                }
            }
        }
        Ok(own)
    }

    /// The entries as they are spelled here, prefixes first.
    pub fn entries(&self) -> impl Iterator<Item = String> {
        let v4 = self.v4.keys().map(ToString::to_string);
        let v6 = self.v6.keys().map(ToString::to_string);
        v4.chain(v6).chain(self.names.iter().cloned())
    }

    /// Adds all entries of another.
    pub fn extend(&mut self, other: Self) {
        for prefix in other.v4.into_keys() {
            self.v4.insert(prefix, ());
        }
        for prefix in other.v6.into_keys() {
            self.v6.insert(prefix, ());
        }
        self.names.extend(other.names);
    }

    /// Takes out the entries of another.
    pub fn remove(&mut self, other: &Self) {
        for prefix in other.v4.keys() {
            self.v4.remove(prefix);
        }
        for prefix in other.v6.keys() {
            self.v6.remove(prefix);
        }
        self.names.retain(|name| !other.names.contains(name));
    }

    /// The narrowest entry that covers a host.
    #[must_use]
    pub fn find(&self, host: &Host) -> Option<String> {
        match host {
            Host::Address(IpAddr::V4(address)) => {
                self.v4.get_lpm(&(*address).into()).map(|(prefix, ())| prefix.to_string())
            }
            Host::Address(IpAddr::V6(address)) => {
                self.v6.get_lpm(&(*address).into()).map(|(prefix, ())| prefix.to_string())
            }
            Host::Name(name) => {
                name.ancestors().find(|above| self.names.contains(*above)).map(str::to_owned)
            }
        }
    }
}

/// Reads one prefix or address a line; what follows a `#` is a comment.
///
/// # Errors
/// At the first line that is neither.
pub fn parse_prefixes(text: &str) -> Result<Vec<IpNet>, OwnSpaceError> {
    entries(text).map(|(line, entry)| prefix(entry).ok_or(OwnSpaceError { line })).collect()
}

/// Lines that hold something, with their numbers.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    (1..).zip(lines).filter(|(_, entry)| !entry.is_empty())
}

/// The prefix that an entry is, an address being one of its own.
pub(super) fn prefix(entry: &str) -> Option<IpNet> {
    let address = || entry.parse::<IpAddr>().map(IpNet::from).ok();
    entry.parse::<IpNet>().map(|prefix| prefix.trunc()).ok().or_else(address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn own_prefixes_and_names_cover_what_is_below_them() {
        let own =
            OwnSpace::parse("# ours\n198.51.100.7/24\n192.0.2.1 # one\nisp.example\n").unwrap();
        let find = |text: &str| own.find(&text.parse().unwrap());
        assert_eq!(find("198.51.100.200").as_deref(), Some("198.51.100.0/24"));
        assert_eq!(find("192.0.2.1").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(find("mail.isp.example").as_deref(), Some("isp.example"));
        assert_eq!(find("192.0.2.2"), None);
        assert_eq!(find("notisp.example"), None);
    }

    #[test]
    fn what_others_write_for_all_below_a_name_is_read() {
        let own = OwnSpace::parse("\u{feff}*.isp.example\r\n192.0.2.1\r\n").unwrap();
        assert_eq!(own.entries().collect::<Vec<_>>(), ["192.0.2.1/32", "isp.example"]);
        assert!(OwnSpace::parse("*\n").is_err() && OwnSpace::parse("a.*.example\n").is_err());
    }

    #[test]
    fn a_line_that_is_nothing_is_an_error() {
        let error = OwnSpace::parse("192.0.2.0/24\n192.0.2.0/33\n").unwrap_err();
        assert_eq!(error, OwnSpaceError { line: 2 });
        let error = parse_prefixes("# ours\n192.0.2.1\nisp.example\n").unwrap_err();
        assert_eq!(error, OwnSpaceError { line: 3 });
        assert_eq!(parse_prefixes("192.0.2.1").unwrap(), ["192.0.2.1/32".parse().unwrap()]);
    }
}
