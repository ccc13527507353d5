//! What was sent as the IP packets that would have left the machine, for people who want to look.
//!
//! What a program hands to a raw socket with its own IP header is that packet, once the kernel has
//! filled in length, checksum and a source address left out. Everything else gets the headers that a
//! kernel would add, in its plainest form: of a connection the request for it, then the data; what
//! the other side would answer is not made up.
//!
//! Packets kept in a file can be sent by mistake. Every IPv4 address in them, those of packets within
//! packets included, is one of a documentation network (RFC 5737): another is replaced by
//! 198.51.100.N, N its last number, and the checksums that cover it are adapted, so that right ones
//! stay right and wrong ones wrong. Of IPv6 the same holds with 2001:db8::/32 (RFC 3849).

use super::rewrite;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use etherparse::{IpHeaders, IpNumber, PacketBuilder, PacketBuilderStep};
use miyaburi_linux::{
    NetworkAction, NetworkEvent, OWN_HOST, OWN_PORT, OWN_SEQUENCE, PEER_SEQUENCE, Transport,
};
use rustc_hash::FxHashMap;

/// The time to live of what the kernel sends (Linux's default).
const TTL: u8 = 64;

/// The window of a connection's packets.
const WINDOW: u16 = u16::MAX;

/// Bytes of data in one packet of a connection: what Ethernet leaves.
const SEGMENT: usize = 1460;

/// Bytes of the longest IP packet.
const MAX_PACKET: usize = u16::MAX as usize;

/// The packets of one run, in order, each from the first byte of its IP header.
pub(super) fn packets(events: &[NetworkEvent]) -> Vec<Vec<u8>> {
    let mut wire = Wire::default();
    events.iter().flat_map(|event| wire.packets(event)).collect()
}

/// A network card.
#[derive(Default)]
struct Wire {
    /// Bytes sent so far, by connection.
    sent: FxHashMap<(SocketAddr, SocketAddr), u32>,
}

impl Wire {
    fn packets(&mut self, event: &NetworkEvent) -> Vec<Vec<u8>> {
        let packets = match (&event.action, event.transport) {
            (NetworkAction::Bound, _) => Vec::new(),
            (NetworkAction::Sent(bytes), Transport::Raw { has_header: true, .. }) => {
                completed(bytes, event).into_iter().collect()
            }
            (NetworkAction::Sent(bytes), Transport::Raw { protocol, .. }) => {
                written(|packet| ip(event)?.write(packet, IpNumber(protocol), bytes).ok())
            }
            (NetworkAction::Sent(bytes), Transport::Udp) => datagram(event, bytes),
            (NetworkAction::Asked { name, record }, Transport::Tcp) => {
                let query = query(name, *record);
                let length = u16::try_from(query.len()).unwrap_or(0).to_be_bytes();
                self.segments(event, &[&length[..], &query].concat())
            }
            (NetworkAction::Asked { name, record }, _) => datagram(event, &query(name, *record)),
            (NetworkAction::Connected, Transport::Tcp) => connection(event),
            (NetworkAction::Sent(bytes), Transport::Tcp) => self.segments(event, bytes),
            (NetworkAction::Connected, _) => Vec::new(),
        };
        packets.into_iter().filter(|packet| packet.len() <= MAX_PACKET).map(documented).collect()
    }

    /// Data of a connection.
    fn segments(&mut self, event: &NetworkEvent, bytes: &[u8]) -> Vec<Vec<u8>> {
        let sent = self.sent.entry((event.own, event.address)).or_default();
        let mut packets = Vec::new();
        for segment in bytes.chunks(SEGMENT) {
            let sequence = OWN_SEQUENCE.wrapping_add(1).wrapping_add(*sent);
            packets.extend(written(|packet| {
                let segment_of = ip(event)?
                    .tcp(own_port(event), event.address.port(), sequence, WINDOW)
                    .ack(PEER_SEQUENCE.wrapping_add(1))
                    .psh();
                segment_of.write(packet, segment).ok()
            }));
            *sent = sent.wrapping_add(u32::try_from(segment.len()).unwrap_or(0));
        }
        packets
    }
}

/// The packet that `write` writes, if it can be.
fn written(write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Vec<Vec<u8>> {
    let mut packet = Vec::new();
    match write(&mut packet) {
        Some(()) => vec![packet],
        None => Vec::new(),
    }
}

fn datagram(event: &NetworkEvent, bytes: &[u8]) -> Vec<Vec<u8>> {
    let ports = (own_port(event), event.address.port());
    written(|packet| ip(event)?.udp(ports.0, ports.1).write(packet, bytes).ok())
}

/// The request for a connection.
fn connection(event: &NetworkEvent) -> Vec<Vec<u8>> {
    let ports = (own_port(event), event.address.port());
    written(|packet| {
        ip(event)?.tcp(ports.0, ports.1, OWN_SEQUENCE, WINDOW).syn().write(packet, &[]).ok()
    })
}

fn own_port(event: &NetworkEvent) -> u16 {
    match event.own.port() {
        0 => OWN_PORT,
        port => port,
    }
}

/// The socket's own address, that of the machine as long as it has none.
fn own_host(event: &NetworkEvent) -> IpAddr {
    let own = event.own.ip().to_canonical();
    if own.is_unspecified() { OWN_HOST.into() } else { own }
}

/// The header of IP that the kernel makes; `None` for addresses of different kinds.
fn ip(event: &NetworkEvent) -> Option<PacketBuilderStep<IpHeaders>> {
    match (own_host(event), event.address.ip().to_canonical()) {
        (IpAddr::V4(own), IpAddr::V4(other)) => {
            Some(PacketBuilder::ipv4(own.octets(), other.octets(), TTL))
        }
        (IpAddr::V6(own), IpAddr::V6(other)) => Some(v6(own, other)),
        // The machine's own address is known in one kind.
        (IpAddr::V4(own), IpAddr::V6(other)) => Some(v6(own.to_ipv6_mapped(), other)),
        (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

fn v6(own: Ipv6Addr, other: Ipv6Addr) -> PacketBuilderStep<IpHeaders> {
    let documented = |host: Ipv6Addr| match host.segments() {
        [0x2001, 0xdb8, ..] => host,
        [.., last] => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last),
    };
    PacketBuilder::ipv6(documented(own).octets(), documented(other).octets(), TTL)
}

/// The packet of a program that makes the header itself, with what the kernel fills in; `None` for
/// what has no header of IPv4.
fn completed(bytes: &[u8], event: &NetworkEvent) -> Option<Vec<u8>> {
    let mut packet = bytes.to_vec();
    rewrite::header_length(&packet)?;
    let length = u16::try_from(packet.len()).ok()?;
    rewrite::put(&mut packet, rewrite::TOTAL_LENGTH, &length.to_be_bytes());
    rewrite::renew_checksum(&mut packet);
    // Handlers are called before the program knows its address: 0 means that one, in checksums, too.
    let IpAddr::V4(own) = own_host(event) else { return Some(packet) };
    let known = |host: Ipv4Addr| if host.is_unspecified() { own } else { host };
    rewrite::replace_outermost(&mut packet, &known);
    Some(packet)
}

/// The packet with addresses of documentation.
fn documented(mut packet: Vec<u8>) -> Vec<u8> {
    rewrite::replace_addresses(&mut packet, |host| match host.octets() {
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => host,
        [.., last] => Ipv4Addr::new(198, 51, 100, last),
    });
    packet
}

/// A query for a name (RFC 1035, 4.1). Its own number was not kept: it is 0.
fn query(name: &str, record: u16) -> Vec<u8> {
    /// Recursion is desired, and there is one question.
    const HEADER: [u8; 12] = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    /// The longest label.
    const MAX_LABEL: usize = 63;
    const INTERNET: [u8; 2] = [0, 1];
    let mut query = HEADER.to_vec();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = label.as_bytes();
        let label = label.get(..label.len().min(MAX_LABEL)).unwrap_or(label);
        query.push(u8::try_from(label.len()).unwrap_or(0));
        query.extend(label);
    }
    query.push(0);
    query.extend(record.to_be_bytes());
    query.extend(INTERNET);
    query
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use etherparse::{PacketHeaders, PayloadSlice, TransportHeader};
    use miyaburi_image::Address;

    const TARGET: [u8; 4] = [203, 0, 113, 77];

    fn event(transport: Transport, action: NetworkAction) -> NetworkEvent {
        let (own, address) = (([0; 4], 0).into(), (TARGET, 80).into());
        NetworkEvent { site: Address(0), transport, own, address, action }
    }

    fn sent(transport: Transport, bytes: &[u8]) -> NetworkEvent {
        event(transport, NetworkAction::Sent(bytes.to_vec()))
    }

    /// A packet whose checksums are right, and what it carries.
    fn read(packet: &[u8]) -> (Ipv4Addr, Ipv4Addr, TransportHeader, Vec<u8>) {
        let headers = PacketHeaders::from_ip_slice(packet).unwrap();
        let header = headers.net.unwrap();
        let (header, _) = header.ipv4_ref().unwrap();
        assert_eq!(header.header_checksum, header.calc_header_checksum());
        assert_eq!(usize::from(header.total_len), packet.len());
        let data = match headers.payload {
            PayloadSlice::Udp(data) | PayloadSlice::Tcp(data) => data.to_vec(),
            other => other.slice().to_vec(),
        };
        let transport = headers.transport.unwrap();
        match &transport {
            TransportHeader::Udp(udp) => {
                assert_eq!(udp.checksum, udp.calc_checksum_ipv4(header, &data).unwrap());
            }
            TransportHeader::Tcp(tcp) => {
                assert_eq!(tcp.checksum, tcp.calc_checksum_ipv4(header, &data).unwrap());
            }
            _ => {}
        }
        (header.source.into(), header.destination.into(), transport, data)
    }

    #[test]
    fn ordinary_datagrams_get_headers() {
        let packets = packets(&[sent(Transport::Udp, b"data")]);
        let (source, destination, transport, data) = read(&packets[0]);
        assert_eq!((source, destination), ([198, 51, 100, 2].into(), TARGET.into()));
        let udp = transport.udp().unwrap();
        assert_eq!((udp.source_port, udp.destination_port), (OWN_PORT, 80));
        assert_eq!(data, b"data");
    }

    #[test]
    fn a_connection_is_asked_for_and_goes_on_where_it_was() {
        let long = vec![b'x'; SEGMENT + 1];
        let events = [
            event(Transport::Tcp, NetworkAction::Connected),
            sent(Transport::Tcp, &long),
            sent(Transport::Tcp, b"y"),
        ];
        let read: Vec<_> = packets(&events).iter().map(|packet| read(packet)).collect();
        let tcp: Vec<_> =
            read.iter().map(|(_, _, header, _)| header.clone().tcp().unwrap()).collect();
        assert!(tcp[0].syn && !tcp[0].ack);
        assert!(tcp[1..].iter().all(|tcp| tcp.ack && tcp.psh && !tcp.syn));
        let sequence: Vec<u32> =
            tcp.iter().map(|tcp| tcp.sequence_number.wrapping_sub(OWN_SEQUENCE)).collect();
        assert_eq!(sequence, [0, 1, 1461, 1462]);
        let lengths: Vec<usize> = read.iter().map(|(_, _, _, data)| data.len()).collect();
        assert_eq!(lengths, [0, 1460, 1, 1]);
    }

    #[test]
    fn what_the_kernel_fills_in_is_filled_in() {
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ipv4([0; 4], TARGET, 64).udp(7, 8);
        builder.write(&mut bytes, b"data").unwrap();
        // The source is left to the kernel, and so are length and checksum.
        bytes[2..4].fill(0);
        bytes[10..12].fill(0);
        let raw = Transport::Raw { protocol: 255, has_header: true };
        let packets = packets(&[sent(raw, &bytes), sent(raw, &[0x45; 19]), sent(raw, &[0; 40])]);
        assert_eq!(packets.len(), 1);
        let (source, destination, _, data) = read(&packets[0]);
        assert_eq!((source, destination), ([198, 51, 100, 2].into(), TARGET.into()));
        assert_eq!(data, b"data");
    }

    #[test]
    fn drawn_addresses_become_those_of_documentation_and_checksums_follow() {
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ipv4([8, 8, 4, 9], [9, 9, 9, 7], 64).tcp(1, 2, 3, 4).syn();
        builder.write(&mut bytes, b"").unwrap();
        let raw = Transport::Raw { protocol: 6, has_header: true };
        let packets = packets(&[sent(raw, &bytes)]);
        let (source, destination, transport, _) = read(&packets[0]);
        assert_eq!((source, destination), ([198, 51, 100, 9].into(), [198, 51, 100, 7].into()));
        assert!(transport.tcp().unwrap().syn);
    }

    #[test]
    fn wrong_checksums_stay_wrong_and_missing_ones_missing() {
        let mut bytes = Vec::new();
        PacketBuilder::ipv4([8, 8, 4, 9], TARGET, 64).udp(7, 8).write(&mut bytes, b"data").unwrap();
        let raw = Transport::Raw { protocol: 17, has_header: true };
        for checksum in [[0, 0], [0x12, 0x34]] {
            bytes[26..28].copy_from_slice(&checksum);
            let packets = packets(&[sent(raw, &bytes)]);
            let headers = PacketHeaders::from_ip_slice(&packets[0]).unwrap();
            let net = headers.net.unwrap();
            let udp = headers.transport.unwrap().udp().unwrap();
            let right = udp.calc_checksum_ipv4(net.ipv4_ref().unwrap().0, b"data").unwrap();
            assert_ne!(udp.checksum, right);
            assert_eq!(udp.checksum == 0, checksum == [0, 0]);
        }
    }

    #[test]
    fn packets_within_packets_are_of_documentation_as_well() {
        for ethernet in [false, true] {
            let mut inner = Vec::new();
            let builder = PacketBuilder::ipv4([1, 2, 3, 4], [5, 6, 7, 8], 64).udp(1, 2);
            builder.write(&mut inner, b"inner").unwrap();
            let gre: Vec<u8> = match ethernet {
                false => [&[0, 0, 8, 0][..], &inner].concat(),
                true => [&[0, 0, 0x65, 0x58][..], &[2; 12], &[8, 0], &inner].concat(),
            };
            let start = 20 + gre.len() - inner.len();
            let packets =
                packets(&[sent(Transport::Raw { protocol: 47, has_header: false }, &gre)]);
            let (source, destination, _, data) = read(&packets[0][start..]);
            assert_eq!((source, destination), ([198, 51, 100, 4].into(), [198, 51, 100, 8].into()));
            assert_eq!(data, b"inner");
            assert_eq!(packets[0][12..16], [198, 51, 100, 2]);
        }
    }

    #[test]
    fn names_are_asked_for_again() {
        let asked = NetworkAction::Asked { name: "c.example".to_owned(), record: 16 };
        let events = [event(Transport::Udp, asked.clone()), event(Transport::Tcp, asked)];
        let packets = packets(&events);
        let query = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x01c\x07example\0\0\x10\0\x01";
        assert_eq!(read(&packets[0]).3, query);
        assert_eq!(read(&packets[1]).3, [&[0, 27][..], query].concat());
    }

    #[test]
    fn what_leaves_no_trace_on_the_wire_gives_none() {
        let events = [
            event(Transport::Udp, NetworkAction::Bound),
            event(Transport::Udp, NetworkAction::Connected),
            sent(Transport::Udp, &vec![0; 70_000]),
        ];
        assert!(packets(&events).is_empty());
    }
}
