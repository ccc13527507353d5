//! A device sends what an attack vector of a report sends, to one destination and as often as an attack does.
//!
//! Reason: the packets of a vector have one length, in UDP and GRE that of its compiled-in default to the
//! byte, and in TCP flags that no connection has from its begin to its end; thousands of them a minute, with nothing else
//! between the two, are that vector. Without a report nothing is told, as volume alone is daily life.
//!
//! Lengths are those of IPv4 packets with their header. NetFlow, IPFIX and `nfdump` count them, captures have
//! them; other logs tell nothing here.
//!
//! False positives: media of one fixed length (voice, video over UDP) that happens to be that of a vector;
//! one's own load tests; uploads of that very segment length, where a capture or router tells of pieces
//! without their first and pushed segments. False negatives: attacks for which the operator sets another length or other flags,
//! or that are spread over many destinations; forged sources, each of which sends little; vectors that use
//! connections of the system, which look like anybody's; sampled flows, where too few packets are counted;
//! records that count the link's header too.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use miyaburi_model::{Constant, FieldValue, Packet, Report};

use super::Seen;
use super::kept::Kept;
use crate::event::{Event, Traffic};
use crate::time::{Moment, SECOND};

/// Packets within [`WINDOW`].
const PACKETS: u64 = 3000;

/// A minute.
const WINDOW: i64 = 60 * SECOND;

/// Vectors that are told apart; what many reports share is one.
const VECTORS: usize = 1 << 12;

/// Bytes of headers without options (RFC 791, 793, 768, 792, 2784, IEEE 802.3).
const IP: u64 = 20;
const TCP: u64 = 20;
const UDP: u64 = 8;
const ICMP: u64 = 8;
const GRE: u64 = 4;
const ETHERNET: u64 = 14;

/// The most bytes of options in a TCP header.
const TCP_OPTIONS: u64 = 40;

/// Flags of TCP as reports name them, from the lowest bit on.
const FLAGS: [&str; 6] = ["fin", "syn", "reset", "push", "ack", "urg"];

/// What flows tell of a vector's packets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Vector {
    /// Number of the IP protocol.
    protocol: u8,
    /// Lengths with the IP header.
    lengths: RangeInclusive<u64>,
    /// All flags that are ever set, of TCP.
    flags: Option<u8>,
    /// What the report calls it.
    kind: String,
}

/// Vectors of reports.
#[derive(Clone, Debug, Default)]
pub struct Vectors {
    all: Vec<Vector>,
}

impl Vectors {
    /// Adds what the attacks of a report were seen to send.
    pub fn add(&mut self, report: &Report) {
        for attack in &report.attacks {
            let kind = attack.kind.as_deref().unwrap_or("unknown");
            for vector in attack.packets.iter().filter_map(|packet| Vector::of(packet, kind)) {
                if self.all.len() < VECTORS && !self.all.contains(&vector) {
                    self.all.push(vector);
                }
            }
        }
    }

    /// How many can be told from flows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Vector {
    /// What is known of a packet; none where it is not known enough, and of connections of the system.
    fn of(packet: &Packet, kind: &str) -> Option<Self> {
        let layers: Vec<&str> = packet.layers.iter().map(String::as_str).collect();
        let (protocol, headers, payload) = match layers.as_slice() {
            ["ip", "udp", ..] => (17, IP + UDP, "udp.payload"),
            ["ip", "icmp", ..] => (1, IP + ICMP, "data"),
            ["ip", "tcp"] => (6, IP + TCP, "tcp.payload"),
            ["ip", "gre", "ip", "udp", ..] => (47, IP + GRE + IP + UDP, "udp.payload"),
            ["ip", "gre", "eth", "ip", "udp", ..] => {
                (47, IP + GRE + ETHERNET + IP + UDP, "udp.payload")
            }
            _ => return None,
        };
        let length = headers + payload_length(packet, payload)?;
        let kind = kind.to_owned();
        if protocol != 6 {
            return Some(Self { protocol, lengths: length..=length, flags: None, kind });
        }
        let is_connection = from(packet, "tcp.srcport") == Some("connection");
        let flags = flags(packet).filter(|_| !is_connection)?;
        let has_options = packet.fields.keys().any(|name| name.starts_with("tcp.options"));
        let lengths = length..=length + if has_options { TCP_OPTIONS } else { 0 };
        Some(Self { protocol, lengths, flags: Some(flags), kind })
    }

    fn fits(&self, traffic: &Traffic) -> bool {
        let [least, most] =
            [self.lengths.start(), self.lengths.end()].map(|it| it.saturating_mul(traffic.packets));
        self.protocol == traffic.protocol
            && (least..=most).contains(&traffic.bytes)
            && (self.flags.is_none() || self.flags == traffic.flags)
    }
}

fn from<'p>(packet: &'p Packet, field: &str) -> Option<&'p str> {
    match &packet.fields.get(field)?.value {
        FieldValue::From { from } => Some(from),
        _ => None,
    }
}

/// Nothing where there is none; `None` where it is not known.
fn payload_length(packet: &Packet, field: &str) -> Option<u64> {
    match packet.fields.get(field).map(|field| &field.value) {
        None => Some(0),
        Some(FieldValue::Payload { length, .. }) => Some(*length).filter(|it| *it <= 0xffff),
        Some(_) => None,
    }
}

fn flags(packet: &Packet) -> Option<u8> {
    FLAGS.iter().enumerate().try_fold(0, |flags, (bit, name)| {
        match packet.fields.get(&format!("tcp.flags.{name}"))?.value {
            FieldValue::Constant { constant: Constant::Number(0) } => Some(flags),
            FieldValue::Constant { constant: Constant::Number(1) } => Some(flags | 1 << bit),
            _ => None,
        }
    })
}

/// What is kept of each device, its destination and a vector.
#[derive(Debug, Default)]
pub(super) struct Flooding {
    vectors: Vectors,
    pub(super) sent: Kept<(IpAddr, IpAddr, usize), (Moment, u64)>,
}

impl Flooding {
    /// Looks for what these vectors send.
    pub(super) fn of(vectors: Vectors) -> Self {
        Self { vectors, ..Self::default() }
    }

    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        let traffic = event.traffic.filter(|traffic| traffic.packets > 0)?;
        let (client, server) = event.client.zip(event.server)?;
        if !client.is_ipv4() {
            return None;
        }
        let vectors = self.vectors.all.iter().enumerate();
        let (number, vector) = vectors.into_iter().find(|(_, vector)| vector.fits(&traffic))?;
        let new = || (time, 0);
        let (since, packets) = self.sent.of((client, server, number), time, WINDOW, new)?;
        if time.0.saturating_sub(since.0) > WINDOW {
            (*since, *packets) = new();
        }
        *packets = packets.saturating_add(traffic.packets_within(WINDOW));
        (*packets >= PACKETS).then(|| {
            let reason = format!(
                "{packets} packets within a minute since {since}, of {} bytes each, as vectors of kind {:?} send them",
                traffic.bytes / traffic.packets,
                vector.kind,
            );
            Seen { other: Some(server.to_string()), ..Seen::of(client, reason) }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::tests::connection;
    use super::*;
    use miyaburi_model::Sample;

    fn packet(layers: &[&str], fields: &str) -> Packet {
        let layers = serde_json::to_string(layers).unwrap();
        let text = format!(
            "{{\"layers\":{layers},\"spoofable\":true,\"per_loop\":1,\"fields\":{{{fields}}}}}"
        );
        serde_json::from_str(&text).unwrap()
    }

    fn udp(length: u64) -> Packet {
        let field = format!(
            "\"udp.payload\":{{\"length\":{length},\"prefix_hex\":\"\",\"random\":true,\"option\":0}}"
        );
        packet(&["ip", "udp"], &field)
    }

    fn tcp(set: &[&str], source: &str, more: &str) -> Packet {
        let flags = FLAGS.map(|flag| {
            let value = u8::from(set.contains(&flag));
            format!("\"tcp.flags.{flag}\":{{\"constant\":{value}}}")
        });
        packet(&["ip", "tcp"], &format!("{},\"tcp.srcport\":{source}{more}", flags.join(",")))
    }

    /// Whether so many records of this traffic, one each second, are told.
    fn told(packet: &Packet, traffic: Traffic, records: i64) -> bool {
        let vector = Vector::of(packet, "x").expect("known enough");
        let mut flooding = Flooding::of(Vectors { all: vec![vector] });
        let event =
            Event { traffic: Some(traffic), ..connection("192.0.2.7", "203.0.113.9", 4444) };
        (0..records).any(|second| flooding.look(&event, Moment::from_unix(second)).is_some())
    }

    fn traffic(protocol: u8, packets: u64, length: u64) -> Traffic {
        Traffic {
            protocol,
            packets,
            bytes: packets * length,
            flags: None,
            lasted: 0,
            is_whole: true,
        }
    }

    #[test]
    fn many_packets_of_a_vectors_length() {
        assert!(told(&udp(1024), traffic(17, 100, 1052), 30));
        assert!(told(&udp(1024), traffic(17, PACKETS, 1052), 1));
        // Other lengths, protocols, few packets, and many in a long time.
        assert!(!told(&udp(1024), traffic(17, 100, 1051), 30));
        assert!(!told(&udp(1024), traffic(6, 100, 1052), 30));
        assert!(!told(&udp(1024), traffic(17, 100, 1052), 29));
        assert!(!told(&udp(1024), traffic(17, 49, 1052), 600));
        let call = Traffic { lasted: 600 * SECOND, ..traffic(17, 25_000, 1052) };
        assert!(!told(&udp(1024), call, 1));
        let mixed = Traffic { bytes: 100 * 1052 + 1, ..traffic(17, 100, 1052) };
        assert!(!told(&udp(1024), mixed, 30));
    }

    #[test]
    fn flags_of_tcp_are_all_of_a_flow() {
        let syn = tcp(
            &["syn"],
            "{\"random\":[1,65535]}",
            ",\"tcp.options.wscale.shift\":{\"constant\":6}",
        );
        let of = |flags: Option<u8>, length: u64| {
            told(&syn, Traffic { flags, ..traffic(6, PACKETS, length) }, 1)
        };
        assert!(of(Some(2), 40) && of(Some(2), 60));
        assert!(!of(Some(0x12), 60) && !of(None, 60) && !of(Some(2), 500));
        assert_eq!(Vector::of(&tcp(&["syn"], "{\"from\":\"connection\"}", ""), "x"), None);
        // Without options the length is one.
        let ack = tcp(&["ack"], "{\"random\":[1,65535]}", "");
        let told_of =
            |length| told(&ack, Traffic { flags: Some(16), ..traffic(6, PACKETS, length) }, 1);
        assert_eq!([40, 41, 52].map(told_of), [true, false, false]);
        // Flags that are drawn are known of none.
        assert_eq!(Vector::of(&packet(&["ip", "tcp"], ""), "x"), None);
    }

    #[test]
    fn tunnels_and_what_is_unknown() {
        let payload = "\"udp.payload\":{\"length\":512,\"prefix_hex\":\"\",\"random\":true}";
        let tunnel = packet(&["ip", "gre", "ip", "udp"], payload);
        assert!(told(&tunnel, traffic(47, PACKETS, 564), 1));
        assert_eq!(Vector::of(&packet(&["ipv6", "udp"], payload), "x"), None);
        let drawn = packet(&["ip", "udp"], "\"udp.payload\":{\"from\":\"option\"}");
        assert_eq!(Vector::of(&drawn, "x"), None);
    }

    #[test]
    fn what_many_reports_share_is_one_vector() {
        let attack = serde_json::json!({
            "vector": 0, "handler": "0x1000", "kind": "udp", "kind_method": null,
            "packets": [udp(512)],
        });
        let mut report = Report::failed(Sample::default(), "test", "none");
        report.attacks.push(serde_json::from_value(attack).unwrap());
        let mut vectors = Vectors::default();
        vectors.add(&report);
        vectors.add(&report);
        assert_eq!((vectors.len(), vectors.all[0].kind.as_str()), (1, "udp"));
    }
}
