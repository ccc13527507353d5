//! Exim: its main log, and the same messages through syslog.
//!
//! ```text
//! 2026-11-23 04:29:09 1vNAbc-0001Ab-2C <= alice@a.example H=(pc) [192.0.2.7]:4321 P=esmtpsa A=plain:alice S=812
//! 2026-11-23 04:29:10 1vNAbc-0001Ab-2C => bob@b.example R=dnslookup T=remote_smtp H=mx.b.example [192.0.2.9]
//! 2026-11-23 04:29:11 plain authenticator failed for (pc) [192.0.2.7]: 535 Incorrect authentication data (set_id=bob)
//! 2026-11-23 04:29:12 H=(pc) [192.0.2.7] F=<x@a.example> rejected RCPT <y@b.example>: relay not permitted
//! ```
//!
//! A host is taken from where Exim puts it: an address of mail whose quoted part imitates one stays within
//! its quotes, and what a client calls itself stands in parentheses. Where Exim takes any greeting
//! (`helo_accept_junk_hosts`), one with a blank and an address in brackets imitates the client's.

use core::net::IpAddr;

use miyaburi_model::Protocol;

use crate::event::{Event, Kind, Outcome};
use crate::readers::text::{Text, address, number};
use crate::readers::{Format, Reading};
use crate::time::{Clock, Moment, spaced};

/// The main log.
pub(in crate::readers) struct EximFile;

impl Format for EximFile {
    fn name(&self) -> &'static str {
        "exim"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        let dated = spaced(line, clock);
        let Some((time, text)) =
            dated.and_then(|(time, rest)| Some((time, rest.strip_prefix(b" ")?)))
        else {
            return Reading::Unread;
        };
        let text = without_process(text);
        match event(text, Some(time)) {
            Some(event) => Reading::Event(event),
            None if is_of_exim(text) => Reading::Quiet,
            None => Reading::Unread,
        }
    }
}

/// A message through syslog, with or without a time of its own.
pub(in crate::readers) fn message(text: &[u8], time: Option<Moment>) -> Reading<'_> {
    let dated = spaced(text, &Clock::utc(Moment(0))).and_then(|(_, rest)| rest.strip_prefix(b" "));
    event(without_process(dated.unwrap_or(text)), time).map_or(Reading::Quiet, Reading::Event)
}

/// Behind the process in brackets, which is there where `+pid` is selected.
fn without_process(text: &[u8]) -> &[u8] {
    let mut rest = Text(text);
    let is_process = rest.expect(b"[").is_some()
        && rest.behind(b"] ").is_some_and(|number| number.iter().all(u8::is_ascii_digit));
    if is_process { rest.0 } else { text }
}

/// Whether a message without an event is one of Exim's: other logs have the same times.
fn is_of_exim(text: &[u8]) -> bool {
    let told: [&[u8]; 5] =
        [b"Start queue run:", b"End queue run:", b"exim ", b"no host name found for", b"H="];
    told.iter().any(|start| text.starts_with(start))
        || Words(text).next().is_some_and(is_number_of_message)
}

fn event(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    of_message(text, time)
        .or_else(|| failed_login(text, time))
        .or_else(|| refused(text, time))
        .or_else(|| connection(text, time))
}

/// What happens to a message: it is named first, then a sign of two characters.
fn of_message(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut words = Words(text);
    words.next().filter(|word| is_number_of_message(word))?;
    let event = Event { protocol: Some(Protocol::Tcp), ..Event::new(Kind::Mail, time) };
    match words.next()? {
        b"<=" => arrival(words, event),
        b"=>" | b"->" | b"*>" | b">>" => delivery(words, event, Outcome::Success),
        b"==" | b"**" => delivery(words, event, Outcome::Failure),
        _ => None,
    }
}

fn arrival<'l>(mut words: Words<'l>, event: Event<'l>) -> Option<Event<'l>> {
    let host = host(&mut words)?;
    // The size comes before what the message itself says.
    let account = words
        .take_while(|word| !word.starts_with(b"S="))
        .find_map(|word| word.strip_prefix(b"A="))
        .and_then(|told| told.get(memchr::memchr(b':', told)? + 1..));
    let kind = if account.is_some() { Kind::Login } else { Kind::Mail };
    let outcome = account.map(|_| Outcome::Success);
    Some(Event { kind, client: Some(host.address), account, outcome, ..event })
}

fn delivery<'l>(mut words: Words<'l>, event: Event<'l>, outcome: Outcome) -> Option<Event<'l>> {
    let Host { name, address, port } = host(&mut words)?;
    Some(Event { server: Some(address), port, name, outcome: Some(outcome), ..event })
}

fn failed_login(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut rest = Text(text);
    let method = rest.behind(b" authenticator failed for ")?;
    if method.contains(&b' ') {
        return None;
    }
    let host = Host::behind(&mut Words(rest.0))?;
    rest.behind(b"(set_id=").unwrap_or_default();
    let account = rest.0.strip_suffix(b")").filter(|account| !account.is_empty());
    Some(Event {
        client: Some(host.address),
        account,
        outcome: Some(Outcome::Failure),
        ..Event::new(Kind::Login, time)
    })
}

fn refused(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let mut words = Words(text);
    let host = text.starts_with(b"H=").then(|| host(&mut words))??;
    let is_refused = words.any(|word| matches!(word, b"rejected" | b"temporarily"));
    let protocol = Some(Protocol::Tcp);
    let event = Event { client: Some(host.address), protocol, ..Event::new(Kind::Mail, time) };
    is_refused.then_some(Event { outcome: Some(Outcome::Failure), ..event })
}

fn connection(text: &[u8], time: Option<Moment>) -> Option<Event<'_>> {
    let host = Host::behind(&mut Words(text.strip_prefix(b"SMTP connection from ")?))?;
    let event = Event::new(Kind::Connection, time);
    Some(Event { client: Some(host.address), protocol: Some(Protocol::Tcp), ..event })
}

/// `1vNAbc-0001Ab-2C`, since Exim 4.97 `1vNAbc-00000001Abc-2Cde`.
fn is_number_of_message(word: &[u8]) -> bool {
    let is_part = |part: &[u8]| part.iter().all(u8::is_ascii_alphanumeric);
    let parts: Vec<&[u8]> = word.split(|byte| *byte == b'-').take(4).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    parts.into_iter().all(is_part) && matches!(lengths.as_slice(), [6, 6, 2] | [6, 11, 4])
}

/// A host as Exim names it: `name (greeting) [address]:port`, of which all but the address may be missing.
#[derive(Clone, Copy, Debug)]
struct Host<'l> {
    name: Option<&'l [u8]>,
    address: IpAddr,
    port: Option<u16>,
}

impl<'l> Host<'l> {
    fn behind(words: &mut Words<'l>) -> Option<Self> {
        let mut name = None;
        loop {
            let word = words.next()?;
            let Some(inside) = word.strip_prefix(b"[") else {
                name = name.or(Some(word).filter(|word| !word.starts_with(b"(")));
                continue;
            };
            let end = memchr::memchr(b']', inside)?;
            let port = match inside.get(end + 1..)? {
                b"" | b":" => None,
                rest => Some(rest.strip_prefix(b":")?.strip_suffix(b":").unwrap_or(rest.get(1..)?)),
            };
            let address = address(inside.get(..end)?)?;
            return Some(Self { name, address, port: port.and_then(number) });
        }
    }
}

/// The host behind the first `H=`.
fn host<'l>(words: &mut Words<'l>) -> Option<Host<'l>> {
    loop {
        let before = words.0;
        if words.next()?.starts_with(b"H=") {
            words.0 = before.get(2..)?;
            return Host::behind(words);
        }
    }
}

/// Words between blanks, which do not end within quotes.
#[derive(Clone, Copy, Debug)]
struct Words<'l>(&'l [u8]);

impl<'l> Iterator for Words<'l> {
    type Item = &'l [u8];

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = self.0.iter().position(|byte| {
            is_quoted ^= *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            *byte == b' ' && !is_quoted
        });
        let end = end.unwrap_or(self.0.len());
        let word = self.0.get(..end)?;
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(line: &str) -> Reading<'_> {
        EximFile.read(line.as_bytes(), &Clock::utc(Moment::from_unix(1_795_435_200)))
    }

    fn of(line: &str) -> Event<'_> {
        let Reading::Event(event) = read(line) else { panic!("unread: {line}") };
        event
    }

    const ARRIVAL: &str = "2026-11-23 04:29:09 1vNAbc-0001Ab-2C <= ";

    #[test]
    fn logins_and_mail() {
        let time = Some(Moment::from_unix(1_795_408_149));
        let client = "192.0.2.7".parse().ok();
        let line = format!(
            "{ARRIVAL}alice@a.example H=pc.a.example (pc) [192.0.2.7]:4321 P=esmtpsa \
             X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no A=plain:alice S=812 id=1@a.example"
        );
        let event = Event {
            client,
            account: Some(b"alice"),
            protocol: Some(Protocol::Tcp),
            outcome: Some(Outcome::Success),
            ..Event::new(Kind::Login, time)
        };
        assert_eq!(read(&line), Reading::Event(event));
        let line = "2026-11-23 04:29:09 1vNAbc-00000001Abc-2Cde => bob <bob@b.example> F=<x@a.example> \
                    R=dnslookup T=remote_smtp H=mx.b.example [198.51.100.9]:25 C=\"250 OK\"";
        let event = Event {
            server: "198.51.100.9".parse().ok(),
            port: Some(25),
            name: Some(b"mx.b.example"),
            protocol: Some(Protocol::Tcp),
            outcome: Some(Outcome::Success),
            ..Event::new(Kind::Mail, time)
        };
        assert_eq!(read(line), Reading::Event(event));
        let failed = Event { outcome: Some(Outcome::Failure), ..event };
        assert_eq!(read(&line.replace("=>", "**")), Reading::Event(failed));
    }

    #[test]
    fn failures_and_connections() {
        let failed = "2026-11-23 04:29:09 +0000 [77] plain authenticator failed for (pc) [192.0.2.7]: 535 \
                      Incorrect authentication data (set_id=bob)";
        let event = of(failed);
        assert_eq!((event.kind, event.outcome), (Kind::Login, Some(Outcome::Failure)));
        assert_eq!((event.client, event.account), ("192.0.2.7".parse().ok(), Some(&b"bob"[..])));
        assert_eq!(of(&failed.replace(" (set_id=bob)", "")).account, None);
        let refused = "2026-11-23 04:29:09 H=([203.0.113.1]) [192.0.2.7] F=<x@a.example> rejected RCPT \
                       <y@b.example>: relay not permitted";
        let event = of(refused);
        assert_eq!((event.kind, event.client), (Kind::Mail, "192.0.2.7".parse().ok()));
        let connected = "2026-11-23 04:29:09 SMTP connection from [192.0.2.7]:4321 (TCP/IP connection count = 1)";
        assert_eq!(of(connected).kind, Kind::Connection);
    }

    #[test]
    fn a_host_within_quotes_or_in_what_a_message_says_is_none() {
        let line = format!(
            "{ARRIVAL}\"x\\\" H=evil [203.0.113.1]\"@a.example H=(pc) [192.0.2.7]:4 P=esmtp S=812 \
             id=1 A=plain:root T=\" H=x [203.0.113.1]\""
        );
        let event = of(&line);
        assert_eq!((event.client, event.account), ("192.0.2.7".parse().ok(), None));
        assert_eq!(event.kind, Kind::Mail);
    }

    #[test]
    fn through_syslog_times_may_stand_twice() {
        let time = Some(Moment(7));
        let text = b"SMTP connection from [192.0.2.7]:4321";
        let Reading::Event(event) = message(text, time) else { panic!("unread") };
        assert_eq!((event.time, event.client), (time, "192.0.2.7".parse().ok()));
        let text = b"2026-11-23 04:29:09 SMTP connection from [192.0.2.7]:4321";
        assert_eq!(message(text, time), Reading::Event(event));
        assert_eq!(message(b"daemon started", time), Reading::Quiet);
    }

    #[test]
    fn what_is_no_event() {
        for quiet in [
            "2026-11-23 04:29:09 1vNAbc-0001Ab-2C <= <> R=1vNAbc U=mail P=local S=9",
            "2026-11-23 04:29:09 1vNAbc-0001Ab-2C <= a H=(pc [192.0.2.7]) x",
            "2026-11-23 04:29:09 1vNAbc-0001Ab-2C Completed",
            "2026-11-23 04:29:09 H=(pc) [192.0.2.7] Warning: x",
        ] {
            assert_eq!(read(quiet), Reading::Quiet, "{quiet}");
        }
        for other in [
            "",
            "2026-11-23 04:29:09 ",
            "2026-11-23 04:29:09 INFO started",
            "2026-11-23 04:29:09 1vNAbc-0001Ab <= a H=(pc) [192.0.2.7]",
        ] {
            assert_eq!(read(other), Reading::Unread, "{other}");
        }
    }
}
