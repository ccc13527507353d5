//! What one behaviour of the network leads to: whom the program connects to, and whether it had that
//! from an answer.

use crate::endpoints::experiments::answers::Answers;
use crate::endpoints::experiments::can_be_host;
use crate::endpoints::experiments::session::{Session, Visit};
use crate::endpoints::experiments::watch::Deed;
use crate::endpoints::{host, transport};
use crate::subject::Subject;
use core::net::{IpAddr, SocketAddr};
use miyaburi_linux::{NetworkAction, Script, Transport};

/// The port of name servers.
const DNS: u16 = 53;

/// Where an address that was connected to comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// The program has it.
    Own(IpAddr),
    /// A name server said that this name has it.
    Named(String),
    /// It stood in a TXT record.
    InText,
    /// It stood in an HTTP response.
    InPage,
    /// It follows what was answered, otherwise than as it is.
    Derived(IpAddr),
}

/// A stream that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) host: Host,
    pub(super) address: SocketAddr,
    pub(super) deed: Deed,
}

/// What one behaviour of the network leads to.
pub(super) struct Outcome<'a> {
    /// Streams in the order in which they were opened, each once.
    pub(super) contacts: Vec<Contact>,
    pub(super) visit: Visit<'a>,
}

impl<'a> Outcome<'a> {
    /// Lets `session` run on with two sets of answers; `script` makes a network of a set.
    pub(super) fn of(
        subject: &mut Subject<'a>,
        session: &Session<'a>,
        script: impl Fn(&Answers) -> Script,
    ) -> Self {
        let visit = session.visit(subject, &script(&Answers::PLAIN));
        let is_told = visit.deeds.iter().any(|deed| match &deed.event.action {
            NetworkAction::Asked { .. } => true,
            NetworkAction::Sent(_) => deed.event.transport == Transport::Tcp,
            NetworkAction::Connected | NetworkAction::Bound => false,
        });
        let other = is_told.then(|| session.visit(subject, &script(&Answers::OTHER)));
        let other: Vec<SocketAddr> = match &other {
            Some(other) => other.connections().into_iter().map(|(_, to)| to).collect(),
            None => visit.connections().into_iter().map(|(_, to)| to).collect(),
        };
        let host = |to: SocketAddr| match to.ip() {
            // What is left of an answer may look like a network's own address.
            host if other.contains(&to) && (!is_told || can_be_host(host)) => Host::Own(host),
            host if Answers::PLAIN.is_text(host) => Host::InText,
            host if Answers::PLAIN.is_page(host) => Host::InPage,
            host => match visit.name_of(host) {
                Some(name) if host::parse(name.as_bytes()).is_some() => {
                    Host::Named(name.to_owned())
                }
                _ => Host::Derived(host),
            },
        };
        let contacts = visit.connections().into_iter();
        let contacts = contacts.map(|(deed, address)| Contact {
            host: host(address),
            address,
            deed: deed.clone(),
        });
        Self { contacts: contacts.collect(), visit }
    }

    /// The names that were asked for, and what was connected to.
    pub(super) fn traces(&self) -> Vec<String> {
        let asked = self.visit.asked();
        // What follows the answer to no name at all is not meant.
        let is_meant = |it: &&Contact| !matches!(it.host, Host::Derived(_)) || !asked.is_empty();
        let connected = self.contacts.iter().filter(is_meant).map(|contact| match &contact.host {
            Host::Own(_) => contact.address.to_string(),
            other => format!("{other:?}"),
        });
        let asked = asked.iter().map(|(_, name, record)| format!("{name} {record}"));
        asked.chain(connected).collect()
    }

    /// Datagrams to others than name servers, the first to each.
    pub(super) fn datagrams(&self) -> Vec<(&Deed, SocketAddr)> {
        let mut found: Vec<(&Deed, SocketAddr)> = Vec::new();
        for deed in &self.visit.deeds {
            let to = deed.event.address;
            let is_datagram = deed.event.transport == Transport::Udp
                && matches!(deed.event.action, NetworkAction::Sent(_));
            if is_datagram
                && ![0, DNS].contains(&to.port())
                && !found.iter().any(|(_, known)| *known == to)
            {
                found.push((deed, to));
            }
        }
        found
    }

    /// Addresses that were bound, by streams and datagrams.
    pub(super) fn bound(&self) -> impl Iterator<Item = (SocketAddr, transport::Transport)> {
        let events = self.visit.process.kernel.network_events().iter();
        let bound = events.filter(|event| event.action == NetworkAction::Bound);
        bound.filter_map(|event| match event.transport {
            Transport::Tcp => Some((event.address, transport::Transport::Stream)),
            Transport::Udp => Some((event.address, transport::Transport::Datagram)),
            Transport::Raw { .. } => None,
        })
    }

    /// The request that was first sent over a stream to `address`.
    pub(super) fn request_to(&self, address: SocketAddr) -> Option<&[u8]> {
        self.visit.deeds.iter().find_map(|deed| match &deed.event.action {
            NetworkAction::Sent(bytes)
                if deed.event.transport == Transport::Tcp && deed.event.address == address =>
            {
                Some(bytes.as_slice())
            }
            _ => None,
        })
    }
}
