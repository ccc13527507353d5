//! What is always the same in a packet and what others do not send.

use std::collections::BTreeSet;

use miyaburi_model::{Packet, Scan};
use serde::{Deserialize, Serialize};

use super::marks::{Mark, fixed, marks, sequence_is_destination};

/// The header that marks and port are looked for behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    /// None that is known.
    Ip,
    /// ICMP.
    Icmp,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Marks of a packet, at least one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// The innermost transport.
    pub transport: Transport,
    /// Its destination port, when it never changes.
    pub port: Option<u16>,
    /// What others do not send.
    pub marks: BTreeSet<Mark>,
}

impl Signature {
    /// None where nothing tells the packet from those of others.
    pub(super) fn of_packet(packet: &Packet) -> Option<Self> {
        let marks = marks(&packet.layers, &packet.fields);
        if marks.is_empty() {
            return None;
        }
        let transport = transport(&packet.layers);
        let port = match transport {
            Transport::Tcp => fixed(&packet.fields, "tcp.dstport"),
            Transport::Udp => fixed(&packet.fields, "udp.dstport"),
            Transport::Ip | Transport::Icmp => None,
        };
        let port = port.and_then(|port| u16::try_from(port).ok());
        Some(Self { transport, port, marks })
    }

    /// The scanner's first packet.
    pub(super) fn of_scan(scan: &Scan) -> Option<Self> {
        let mark = sequence_is_destination(&scan.syn)?;
        Some(Self { transport: Transport::Tcp, port: None, marks: BTreeSet::from([mark]) })
    }
}

/// The innermost of the transports: it is that of the packet which a tunnel carries.
pub(super) fn transport(layers: &[String]) -> Transport {
    let known = layers.iter().rev().find_map(|layer| match layer.as_str() {
        "tcp" => Some(Transport::Tcp),
        "udp" => Some(Transport::Udp),
        "icmp" => Some(Transport::Icmp),
        _ => None,
    });
    known.unwrap_or(Transport::Ip)
}
