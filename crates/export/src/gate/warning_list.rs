//! Warning lists in the format of MISP, of which a few short ones are built in.

use ipnet::IpNet;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::indicators::Host;

/// Files of the built-in lists: written for this project from the sources that each names.
const BUILT_IN: [&str; 10] = [
    include_str!("lists/special-purpose-addresses.json"),
    include_str!("lists/reserved-names.json"),
    include_str!("lists/root-servers.json"),
    include_str!("lists/public-resolver-addresses.json"),
    include_str!("lists/public-resolver-names.json"),
    include_str!("lists/delivery-networks.json"),
    include_str!("lists/message-services.json"),
    include_str!("lists/well-known-sites.json"),
    include_str!("lists/dynamic-dns.json"),
    include_str!("lists/shared-hosting.json"),
];

/// The category of lists that say what an indicator is, not that it is harmless.
const KNOWN_IDENTIFIER: &str = "known identifier";

/// A list of hosts with a reason to be careful.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WarningList {
    /// Name, unique among lists.
    pub name: String,
    /// Version.
    #[serde(default)]
    pub version: u64,
    /// `false-positive`, or `known identifier`, which informs alone.
    #[serde(default)]
    category: Option<String>,
    /// How entries match.
    #[serde(rename = "type", default)]
    pub(super) kind: Kind,
    /// The kinds of attributes of MISP that it is about; all when it names none.
    #[serde(default)]
    matching_attributes: Vec<String>,
    /// The entries.
    pub(super) list: Vec<String>,
}

/// How entries match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The whole host.
    #[default]
    String,
    /// A name and all below it.
    Hostname,
    /// Any part of a host.
    Substring,
    /// A prefix.
    Cidr,
    /// A regular expression of PCRE in slashes, with flags behind them.
    Regex,
}

/// What a match leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The indicator is refused.
    Deny,
    /// It is exported with the name of the list.
    Inform,
}

/// What is wrong with a warning list.
#[derive(Debug, thiserror::Error)]
pub enum WarningListError {
    /// No list in the format of MISP.
    #[error("no warning list: {0}")]
    Json(#[from] serde_json::Error),
    /// A name that would break a line.
    #[error("the name of the list holds control characters")]
    Name,
    /// An entry of type `cidr` that is no prefix.
    #[error("warning list \"{list}\": {entry:?} is no prefix")]
    Prefix {
        /// Name of the list.
        list: String,
        /// The entry.
        entry: String,
    },
}

impl WarningList {
    /// Reads the JSON of one list.
    ///
    /// # Errors
    /// When it is no warning list.
    pub fn parse(json: &str) -> Result<Self, WarningListError> {
        let list: Self = serde_json::from_str(json)?;
        if list.name.chars().any(char::is_control) {
            return Err(WarningListError::Name);
        }
        Ok(list)
    }

    /// What a match leads to.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let informs = self.category.as_deref() == Some(KNOWN_IDENTIFIER);
        if informs { Effect::Inform } else { Effect::Deny }
    }

    /// The entries, as they are spelled.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(String::as_str)
    }

    /// Whether it is about hosts: one about telephone numbers or digests matches none.
    #[must_use]
    pub fn is_about_hosts(&self) -> bool {
        let is_host = |attribute: &String| {
            let parts = ["domain", "hostname", "ip-dst", "ip-src", "ip", "url", "uri", "link"];
            attribute.split('|').any(|part| parts.contains(&part))
        };
        self.matching_attributes.is_empty() || self.matching_attributes.iter().any(is_host)
    }

    /// Entries that cannot be matched: regular expressions that look around or refer back, and what is no
    /// whole host or no name in a list of these. They are to be named to the user, as they stop nothing.
    pub fn unsupported(&self) -> impl Iterator<Item = &str> {
        let is_about_hosts = self.is_about_hosts();
        self.entries().filter(move |entry| is_about_hosts && !self.is_supported(entry))
    }

    fn is_supported(&self, entry: &str) -> bool {
        let host = || entry.trim_start_matches('.').parse::<Host>();
        match self.kind {
            // A network does not match as text.
            Kind::String => entry.parse::<IpNet>().is_err(),
            Kind::Hostname => !matches!(host(), Ok(Host::Address(_))),
            Kind::Regex => expression(entry).is_some(),
            Kind::Substring | Kind::Cidr => true,
        }
    }
}

/// The regular expression of an entry such as `/^a$/i`, or without slashes; none when it is none or
/// wants what takes more than linear time.
pub(super) fn expression(entry: &str) -> Option<Regex> {
    let delimited = entry.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    let (pattern, flags) = delimited.unwrap_or((entry, ""));
    let mut builder = RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            // Hosts are in lower case, and entries of either are meant.
            'i' | 'g' | 'u' | 'D' => {}
            'm' => drop(builder.multi_line(true)),
            's' => drop(builder.dot_matches_new_line(true)),
            'x' => drop(builder.ignore_whitespace(true)),
            'U' => drop(builder.swap_greed(true)),
            _ => return None,
        }
    }
    builder.case_insensitive(true).build().ok()
}

/// The built-in lists. Another list with the name of one of them stands in for it.
///
/// # Errors
/// None, as a test reads all of them.
pub fn built_in() -> Result<Vec<WarningList>, WarningListError> {
    BUILT_IN.iter().map(|json| WarningList::parse(json)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_category_decides_between_denying_and_informing() {
        let list = |rest: &str| {
            WarningList::parse(&format!("{{\"name\": \"a\", \"list\": [] {rest}}}")).unwrap()
        };
        assert_eq!(list("").effect(), Effect::Deny);
        assert_eq!(list(", \"category\": \"false-positive\"").effect(), Effect::Deny);
        assert_eq!(list(", \"category\": \"known identifier\"").effect(), Effect::Inform);
    }

    #[test]
    fn a_name_that_breaks_a_line_is_refused() {
        let error = WarningList::parse("{\"name\": \"a\\n;drop\", \"list\": []}").unwrap_err();
        assert!(matches!(error, WarningListError::Name));
        assert!(matches!(WarningList::parse("[]").unwrap_err(), WarningListError::Json(_)));
    }

    #[test]
    fn built_in_lists_have_names_of_their_own() {
        let lists = built_in().unwrap();
        let mut names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), BUILT_IN.len());
        assert!(lists.iter().all(|list| !list.list.is_empty()));
    }
}
