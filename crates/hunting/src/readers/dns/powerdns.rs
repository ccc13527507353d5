//! PowerDNS: the Authoritative Server's `log-dns-queries` and the Recursor's `quiet=no`, through syslog.
//!
//! ```text
//! Remote 192.0.2.7 wants 'a.example|A', do = 0, bufsize = 512: packetcache MISS
//! TCP Remote 192.0.2.7 wants 'a.example|A', do = 0, bufsize = 1232: packetcache MISS
//! 3 [2/1] question for 'a.example|A' from 192.0.2.7:40000
//! msg="Question" subsystem="syncres" proto="udp" qname="a.example" qtype="A" remote="192.0.2.7:40000"
//! ```
//!
//! Answers repeat their question and are quiet. Behind a proxy that speaks for clients, the address is the
//! one that the server logs. PowerDNS writes a blank in a name as `\032`, so that a name imitates no field.

use core::net::{IpAddr, SocketAddr};

use crate::event::{Event, Kind};
use crate::readers::Reading;
use crate::readers::text::{Text, address};
use crate::time::Moment;

/// A message of `pdns_server` or `pdns_recursor`.
pub(in crate::readers) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    let asked = wanted(text).or_else(|| question(text)).or_else(|| fields(text));
    let Some((client, name)) = asked else { return Reading::Quiet };
    let event = Event::new(Kind::DnsQuery, time);
    Reading::Event(Event { client: Some(client), name: Some(name), ..event })
}

/// The Authoritative Server.
fn wanted(text: &[u8]) -> Option<(IpAddr, &[u8])> {
    let mut text = Text(text.strip_prefix(b"TCP ").unwrap_or(text));
    text.expect(b"Remote ")?;
    let client = host(text.word())?;
    text.expect(b"wants '")?;
    Some((client, asked(text.word().strip_suffix(b"',")?)?))
}

/// The Recursor up to 4.9, behind its thread and task.
fn question(text: &[u8]) -> Option<(IpAddr, &[u8])> {
    let mut text = Text(text);
    text.word();
    text.expect(b"[")?;
    text.word();
    text.expect(b"question for '")?;
    let name = asked(text.word().strip_suffix(b"'")?)?;
    text.expect(b"from ")?;
    Some((host(text.word())?, name))
}

/// The Recursor's structured log.
fn fields(text: &[u8]) -> Option<(IpAddr, &[u8])> {
    let mut text = Text(text);
    text.expect(b"msg=\"Question\" ")?;
    text.behind(b" qname=\"")?;
    let name = text.behind(b"\" ")?;
    text.behind(b"remote=\"")?;
    let client = host(text.until(b'"')?)?;
    (!name.is_empty()).then_some((client, name))
}

/// The name in `a.example|A`; it may hold the mark itself, its type does not.
fn asked(text: &[u8]) -> Option<&[u8]> {
    let name = text.get(..memchr::memrchr(b'|', text)?)?;
    (!name.is_empty()).then_some(name)
}

/// An address with or without a port.
fn host(text: &[u8]) -> Option<IpAddr> {
    let with_port = || core::str::from_utf8(text).ok()?.parse::<SocketAddr>().ok();
    address(text).or_else(|| with_port().map(|host| host.ip().to_canonical()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        match message(text.as_bytes(), None) {
            Reading::Event(event) => Some((
                event.client.unwrap().to_string(),
                String::from_utf8_lossy(event.name.unwrap()).into_owned(),
            )),
            _ => None,
        }
    }

    #[test]
    fn questions_of_all_versions() {
        for (text, client) in [
            (
                "Remote 192.0.2.7 wants 'a.example|A', do = 0, bufsize = 512: packetcache MISS",
                "192.0.2.7",
            ),
            (
                "TCP Remote 192.0.2.7 wants 'a.example|TXT', do = 0, bufsize = 1232: packetcache MISS",
                "192.0.2.7",
            ),
            ("3 [2/1] question for 'a.example|AAAA' from 192.0.2.7:40000", "192.0.2.7"),
            ("3 [2/1] question for 'a.example|AAAA' from [2001:db8::7]:40000", "2001:db8::7"),
            ("3 [2/1] question for 'a.example|A' from 192.0.2.7", "192.0.2.7"),
            (
                "msg=\"Question\" subsystem=\"syncres\" level=\"0\" prio=\"Info\" tid=\"1\" \
                 ts=\"1720505171.301\" ecs=\"\" mtid=\"0\" proto=\"udp\" qname=\"a.example\" \
                 qtype=\"A\" remote=\"192.0.2.7:58786\"",
                "192.0.2.7",
            ),
        ] {
            assert_eq!(read(text), Some((client.to_owned(), "a.example".to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_question() {
        for text in [
            "",
            "Remote x wants 'a.example|A'",
            "Remote 192.0.2.7 wants 'a.example",
            "Remote 192.0.2.7 wants '|A'",
            "3 [2/1] answer to question 'a.example|A': 1 answers",
            "msg=\"Answer\" qname=\"a.example\" qtype=\"A\" remote=\"192.0.2.7:1\"",
            "msg=\"Question\" qname=\"a.example\"",
            "note: Remote 192.0.2.7 wants 'a.example|A'",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_imitates_no_field() {
        let text = "msg=\"Question\" proto=\"udp\" qname=\"x\\\"\\032remote=\\\"192.0.2.9:1\\\"\" \
            qtype=\"A\" remote=\"192.0.2.7:2\"";
        assert_eq!(read(text).unwrap().0, "192.0.2.7");
        let text =
            "Remote 192.0.2.7 wants 'c2.example|A',|x.a.example|A', do = 0, bufsize = 512: x";
        assert_eq!(read(text).unwrap().1, "c2.example|A',|x.a.example");
    }
}
