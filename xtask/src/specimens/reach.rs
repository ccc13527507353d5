//! Where a program connects that does not hold its C2 as others do, and what must happen before.

use std::net::Ipv4Addr;

use super::{
    fork::Fork,
    random::Random,
    values::{self, Hosts},
};

/// What must happen before the true C2 is resolved; `REACH_GATE` of the C sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Direct,
    /// The trap, raised under the own name.
    Trap,
    /// The own name, a text of the table.
    Name,
}

/// What is done to an answer before it is used; `C2_TRANSFORM` of the C sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transform {
    None,
    Base64,
    /// The bytes of a text.
    XorByte(u8),
    /// An address, byte by byte.
    XorAddress([u8; 4]),
    /// The 16-bit halves of an address.
    Halves,
}

impl Transform {
    /// The report's spelling; none for an answer that is used as it came.
    pub(super) fn name(self) -> Option<String> {
        match self {
            Transform::None => None,
            Transform::Base64 => Some("base64".to_owned()),
            Transform::XorByte(key) => Some(format!("xor 0x{key:02x}")),
            Transform::XorAddress(key) => Some(format!("xor 0x{}", hex::encode(key))),
            Transform::Halves => Some("halves swapped".to_owned()),
        }
    }
}

/// How a program of [`Fork::DESTINATIONS`] comes to its C2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) gate: Gate,
    pub(super) transform: Transform,
    /// The name that is asked for where the C2 is not in the file.
    pub(super) asked: String,
    /// The host that is asked for it over HTTPS.
    pub(super) drop_host: String,
    pub(super) peers: Vec<(Ipv4Addr, u16)>,
}

impl Reach {
    /// Draws nothing for other forks.
    pub(super) fn draw(random: &mut Random, hosts: &mut Hosts, fork: Fork) -> Option<Reach> {
        if !Fork::DESTINATIONS.contains(&fork) {
            return None;
        }
        let gate = match fork {
            Fork::TrapGate => Gate::Trap,
            Fork::NameGate => Gate::Name,
            _ => *random.pick(&[Gate::Direct, Gate::Direct, Gate::Trap]),
        };
        let transform = match fork {
            Fork::DnsTxt => draw_text_transform(random),
            Fork::DnsAddress if random.one_in(2) => Transform::Halves,
            Fork::DnsAddress => Transform::XorAddress(between_documentation_networks(random)),
            _ => Transform::None,
        };
        let peer_count = if fork == Fork::PeerList { random.between(5, 12) } else { 0 };
        Some(Reach {
            gate,
            transform,
            asked: hosts.name(random, &["txt", "_c", "srv", "api"]),
            drop_host: hosts.name(random, &["dns", "doh", "resolve"]),
            peers: (0..peer_count)
                .map(|_| (hosts.address(random), random.between(1024, 65000) as u16))
                .collect(),
        })
    }

    /// The path that is asked of the drop host.
    pub(super) fn drop_path(&self) -> String {
        format!("/dns-query?name={}&type=TXT", self.asked)
    }
}

fn draw_text_transform(random: &mut Random) -> Transform {
    match random.below(3) {
        0 => Transform::None,
        1 => Transform::Base64,
        // With the highest bit, so that no byte of the answer becomes a zero.
        _ => Transform::XorByte(random.between(0x80, 0xff) as u8),
    }
}

/// What makes addresses of one documentation network addresses of another: programs connect to no
/// other addresses.
fn between_documentation_networks(random: &mut Random) -> [u8; 4] {
    let networks = random.sample(&values::DOCUMENTATION_NETWORKS, 2);
    let octet = |index: usize| {
        networks.iter().filter_map(|network| network.get(index)).fold(0, |all, octet| all ^ octet)
    };
    [octet(0), octet(1), octet(2), random.between(1, 255) as u8]
}
