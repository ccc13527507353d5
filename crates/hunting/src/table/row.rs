//! One event with its place.

use core::net::IpAddr;

use miyaburi_model::Protocol;
use serde::Serialize;

use crate::event::{Event, Kind, Outcome};
use crate::hunt::Sighted;
use crate::time::Moment;

/// An event as a row. Bytes that are no UTF-8 become U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// When, in UTC.
    pub time: Option<Moment>,
    /// What happened.
    pub event: Kind,
    /// Who asked, connected or logged in.
    pub client: Option<IpAddr>,
    /// Who was asked or connected to.
    pub server: Option<IpAddr>,
    /// The server's port.
    pub port: Option<u16>,
    /// Transport.
    pub protocol: Option<Protocol>,
    /// The name that was asked for or contacted.
    pub name: Option<String>,
    /// The URL, or its path where the server is known otherwise.
    pub url: Option<String>,
    /// The account that was used.
    pub account: Option<String>,
    /// The machine that wrote the record, as syslog names it.
    pub host: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Packets that the client sent, where the record counts those of the whole flow.
    pub packets: Option<u64>,
    /// Bytes of these, from the IP header on.
    pub bytes: Option<u64>,
    /// The file whose line it is.
    pub file: String,
    /// The byte at which the line begins, of what the file holds when it is compressed.
    pub offset: u64,
}

impl Row {
    /// The row of an event.
    #[must_use]
    pub fn of(event: &Event<'_>, at: Sighted<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let traffic = event.traffic.filter(|traffic| traffic.is_whole);
        Self {
            time: event.time,
            event: event.kind,
            client: event.client,
            server: event.server,
            port: event.port,
            protocol: event.protocol,
            name: event.name.map(text),
            url: event.url.map(text),
            account: event.account.map(text),
            host: event.host.map(text),
            outcome: event.outcome,
            packets: traffic.map(|traffic| traffic.packets),
            bytes: traffic.map(|traffic| traffic.bytes),
            file: at.file.to_owned(),
            offset: at.offset,
        }
    }
}
