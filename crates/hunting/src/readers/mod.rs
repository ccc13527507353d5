//! Formats of sources: bytes in, events out.
//!
//! A format whose lines stand for themselves is a type that implements [`Format`]; what lines say of those
//! behind them implements `source::Header`; a format whose records are no lines implements [`Source`]. All
//! have their place in [`FORMATS`]. Messages of
//! programs that log through syslog have a function in their module and a line in [`syslog`].

mod combined;
mod described;
mod dns;
mod dnstap;
mod eve;
mod json;
mod mail;
mod netfilter;
mod netflow;
mod nfdump;
mod packets;
mod pam;
mod source;
mod ssh;
mod syslog;
mod text;
mod web;
mod zeek;

use crate::event::Event;
use crate::time::Clock;
pub use described::{Described, DescriptionError};
use source::Headed;
pub use source::{Fit, Input, Records, Scanned, Source};
pub(crate) use text::address;

/// Ports below are servers' (RFC 6335, section 6).
const SYSTEM_PORTS: u16 = 1024;

/// Whether ports are those of an answer.
///
/// False positives: clients that bind to ports of servers. False negatives: servers with other ports.
const fn is_answer(from: u16, to: u16) -> bool {
    from < SYSTEM_PORTS && to >= SYSTEM_PORTS
}

/// What a line turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<'l> {
    /// An event.
    Event(Event<'l>),
    /// A line of this format that tells of nothing that can be hunted.
    Quiet,
    /// No line of this format.
    Unread,
}

impl<'l> Reading<'l> {
    /// An event, or no line of the format.
    fn of(event: Option<Event<'l>>) -> Self {
        event.map_or(Self::Unread, Self::Event)
    }
}

/// A log format whose lines stand for themselves.
pub trait Format: Sync {
    /// What users call it.
    fn name(&self) -> &'static str;

    /// Reads one line, without its end. Nothing in it is trusted: it says what its bytes say.
    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l>;
}

/// All formats, in the order in which they are asked.
pub const FORMATS: [&dyn Source; 13] = [
    &dns::BindFile,
    &dns::UnboundFile,
    &combined::Combined,
    &syslog::Syslog,
    &eve::Eve,
    &zeek::ZeekJson,
    &Headed::<zeek::Columns>::new(),
    &mail::EximFile,
    &Headed::<nfdump::Table>::new(),
    &web::WebJson,
    &packets::Packets,
    &dnstap::Dnstap,
    &netflow::Netflow,
];

/// The format of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Source> {
    FORMATS.into_iter().find(|format| format.name() == name)
}

/// The format that begins so, where its first bytes tell.
#[must_use]
pub fn marked(beginning: &[u8]) -> Option<&'static dyn Source> {
    FORMATS.into_iter().find(|format| format.is_marked(beginning))
}

/// The format that finds most events in these lines, of those that read half of them; where none finds
/// any, the one that reads most; the first of several.
#[must_use]
pub fn recognise(lines: &[&[u8]], clock: &Clock) -> Option<&'static dyn Source> {
    let fitting = FORMATS.into_iter().rev().filter_map(|format| {
        let fit = format.fit(lines, clock);
        (fit.read > 0 && fit.read * 2 >= lines.len()).then_some((fit, format))
    });
    fitting.max_by_key(|(fit, _)| *fit).map(|(_, format)| format)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::time::Moment;
    use proptest::prelude::*;

    fn clock() -> Clock {
        Clock::utc(Moment::from_unix(1_795_435_200))
    }

    #[test]
    fn a_format_is_recognised_by_what_it_reads() {
        let bind: &[u8] = b"23-Nov-2026 04:29:09.123 queries: info: client @0x7f 192.0.2.7#5353 \
            (a.example): query: a.example IN A +E(0)K (192.0.2.1)";
        let web: &[u8] = b"192.0.2.7 - - [23/Nov/2026:04:29:09 +0000] \"GET / HTTP/1.1\" 200 5";
        let name = |lines: &[&[u8]]| recognise(lines, &clock()).map(Source::name);
        assert_eq!(name(&[bind, bind, b"?"]), Some("bind"));
        assert_eq!(name(&[web]), Some("combined"));
        let ssh: &[u8] =
            b"2026-11-23T04:29:09.123456+00:00 h sshd[7]: Failed password for root from \
            192.0.2.9 port 4 ssh2";
        let cron: &[u8] = b"2026-11-23T04:29:09.123456+00:00 h CRON[7]: (root) CMD (x)";
        assert_eq!(name(&[ssh, cron, cron]), Some("syslog"));
        assert_eq!(name(&[cron]), Some("syslog"));
        let eve: &[u8] = br#"{"timestamp":"2026-11-23T04:29:09+0000","event_type":"stats"}"#;
        assert_eq!(name(&[eve]), Some("eve"));
        let zeek: &[u8] =
            br#"{"ts":1700000000.5,"uid":"C1","id.orig_h":"::1","query":"a.example"}"#;
        assert_eq!(name(&[zeek]), Some("zeek-json"));
        let flow: &[u8] =
            b"2026-11-23 04:29:09.5,2026-11-23 04:29:09.5,0.0,192.0.2.7,::1,4,23,TCP,S";
        assert_eq!(name(&[flow]), Some("nfdump"));
        let request: &[u8] =
            br#"{"msec":1700000000.5,"remote_addr":"192.0.2.7","uri":"/x","status":200}"#;
        assert_eq!(name(&[request]), Some("web-json"));
        let mail: &[u8] = b"2026-11-23 04:29:09 1vNAbc-0001Ab-2C Completed";
        assert_eq!(name(&[mail]), Some("exim"));
        let application: &[u8] = b"2026-11-23 04:29:09 INFO started";
        assert_eq!(name(&[application]), None);
        assert_eq!(name(&[b"?", b"!", web]), None);
        assert_eq!(name(&[]), None);
    }

    #[test]
    fn first_bytes_tell_a_format_that_has_a_mark() {
        let name = |bytes: &[u8]| marked(bytes).map(Source::name);
        assert_eq!(name(b"#separator \\x09\n"), Some("zeek"));
        assert_eq!(name(b"ts,te,td,sa,da"), Some("nfdump"));
        assert_eq!(name(b"ts,query\n"), None);
        assert_eq!(name(b""), None);
    }

    /// Reads bytes by every format; each counts all that it was given.
    fn read_by_all(bytes: &[u8]) {
        for format in FORMATS {
            let mut bytes = bytes;
            let mut input = Input::new(&mut bytes);
            let mut scanned = Scanned::default();
            let mut seen = |_: &Event<'_>, _: crate::Sighted<'_>| {};
            let mut records = Records::new("log", &mut scanned, &mut seen);
            format.read_all(&mut input, &clock(), &mut records).unwrap();
            assert_eq!(scanned.samples.is_empty(), scanned.unread == 0, "{}", format.name());
        }
    }

    proptest! {
        /// No format panics, whatever the line, and what it gives back lies in the line.
        #[test]
        fn any_line_is_read_or_not(line in proptest::collection::vec(any::<u8>(), 0..400)) {
            read_by_all(&line);
        }
    }
}
