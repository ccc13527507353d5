//! Packets, field by field, under the names that Wireshark's display filters have for them.

use super::order::TARGET;
use core::net::{IpAddr, Ipv4Addr};
use etherparse::{
    Ethernet2Header, Icmpv4Header, Ipv4Header, TcpHeader, TcpOptionElement, UdpHeader,
};
use miyaburi_linux::{NetworkAction, NetworkEvent, Transport};
use simple_dns::{Packet as DnsPacket, QTYPE};
use std::collections::BTreeMap;

/// IP's protocols (IANA).
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;

/// What GRE carries (RFC 2784, RFC 1701): IPv4, or Ethernet.
const GRE_IPV4: u16 = 0x0800;
const GRE_ETHERNET: u16 = 0x6558;

/// Packets within packets that are looked into.
const MAX_NESTING: usize = 2;

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A text, or an address in its usual notation.
    Text(String),
}

/// A packet, or what was asked of the kernel in its stead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Protocols from the outside in.
    pub layers: Vec<&'static str>,
    /// Fields by name; those of a second header of the same kind end in `#2`.
    pub fields: BTreeMap<String, Value>,
    /// What the last header carries, with the name of it.
    pub payload: Option<(&'static str, Vec<u8>)>,
    /// Whether the program made the header of TCP, UDP or another protocol itself.
    pub is_raw: bool,
    /// Whether it made the IP header itself, its own address included.
    pub has_own_address: bool,
}

impl Packet {
    /// What one event on the network sends; `None` when it sends nothing.
    pub(super) fn of(event: &NetworkEvent) -> Option<Self> {
        let mut packet = Self::default();
        match (&event.action, event.transport) {
            (NetworkAction::Bound, _) => return None,
            (NetworkAction::Sent(bytes), Transport::Raw { has_header: true, .. }) => {
                packet.is_raw = true;
                packet.has_own_address = true;
                packet.add_ip(bytes);
            }
            (NetworkAction::Sent(bytes), Transport::Raw { protocol, .. }) => {
                packet.is_raw = true;
                packet.add_destination(event);
                packet.add_transport(protocol, bytes);
            }
            (NetworkAction::Sent(bytes), Transport::Udp) => {
                packet.add_destination(event);
                packet.add_ports("udp", event);
                packet.add_udp_payload(bytes);
            }
            (NetworkAction::Asked { name, record }, _) => {
                packet.add_destination(event);
                packet.add_ports("udp", event);
                packet.layers.push("dns");
                packet.add("dns.qry.name", Value::Text(name.clone()));
                packet.add_number("dns.qry.type", *record);
            }
            (NetworkAction::Sent(bytes), Transport::Tcp) => {
                packet.add_destination(event);
                packet.add_ports("tcp", event);
                packet.add_tcp_payload(bytes);
            }
            (NetworkAction::Connected, Transport::Tcp) => {
                packet.add_destination(event);
                packet.add_ports("tcp", event);
                packet.add_number("tcp.flags.syn", 1u8);
            }
            // Nothing leaves the machine when other sockets are connected.
            (NetworkAction::Connected, _) => return None,
        }
        Some(packet)
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.fields.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        }
    }

    /// Whether this asks a name server, other than the target, by way of an ordinary socket.
    pub(super) fn is_lookup(&self) -> bool {
        let target = Ipv4Addr::from(TARGET).to_string();
        let is_asked = self.text("ip.dst").is_none_or(|host| host != target);
        !self.is_raw && self.layers.contains(&"dns") && self.payload.is_none() && is_asked
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.fields.get(name)? {
            Value::Text(text) => Some(text),
            Value::Number(_) => None,
        }
    }

    /// Whether this is the request for a connection, made by the kernel.
    pub(super) fn is_connection(&self) -> bool {
        !self.is_raw && self.layers == ["ip", "tcp"] && self.payload.is_none()
    }

    fn add(&mut self, name: &str, value: Value) {
        let name = match self.fields.contains_key(name) {
            true => format!("{name}#2"),
            false => name.to_owned(),
        };
        self.fields.insert(name, value);
    }

    fn add_number(&mut self, name: &str, value: impl Into<u64>) {
        self.add(name, Value::Number(value.into()));
    }

    fn add_address(&mut self, name: &str, octets: [u8; 4]) {
        self.add(name, Value::Text(Ipv4Addr::from(octets).to_string()));
    }

    fn add_destination(&mut self, event: &NetworkEvent) {
        let (layer, field) = match event.address.ip() {
            IpAddr::V4(_) => ("ip", "ip.dst"),
            IpAddr::V6(_) => ("ipv6", "ipv6.dst"),
        };
        self.layers.push(layer);
        self.add(field, Value::Text(event.address.ip().to_string()));
    }

    fn add_ports(&mut self, layer: &'static str, event: &NetworkEvent) {
        self.layers.push(layer);
        if event.own.port() != 0 {
            self.add_number(&format!("{layer}.srcport"), event.own.port());
        }
        self.add_number(&format!("{layer}.dstport"), event.address.port());
    }

    fn add_payload(&mut self, name: &'static str, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.payload = Some((name, bytes.to_vec()));
        }
    }

    fn add_ip(&mut self, bytes: &[u8]) {
        let Ok((header, rest)) = Ipv4Header::from_slice(bytes) else {
            return self.add_payload("data", bytes);
        };
        self.layers.push("ip");
        let service = header.dscp.value() << 2 | header.ecn.value();
        self.add_number("ip.dsfield", service);
        self.add_number("ip.id", header.identification);
        self.add_number("ip.flags.df", u8::from(header.dont_fragment));
        self.add_number("ip.flags.mf", u8::from(header.more_fragments));
        self.add_number("ip.frag_offset", header.fragment_offset.value());
        self.add_number("ip.ttl", header.time_to_live);
        self.add_number("ip.proto", header.protocol.0);
        self.add_address("ip.src", header.source);
        self.add_address("ip.dst", header.destination);
        self.add_transport(header.protocol.0, rest);
    }

    fn add_transport(&mut self, protocol: u8, bytes: &[u8]) {
        match protocol {
            UDP => self.add_udp(bytes),
            TCP => self.add_tcp(bytes),
            ICMP => self.add_icmp(bytes),
            GRE => self.add_gre(bytes),
            _ => self.add_payload("data", bytes),
        }
    }

    fn add_udp(&mut self, bytes: &[u8]) {
        let Ok((header, rest)) = UdpHeader::from_slice(bytes) else {
            return self.add_payload("data", bytes);
        };
        self.layers.push("udp");
        self.add_number("udp.srcport", header.source_port);
        self.add_number("udp.dstport", header.destination_port);
        self.add_udp_payload(rest);
    }

    fn add_udp_payload(&mut self, bytes: &[u8]) {
        self.add_payload("udp.payload", bytes);
        let Some(query) = DnsPacket::parse(bytes).ok().filter(|dns| dns.questions.len() == 1)
        else {
            return;
        };
        let Some(question) = query.questions.first() else { return };
        self.layers.push("dns");
        self.add_number("dns.id", query.id());
        self.add("dns.qry.name", Value::Text(question.qname.to_string()));
        let kind = question.qtype;
        if !matches!(kind, QTYPE::ANY) {
            self.add_number("dns.qry.type", u16::from(kind));
        }
    }

    fn add_tcp(&mut self, bytes: &[u8]) {
        let Ok((header, rest)) = TcpHeader::from_slice(bytes) else {
            return self.add_payload("data", bytes);
        };
        self.layers.push("tcp");
        self.add_number("tcp.srcport", header.source_port);
        self.add_number("tcp.dstport", header.destination_port);
        self.add_number("tcp.seq", header.sequence_number);
        self.add_number("tcp.ack", header.acknowledgment_number);
        for (name, is_set) in [
            ("tcp.flags.urg", header.urg),
            ("tcp.flags.ack", header.ack),
            ("tcp.flags.push", header.psh),
            ("tcp.flags.reset", header.rst),
            ("tcp.flags.syn", header.syn),
            ("tcp.flags.fin", header.fin),
        ] {
            self.add_number(name, u8::from(is_set));
        }
        self.add_number("tcp.window_size_value", header.window_size);
        for option in header.options_iterator().map_while(Result::ok) {
            match option {
                TcpOptionElement::MaximumSegmentSize(size) => {
                    self.add_number("tcp.options.mss_val", size);
                }
                TcpOptionElement::WindowScale(shift) => {
                    self.add_number("tcp.options.wscale.shift", shift);
                }
                TcpOptionElement::Timestamp(own, _) => {
                    self.add_number("tcp.options.timestamp.tsval", own);
                }
                _ => {}
            }
        }
        self.add_tcp_payload(rest);
    }

    fn add_tcp_payload(&mut self, bytes: &[u8]) {
        self.add_payload("tcp.payload", bytes);
        let mut request = httparse::Request::new(&mut []);
        // There may be headers, which are not asked for, and those may be garbage.
        let _ = request.parse(bytes);
        let (Some(method), Some(path)) = (request.method, request.path) else { return };
        self.layers.push("http");
        self.add("http.request.method", Value::Text(method.to_owned()));
        self.add("http.request.uri", Value::Text(path.to_owned()));
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
            let field = match name.to_ascii_lowercase().as_str() {
                "host" => "http.host",
                "user-agent" => "http.user_agent",
                "cookie" => "http.cookie",
                "content-type" => "http.content_type",
                _ => continue,
            };
            self.add(field, Value::Text(value.trim().to_owned()));
        }
        if !body.is_empty() {
            self.add("http.file_data", Value::Text(body.to_owned()));
        }
    }

    fn add_icmp(&mut self, bytes: &[u8]) {
        let Ok((header, rest)) = Icmpv4Header::from_slice(bytes) else {
            return self.add_payload("data", bytes);
        };
        self.layers.push("icmp");
        if let [kind, code, ..] = bytes {
            self.add_number("icmp.type", *kind);
            self.add_number("icmp.code", *code);
        }
        if let etherparse::Icmpv4Type::EchoRequest(echo) = header.icmp_type {
            self.add_number("icmp.ident", echo.id);
            self.add_number("icmp.seq", echo.seq);
        }
        self.add_payload("data", rest);
    }

    /// GRE's fixed part; checksum, key and sequence number follow where its flags say so (RFC 2890).
    fn add_gre(&mut self, bytes: &[u8]) {
        let [high, low, kind_high, kind_low, rest @ ..] = bytes else {
            return self.add_payload("data", bytes);
        };
        self.layers.push("gre");
        let kind = u16::from_be_bytes([*kind_high, *kind_low]);
        self.add_number("gre.flags_and_version", u16::from_be_bytes([*high, *low]));
        self.add_number("gre.proto", kind);
        let optional = (*high >> 7 & 1) + (*high >> 5 & 1) + (*high >> 4 & 1);
        let rest = rest.get(4 * usize::from(optional)..).unwrap_or(&[]);
        let is_nested = self.layers.iter().filter(|layer| **layer == "gre").count() >= MAX_NESTING;
        match kind {
            GRE_IPV4 if !is_nested => self.add_ip(rest),
            GRE_ETHERNET if !is_nested => self.add_ethernet(rest),
            _ => self.add_payload("data", rest),
        }
    }

    fn add_ethernet(&mut self, bytes: &[u8]) {
        let Ok((header, rest)) = Ethernet2Header::from_slice(bytes) else {
            return self.add_payload("data", bytes);
        };
        self.layers.push("eth");
        let notation = |octets: [u8; 6]| octets.map(|octet| format!("{octet:02x}")).join(":");
        self.add("eth.dst", Value::Text(notation(header.destination)));
        self.add("eth.src", Value::Text(notation(header.source)));
        self.add_number("eth.type", header.ether_type.0);
        match header.ether_type {
            etherparse::EtherType::IPV4 => self.add_ip(rest),
            _ => self.add_payload("data", rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;
    use miyaburi_image::Address;

    fn event(transport: Transport, action: NetworkAction) -> NetworkEvent {
        let own = ([10, 0, 0, 1], 4000).into();
        let address = ([192, 0, 2, 7], 80).into();
        NetworkEvent { site: Address(0), transport, own, address, action }
    }

    fn raw(bytes: Vec<u8>) -> Packet {
        let transport = Transport::Raw { protocol: 255, has_header: true };
        Packet::of(&event(transport, NetworkAction::Sent(bytes))).unwrap_or_default()
    }

    #[test]
    fn headers_within_headers_are_read() {
        let mut inner = Vec::new();
        let builder = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 32).udp(7, 8);
        builder.write(&mut inner, b"data").unwrap_or_default();
        let mut bytes = Vec::new();
        let gre = [&[0, 0, 8, 0][..], &inner].concat();
        let builder = PacketBuilder::ipv4([10, 0, 0, 1], [192, 0, 2, 7], 64);
        builder.write(&mut bytes, etherparse::IpNumber(47), &gre).unwrap_or_default();
        let packet = raw(bytes);
        assert_eq!(packet.layers, ["ip", "gre", "ip", "udp"]);
        assert_eq!(packet.number("gre.proto"), Some(0x0800));
        assert_eq!((packet.number("ip.ttl"), packet.number("ip.ttl#2")), (Some(64), Some(32)));
        assert_eq!(packet.text("ip.dst#2"), Some("192.0.2.2"));
        assert_eq!(packet.payload, Some(("udp.payload", b"data".to_vec())));
    }

    #[test]
    fn flags_of_tcp_are_read_one_by_one() {
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ipv4([10, 0, 0, 1], [192, 0, 2, 7], 64).tcp(1, 2, 3, 4).syn();
        builder.write(&mut bytes, b"").unwrap_or_default();
        let packet = raw(bytes);
        assert_eq!(packet.number("tcp.flags.syn"), Some(1));
        assert_eq!(packet.number("tcp.flags.ack"), Some(0));
        assert_eq!(
            (packet.number("tcp.seq"), packet.number("tcp.window_size_value")),
            (Some(3), Some(4))
        );
        assert_eq!(packet.payload, None);
    }

    #[test]
    fn requests_are_read_even_with_headers_that_are_garbage() {
        let request = b"GET /a HTTP/1.1\r\n\x01\xfe\r\nHost: c.example\r\n\r\nbody";
        let packet = Packet::of(&event(Transport::Tcp, NetworkAction::Sent(request.to_vec())));
        let packet = packet.unwrap_or_default();
        assert_eq!(packet.layers, ["ip", "tcp", "http"]);
        assert_eq!(packet.text("http.request.uri"), Some("/a"));
        assert_eq!(packet.text("http.host"), Some("c.example"));
        assert_eq!(packet.text("http.file_data"), Some("body"));
        let other = event(Transport::Tcp, NetworkAction::Sent(b"\x00\x00\x00\x01".to_vec()));
        assert_eq!(Packet::of(&other).unwrap_or_default().layers, ["ip", "tcp"]);
    }

    #[test]
    fn what_is_cut_short_is_data() {
        for length in 0..20 {
            let packet = raw(vec![0x45; length]);
            assert_eq!(packet.layers, Vec::<&str>::new());
        }
        let bound = event(Transport::Udp, NetworkAction::Bound);
        assert_eq!(Packet::of(&bound), None);
    }
}
