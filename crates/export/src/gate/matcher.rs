//! Many lists, looked up at once.

use std::collections::HashMap;
use std::sync::Arc;

use core::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use regex::Regex;

use super::own::prefix;
use super::warning_list::{Kind, WarningList, WarningListError, expression};
use crate::indicators::Host;

/// Lists by how their entries match, each entry with the name of the first list that has it.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    v4: PrefixMap<Ipv4Net, Arc<str>>,
    v6: PrefixMap<Ipv6Net, Arc<str>>,
    whole: HashMap<String, Arc<str>>,
    below: HashMap<String, Arc<str>>,
    parts: Vec<(String, Arc<str>)>,
    expressions: Vec<(Regex, Arc<str>)>,
}

impl Matcher {
    /// Adds a list; one that is not about hosts adds nothing, as do entries that are not supported.
    pub(super) fn add(&mut self, list: &WarningList) -> Result<(), WarningListError> {
        if !list.is_about_hosts() {
            return Ok(());
        }
        let shared: Arc<str> = list.name.as_str().into();
        for entry in &list.list {
            let name = || Arc::clone(&shared);
            match list.kind {
                Kind::Cidr => self.add_prefix(entry, &shared)?,
                Kind::String => drop(self.whole.entry(normal(entry)).or_insert_with(name)),
                Kind::Hostname => {
                    let entry = normal(entry.trim_start_matches('.'));
                    self.below.entry(entry).or_insert_with(name);
                }
                Kind::Substring => self.parts.push((entry.to_ascii_lowercase(), name())),
                Kind::Regex => {
                    self.expressions.extend(expression(entry).map(|it| (it, name())));
                }
            }
        }
        Ok(())
    }

    fn add_prefix(&mut self, entry: &str, list: &Arc<str>) -> Result<(), WarningListError> {
        let Some(prefix) = prefix(entry) else {
            let (list, entry) = (list.to_string(), entry.to_owned());
            return Err(WarningListError::Prefix { list, entry });
        };
        let name = || Arc::clone(list);
        match prefix {
            IpNet::V4(prefix) => drop(self.v4.entry(prefix).or_insert_with(name)),
            IpNet::V6(prefix) => drop(self.v6.entry(prefix).or_insert_with(name)),
        }
        Ok(())
    }

    /// The name of a list that has the host.
    pub(super) fn find(&self, host: &Host) -> Option<Arc<str>> {
        let list = match host {
            Host::Address(address) => self.longest(*address),
            Host::Name(name) => name.ancestors().find_map(|name| self.below.get(name)),
        };
        let text = host.to_string();
        let part = || self.parts.iter().find(|(part, _)| text.contains(part));
        let expression = || self.expressions.iter().find(|(it, _)| it.is_match(&text));
        list.or_else(|| self.whole.get(&text))
            .or_else(|| part().map(|(_, list)| list))
            .or_else(|| expression().map(|(_, list)| list))
            .map(Arc::clone)
    }

    fn longest(&self, address: IpAddr) -> Option<&Arc<str>> {
        match address {
            IpAddr::V4(address) => self.v4.get_lpm(&address.into()).map(|(_, list)| list),
            IpAddr::V6(address) => self.v6.get_lpm(&address.into()).map(|(_, list)| list),
        }
    }
}

/// An entry as a host is written, or in lower case when it is none.
fn normal(entry: &str) -> String {
    entry.parse::<Host>().map_or_else(|_| entry.to_ascii_lowercase(), |host| host.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn matcher(kind: &str, entries: &str) -> Result<Matcher, WarningListError> {
        let json = format!("{{\"name\": \"L\", \"type\": \"{kind}\", \"list\": [{entries}]}}");
        let mut matcher = Matcher::default();
        matcher.add(&WarningList::parse(&json)?)?;
        Ok(matcher)
    }

    fn has(matcher: &Matcher, host: &str) -> bool {
        matcher.find(&host.parse().unwrap()).as_deref() == Some("L")
    }

    #[test]
    fn prefixes_hold_addresses_of_their_own_family() {
        let lists = matcher("cidr", "\"10.0.0.0/8\", \"192.0.2.9\", \"2001:db8::/32\"").unwrap();
        for host in ["10.255.0.1", "192.0.2.9", "2001:db8::1", "::ffff:10.0.0.1"] {
            assert!(has(&lists, host), "{host}");
        }
        for host in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "a.example"] {
            assert!(!has(&lists, host), "{host}");
        }
        assert!(matcher("cidr", "\"10.0.0.0/40\"").is_err());
    }

    #[test]
    fn names_match_as_their_list_says() {
        let below = matcher("hostname", "\".Example.com\"").unwrap();
        assert!(has(&below, "a.b.example.com") && has(&below, "example.com"));
        assert!(!has(&below, "badexample.com") && !has(&below, "example.com.test"));
        let whole = matcher("string", "\"example.com\", \"192.0.2.1\"").unwrap();
        assert!(has(&whole, "example.com") && has(&whole, "192.0.2.1"));
        assert!(!has(&whole, "a.example.com"));
        let part = matcher("substring", "\"ampl\"").unwrap();
        assert!(has(&part, "example.com") && !has(&part, "test.net"));
    }
}
