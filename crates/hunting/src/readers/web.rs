//! Web servers' access logs as JSON, one object a line. Their names are the administrator's choice; those
//! of the variables of nginx and of the examples for Apache are known.
//!
//! ```text
//! {"time_iso8601":"2026-11-23T04:29:09+09:00","remote_addr":"192.0.2.7","remote_user":"alice",
//!  "request":"GET /a?b HTTP/1.1","status":200,"host":"www.a.example"}
//! ```
//!
//! Others are read with a description of their own. A URL with characters that JSON escapes is compared as
//! it is escaped. The host, a name or an address, is what the client asked for: it need not be the server's.

use serde::Deserialize;

use super::json::{Value, record};
use super::text::{Text, address, without_port};
use super::{Format, Reading};
use crate::event::{Event, Kind, Outcome};
use crate::time::{Clock, Moment, common_log};

/// The format.
pub(super) struct WebJson;

/// The first status of an error (RFC 9110, section 15.5).
const ERRORS: u16 = 400;

#[derive(Deserialize)]
struct Record<'l> {
    #[serde(borrow)]
    time_iso8601: Option<Value<'l>>,
    time_local: Option<Value<'l>>,
    msec: Option<Value<'l>>,
    timestamp: Option<Value<'l>>,
    #[serde(rename = "@timestamp")]
    at: Option<Value<'l>>,
    time: Option<Value<'l>>,
    remote_addr: Option<Value<'l>>,
    #[serde(rename = "remoteIP")]
    remote_ip: Option<Value<'l>>,
    #[serde(rename = "clientip")]
    client: Option<Value<'l>>,
    remote_user: Option<Value<'l>>,
    user: Option<Value<'l>>,
    request: Option<Value<'l>>,
    request_uri: Option<Value<'l>>,
    uri: Option<Value<'l>>,
    http_host: Option<Value<'l>>,
    host: Option<Value<'l>>,
    status: Option<Value<'l>>,
}

impl<'l> Record<'l> {
    fn moment(&self, clock: &Clock) -> Option<Moment> {
        let times = [self.time_iso8601, self.msec, self.time_local];
        let times = times.into_iter().chain([self.at, self.timestamp, self.time]);
        times.flatten().find_map(|value| value.moment(clock).or_else(|| spelled(value, clock)))
    }

    /// What was asked for: a field of its own, or the second word of the request's line.
    fn target(&self) -> Option<&'l [u8]> {
        let own = self.request_uri.or(self.uri).and_then(Value::text);
        own.or_else(|| {
            let mut words = Text(self.request?.text()?);
            words.word();
            Some(words.word()).filter(|target| !target.is_empty())
        })
    }

    fn event(&self, clock: &Clock) -> Option<Event<'l>> {
        let time = self.moment(clock)?;
        let client = self.remote_addr.or(self.remote_ip).or(self.client)?.text()?;
        let status = self.status.and_then(|status| status.port().or_else(|| digits(status)))?;
        let outcome = if status < ERRORS { Outcome::Success } else { Outcome::Failure };
        let host = self.http_host.or(self.host).and_then(Value::text).map(without_port);
        Some(Event {
            client: address(client),
            name: host,
            url: Some(self.target()?),
            account: self.remote_user.or(self.user).and_then(Value::text).filter(|it| *it != b"-"),
            outcome: Some(outcome),
            ..Event::new(Kind::WebRequest, Some(time))
        })
    }
}

impl Format for WebJson {
    fn name(&self) -> &'static str {
        "web-json"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        Reading::of(record(line).and_then(|record: Record<'l>| record.event(clock)))
    }
}

/// A status between quotes.
fn digits(value: Value<'_>) -> Option<u16> {
    super::text::number(value.text()?)
}

/// The time in the spelling of the common log format, with its brackets or without.
fn spelled(value: Value<'_>, clock: &Clock) -> Option<Moment> {
    let text = value.text()?;
    let text = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
    let (time, rest) = common_log(text, clock)?;
    rest.is_empty().then_some(time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(line: &str) -> Reading<'_> {
        WebJson.read(line.as_bytes(), &Clock::utc(Moment::from_unix(1_795_435_200)))
    }

    #[test]
    fn a_host_may_be_an_address() {
        for (host, name) in [
            ("198.51.100.9", "198.51.100.9"),
            ("198.51.100.9:8080", "198.51.100.9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("[2001:db8::9]:8080", "2001:db8::9"),
        ] {
            let line = format!(
                r#"{{"msec":1795404549,"clientip":"192.0.2.7","uri":"/a","status":200,"host":"{host}"}}"#
            );
            let Reading::Event(event) = read(&line) else { panic!("{line}") };
            // Whoever asks chooses it: it is nobody's address.
            assert_eq!((event.server, event.name), (None, Some(name.as_bytes())), "{line}");
        }
    }

    #[test]
    fn requests() {
        let event = Event {
            client: "192.0.2.7".parse().ok(),
            account: Some(b"alice"),
            name: Some(b"c2.example"),
            url: Some(b"/a?b"),
            outcome: Some(Outcome::Success),
            ..Event::new(Kind::WebRequest, Some(Moment::from_unix(1_795_404_549)))
        };
        for line in [
            r#"{"time_iso8601":"2026-11-23T12:29:09+09:00","remote_addr":"192.0.2.7","remote_user":"alice","request":"GET /a?b HTTP/1.1","status":200,"host":"c2.example"}"#,
            r#"{"time":"[23/Nov/2026:12:29:09 +0900]","remoteIP":"192.0.2.7","user":"alice","request":"GET /a?b HTTP/1.1","status":"302","host":"c2.example:8080"}"#,
            r#"{"msec":1795404549.000,"clientip":"192.0.2.7","remote_user":"alice","uri":"/a?b","status":"200","http_host":"c2.example","host":"own.example"}"#,
        ] {
            assert_eq!(read(line), Reading::Event(event), "{line}");
        }
        let bare = r#"{"msec":1795404549.000,"remote_addr":"unix:","remote_user":"-","request_uri":"/x","status":404,"host":"192.0.2.9:80"}"#;
        let Reading::Event(event) = read(bare) else { panic!("unread") };
        assert_eq!((event.client, event.account, event.server), (None, None, None));
        assert_eq!((event.url, event.outcome), (Some(&b"/x"[..]), Some(Outcome::Failure)));
    }

    #[test]
    fn other_records() {
        for line in [
            "",
            "{}",
            r#"{"msec":1795404549.000,"remote_addr":"192.0.2.7","status":200}"#,
            r#"{"msec":"later","remote_addr":"192.0.2.7","uri":"/","status":200}"#,
            r#"{"msec":1795404549.000,"agent":{"remote_addr":"192.0.2.7"},"uri":"/","status":200}"#,
            r#"{"msec":1795404549.000,"remote_addr":"192.0.2.7","uri":"/","status":"two"}"#,
        ] {
            assert_eq!(read(line), Reading::Unread, "{line}");
        }
    }
}
