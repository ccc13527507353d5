//! What a process sees of the network: a script answers, and everything sent is kept.

use crate::script::Script;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use miyaburi_image::{Address, Endian};
use simple_dns::rdata::{A, AAAA, RData, SOA, TXT};
use simple_dns::{CLASS, CharacterString, Name, Packet, QTYPE, RCODE, ResourceRecord, TYPE};

/// Events kept of one process.
const MAX_EVENTS: usize = 10_000;

/// Bytes kept of all that is sent together.
const MAX_SENT: usize = 1 << 20;

/// The port of name servers.
const DNS: u16 = 53;

/// The machine's own address.
pub const OWN_HOST: [u8; 4] = [10, 83, 98, 2];

/// The first port that it takes for a connection of a process with the seed 0.
pub const OWN_PORT: u16 = 32_768;

/// Ports that one process takes at most; that of the next seed takes those behind them, so that a port
/// that the kernel chose can be told from one that the program chose.
pub const OWN_PORTS: u16 = 1024;

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
    /// It connected, or tried to.
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

/// The network of one process, as a script has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// How it behaves.
    pub(crate) script: Script,
    /// Names in the order in which they were asked for.
    names: Vec<String>,
    events: Vec<NetworkEvent>,
    sent: usize,
}

impl Network {
    /// A network that behaves as `script` has it.
    pub(crate) fn following(script: Script) -> Self {
        Self { script, ..Self::default() }
    }

    /// What happened, in order.
    pub(crate) fn events(&self) -> &[NetworkEvent] {
        &self.events
    }

    /// Forgets what happened; names keep their addresses.
    pub(crate) fn forget(&mut self) {
        self.events.clear();
        self.sent = 0;
    }

    /// The name whose address is `host`.
    pub(crate) fn name_of(&self, host: IpAddr) -> Option<&str> {
        let number = self.script.names.number_of(host)?;
        self.names.get(usize::from(number)).map(String::as_str)
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
        let is_stream = route.transport == Transport::Tcp;
        if route.address.port() == DNS
            && (is_stream || route.transport == Transport::Udp)
            && let Some(Asked { name, record, reply }) = self.answer(bytes, is_stream)
        {
            self.note(route.event(NetworkAction::Asked { name, record }));
            return Some(reply);
        }
        self.note(route.event(NetworkAction::Sent(bytes.to_vec())));
        match &self.script.page {
            Some(page) if is_stream && is_request(bytes) => Some(response(page)),
            _ => None,
        }
    }

    /// Answers a query. Over a stream both stand behind their length (RFC 1035, 4.2.2), which may be
    /// sent by itself before.
    fn answer(&mut self, bytes: &[u8], is_stream: bool) -> Option<Asked> {
        if !is_stream {
            return self.resolve(bytes);
        }
        let is_length =
            |length: [u8; 2], query: &[u8]| usize::from(u16::from_be_bytes(length)) == query.len();
        let query = match bytes {
            [first, second, query @ ..] if is_length([*first, *second], query) => query,
            _ => bytes,
        };
        let Asked { name, record, reply } = self.resolve(query)?;
        let length = u16::try_from(reply.len()).ok()?.to_be_bytes();
        Some(Asked { name, record, reply: [&length[..], &reply].concat() })
    }

    fn resolve(&mut self, query: &[u8]) -> Option<Asked> {
        let packet = Packet::parse(query).ok()?;
        let question = packet.questions.first()?;
        let name = question.qname.to_string();
        let record = u16::from(question.qtype);
        let number = self.number_of(&name);
        let owner = question.qname.clone().into_owned();
        let data = number.and_then(|number| self.data_of(number, question.qtype));
        let mut reply = packet.into_reply();
        match data {
            Some(data) => {
                reply.answers.push(ResourceRecord::new(owner, CLASS::IN, TIME_TO_LIVE, data));
            }
            None => {
                *reply.rcode_mut() = RCODE::NameError;
                reply.name_servers.push(authority(owner));
            }
        }
        Some(Asked { name, record, reply: reply.build_bytes_vec_compressed().ok()? })
    }

    /// What the script says of the `number`th name.
    fn data_of(&self, number: u8, kind: QTYPE) -> Option<RData<'static>> {
        let names = &self.script.names;
        match kind {
            _ if !names.exist => None,
            QTYPE::TYPE(TYPE::A) => Some(RData::A(A { address: names.address_of(number).into() })),
            QTYPE::TYPE(TYPE::AAAA) => {
                let address = names.address_of(number).to_ipv6_mapped().into();
                Some(RData::AAAA(AAAA { address }))
            }
            QTYPE::TYPE(TYPE::TXT) => {
                let text = CharacterString::new(names.text.as_deref()?).ok()?.into_owned();
                Some(RData::TXT(TXT::new().with_char_string(text)))
            }
            _ => None,
        }
    }

    /// The number of a name; `None` for those behind the 256th, which have no address.
    fn number_of(&mut self, name: &str) -> Option<u8> {
        let known = self.names.iter().position(|known| known == name);
        let number = known.unwrap_or(self.names.len());
        let number = u8::try_from(number).ok()?;
        if known.is_none() {
            self.names.push(name.to_owned());
        }
        Some(number)
    }
}

/// A query with the answer to it.
struct Asked {
    name: String,
    record: u16,
    reply: Vec<u8>,
}

/// What a server says of a name that does not exist (RFC 2308): who is responsible.
fn authority(owner: Name<'static>) -> ResourceRecord<'static> {
    let data = RData::SOA(SOA {
        mname: owner.clone(),
        rname: owner.clone(),
        serial: 1,
        refresh: 3600,
        retry: 600,
        expire: 86_400,
        minimum: TIME_TO_LIVE,
    });
    ResourceRecord::new(owner, CLASS::IN, TIME_TO_LIVE, data)
}

/// Whether bytes are an HTTP request.
fn is_request(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let version = b" HTTP/1.";
    let is_method = line.starts_with(b"GET /") || line.starts_with(b"POST /");
    is_method && line.windows(version.len()).any(|part| part == version)
}

/// An HTTP response with a JSON document.
fn response(page: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/dns-json\r\nContent-Length: {}\r\n\r\n",
        page.len()
    );
    [head.as_bytes(), page].concat()
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

/// The address that a socket has once it is connected, when `port` is what the kernel chooses.
pub(crate) fn connected(own: SocketAddr, port: u16) -> SocketAddr {
    let host = match own {
        SocketAddr::V4(_) => IpAddr::from(OWN_HOST),
        SocketAddr::V6(_) => IpAddr::from(Ipv4Addr::from(OWN_HOST).to_ipv6_mapped()),
    };
    let port = match own.port() {
        0 => port,
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
    use simple_dns::{QCLASS, Question};

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

    /// A query for one record of `c2.example`.
    fn query(kind: TYPE) -> Vec<u8> {
        let mut query = Packet::new_query(9);
        let name = Name::new_unchecked("c2.example");
        let class = QCLASS::CLASS(CLASS::IN);
        query.questions.push(Question::new(name, QTYPE::TYPE(kind), class, false));
        query.build_bytes_vec().unwrap_or_default()
    }

    /// What `network` answers to a query.
    fn answered(network: &mut Network, transport: Transport, query: &[u8]) -> Option<Vec<u8>> {
        let server = SocketAddr::from(([198, 51, 100, 53], DNS));
        network.send(Route { transport, ..route(server) }, query)
    }

    #[test]
    fn records_hold_what_the_script_says() {
        let names =
            crate::script::Names { text: Some(b"192.0.2.7".to_vec()), ..Default::default() };
        let mut network = Network::following(Script { names, ..Script::default() });
        let reply = answered(&mut network, Transport::Udp, &query(TYPE::TXT)).unwrap_or_default();
        let parsed = Packet::parse(&reply).ok();
        let text = parsed.as_ref().and_then(|reply| match &reply.answers.first()?.rdata {
            RData::TXT(text) => String::try_from(text.clone()).ok(),
            _ => None,
        });
        assert_eq!(text.as_deref(), Some("192.0.2.7"));
        // The name of an answer is a pointer to that of the question, as servers write it.
        let length = query(TYPE::TXT).len();
        assert_eq!(reply.get(length..length + 2), Some(&[0xc0, 12][..]));
        let reply = answered(&mut network, Transport::Udp, &query(TYPE::AAAA)).unwrap_or_default();
        let address = Ipv4Addr::new(240, 83, 98, 0).to_ipv6_mapped().octets();
        assert_eq!(reply.get(reply.len() - 16..), Some(&address[..]));
    }

    #[test]
    fn names_that_do_not_exist_are_told_with_who_says_so() {
        let names = crate::script::Names { exist: false, ..Default::default() };
        let mut network = Network::following(Script { names, ..Script::default() });
        let reply = answered(&mut network, Transport::Udp, &query(TYPE::A)).unwrap_or_default();
        let parsed = Packet::parse(&reply).ok();
        let told = parsed.map(|it| (it.rcode(), it.answers.len(), it.name_servers.len()));
        assert_eq!(told, Some((RCODE::NameError, 0, 1)));
    }

    #[test]
    fn queries_over_a_stream_stand_behind_their_length() {
        let mut network = Network::default();
        let query = query(TYPE::A);
        let framed = [&(query.len() as u16).to_be_bytes()[..], &query].concat();
        for bytes in [&framed, &query] {
            let reply = answered(&mut network, Transport::Tcp, bytes).unwrap_or_default();
            let length = reply.get(..2).map(|it| usize::from(it[0]) << 8 | usize::from(it[1]));
            assert_eq!(length, reply.len().checked_sub(2));
            assert!(length.is_some_and(|length| length > query.len()));
        }
    }

    #[test]
    fn requests_are_answered_with_the_page_and_nothing_else_is() {
        let page = Some(b"{}".to_vec());
        let mut network = Network::following(Script { page, ..Script::default() });
        let peer = SocketAddr::from(([192, 0, 2, 7], 443));
        let stream = Route { transport: Transport::Tcp, ..route(peer) };
        let reply = network.send(stream, b"GET /q?name=a HTTP/1.1\r\n\r\n").unwrap_or_default();
        assert!(reply.starts_with(b"HTTP/1.1 200 OK\r\n") && reply.ends_with(b"\r\n\r\n{}"));
        assert_eq!(network.send(stream, b"GET no path"), None);
        assert_eq!(network.send(stream, &[0, 0, 0, 1, 0]), None);
        assert_eq!(network.send(route(peer), b"GET / HTTP/1.1\r\n\r\n"), None);
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
