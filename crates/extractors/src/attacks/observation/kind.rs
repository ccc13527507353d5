//! What an attack is, by what it sends.

use super::packet::{Packet, Value};
use std::collections::BTreeSet;

/// What Source engine servers are asked, behind four bytes `ff` (Valve's server queries).
const SOURCE_ENGINE: &[u8] = b"\xff\xff\xff\xffTSource Engine Query";

/// What an attack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UDP packets with headers of its own.
    Udp,
    /// Datagrams of an ordinary socket.
    UdpPlain,
    /// Queries to game servers of the Source engine.
    Vse,
    /// Queries for names.
    DnsQuery,
    /// Requests for TCP connections that nobody wants.
    Syn,
    /// TCP packets that belong to no connection.
    Ack,
    /// TCP packets of a connection that was made first, with headers of its own.
    TcpStomp,
    /// TCP connections, with or without something sent on them.
    TcpConnect,
    /// IP in GRE.
    GreIp,
    /// Ethernet in GRE.
    GreEth,
    /// ICMP.
    Icmp,
    /// HTTP requests.
    Http,
    /// Other packets with headers of its own.
    RawOther,
    /// Nothing was sent.
    NoneObserved,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::UdpPlain => "udp_plain",
            Self::Vse => "vse",
            Self::DnsQuery => "dns_query",
            Self::Syn => "syn",
            Self::Ack => "ack",
            Self::TcpStomp => "tcp_stomp",
            Self::TcpConnect => "tcp_connect",
            Self::GreIp => "gre_ip",
            Self::GreEth => "gre_eth",
            Self::Icmp => "icmp",
            Self::Http => "http",
            Self::RawOther => "raw_other",
            Self::NoneObserved => "none_observed",
        }
    }

    /// What the packets of one attack, or of several runs of it, make it.
    ///
    /// A name that is looked up again and again under changing names is the attack; one that is
    /// looked up before something else is sent is not.
    #[must_use]
    pub fn of(packets: &[Packet]) -> Self {
        let own: Vec<&Packet> = packets.iter().filter(|packet| packet.is_raw).collect();
        let has_connection = packets.iter().any(Packet::is_connection);
        if let Some(last) = own.last() {
            return of_own(last, has_connection);
        }
        let has_layer = |packet: &&Packet, layer| packet.layers.contains(&layer);
        let Some(last) = packets.iter().rfind(|packet| !packet.is_lookup()) else {
            let names: BTreeSet<&Value> =
                packets.iter().filter_map(|packet| packet.fields.get("dns.qry.name")).collect();
            return if names.len() > 1 { Self::DnsQuery } else { Self::NoneObserved };
        };
        if packets.iter().any(|packet| has_layer(&packet, "http")) {
            return Self::Http;
        }
        let mut layers = last.layers.iter();
        match layers.find(|layer| !["ip", "ipv6"].contains(layer)) {
            Some(&"tcp") => Self::TcpConnect,
            Some(&"udp") => of_datagram(last).unwrap_or(Self::UdpPlain),
            Some(&"icmp") => Self::Icmp,
            Some(&"gre") => of_own(last, false),
            _ => Self::RawOther,
        }
    }
}

fn of_datagram(packet: &Packet) -> Option<Kind> {
    if packet.layers.contains(&"dns") {
        return Some(Kind::DnsQuery);
    }
    let (_, payload) = packet.payload.as_ref()?;
    payload.starts_with(SOURCE_ENGINE).then_some(Kind::Vse)
}

/// What a packet with a header of its own makes the attack.
fn of_own(packet: &Packet, has_connection: bool) -> Kind {
    let is_set = |flag| packet.number(flag) == Some(1);
    match packet.layers.get(1) {
        Some(&"udp") => of_datagram(packet).unwrap_or(Kind::Udp),
        Some(&"tcp") if has_connection => Kind::TcpStomp,
        Some(&"tcp") if is_set("tcp.flags.syn") && !is_set("tcp.flags.ack") => Kind::Syn,
        Some(&"tcp") if is_set("tcp.flags.ack") && !is_set("tcp.flags.syn") => Kind::Ack,
        Some(&"gre") if packet.layers.contains(&"eth") => Kind::GreEth,
        Some(&"gre") => Kind::GreIp,
        Some(&"icmp") => Kind::Icmp,
        _ => Kind::RawOther,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(layers: &[&'static str], flags: &[&str], payload: &[u8]) -> Packet {
        let set = |flag: &&str| ((*flag).to_owned(), Value::Number(1));
        Packet {
            layers: layers.to_vec(),
            fields: flags.iter().map(set).collect(),
            payload: (!payload.is_empty()).then(|| ("udp.payload", payload.to_vec())),
            is_raw: true,
            has_own_address: true,
        }
    }

    fn kernels(layers: &[&'static str], payload: &[u8]) -> Packet {
        Packet { is_raw: false, has_own_address: false, ..raw(layers, &[], payload) }
    }

    fn lookup(name: &str) -> Packet {
        let mut packet = kernels(&["ip", "udp", "dns"], b"");
        packet.fields.insert("dns.qry.name".to_owned(), Value::Text(name.to_owned()));
        packet
    }

    #[test]
    fn what_is_sent_decides() {
        let syn = raw(&["ip", "tcp"], &["tcp.flags.syn"], b"");
        let ack = raw(&["ip", "tcp"], &["tcp.flags.ack", "tcp.flags.push"], b"x");
        let both = raw(&["ip", "tcp"], &["tcp.flags.syn", "tcp.flags.ack"], b"");
        let connection = kernels(&["ip", "tcp"], b"");
        let cases: [(&[Packet], Kind); 17] = [
            (&[raw(&["ip", "udp"], &[], b"x")], Kind::Udp),
            (&[raw(&["ip", "udp"], &[], b"\xff\xff\xff\xffTSource Engine Query\0")], Kind::Vse),
            (&[raw(&["ip", "udp"], &[], b"\xff\xff\xff\xffTSource")], Kind::Udp),
            (&[raw(&["ip", "udp", "dns"], &[], b"x")], Kind::DnsQuery),
            (&[kernels(&["ip", "udp"], b"x")], Kind::UdpPlain),
            (&[syn], Kind::Syn),
            (std::slice::from_ref(&ack), Kind::Ack),
            (&[both], Kind::RawOther),
            (&[connection.clone(), ack.clone()], Kind::TcpStomp),
            (std::slice::from_ref(&connection), Kind::TcpConnect),
            (&[connection.clone(), kernels(&["ip", "tcp", "http"], b"GET / HTTP/1.1")], Kind::Http),
            (&[raw(&["ip", "gre", "ip", "udp"], &[], b"x")], Kind::GreIp),
            (&[raw(&["ip", "gre", "eth", "ip", "udp"], &[], b"x")], Kind::GreEth),
            (&[raw(&["ip", "icmp"], &[], b"x")], Kind::Icmp),
            (&[raw(&["ip"], &[], b"x")], Kind::RawOther),
            (&[lookup("a.example"), lookup("b.example")], Kind::DnsQuery),
            (&[], Kind::NoneObserved),
        ];
        for (packets, kind) in cases {
            assert_eq!(Kind::of(packets), kind, "{packets:?}");
        }
    }

    #[test]
    fn a_name_that_is_looked_up_first_is_no_attack() {
        assert_eq!(Kind::of(&[lookup("a.example"), lookup("a.example")]), Kind::NoneObserved);
        let syn = raw(&["ip", "tcp"], &["tcp.flags.syn"], b"");
        assert_eq!(Kind::of(&[lookup("a.example"), syn]), Kind::Syn);
        // The target itself is asked.
        let mut query = lookup("a.example");
        let target = core::net::Ipv4Addr::from(super::super::order::TARGET).to_string();
        query.fields.insert("ip.dst".to_owned(), Value::Text(target));
        assert_eq!(Kind::of(&[query.clone(), query]), Kind::DnsQuery);
    }
}
