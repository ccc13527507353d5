//! What one record of a log says, in one schema for all formats.

use core::net::IpAddr;

use miyaburi_model::Protocol;
use serde::{Deserialize, Serialize};

use crate::time::Moment;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A name was asked for.
    DnsQuery,
    /// A connection, flow or packet.
    Connection,
    /// A request to a web server or proxy.
    WebRequest,
    /// Somebody tried to log in.
    Login,
    /// Mail was delivered, accepted or refused.
    Mail,
    /// More packets of a connection that was told: they count, and are no other connection.
    #[serde(skip_deserializing)]
    Traffic,
}

impl Kind {
    /// All that rules and descriptions may name.
    pub(crate) const NAMED: [Self; 5] =
        [Self::DnsQuery, Self::Connection, Self::WebRequest, Self::Login, Self::Mail];

    /// Its word in tables and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DnsQuery => "dns_query",
            Self::Connection => "connection",
            Self::WebRequest => "web_request",
            Self::Login => "login",
            Self::Mail => "mail",
            Self::Traffic => "traffic",
        }
    }
}

/// How it ended, where the record says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Allowed, answered or successful.
    Success,
    /// Refused, dropped or failed.
    Failure,
}

/// Packets of one direction of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Number of the IP protocol (IANA, Protocol Numbers).
    pub protocol: u8,
    /// How many.
    pub packets: u64,
    /// Their bytes, from the IP header on.
    pub bytes: u64,
    /// Of TCP, the flags that any of them had, where the record tells them.
    pub flags: Option<u8>,
    /// Microseconds from the first to the last; 0 where the record does not say.
    pub lasted: i64,
    /// Whether these are all that the record knows of the flow; of captures, they are told piece by piece.
    pub is_whole: bool,
}

impl Traffic {
    /// Packets that are within `span` microseconds, were they sent evenly.
    #[must_use]
    pub fn packets_within(&self, span: i64) -> u64 {
        if self.lasted <= span {
            return self.packets;
        }
        let part = i128::from(self.packets) * i128::from(span) / i128::from(self.lasted);
        u64::try_from(part).unwrap_or(self.packets)
    }
}

/// A field of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Who asked, connected or logged in.
    Client,
    /// Who was asked or connected to.
    Server,
    /// The name that was asked for or contacted.
    Name,
    /// The URL that was requested.
    Url,
    /// The account that was used; no indicator is looked for in it.
    Account,
}

/// One record. Texts are the log's bytes, not yet escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'l> {
    /// What happened.
    pub kind: Kind,
    /// When, in UTC; none when the record does not say.
    pub time: Option<Moment>,
    /// Who asked, connected or logged in.
    pub client: Option<IpAddr>,
    /// Who was asked or connected to.
    pub server: Option<IpAddr>,
    /// The server's port.
    pub port: Option<u16>,
    /// The client's port, of a flow that may be an answer: from a port that is a server's to one that is not.
    pub client_port: Option<u16>,
    /// Transport.
    pub protocol: Option<Protocol>,
    /// The domain name asked for or contacted, in any case, with or without its last dot; of requests it may
    /// be an address, which the client claims.
    pub name: Option<&'l [u8]>,
    /// The URL, or its path where the server is known otherwise.
    pub url: Option<&'l [u8]>,
    /// The account that was used.
    pub account: Option<&'l [u8]>,
    /// The machine that wrote the record, as a header of syslog names it; whoever may send there may claim any.
    pub host: Option<&'l [u8]>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The sequence number of a packet that opens a TCP connection.
    pub sequence: Option<u32>,
    /// What the client sent, where the record counts it.
    pub traffic: Option<Traffic>,
}

impl Event<'_> {
    /// An event of which only kind and time are known.
    #[must_use]
    pub const fn new(kind: Kind, time: Option<Moment>) -> Self {
        Self {
            kind,
            time,
            client: None,
            server: None,
            port: None,
            client_port: None,
            protocol: None,
            name: None,
            url: None,
            account: None,
            host: None,
            outcome: None,
            sequence: None,
            traffic: None,
        }
    }
}
