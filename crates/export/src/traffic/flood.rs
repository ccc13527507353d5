//! What a router can tell of an attack's packets.

use miyaburi_model::Packet;
use serde::{Deserialize, Serialize};

use super::marks::{fixed, taken_from};
use super::signature::{Transport, transport};

/// IP protocols (IANA, Protocol Numbers).
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;

/// Packets to the attacked address that a rate limit on the way to it can be for.
///
/// Of connections that the system makes none is: their source is real, and whoever limits by
/// destination limits all clients. What goes to resolvers is none either: the attacked address never
/// sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flood {
    /// Whether the outer header is that of IPv6.
    pub is_v6: bool,
    /// IP protocol of the outer header.
    pub protocol: u8,
    /// Destination port, when no option changes it.
    pub port: Option<u16>,
}

impl Flood {
    pub(super) fn of_packet(packet: &Packet) -> Option<Self> {
        let fields = &packet.fields;
        let is_v6 = packet.layers.first().is_some_and(|layer| layer == "ipv6");
        let destination = if is_v6 { "ipv6.dst" } else { "ip.dst" };
        let is_to_target = taken_from(fields, destination) == Some("target");
        let inner = transport(&packet.layers);
        let is_connection = inner == Transport::Tcp && !packet.spoofable;
        if !is_to_target || is_connection {
            return None;
        }
        let is_tunnel = packet.layers.iter().any(|layer| layer == "gre");
        let (protocol, port) = match inner {
            _ if is_tunnel => (GRE, None),
            Transport::Tcp => (TCP, fixed(fields, "tcp.dstport")),
            Transport::Udp => (UDP, fixed(fields, "udp.dstport")),
            Transport::Icmp => (ICMP, None),
            Transport::Ip => (u8::try_from(fixed(fields, "ip.proto")?).ok()?, None),
        };
        Some(Self { is_v6, protocol, port: port.and_then(|port| u16::try_from(port).ok()) })
    }
}
