//! Many indicators, found quickly.

use core::hash::{BuildHasher, Hasher};
use core::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use miyaburi_model::Protocol;
use prefix_trie::PrefixMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{Indicator, Value};
use crate::event::{Event, Field, Kind};
use crate::readers::address;

/// The place of an indicator in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(u32);

/// Bytes of the longest name (RFC 1035, section 2.3.4), as logs write it.
const MAX_NAME: usize = 253;

/// A set of indicators.
#[derive(Debug, Default)]
pub struct Indicators {
    all: Vec<Indicator>,
    names: FxHashMap<Box<[u8]>, Number>,
    /// Of the hashes of all names, which there are: most names that are asked for are none of them,
    /// and this fits a cache where the names do not.
    filter: Filter,
    addresses: FxHashMap<IpAddr, Vec<Number>>,
    networks_4: PrefixMap<Ipv4Net, Number>,
    networks_6: PrefixMap<Ipv6Net, Number>,
    urls: FxHashMap<Box<str>, Number>,
}

impl Indicators {
    /// Takes an indicator. One that is there already gets the span of both, the higher confidence and all
    /// botnets.
    pub fn insert(&mut self, indicator: Indicator) {
        let number = Number(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        let known = match &indicator.value {
            Value::Name(name) => {
                let name: Box<[u8]> = name.as_str().as_bytes().into();
                let known = self.names.get(&name).copied();
                self.names.entry(name).or_insert(number);
                known
            }
            Value::Address(address, port) => {
                let there = self.addresses.entry(*address).or_default();
                let same = |at: &&Number| {
                    let known = self.all.get(at.0 as usize);
                    known.is_some_and(|known| {
                        known.protocol == indicator.protocol
                            && matches!(&known.value, Value::Address(_, other) if other == port)
                    })
                };
                let known = there.iter().find(same).copied();
                if known.is_none() {
                    there.push(number);
                }
                known
            }
            Value::Prefix(IpNet::V4(network)) => known_or(&mut self.networks_4, *network, number),
            Value::Prefix(IpNet::V6(network)) => known_or(&mut self.networks_6, *network, number),
            Value::Url(url) => {
                let known = self.urls.get(url).copied();
                self.urls.entry(url.clone()).or_insert(number);
                known
            }
        };
        match known.and_then(|known| self.all.get_mut(known.0 as usize)) {
            Some(known) => {
                known.validity = known.validity.with(indicator.validity);
                known.confidence = known.confidence.max(indicator.confidence);
                known.role = known.role.or(indicator.role);
                for botnet in indicator.botnets {
                    if !known.botnets.contains(&botnet) {
                        known.botnets.push(botnet);
                    }
                }
            }
            None => self.all.push(indicator),
        }
    }

    /// Prepares for questions: to be called once all indicators are in.
    pub fn seal(&mut self) {
        self.filter = Filter::of(self.names.keys().map(|name| hash(name)));
    }

    /// The indicator at its place.
    #[must_use]
    pub fn get(&self, number: Number) -> Option<&Indicator> {
        self.all.get(number.0 as usize)
    }

    /// All, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Indicator> {
        self.all.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Hands every indicator that the event holds to `found`, with the field that holds it.
    pub fn find(&self, event: &Event<'_>, found: &mut impl FnMut(Field, Number)) {
        if let Some(name) = event.name {
            let claimed = address(name).filter(|_| event.kind == Kind::WebRequest);
            let mut found = |number| found(Field::Name, number);
            match claimed {
                Some(address) => {
                    self.address(address, (event.port, event.protocol), &mut found);
                }
                None => self.names(name, &mut found),
            }
        }
        if let Some(server) = event.server {
            let on = (event.port, event.protocol);
            self.address(server, on, &mut |number| found(Field::Server, number));
        }
        if let Some(client) = event.client {
            let on = (event.client_port, event.protocol);
            self.address(client, on, &mut |number| found(Field::Client, number));
        }
        if let Some(url) = event.url.filter(|_| !self.urls.is_empty())
            && let Some(number) = self.url(url, event)
        {
            found(Field::Url, number);
        }
    }

    /// Every name that is `name` or above it, the longest first.
    fn names(&self, name: &[u8], found: &mut impl FnMut(Number)) {
        let name = name.strip_suffix(b".").unwrap_or(name);
        let mut lower = [0; MAX_NAME];
        let Some(lower) = lower.get_mut(..name.len()) else { return };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let (mut rest, mut is_label): (&[u8], bool) = (lower, true);
        // A name has two labels at least.
        while let Some(dot) = memchr::memchr(b'.', rest) {
            if is_label
                && self.filter.may_have(hash(rest))
                && let Some(number) = self.names.get(rest)
            {
                found(*number);
            }
            let (label, behind) = rest.split_at(dot);
            // An escaped dot is part of its label (RFC 1035, section 5.1).
            is_label = label.last() != Some(&b'\\');
            rest = behind.get(1..).unwrap_or_default();
        }
    }

    fn address(
        &self,
        address: IpAddr,
        (port, protocol): (Option<u16>, Option<Protocol>),
        found: &mut impl FnMut(Number),
    ) {
        for number in self.addresses.get(&address).into_iter().flatten() {
            let Some(indicator) = self.get(*number) else { continue };
            let meant = match &indicator.value {
                Value::Address(_, meant) => *meant,
                _ => None,
            };
            if agree(meant, port) && agree(indicator.protocol, protocol) {
                found(*number);
            }
        }
        match address {
            IpAddr::V4(address) => {
                let whole = Ipv4Net::from(address);
                let holding = self.networks_4.cover(&whole);
                holding.for_each(|(_, number)| found(*number));
            }
            IpAddr::V6(address) => {
                let whole = Ipv6Net::from(address);
                let holding = self.networks_6.cover(&whole);
                holding.for_each(|(_, number)| found(*number));
            }
        }
    }

    fn url(&self, url: &[u8], event: &Event<'_>) -> Option<Number> {
        let url = core::str::from_utf8(url).ok()?;
        let whole = match url.split_once("://") {
            Some((_, rest)) => {
                let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                format!("{}{path}", host.to_lowercase())
            }
            None => return self.url_of(&host(event)?, url, event.port),
        };
        self.urls.get(whole.as_str()).copied()
    }

    /// A path of a host. Where the port is known, a URL with it counts before one without: which that of a
    /// proxy may be.
    fn url_of(&self, host: &str, path: &str, port: Option<u16>) -> Option<Number> {
        let with_port = || self.urls.get(format!("{host}:{}{path}", port?).as_str());
        with_port().or_else(|| self.urls.get(format!("{host}{path}").as_str())).copied()
    }
}

/// The host of an event's URL as URLs spell it.
fn host(event: &Event<'_>) -> Option<String> {
    let claimed = event.name.map(address);
    match (event.name, claimed.unwrap_or(event.server)) {
        (_, Some(IpAddr::V6(address))) => Some(format!("[{address}]")),
        (_, Some(address)) => Some(address.to_string()),
        (Some(name), None) => Some(core::str::from_utf8(name).ok()?.to_lowercase()),
        (None, None) => None,
    }
}

/// Whether what is meant and what a record says are the same, as far as both are known.
fn agree<T: PartialEq>(meant: Option<T>, told: Option<T>) -> bool {
    meant.is_none() || told.is_none() || meant == told
}

fn known_or<P: prefix_trie::Prefix>(
    map: &mut PrefixMap<P, Number>,
    network: P,
    number: Number,
) -> Option<Number> {
    let known = map.get(&network).copied();
    if known.is_none() {
        map.insert(network, number);
    }
    known
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write(name);
    hasher.finish()
}

/// Says of a hash that it is not there, or that it may be.
#[derive(Debug, Default)]
struct Filter {
    bits: Vec<u64>,
}

impl Filter {
    /// Bits for each hash: of others, one of so many passes.
    const BITS_EACH: usize = 16;

    fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let words = (hashes.len() * Self::BITS_EACH).next_power_of_two().max(64) / 64;
        let mut filter = Self { bits: vec![0; words] };
        for hash in hashes {
            let (word, bit) = filter.place(hash);
            if let Some(word) = filter.bits.get_mut(word) {
                *word |= bit;
            }
        }
        filter
    }

    const fn place(&self, hash: u64) -> (usize, u64) {
        let bit = (hash >> 7) as usize & (self.bits.len() * 64 - 1);
        (bit / 64, 1 << (bit % 64))
    }

    fn may_have(&self, hash: u64) -> bool {
        if self.bits.is_empty() {
            return false;
        }
        let (word, bit) = self.place(hash);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::event::Kind;
    use crate::indicators::Validity;
    use crate::time::Moment;

    fn set(values: &[&str]) -> Indicators {
        let mut set = Indicators::default();
        for value in values {
            let value = Value::parse(value).unwrap();
            set.insert(Indicator::from(value));
        }
        set.seal();
        set
    }

    fn found(set: &Indicators, event: &Event<'_>) -> Vec<(Field, String)> {
        let mut found = Vec::new();
        set.find(event, &mut |field, number| {
            found.push((field, set.get(number).unwrap().value.to_string()));
        });
        found
    }

    fn asked<'l>(name: &'l str) -> Event<'l> {
        Event { name: Some(name.as_bytes()), ..Event::new(Kind::DnsQuery, None) }
    }

    #[test]
    fn names_match_themselves_and_those_below() {
        let set = set(&["c2.example", "deep.c2.example"]);
        let one = |name: &str| vec![(Field::Name, name.to_owned())];
        assert_eq!(found(&set, &asked("C2.Example.")), one("c2.example"));
        assert_eq!(found(&set, &asked("a.b.c2.example")), one("c2.example"));
        let both = ["deep.c2.example", "c2.example"].map(|name| (Field::Name, name.to_owned()));
        assert_eq!(found(&set, &asked("a.deep.c2.example")), both);
        for name in [
            "xc2.example",
            "c2.example.org",
            "example",
            "",
            ".",
            "c2.example.evil",
            r"x\.c2.example",
        ] {
            assert_eq!(found(&set, &asked(name)), [], "{name}");
        }
        assert_eq!(found(&set, &asked(&"a.".repeat(200))), []);
    }

    fn connection(server: &str, port: Option<u16>) -> Event<'static> {
        let server = Some(server.parse().unwrap());
        Event { server, port, ..Event::new(Kind::Connection, None) }
    }

    #[test]
    fn addresses_ports_and_networks() {
        let set = set(&[
            "192.0.2.1:23",
            "192.0.2.2",
            "198.51.100.0/24",
            "2001:db8::/48",
            "198.51.0.0/16",
        ]);
        let one = |value: &str| vec![(Field::Server, value.to_owned())];
        assert_eq!(found(&set, &connection("192.0.2.1", Some(23))), one("192.0.2.1:23"));
        assert_eq!(found(&set, &connection("192.0.2.1", None)), one("192.0.2.1:23"));
        assert_eq!(found(&set, &connection("192.0.2.1", Some(80))), []);
        assert_eq!(found(&set, &connection("192.0.2.2", Some(80))), one("192.0.2.2"));
        let mut both = found(&set, &connection("198.51.100.77", Some(80)));
        both.sort();
        assert_eq!(both, [one("198.51.0.0/16"), one("198.51.100.0/24")].concat());
        assert_eq!(found(&set, &connection("2001:db8:0:1::1", None)), one("2001:db8::/48"));
        assert_eq!(found(&set, &connection("192.0.2.12", None)), []);
        let answer = |port| Event {
            client: "192.0.2.1".parse().ok(),
            client_port: Some(port),
            ..Event::new(Kind::Connection, None)
        };
        assert_eq!(found(&set, &answer(23)), [(Field::Client, "192.0.2.1:23".to_owned())]);
        assert_eq!(found(&set, &answer(24)), []);
        let inbound = Event { client: "192.0.2.2".parse().ok(), ..Event::new(Kind::Login, None) };
        assert_eq!(found(&set, &inbound), [(Field::Client, "192.0.2.2".to_owned())]);
    }

    #[test]
    fn urls_match_by_host_and_path() {
        let set = set(&["http://c2.example/bins/a"]);
        let request = |url: &'static str, name: Option<&'static str>| Event {
            url: Some(url.as_bytes()),
            name: name.map(str::as_bytes),
            ..Event::new(Kind::WebRequest, None)
        };
        let one = vec![(Field::Url, "c2.example/bins/a".to_owned())];
        assert_eq!(found(&set, &request("https://C2.example/bins/a", None)), one);
        assert_eq!(found(&set, &request("/bins/a", Some("c2.example"))), one);
        assert_eq!(found(&set, &request("/bins/a", None)), []);
        let claimed = request("/bins/a", Some("198.51.100.9"));
        assert_eq!(found(&set, &claimed), []);
        let at = |host: &str, port| Event {
            server: host.parse().ok(),
            port,
            ..request("/bins/a", None)
        };
        assert_eq!(found(&set, &at("198.51.100.9", None)), []);
        let set = self::set(&[
            "http://198.51.100.9/bins/a",
            "http://198.51.100.8:8080/bins/a",
            "http://[2001:db8::9]/bins/a",
        ]);
        for (host, port, url) in [
            ("198.51.100.9", None, Some("198.51.100.9/bins/a")),
            ("198.51.100.9", Some(80), Some("198.51.100.9/bins/a")),
            ("198.51.100.8", Some(8080), Some("198.51.100.8:8080/bins/a")),
            ("198.51.100.8", Some(80), None),
            ("2001:db8::9", Some(80), Some("[2001:db8::9]/bins/a")),
        ] {
            let expected: Vec<_> =
                url.map(|url| (Field::Url, url.to_owned())).into_iter().collect();
            assert_eq!(found(&set, &at(host, port)), expected, "{host} {port:?}");
        }
        assert_eq!(found(&set, &claimed), [(Field::Url, "198.51.100.9/bins/a".to_owned())]);
        let of_six = request("/bins/a", Some("2001:db8::9"));
        assert_eq!(found(&set, &of_six), [(Field::Url, "[2001:db8::9]/bins/a".to_owned())]);
        let hosts = self::set(&["198.51.100.9:80", "203.0.113.0/24"]);
        let host = |name: &'static str| found(&hosts, &request("/", Some(name)));
        assert_eq!(host("198.51.100.9"), [(Field::Name, "198.51.100.9:80".to_owned())]);
        assert_eq!(host("203.0.113.7"), [(Field::Name, "203.0.113.0/24".to_owned())]);
        assert_eq!(host("198.51.100.90"), []);
        assert_eq!(found(&set, &request("/bins/ab", Some("c2.example"))), []);
    }

    #[test]
    fn the_same_value_twice_is_one_indicator() {
        let mut set = Indicators::default();
        let spans = [(Some(5), Some(9)), (Some(7), None)];
        for (from, until) in spans {
            let validity = Validity { from: from.map(Moment), until: until.map(Moment) };
            let value = Value::parse("c2.example").unwrap();
            set.insert(Indicator { validity, ..Indicator::from(value) });
        }
        assert_eq!(set.len(), 1);
        let validity = set.get(Number(0)).unwrap().validity;
        assert_eq!(validity, Validity { from: Some(Moment(5)), until: None });
        assert!(!validity.holds(Some(Moment(4))) && validity.holds(Some(Moment(99))));
        assert!(validity.holds(None));
    }
}
