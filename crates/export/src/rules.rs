//! What the rules of a list would hit, told by what logs say of connections and queries.
//!
//! Each format says what its rules look for, as its consumers do: the packet filter an address with its
//! port, a dataset the address alone. So the same log can be hit by one and not by another. What a record
//! does not say, such as a port, counts as hit. Rules that look for what no log says, such as payloads,
//! are counted as [untold](Conditions::untold).

use std::collections::HashMap;
use std::fmt;

use core::net::IpAddr;

use ipnet::IpNet;
use miyaburi_model::Protocol;

use crate::indicators::DomainName;

/// IP protocols (IANA, Protocol Numbers).
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What a rule looks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The name is asked for in DNS.
    Query(DomainName),
    /// Something is requested of the name by HTTP.
    Request(DomainName),
    /// A packet goes to the address, be it an answer.
    Packet(IpAddr),
    /// A connection, or packets without one, go to the network.
    Flow {
        /// The network, or one address.
        destination: IpNet,
        /// IP protocol, none for any.
        protocol: Option<u8>,
        /// Port, none for any.
        port: Option<u16>,
    },
}

/// What the rules of a format look for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// One for each rule or entry.
    pub told: Vec<Condition>,
    /// Rules and entries for what logs do not say.
    pub untold: usize,
}

/// A rule of a format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The format.
    pub format: &'static str,
    /// What it looks for.
    pub condition: Condition,
}

/// Who contacted whom, as far as a record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// A name that was asked for in DNS.
    pub query: Option<DomainName>,
    /// A name that something was requested of by HTTP.
    pub request: Option<DomainName>,
    /// Who began.
    pub client: Option<IpAddr>,
    /// Who was contacted.
    pub server: Option<IpAddr>,
    /// At this port.
    pub port: Option<u16>,
    /// By this transport.
    pub protocol: Option<Protocol>,
}

/// Rules of many formats, looked up at once.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    names: HashMap<DomainName, Vec<Rule>>,
    addresses: HashMap<IpAddr, Vec<Rule>>,
    networks: Vec<Rule>,
    count: usize,
}

impl Rules {
    /// Adds what the rules of a format look for.
    pub fn add(&mut self, format: &'static str, conditions: Vec<Condition>) {
        self.count += conditions.len();
        for condition in conditions {
            let rules = match &condition {
                Condition::Query(name) | Condition::Request(name) => {
                    self.names.entry(name.clone()).or_default()
                }
                Condition::Packet(address) => self.addresses.entry(*address).or_default(),
                Condition::Flow { destination, .. } if is_address(destination) => {
                    self.addresses.entry(destination.addr()).or_default()
                }
                Condition::Flow { .. } => &mut self.networks,
            };
            rules.push(Rule { format, condition });
        }
    }

    /// How many rules there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The rules that a contact hits, each once.
    pub fn hit<'r>(&'r self, contact: &Contact) -> impl Iterator<Item = &'r Rule> {
        let names = contact.query.iter().chain(&contact.request);
        let names = names.filter_map(|name| self.names.get(name));
        let addresses = [contact.client, contact.server].into_iter().flatten();
        let addresses = addresses.filter_map(|address| self.addresses.get(&address));
        let rules = names.chain(addresses).flatten().chain(&self.networks);
        rules.filter(|rule| rule.condition.holds(contact))
    }
}

fn is_address(network: &IpNet) -> bool {
    network.prefix_len() == network.max_prefix_len()
}

impl Condition {
    fn holds(&self, contact: &Contact) -> bool {
        match self {
            Self::Query(name) => contact.query.as_ref() == Some(name),
            Self::Request(name) => contact.request.as_ref() == Some(name),
            Self::Packet(address) => [contact.client, contact.server].contains(&Some(*address)),
            Self::Flow { destination, protocol, port } => {
                let spoken = contact.protocol.map(protocol_number);
                contact.server.is_some_and(|server| destination.contains(&server))
                    && may_be(*protocol, spoken)
                    && may_be(*port, contact.port)
            }
        }
    }
}

/// Whether what a rule wants, if anything, is what a record says, if it does.
fn may_be<T: PartialEq>(wanted: Option<T>, said: Option<T>) -> bool {
    match (wanted, said) {
        (Some(wanted), Some(said)) => wanted == said,
        (None, _) | (_, None) => true,
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(name) => write!(formatter, "query for {name}"),
            Self::Request(name) => write!(formatter, "request to {name}"),
            Self::Packet(address) => write!(formatter, "packet to {address}"),
            Self::Flow { destination, protocol, port } => {
                match is_address(destination) {
                    true => write!(formatter, "to {}", destination.addr())?,
                    false => write!(formatter, "to {destination}")?,
                }
                match protocol {
                    None => {}
                    Some(TCP) => formatter.write_str(" tcp")?,
                    Some(UDP) => formatter.write_str(" udp")?,
                    Some(other) => write!(formatter, " protocol {other}")?,
                }
                port.map_or(Ok(()), |port| write!(formatter, " port {port}"))
            }
        }
    }
}

/// The number of a transport.
pub(crate) const fn protocol_number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => TCP,
        Protocol::Udp => UDP,
    }
}
