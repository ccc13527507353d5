//! Zeek's logs as JSON (`LogAscii::use_json`).
//!
//! ```text
//! {"ts":1700000000.123456,"uid":"C1","id.orig_h":"192.0.2.7","id.orig_p":4321,
//!  "id.resp_h":"192.0.2.53","id.resp_p":53,"proto":"udp","trans_id":7,"query":"a.example",
//!  "rcode_name":"NOERROR"}
//! ```
//!
//! A record says which log it is of in `_path`, which few installations write; else by a field that only
//! this log always has. URLs and names with characters that JSON escapes are compared as they are escaped.

use serde::Deserialize;

use super::{Fields, Log};
use crate::readers::json::{Value, record};
use crate::readers::{Format, Reading};
use crate::time::Clock;

/// The format.
pub(in crate::readers) struct ZeekJson;

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
    /// The log that it is of.
    fn log(&self) -> Log {
        if let Some(path) = self.path {
            return path.text().map_or(Log::Other, Log::of);
        }
        let is_http = self.request_body_len.is_some() && self.request_path.is_none();
        let logs = [
            (self.conn_state.is_some(), Log::Conn),
            (self.trans_id.is_some() || self.query.is_some(), Log::Dns),
            (is_http, Log::Http),
            (self.established.is_some(), Log::Ssl),
        ];
        logs.into_iter().find(|(is_of, _)| *is_of).map_or(Log::Other, |(_, log)| log)
    }

    fn fields(&self) -> Fields<'l> {
        let text = |value: Option<Value<'l>>| value.and_then(Value::text);
        Fields {
            client: self.client.and_then(Value::address),
            server: self.server.and_then(Value::address),
            port: self.port.and_then(Value::port),
            protocol: text(self.proto),
            state: text(self.conn_state),
            query: text(self.query),
            code: text(self.rcode_name),
            host: text(self.host),
            uri: text(self.uri),
            status: self.status_code.and_then(Value::port),
            is_established: self.established.and_then(Value::flag),
            server_name: text(self.server_name),
        }
    }
}

impl Format for ZeekJson {
    fn name(&self) -> &'static str {
        "zeek-json"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        let Some(record) = record::<Record<'l>>(line) else { return Reading::Unread };
        let Some(time) = record.ts.moment(clock) else { return Reading::Unread };
        if record.uid.text().is_none() {
            return Reading::Unread;
        }
        record.fields().event(record.log(), time)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::event::{Event, Kind, Outcome};
    use crate::time::Moment;
    use miyaburi_model::Protocol;

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
