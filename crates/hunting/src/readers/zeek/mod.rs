//! Zeek's logs, of which `conn`, `dns`, `http` and `ssl` are read, as JSON and as tables.
//!
//! A connection is in `conn` and, with its name, in another log: hunting through both sees it twice.

mod json;
mod table;

use core::net::IpAddr;

use miyaburi_model::Protocol;

pub(super) use json::ZeekJson;
pub(super) use table::Columns;

use super::Reading;
use super::text::address;
use crate::event::{Event, Kind, Outcome};
use crate::time::Moment;

/// The first status of an error (RFC 9110, section 15.5).
const ERRORS: u16 = 400;

/// Which log a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    Conn,
    Dns,
    Http,
    Ssl,
    /// One that is not read.
    Other,
}

impl Log {
    /// The log that Zeek calls so.
    fn of(path: &[u8]) -> Self {
        match path {
            b"conn" => Self::Conn,
            b"dns" => Self::Dns,
            b"http" => Self::Http,
            b"ssl" => Self::Ssl,
            _ => Self::Other,
        }
    }
}

/// What is read of a record; each log has some of it.
#[derive(Clone, Copy, Debug, Default)]
struct Fields<'l> {
    client: Option<IpAddr>,
    server: Option<IpAddr>,
    port: Option<u16>,
    protocol: Option<&'l [u8]>,
    state: Option<&'l [u8]>,
    query: Option<&'l [u8]>,
    code: Option<&'l [u8]>,
    host: Option<&'l [u8]>,
    uri: Option<&'l [u8]>,
    status: Option<u16>,
    is_established: Option<bool>,
    server_name: Option<&'l [u8]>,
}

impl<'l> Fields<'l> {
    /// What the record says; nothing where its log is not read.
    fn event(self, log: Log, time: Moment) -> Reading<'l> {
        let event = Event {
            client: self.client,
            server: self.server,
            port: self.port,
            protocol: self.protocol.and_then(protocol),
            ..Event::new(Kind::Connection, Some(time))
        };
        Reading::Event(match log {
            Log::Conn => Event { outcome: self.state.and_then(ended), ..event },
            Log::Dns => self.query(event),
            Log::Http => self.request(event),
            Log::Ssl => self.handshake(event),
            Log::Other => return Reading::Quiet,
        })
    }

    fn query(self, event: Event<'l>) -> Event<'l> {
        let outcome = self.code.map(|code| of_success(code == b"NOERROR"));
        Event { kind: Kind::DnsQuery, name: self.query, outcome, ..event }
    }

    fn request(self, event: Event<'l>) -> Event<'l> {
        Event {
            kind: Kind::WebRequest,
            // `http` is of TCP alone and does not say so.
            protocol: Some(Protocol::Tcp),
            name: self.host.filter(|host| address(host).is_none()),
            url: self.uri,
            outcome: self.status.map(|status| of_success(status < ERRORS)),
            ..event
        }
    }

    fn handshake(self, event: Event<'l>) -> Event<'l> {
        let outcome = self.is_established.map(of_success);
        Event { protocol: Some(Protocol::Tcp), name: self.server_name, outcome, ..event }
    }
}

const fn of_success(is_success: bool) -> Outcome {
    if is_success { Outcome::Success } else { Outcome::Failure }
}

fn protocol(name: &[u8]) -> Option<Protocol> {
    match name {
        b"tcp" => Some(Protocol::Tcp),
        b"udp" => Some(Protocol::Udp),
        _ => None,
    }
}

/// How a connection ended; states that do not say whether the server answered give none.
fn ended(state: &[u8]) -> Option<Outcome> {
    match state {
        b"S1" | b"S2" | b"S3" | b"SF" | b"RSTO" | b"RSTR" => Some(Outcome::Success),
        b"S0" | b"REJ" => Some(Outcome::Failure),
        _ => None,
    }
}
