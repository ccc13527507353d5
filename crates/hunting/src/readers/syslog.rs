//! Syslog as daemons and relays write it to files: the headers of RFC 3164 and RFC 5424, with or
//! without the priority, around the messages of known programs.

use super::text::Text;
use super::{Format, Reading, dns, mail, netfilter, pam, ssh};
use crate::event::Event;
use crate::time::{Clock, Moment, rfc3164, rfc3339};

/// The format.
pub(super) struct Syslog;

impl Format for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn read<'l>(&self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        match header(line, clock) {
            Some(Record { time, host, tag, message }) => match dispatch(tag, message, time) {
                Reading::Event(event) => Reading::Event(Event { host, ..event }),
                other => other,
            },
            None => Reading::Unread,
        }
    }
}

/// What the header says.
struct Record<'l> {
    time: Option<Moment>,
    /// The machine, where it is named.
    host: Option<&'l [u8]>,
    /// The program, without its process.
    tag: &'l [u8],
    message: &'l [u8],
}

/// The reader of a program's messages. Programs without one are quiet, but for logins that PAM refused, and
/// packets, since the prefix of a rule may look like a program. False positives: unknown programs whose
/// messages begin like a packet, by themselves or as somebody had them say.
fn dispatch<'l>(tag: &[u8], message: &'l [u8], time: Option<Moment>) -> Reading<'l> {
    let program = memchr::memchr(b'/', tag).and_then(|slash| tag.get(..slash)).unwrap_or(tag);
    match program {
        b"named" => dns::bind_message(message, time),
        b"unbound" => dns::unbound_message(message, time),
        b"dnsmasq" => dns::dnsmasq_message(message, time),
        b"pdns" | b"pdns_server" | b"pdns_recursor" | b"pdns-recursor" => {
            dns::powerdns_message(message, time)
        }
        b"sshd" | b"sshd-session" => ssh::message(message, time),
        b"postfix" => mail::postfix_message(message, time),
        b"exim" | b"exim4" => mail::exim_message(message, time),
        b"dovecot" => mail::dovecot_message(message, time),
        b"kernel" => netfilter::message(message, time),
        // What stands before the colon is the prefix of a rule.
        _ if message.starts_with(b"IN=") => netfilter::message(message, time),
        _ => pam::message(message, time),
    }
}

fn header<'l>(line: &'l [u8], clock: &Clock) -> Option<Record<'l>> {
    let line = without_priority(line);
    if let Some(rest) = line.strip_prefix(b"1 ") {
        return structured(rest, clock);
    }
    let (time, rest) = rfc3164(line, clock).or_else(|| rfc3339(line, clock))?;
    let mut text = Text(rest);
    text.expect(b" ")?;
    // dnsmasq's own file has no host.
    let mut host = text;
    let is_tag = |word: &[u8]| word.ends_with(b":");
    let word = host.word();
    let name = (!is_tag(word)).then_some(word);
    if name.is_some() {
        text = host;
    }
    let without_program = text.0;
    let Some((tag, message)) = program(text) else {
        let message = netfilter::behind_prefix(without_program)?;
        return Some(Record { time: Some(time), host: name, tag: b"kernel", message });
    };
    Some(Record { time: Some(time), host: name, tag, message })
}

/// Program and message of `sshd[7]: message`.
fn program(mut text: Text<'_>) -> Option<(&[u8], &[u8])> {
    let tag = text.until(b':')?;
    let tag = memchr::memchr(b'[', tag).and_then(|end| tag.get(..end)).unwrap_or(tag);
    (!tag.is_empty() && !tag.contains(&b' ')).then_some((tag, text.0.trim_ascii_start()))
}

/// Behind the version: `TIME HOST PROGRAM PROCESS ID DATA MESSAGE` (RFC 5424, section 6).
fn structured<'l>(rest: &'l [u8], clock: &Clock) -> Option<Record<'l>> {
    let (time, rest) = match rest.strip_prefix(b"-") {
        Some(rest) => (None, rest),
        None => rfc3339(rest, clock).map(|(time, rest)| (Some(time), rest))?,
    };
    let mut text = Text(rest);
    text.expect(b" ")?;
    let host = Some(text.word()).filter(|host| *host != b"-");
    let tag = text.word();
    text.word();
    text.word();
    let message = behind_data(text.0)?;
    let message = message.strip_prefix("\u{feff}".as_bytes()).unwrap_or(message);
    // Relays keep the blank that stood behind the program's name.
    Some(Record { time, host, tag, message: message.trim_ascii_start() })
}

/// What is behind the structured data: `-`, or elements in brackets whose values are quoted.
fn behind_data(text: &[u8]) -> Option<&[u8]> {
    let rest = match text.strip_prefix(b"-") {
        Some(rest) => rest,
        None => {
            let mut rest = text;
            while rest.first() == Some(&b'[') {
                rest = rest.get(element_end(rest)? + 1..)?;
            }
            (rest.len() < text.len()).then_some(rest)?
        }
    };
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b" ") }
}

/// Where the element that begins `text` ends.
fn element_end(text: &[u8]) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.iter().position(|byte| {
        let is_end = *byte == b']' && !is_quoted;
        is_quoted ^= *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })
}

/// Without `<13>` in front.
fn without_priority(line: &[u8]) -> &[u8] {
    let mut text = Text(line);
    let has_priority = text.expect(b"<").is_some()
        && text.until(b'>').is_some_and(|number| {
            (1..=3).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
        });
    if has_priority { text.0 } else { line }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(line: &str) -> Option<(String, String)> {
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        match Syslog.read(line.as_bytes(), &clock) {
            Reading::Event(event) => {
                let time = event.time.map(|time| time.to_string()).unwrap_or_default();
                Some((time, event.client.unwrap().to_string()))
            }
            _ => None,
        }
    }

    #[test]
    fn headers_of_all_kinds() {
        let ssh = "Failed password for root from 192.0.2.7 port 4 ssh2";
        let query = "query[A] a.example from 192.0.2.7";
        let at = "2026-11-23T04:29:09Z";
        for (line, time) in [
            (format!("Nov 23 04:29:09 host sshd[7]: {ssh}"), at),
            (format!("<38>Nov 23 04:29:09 host sshd[7]: {ssh}"), at),
            (format!("2026-11-23T13:29:09+09:00 host sshd[7]: {ssh}"), at),
            (format!("<38>1 2026-11-23T04:29:09Z host sshd 7 - - {ssh}"), at),
            (format!("<38>1 2026-11-23T04:29:09Z host sshd 7 - [x@1 a=\"]\\\"\"][y@1] {ssh}"), at),
            (
                format!("<38>1 2026-11-23T04:29:09.5Z host sshd 7 - -  {ssh}"),
                "2026-11-23T04:29:09.5Z",
            ),
            (format!("<38>1 - host sshd 7 - - \u{feff}{ssh}"), ""),
            (format!("Nov 23 04:29:09 dnsmasq[7]: {query}"), at),
        ] {
            assert_eq!(read(&line), Some((time.to_owned(), "192.0.2.7".to_owned())), "{line}");
        }
    }

    #[test]
    fn the_machine_is_that_of_the_header() {
        let ssh = "Failed password for root from 192.0.2.7 port 4 ssh2";
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        for (line, host) in [
            (format!("Nov 23 04:29:09 gate sshd[7]: {ssh}"), Some(&b"gate"[..])),
            (format!("<38>1 2026-11-23T04:29:09Z gate sshd 7 - - {ssh}"), Some(b"gate")),
            (format!("<38>1 2026-11-23T04:29:09Z - sshd 7 - - {ssh}"), None),
            (format!("Nov 23 04:29:09 sshd[7]: {ssh}"), None),
        ] {
            let Reading::Event(event) = Syslog.read(line.as_bytes(), &clock) else {
                panic!("{line}")
            };
            assert_eq!(event.host, host, "{line}");
        }
    }

    /// As ulogd writes them, with the prefix of a rule or without.
    #[test]
    fn packets_without_a_program() {
        let packet =
            "IN=lo OUT= MAC=00:00 SRC=192.0.2.7 DST=10.0.0.1 LEN=60 PROTO=TCP SPT=3 DPT=23";
        let expected = ("2026-11-23T04:29:09Z".to_owned(), "192.0.2.7".to_owned());
        for prefix in ["", "telnet  ", "c2: ", "DROP:", "to c2: ", "kernel: [1.5] x "] {
            let line = format!("Nov 23 04:29:09 host {prefix}{packet}");
            assert_eq!(read(&line), Some(expected.clone()), "{line}");
        }
        for other in ["app[7]: got", "sshd[7]: Invalid user", "x IN=lo y", &"x".repeat(129)] {
            assert_eq!(read(&format!("Nov 23 04:29:09 host {other} {packet}")), None, "{other}");
        }
    }

    #[test]
    fn programs_without_a_reader_are_quiet() {
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        let read = |line: &'static [u8]| Syslog.read(line, &clock);
        assert_eq!(read(b"Nov 23 04:29:09 host cron[7]: (root) CMD (x)"), Reading::Quiet);
        assert_eq!(read(b"Nov 23 04:29:09"), Reading::Unread);
        assert_eq!(read(b"<999999>Nov 23 04:29:09 host cron: x"), Reading::Unread);
        assert_eq!(read(b"<38>1 2026-11-23T04:29:09Z host sshd 7 - [x@1 a=\"] x"), Reading::Unread);
    }
}
