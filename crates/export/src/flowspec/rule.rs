//! What is announced.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where discarded packets go: the customary address for IPv4, which no network has, and the prefix
/// that is set apart for it in IPv6 (RFC 6666).
const DISCARD_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const DISCARD_V6: Ipv6Addr = Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1);

/// A route of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Route {
    /// A flow specification.
    Flow(Rule),
    /// A route that discards what goes to an address (RFC 7999).
    Blackhole(IpAddr),
}

/// A flow specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Rule {
    pub(super) destination: IpNet,
    pub(super) protocol: u8,
    pub(super) port: Option<u16>,
    pub(super) action: Action,
}

/// What routers do to matching packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Action {
    /// Nothing but count, if they do.
    Accept,
    /// They take samples, which are logged.
    Sample,
    /// They let so many bytes a second through.
    Limit(u32),
    /// They discard them.
    Discard,
}

impl Route {
    /// Whether both are the same to a router, which keeps one of them: what is done is no part of what
    /// names a route.
    pub(super) fn has_name_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Flow(one), Self::Flow(other)) => {
                let name = |rule: &Rule| (rule.destination, rule.protocol, rule.port);
                name(one) == name(other)
            }
            (Self::Blackhole(one), Self::Blackhole(other)) => one == other,
            (Self::Flow(_), Self::Blackhole(_)) | (Self::Blackhole(_), Self::Flow(_)) => false,
        }
    }
}

impl Rule {
    pub(super) const fn is_v6(&self) -> bool {
        matches!(self.destination, IpNet::V6(_))
    }
}

/// The address that a blackhole's packets are sent to.
pub(super) const fn discard(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(DISCARD_V4),
        IpAddr::V6(_) => IpAddr::V6(DISCARD_V6),
    }
}
