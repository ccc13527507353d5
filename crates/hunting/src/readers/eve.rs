//! Suricata's EVE: one JSON object a line, of which queries, requests, TLS handshakes, flows and alerts
//! are read.
//!
//! ```text
//! {"timestamp":"2026-11-23T04:29:09.123456+0000","event_type":"dns","src_ip":"192.0.2.7",
//!  "src_port":4321,"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP",
//!  "dns":{"type":"query","rrname":"a.example","rrtype":"A"}}
//! ```
//!
//! Where both questions and answers are logged, a name that was asked for once is two events. Of several
//! questions in one message the first is read. An answer that is logged the way it went, from another
//! port than 53, names its server as client; an alert without its flow, of a packet that answers, too.
//! A URL with characters that JSON escapes is compared as it is escaped.

use miyaburi_model::Protocol;
use serde::Deserialize;

use super::json::{Value, record};
use super::text::address;
use super::{Format, Reading};
use crate::event::{Event, Kind, Outcome};
use crate::time::{Clock, Moment, rfc3339};

/// The format.
pub(super) struct Eve;

/// The port of DNS, which tells the server in answers of versions that log them the way they went.
const DNS: u16 = 53;

/// The first status of an error (RFC 9110, section 15.5).
const ERRORS: u16 = 400;

#[derive(Deserialize)]
struct Record<'l> {
    #[serde(borrow)]
    timestamp: Value<'l>,
    event_type: Value<'l>,
    src_ip: Option<Value<'l>>,
    src_port: Option<Value<'l>>,
    dest_ip: Option<Value<'l>>,
    dest_port: Option<Value<'l>>,
    proto: Option<Value<'l>>,
    dns: Option<Value<'l>>,
    http: Option<Value<'l>>,
    tls: Option<Value<'l>>,
    flow: Option<Value<'l>>,
    alert: Option<Value<'l>>,
}

#[derive(Deserialize)]
struct Dns<'l> {
    #[serde(borrow)]
    rrname: Option<Value<'l>>,
    rcode: Option<Value<'l>>,
    /// Since Suricata 8, which has no `rrname` outside of it.
    #[serde(default)]
    queries: Vec<Query<'l>>,
}

#[derive(Deserialize)]
struct Query<'l> {
    #[serde(borrow)]
    rrname: Option<Value<'l>>,
}

#[derive(Deserialize)]
struct Http<'l> {
    #[serde(borrow)]
    hostname: Option<Value<'l>>,
    url: Option<Value<'l>>,
    status: Option<Value<'l>>,
}

#[derive(Deserialize)]
struct Tls<'l> {
    #[serde(borrow)]
    sni: Option<Value<'l>>,
}

#[derive(Deserialize)]
struct Flow<'l> {
    #[serde(borrow)]
    start: Option<Value<'l>>,
    src_ip: Option<Value<'l>>,
    dest_ip: Option<Value<'l>>,
    dest_port: Option<Value<'l>>,
}

#[derive(Deserialize)]
struct Alert<'l> {
    #[serde(borrow)]
    action: Option<Value<'l>>,
}

impl Format for Eve {
    fn name(&self) -> &'static str {
        "eve"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        let Some(record) = record::<Record<'l>>(line) else { return Reading::Unread };
        let Some(time) = moment(record.timestamp, clock) else { return Reading::Unread };
        match record.event_type.text() {
            Some(b"dns") => Reading::of(query(&record, time)),
            Some(b"http") => Reading::of(request(&record, time)),
            Some(b"tls") => Reading::of(handshake(&record, time)),
            Some(b"flow") => Reading::of(flow(&record, time, clock)),
            Some(b"alert") => Reading::of(alert(&record, time)),
            Some(_) => Reading::Quiet,
            None => Reading::Unread,
        }
    }
}

fn moment(value: Value<'_>, clock: &Clock) -> Option<Moment> {
    let (moment, rest) = rfc3339(value.text()?, clock)?;
    rest.is_empty().then_some(moment)
}

/// An event between the record's hosts, of which the source is the client.
fn between<'l>(kind: Kind, record: &Record<'l>, time: Moment) -> Event<'l> {
    Event {
        client: record.src_ip.and_then(Value::address),
        server: record.dest_ip.and_then(Value::address),
        port: record.dest_port.and_then(Value::port),
        protocol: record.proto.and_then(Value::text).and_then(|name| match name {
            b"TCP" => Some(Protocol::Tcp),
            b"UDP" => Some(Protocol::Udp),
            _ => None,
        }),
        ..Event::new(kind, Some(time))
    }
}

fn query<'l>(record: &Record<'l>, time: Moment) -> Option<Event<'l>> {
    let dns: Dns<'l> = part(record.dns)?;
    let name = dns.rrname.or_else(|| dns.queries.first()?.rrname).and_then(Value::text);
    let outcome = dns.rcode.and_then(Value::text).map(|code| match code {
        b"NOERROR" => Outcome::Success,
        _ => Outcome::Failure,
    });
    let mut event = Event { name, outcome, ..between(Kind::DnsQuery, record, time) };
    if record.src_port.and_then(Value::port) == Some(DNS) && event.port != Some(DNS) {
        (event.client, event.server, event.port) = (event.server, event.client, Some(DNS));
    }
    Some(event)
}

fn request<'l>(record: &Record<'l>, time: Moment) -> Option<Event<'l>> {
    let http: Http<'l> = part(record.http)?;
    let status = http.status.and_then(Value::port);
    let outcome =
        status.map(|status| if status < ERRORS { Outcome::Success } else { Outcome::Failure });
    Some(Event {
        name: http.hostname.and_then(Value::text).filter(|host| address(host).is_none()),
        url: http.url.and_then(Value::text),
        outcome,
        ..between(Kind::WebRequest, record, time)
    })
}

fn handshake<'l>(record: &Record<'l>, time: Moment) -> Option<Event<'l>> {
    let tls: Tls<'l> = part(record.tls)?;
    let name = tls.sni.and_then(Value::text);
    Some(Event { name, ..between(Kind::Connection, record, time) })
}

/// A flow is logged when it is over, but was touched when it began.
fn flow<'l>(record: &Record<'l>, time: Moment, clock: &Clock) -> Option<Event<'l>> {
    let flow: Flow<'l> = part(record.flow)?;
    let began = flow.start.and_then(|start| moment(start, clock)).unwrap_or(time);
    Some(between(Kind::Connection, record, began))
}

/// An alert names the hosts of its packet, which may be an answer; its flow, where it is told, says who
/// began.
fn alert<'l>(record: &Record<'l>, time: Moment) -> Option<Event<'l>> {
    let alert: Alert<'l> = part(record.alert)?;
    let mut event = between(Kind::Connection, record, time);
    event.outcome = alert.action.and_then(Value::text).and_then(|action| match action {
        b"allowed" => Some(Outcome::Success),
        b"blocked" => Some(Outcome::Failure),
        _ => None,
    });
    if let Some(flow) = part::<Flow<'l>>(record.flow)
        && let (Some(client), Some(server)) = (flow.src_ip, flow.dest_ip)
    {
        (event.client, event.server) = (client.address(), server.address());
        event.port = flow.dest_port.and_then(Value::port);
    }
    Some(event)
}

/// An object within the record.
fn part<'l, T: Deserialize<'l>>(value: Option<Value<'l>>) -> Option<T> {
    value?.object()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const HOSTS: &str = r#""src_ip":"192.0.2.7","src_port":4321,"dest_ip":"198.51.100.9""#;

    fn line(kind: &str, rest: &str) -> String {
        let time = "2026-11-23T04:29:09.123456+0000";
        format!(r#"{{"timestamp":"{time}","flow_id":1,"event_type":"{kind}",{HOSTS},{rest}}}"#)
    }

    fn read(line: &[u8]) -> Reading<'_> {
        Eve.read(line, &Clock::utc(Moment::from_unix(1_795_435_200)))
    }

    fn expected(kind: Kind, port: u16, protocol: Protocol) -> Event<'static> {
        Event {
            client: "192.0.2.7".parse().ok(),
            server: "198.51.100.9".parse().ok(),
            port: Some(port),
            protocol: Some(protocol),
            ..Event::new(kind, Some(Moment(1_795_408_149_123_456)))
        }
    }

    #[test]
    fn queries_of_all_versions_and_their_answers() {
        let event =
            Event { name: Some(b"c2.example"), ..expected(Kind::DnsQuery, 53, Protocol::Udp) };
        let to = r#""dest_port":53,"proto":"UDP","dns":"#;
        let asked = line("dns", &format!(r#"{to}{{"type":"query","rrname":"c2.example"}}"#));
        assert_eq!(read(asked.as_bytes()), Reading::Event(event));
        let queries = r#"{"version":3,"type":"request","queries":[{"rrname":"c2.example"}]}"#;
        assert_eq!(read(line("dns", &format!("{to}{queries}")).as_bytes()), Reading::Event(event));
        let answer = r#"{"type":"answer","rrname":"c2.example","rcode":"NXDOMAIN"}"#;
        let failed = Event { outcome: Some(Outcome::Failure), ..event };
        assert_eq!(read(line("dns", &format!("{to}{answer}")).as_bytes()), Reading::Event(failed));
    }

    #[test]
    fn an_answer_that_is_logged_the_way_it_went() {
        let line = br#"{"timestamp":"2026-11-23T04:29:09.123456+0000","event_type":"dns",
            "src_ip":"198.51.100.9","src_port":53,"dest_ip":"192.0.2.7","dest_port":4321,
            "proto":"UDP","dns":{"rrname":"c2.example","rcode":"NOERROR"}}"#;
        let event = Event {
            name: Some(b"c2.example"),
            outcome: Some(Outcome::Success),
            ..expected(Kind::DnsQuery, 53, Protocol::Udp)
        };
        assert_eq!(read(line), Reading::Event(event));
    }

    #[test]
    fn requests_and_handshakes() {
        let http = r#""dest_port":80,"proto":"TCP","http":{"hostname":"c2.example","url":"/a\"b","status":404}"#;
        let event = Event {
            name: Some(b"c2.example"),
            url: Some(br#"/a\"b"#),
            outcome: Some(Outcome::Failure),
            ..expected(Kind::WebRequest, 80, Protocol::Tcp)
        };
        assert_eq!(read(line("http", http).as_bytes()), Reading::Event(event));
        let tls = r#""dest_port":443,"proto":"TCP","tls":{"sni":"c2.example","version":"TLS 1.3"}"#;
        let event =
            Event { name: Some(b"c2.example"), ..expected(Kind::Connection, 443, Protocol::Tcp) };
        assert_eq!(read(line("tls", tls).as_bytes()), Reading::Event(event));
    }

    #[test]
    fn a_flow_is_of_its_beginning() {
        let flow =
            r#""dest_port":23,"proto":"TCP","flow":{"start":"2026-11-23T04:29:00.000000+0000"}"#;
        let event = Event {
            time: Some(Moment::from_unix(1_795_408_140)),
            ..expected(Kind::Connection, 23, Protocol::Tcp)
        };
        assert_eq!(read(line("flow", flow).as_bytes()), Reading::Event(event));
    }

    #[test]
    fn an_alert_is_of_its_flow() {
        let alert = r#""dest_port":23,"proto":"TCP","alert":{"action":"blocked","signature_id":1}"#;
        let event = Event {
            outcome: Some(Outcome::Failure),
            ..expected(Kind::Connection, 23, Protocol::Tcp)
        };
        assert_eq!(read(line("alert", alert).as_bytes()), Reading::Event(event));
        let began = r#","flow":{"src_ip":"198.51.100.9","dest_ip":"192.0.2.7","dest_port":80}"#;
        let turned = Event { client: event.server, server: event.client, port: Some(80), ..event };
        let answered = line("alert", &format!("{alert}{began}"));
        assert_eq!(read(answered.as_bytes()), Reading::Event(turned));
    }

    #[test]
    fn what_is_no_event() {
        assert_eq!(read(line("stats", r#""stats":{}"#).as_bytes()), Reading::Quiet);
        for other in [&b"{}"[..], b"[1]", b"", b"{\"timestamp\":1,\"event_type\":\"dns\"}"] {
            assert_eq!(read(other), Reading::Unread);
        }
        assert_eq!(read(line("dns", r#""dns":7"#).as_bytes()), Reading::Unread);
        let mut broken = line("tls", r#""tls":{"sni":"c2.example"}"#).into_bytes();
        broken.extend_from_slice(b"\0");
        assert_eq!(read(&broken), Reading::Unread);
    }

    /// A name elsewhere in a record, or quoted in one of its texts, is not the name that was asked for.
    #[test]
    fn a_text_imitates_no_field() {
        let agent = r#""dest_port":80,"http":{"hostname":"a.example","http_user_agent":"\"hostname\":\"c2.example\""}"#;
        let line = line("http", agent);
        let Reading::Event(event) = read(line.as_bytes()) else { panic!("unread") };
        assert_eq!(event.name, Some(&b"a.example"[..]));
    }

    #[test]
    fn deep_nesting_ends_nothing() {
        let deep = format!(r#""dest_port":1,"x":{}"#, "[".repeat(1 << 19));
        assert_eq!(read(line("flow", &deep).as_bytes()), Reading::Unread);
    }
}
