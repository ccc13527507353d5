//! The user's own networks and names, which nothing may block.

use core::net::IpAddr;

use ipnet::IpNet;

use crate::indicators::{DomainName, Host};

/// Own prefixes and names, a few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSpace {
    prefixes: Vec<IpNet>,
    names: Vec<DomainName>,
}

/// A line that is neither a prefix nor a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: not one prefix, address or, where they are allowed, name")]
pub struct OwnSpaceError {
    line: usize,
}

impl OwnSpace {
    /// Reads one prefix, address or name a line; a name stands for all below it. What follows a
    /// `#` is a comment.
    ///
    /// # Errors
    /// At the first line that is none of these.
    pub fn parse(text: &str) -> Result<Self, OwnSpaceError> {
        let mut own = Self::default();
        for (line, entry) in entries(text) {
            match prefix(entry) {
                Some(prefix) => own.prefixes.push(prefix),
                None => own.names.push(entry.parse().map_err(|_| OwnSpaceError { line })?),
            }
        }
        Ok(own)
    }

    /// The entries as they are spelled here, prefixes first.
    pub fn entries(&self) -> impl Iterator<Item = String> {
        let prefixes = self.prefixes.iter().map(ToString::to_string);
        prefixes.chain(self.names.iter().map(ToString::to_string))
    }

    /// Adds all entries of another.
    pub fn extend(&mut self, other: Self) {
        self.prefixes.extend(other.prefixes);
        self.names.extend(other.names);
    }

    /// Takes out the entries of another.
    pub fn remove(&mut self, other: &Self) {
        self.prefixes.retain(|prefix| !other.prefixes.contains(prefix));
        self.names.retain(|name| !other.names.contains(name));
    }

    /// The entry that covers a host.
    #[must_use]
    pub fn find(&self, host: &Host) -> Option<String> {
        match host {
            Host::Address(address) => {
                self.prefixes.iter().find(|own| own.contains(address)).map(ToString::to_string)
            }
            Host::Name(name) => {
                let covers =
                    |own: &&DomainName| name.ancestors().any(|above| above == own.as_str());
                self.names.iter().find(covers).map(ToString::to_string)
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
    fn a_line_that_is_nothing_is_an_error() {
        let error = OwnSpace::parse("192.0.2.0/24\n192.0.2.0/33\n").unwrap_err();
        assert_eq!(error, OwnSpaceError { line: 2 });
        let error = parse_prefixes("# ours\n192.0.2.1\nisp.example\n").unwrap_err();
        assert_eq!(error, OwnSpaceError { line: 3 });
        assert_eq!(parse_prefixes("192.0.2.1").unwrap(), ["192.0.2.1/32".parse().unwrap()]);
    }
}
