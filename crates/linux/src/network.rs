//! What a process sees of the network: a script answers, and everything sent is kept.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use miyaburi_image::{Address, Endian};
use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Packet, QTYPE, ResourceRecord, TYPE};

/// Events kept of one process.
const MAX_EVENTS: usize = 10_000;

/// Bytes kept of all that is sent together.
const MAX_SENT: usize = 1 << 20;

/// The port of name servers.
const DNS: u16 = 53;

/// The machine's own address.
const OWN_HOST: [u8; 4] = [10, 83, 98, 2];

/// The first port that it takes for a connection.
pub const OWN_PORT: u16 = 32_768;

/// Where a peer's numbering of a connection begins.
pub const PEER_SEQUENCE: u32 = 0x5045_4552;

/// What a peer says that our numbering of a connection has come to.
pub const OWN_SEQUENCE: u32 = 0x4f57_4e31;

/// Seconds that an answer holds.
const TIME_TO_LIVE: u32 = 300;

/// `AF_INET` and `AF_INET6`, the same on every CPU.
const FAMILIES: [u64; 2] = [2, 10];

/// How packets of a socket travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A stream.
    Tcp,
    /// Datagrams.
    Udp,
    /// Packets that the program makes itself.
    Raw {
        /// The protocol that the socket was made for, by number.
        protocol: u8,
        /// Whether packets begin with their IP header.
        has_header: bool,
    },
}

/// What a process did on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkEvent {
    /// The system call.
    pub site: Address,
    /// How.
    pub transport: Transport,
    /// The socket's own address.
    pub own: SocketAddr,
    /// Whom it concerns; of what is bound the own address.
    pub address: SocketAddr,
    /// What was done.
    pub action: NetworkAction,
}

/// Where something is sent from and to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) site: Address,
    pub(crate) transport: Transport,
    pub(crate) own: SocketAddr,
    pub(crate) address: SocketAddr,
}

impl Route {
    /// What is done on it.
    pub(crate) const fn event(self, action: NetworkAction) -> NetworkEvent {
        let Self { site, transport, own, address } = self;
        NetworkEvent { site, transport, own, address, action }
    }
}

/// What a process does on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkAction {
    /// It connected.
    Connected,
    /// It took an address of its own.
    Bound,
    /// It asked for a name.
    Asked {
        /// The name, without its last dot.
        name: String,
        /// The type of record by number (RFC 1035).
        record: u16,
    },
    /// It sent bytes.
    Sent(Vec<u8>),
}

/// The network of one process. Names resolve, and connections succeed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// Names in the order in which they were asked for.
    names: Vec<String>,
    events: Vec<NetworkEvent>,
    sent: usize,
}

/// The `number`th address that names have: of the reserved class E, which no host has (RFC 1112).
const fn answer(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(240, 83, 98, number)
}

impl Network {
    /// What happened, in order.
    pub(crate) fn events(&self) -> &[NetworkEvent] {
        &self.events
    }

    /// The name whose address is `host`.
    pub(crate) fn name_of(&self, host: IpAddr) -> Option<&str> {
        let named = (0..=u8::MAX).zip(&self.names);
        named.into_iter().find(|(number, _)| IpAddr::V4(answer(*number)) == host).map(|it| &**it.1)
    }

    pub(crate) fn note(&mut self, event: NetworkEvent) {
        if let NetworkAction::Sent(bytes) = &event.action {
            self.sent = self.sent.saturating_add(bytes.len());
        }
        if self.events.len() < MAX_EVENTS && self.sent <= MAX_SENT {
            self.events.push(event);
        }
    }

    /// Takes a message; what comes back.
    pub(crate) fn send(&mut self, route: Route, bytes: &[u8]) -> Option<Vec<u8>> {
        if route.address.port() == DNS
            && route.transport == Transport::Udp
            && let Some((name, record, reply)) = self.resolve(bytes)
        {
            self.note(route.event(NetworkAction::Asked { name, record }));
            return Some(reply);
        }
        self.note(route.event(NetworkAction::Sent(bytes.to_vec())));
        None
    }

    /// The name and type that a query asks for, and the answer to it.
    fn resolve(&mut self, query: &[u8]) -> Option<(String, u16, Vec<u8>)> {
        let packet = Packet::parse(query).ok()?;
        let question = packet.questions.first()?;
        let name = question.qname.to_string();
        let record = u16::from(question.qtype);
        let number = self.number_of(&name);
        let asks_for_address = question.qtype == QTYPE::TYPE(TYPE::A);
        let owner = question.qname.clone().into_owned();
        let mut reply = packet.into_reply();
        if asks_for_address {
            let address = RData::A(A { address: answer(number).into() });
            reply.answers.push(ResourceRecord::new(owner, CLASS::IN, TIME_TO_LIVE, address));
        }
        Some((name, record, reply.build_bytes_vec().ok()?))
    }

    fn number_of(&mut self, name: &str) -> u8 {
        let known = self.names.iter().position(|known| known == name);
        let number = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        u8::try_from(number).unwrap_or(u8::MAX)
    }
}

/// Reads `struct sockaddr_in` or `struct sockaddr_in6`.
pub(crate) fn socket_address(endian: Endian, bytes: &[u8]) -> Option<SocketAddr> {
    let family = endian.read_uint(bytes.get(..2)?);
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    let host = match FAMILIES.iter().position(|known| *known == family)? {
        0 => IpAddr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?),
    };
    Some(SocketAddr::new(host, port))
}

/// The bytes of a socket address.
pub(crate) fn socket_address_bytes(endian: Endian, address: SocketAddr) -> Vec<u8> {
    let (family, size) = match address {
        SocketAddr::V4(_) => (FAMILIES[0], 16),
        SocketAddr::V6(_) => (FAMILIES[1], 28),
    };
    let mut bytes = vec![0; 2];
    endian.write_uint(&mut bytes, family);
    bytes.extend(address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(host) => bytes.extend(host.octets()),
        IpAddr::V6(host) => {
            bytes.extend([0; 4]);
            bytes.extend(host.octets());
        }
    }
    bytes.resize(size, 0);
    bytes
}

/// Whether `host` is the machine's own address.
#[must_use]
pub fn is_own_address(host: IpAddr) -> bool {
    host.to_canonical() == IpAddr::from(OWN_HOST)
}

/// The address that a socket has once it is connected.
pub(crate) fn connected(own: SocketAddr, descriptor: u64) -> SocketAddr {
    let host = match own {
        SocketAddr::V4(_) => IpAddr::from(OWN_HOST),
        SocketAddr::V6(_) => IpAddr::from(Ipv4Addr::from(OWN_HOST).to_ipv6_mapped()),
    };
    let port = match own.port() {
        0 => OWN_PORT.saturating_add(descriptor as u16),
        port => port,
    };
    SocketAddr::new(host, port)
}

/// The packet that answers the first one of a connection: IPv4 and TCP headers, SYN and ACK set.
/// `None` for IPv6. Checksums are left 0.
pub(crate) fn handshake(own: SocketAddr, peer: SocketAddr) -> Option<Vec<u8>> {
    const SIZE: u8 = 40;
    let (SocketAddr::V4(own), SocketAddr::V4(peer)) = (own, peer) else { return None };
    let mut packet = vec![0x45, 0, 0, SIZE, 0, 1, 0x40, 0, 64, 6, 0, 0];
    packet.extend(peer.ip().octets());
    packet.extend(own.ip().octets());
    packet.extend(peer.port().to_be_bytes());
    packet.extend(own.port().to_be_bytes());
    packet.extend(PEER_SEQUENCE.to_be_bytes());
    packet.extend(OWN_SEQUENCE.to_be_bytes());
    packet.extend([0x50, 0x12, 0xff, 0xff, 0, 0, 0, 0]);
    Some(packet)
}

/// The address that a socket has until it takes another: nothing.
pub(crate) fn unspecified(is_wide: bool) -> SocketAddr {
    let host = match is_wide {
        true => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        false => IpAddr::from(Ipv4Addr::UNSPECIFIED),
    };
    SocketAddr::new(host, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::{Name, QCLASS, Question};

    fn route(address: SocketAddr) -> Route {
        let own = unspecified(false);
        Route { site: Address(0x10), transport: Transport::Udp, own, address }
    }

    #[test]
    fn a_query_for_an_address_is_answered_with_a_reserved_one() {
        let mut query = Packet::new_query(7);
        let name = Name::new_unchecked("c2.example");
        let question = Question::new(name, QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN), false);
        query.questions.push(question);
        let bytes = query.build_bytes_vec().unwrap_or_default();
        let mut network = Network::default();
        let server = SocketAddr::from(([192, 0, 2, 53], DNS));
        let reply = network.send(route(server), &bytes);
        let reply = reply.unwrap_or_default();
        let parsed = Packet::parse(&reply).map(|reply| {
            (reply.id(), reply.answers.first().map(|answer| answer.rdata.clone().into_owned()))
        });
        let expected = RData::A(A { address: Ipv4Addr::new(240, 83, 98, 0).into() });
        assert_eq!(parsed.ok(), Some((7, Some(expected))));
        let asked = NetworkAction::Asked { name: "c2.example".to_owned(), record: 1 };
        assert_eq!(network.events().first().map(|event| &event.action), Some(&asked));
        assert_eq!(network.name_of(IpAddr::from([240, 83, 98, 0])), Some("c2.example"));
        assert_eq!(network.name_of(IpAddr::from([240, 83, 98, 1])), None);
    }

    #[test]
    fn what_is_no_query_is_sent_and_not_answered() {
        let mut network = Network::default();
        let server = SocketAddr::from(([192, 0, 2, 53], DNS));
        assert_eq!(network.send(route(server), b"x"), None);
        let sent = NetworkAction::Sent(b"x".to_vec());
        assert_eq!(network.events().first().map(|event| &event.action), Some(&sent));
    }

    #[test]
    fn socket_addresses_are_read_as_they_are_written() {
        for address in ["192.0.2.7:23", "[2001:db8::7]:48101"] {
            let address: Option<SocketAddr> = address.parse().ok();
            for endian in [Endian::Little, Endian::Big] {
                let bytes = address.map(|address| socket_address_bytes(endian, address));
                assert_eq!(socket_address(endian, &bytes.unwrap_or_default()), address);
            }
        }
        assert_eq!(socket_address(Endian::Little, &[1, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
