//! Reports merged to indicators.
//!
//! An indicator is a host with port, protocol and role. What many reports say of the same one is
//! merged: the highest confidence, the first and last time that any of the files was seen, how
//! many reports name it, and the first few files with the address that the value was read from.

mod digest;
mod in_force;
mod merge;
mod observed;

pub use in_force::{InForce, Known, Naming};
pub use merge::{Indicators, MAX_SOURCES, Sightings, Source};
pub use observed::{Observed, ObservedError, Span};

pub use miyaburi_model::{DomainName, Host, HostError, Timestamp, TimestampError};
use miyaburi_model::{EndpointRole, Protocol};
use serde::{Deserialize, Serialize};

/// What makes an indicator one of its own. Ordered, so that all output is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Indicator {
    /// Name or address.
    pub host: Host,
    /// Port, none when the program's is not known.
    pub port: Option<u16>,
    /// Transport, none when not known.
    pub protocol: Option<Protocol>,
    /// What the program uses it for.
    pub role: EndpointRole,
}

/// The spelling of a role in reports.
#[must_use]
pub const fn role_name(role: EndpointRole) -> &'static str {
    match role {
        EndpointRole::C2 => "c2",
        EndpointRole::ScanReceiver => "scan_receiver",
        EndpointRole::Loader => "loader",
        EndpointRole::Resolver => "resolver",
        EndpointRole::DeadDropResolver => "dead_drop_resolver",
        EndpointRole::Decoy => "decoy",
        EndpointRole::SingleInstance => "single_instance",
        EndpointRole::Peer => "peer",
        EndpointRole::Unknown => "unknown",
    }
}

/// The spelling of a transport in reports.
#[must_use]
pub const fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}
