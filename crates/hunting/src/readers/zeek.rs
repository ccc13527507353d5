//! Zeek's logs as JSON (`LogAscii::use_json`), of which `conn`, `dns`, `http` and `ssl` are read.
//!
//! ```text
//! {"ts":1700000000.123456,"uid":"C1","id.orig_h":"192.0.2.7","id.orig_p":4321,
//!  "id.resp_h":"192.0.2.53","id.resp_p":53,"proto":"udp","trans_id":7,"query":"a.example",
//!  "rcode_name":"NOERROR"}
//! ```
//!
//! A record says which log it is of in `_path`, which few installations write; else by a field that only
//! this log always has. A connection is in `conn` and, with its name, in another log: hunting through both
//! sees it twice. URLs and names with characters that JSON escapes are compared as they are escaped.

use miyaburi_model::Protocol;
use serde::Deserialize;

use super::json::Value;
use super::text::address;
use super::{Format, Reading};
use crate::event::{Event, Kind, Outcome};
use crate::time::Clock;

/// The format.
pub(super) struct ZeekJson;

/// The first status of an error (RFC 9110, section 15.5).
const ERRORS: u16 = 400;

#[derive(Deserialize)]
struct Record<'l> {
    #[serde(borrow)]
    ts: Value<'l>,
    uid: Value<'l>,
    #[serde(rename = "_path")]
    path: Option<Value<'l>>,
    #[serde(rename = "id.orig_h")]
    client: Option<Value<'l>>,
    #[serde(rename = "id.resp_h")]
    server: Option<Value<'l>>,
    #[serde(rename = "id.resp_p")]
    port: Option<Value<'l>>,
    proto: Option<Value<'l>>,
    conn_state: Option<Value<'l>>,
    trans_id: Option<Value<'l>>,
    query: Option<Value<'l>>,
    rcode_name: Option<Value<'l>>,
    request_body_len: Option<Value<'l>>,
    /// Only in `sip`, which is like `http` otherwise.
    request_path: Option<Value<'l>>,
    host: Option<Value<'l>>,
    uri: Option<Value<'l>>,
    status_code: Option<Value<'l>>,
    established: Option<Value<'l>>,
    server_name: Option<Value<'l>>,
}

impl<'l> Record<'l> {
    /// The log that it is of; none for those that are not read.
    fn log(&self) -> Option<&'l [u8]> {
        if let Some(path) = self.path {
            return path.text();
        }
        let is_http = self.request_body_len.is_some() && self.request_path.is_none();
        let logs: [(bool, &'l [u8]); 4] = [
            (self.conn_state.is_some(), b"conn"),
            (self.trans_id.is_some() || self.query.is_some(), b"dns"),
            (is_http, b"http"),
            (self.established.is_some(), b"ssl"),
        ];
        logs.into_iter().find(|(is_of, _)| *is_of).map(|(_, log)| log)
    }
}

impl Format for ZeekJson {
    fn name(&self) -> &'static str {
        "zeek-json"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        if !line.starts_with(b"{") {
            return Reading::Unread;
        }
        let Ok(record) = serde_json::from_slice::<Record<'l>>(line) else { return Reading::Unread };
        let Some(time) = record.ts.moment(clock) else { return Reading::Unread };
        if record.uid.text().is_none() {
            return Reading::Unread;
        }
        let event = Event {
            client: record.client.and_then(Value::address),
            server: record.server.and_then(Value::address),
            port: record.port.and_then(Value::port),
            protocol: record.proto.and_then(Value::text).and_then(protocol),
            ..Event::new(Kind::Connection, Some(time))
        };
        match record.log() {
            Some(b"conn") => Reading::Event(Event { outcome: state(&record), ..event }),
            Some(b"dns") => Reading::Event(query(&record, event)),
            Some(b"http") => Reading::Event(request(&record, event)),
            Some(b"ssl") => Reading::Event(handshake(&record, event)),
            _ => Reading::Quiet,
        }
    }
}

fn protocol(name: &[u8]) -> Option<Protocol> {
    match name {
        b"tcp" => Some(Protocol::Tcp),
        b"udp" => Some(Protocol::Udp),
        _ => None,
    }
}

/// How a connection ended; states that do not say whether the server answered give none.
fn state(record: &Record<'_>) -> Option<Outcome> {
    match record.conn_state?.text()? {
        b"S1" | b"S2" | b"S3" | b"SF" | b"RSTO" | b"RSTR" => Some(Outcome::Success),
        b"S0" | b"REJ" => Some(Outcome::Failure),
        _ => None,
    }
}

fn query<'l>(record: &Record<'l>, event: Event<'l>) -> Event<'l> {
    let outcome = record.rcode_name.and_then(Value::text).map(|code| match code {
        b"NOERROR" => Outcome::Success,
        _ => Outcome::Failure,
    });
    Event { kind: Kind::DnsQuery, name: record.query.and_then(Value::text), outcome, ..event }
}

fn request<'l>(record: &Record<'l>, event: Event<'l>) -> Event<'l> {
    let status = record.status_code.and_then(Value::port);
    let outcome =
        status.map(|status| if status < ERRORS { Outcome::Success } else { Outcome::Failure });
    Event {
        kind: Kind::WebRequest,
        // `http` is of TCP alone and does not say so.
        protocol: Some(Protocol::Tcp),
        name: record.host.and_then(Value::text).filter(|host| address(host).is_none()),
        url: record.uri.and_then(Value::text),
        outcome,
        ..event
    }
}

fn handshake<'l>(record: &Record<'l>, event: Event<'l>) -> Event<'l> {
    let name = record.server_name.and_then(Value::text);
    let outcome = record.established.and_then(Value::flag);
    let outcome = outcome.map(|done| if done { Outcome::Success } else { Outcome::Failure });
    Event { protocol: Some(Protocol::Tcp), name, outcome, ..event }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::time::Moment;

    fn line(port: u16, rest: &str) -> String {
        format!(
            r#"{{"ts":1700000000.25,"uid":"CHhAvVGS1DHFjwGM9","id.orig_h":"192.0.2.7","id.orig_p":4321,"id.resp_h":"198.51.100.9","id.resp_p":{port},{rest}}}"#
        )
    }

    fn read(line: &str) -> Reading<'_> {
        ZeekJson.read(line.as_bytes(), &Clock::utc(Moment::from_unix(1_795_435_200)))
    }

    fn expected(kind: Kind, port: u16, protocol: Protocol) -> Event<'static> {
        Event {
            client: "192.0.2.7".parse().ok(),
            server: "198.51.100.9".parse().ok(),
            port: Some(port),
            protocol: Some(protocol),
            outcome: Some(Outcome::Success),
            ..Event::new(kind, Some(Moment(1_700_000_000_250_000)))
        }
    }

    #[test]
    fn connections() {
        let conn = r#""proto":"tcp","duration":1.5,"conn_state":"SF","history":"ShADadFf""#;
        let event = expected(Kind::Connection, 23, Protocol::Tcp);
        assert_eq!(read(&line(23, conn)), Reading::Event(event));
        let failed = Event { outcome: Some(Outcome::Failure), ..event };
        assert_eq!(read(&line(23, &conn.replace("SF", "REJ"))), Reading::Event(failed));
        let unknown = Event { outcome: None, ..event };
        assert_eq!(read(&line(23, &conn.replace("SF", "OTH"))), Reading::Event(unknown));
    }

    #[test]
    fn queries_requests_and_handshakes() {
        let dns =
            r#""proto":"udp","trans_id":7,"query":"c2.example","qtype":1,"rcode_name":"NOERROR""#;
        let name = Some(&b"c2.example"[..]);
        let event = Event { name, ..expected(Kind::DnsQuery, 53, Protocol::Udp) };
        assert_eq!(read(&line(53, dns)), Reading::Event(event));
        let http = r#""trans_depth":1,"method":"GET","host":"c2.example","uri":"/x","request_body_len":0,"status_code":200"#;
        let event =
            Event { name, url: Some(b"/x"), ..expected(Kind::WebRequest, 8080, Protocol::Tcp) };
        assert_eq!(read(&line(8080, http)), Reading::Event(event));
        let ssl =
            r#""version":"TLSv13","server_name":"c2.example","resumed":false,"established":true"#;
        let event = Event { name, ..expected(Kind::Connection, 443, Protocol::Tcp) };
        assert_eq!(read(&line(443, ssl)), Reading::Event(event));
    }

    #[test]
    fn times_as_text() {
        let text = line(53, r#""query":"c2.example""#)
            .replace("1700000000.25", r#""2023-11-14T22:13:20.250000Z""#);
        let Reading::Event(event) = read(&text) else { panic!("unread") };
        assert_eq!(event.time, Some(Moment(1_700_000_000_250_000)));
    }

    #[test]
    fn what_is_no_event() {
        for quiet in [
            r#""name":"truncated_header","notice":false"#,
            r#""method":"INVITE","uri":"sip:a@c2.example","request_path":[],"request_body_len":0,"status_code":200"#,
            r#""_path":"weird","query":"c2.example""#,
        ] {
            assert_eq!(read(&line(1, quiet)), Reading::Quiet, "{quiet}");
        }
        for other in [
            "",
            "{}",
            "[1]",
            r#"{"ts":1700000000.25,"query":"c2.example"}"#,
            r#"{"ts":"yesterday","uid":"C1","query":"c2.example"}"#,
            "{\"ts\":1700000000.25,\"uid\":\"C1\"}\0",
        ] {
            assert_eq!(read(other), Reading::Unread, "{other}");
        }
    }
}
