//! Zeek's logs as tables, which it writes unless told otherwise.
//!
//! ```text
//! #separator \x09
//! #unset_field  -
//! #path  dns
//! #fields  ts  uid  id.orig_h  id.orig_p  id.resp_h  id.resp_p  proto  trans_id  query
//! 1700000000.123456  C1  192.0.2.7  4321  192.0.2.53  53  udp  7  a.example
//! ```
//!
//! Columns are apart by tabs. Lines in front say what the columns are; where rotated parts were joined, they stand in the middle, too.
//! Zeek escapes what could imitate them (`\x23` for `#`), and separators in values. Names and URLs with such
//! escapes are compared as they are escaped. A part without its beginning cannot be read.

use super::{Fields, Log};
use crate::readers::Reading;
use crate::readers::source::Header;
use crate::readers::text::{address, number};
use crate::time::{Clock, epoch};

/// How every part begins.
const MARK: &[u8] = b"#separator ";

/// Columns that are looked at; logs have fewer than 40.
const COLUMNS: usize = 256;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Time,
    Client,
    Server,
    Port,
    Protocol,
    State,
    Query,
    Code,
    Host,
    Uri,
    Status,
    Established,
    ServerName,
    /// What is not looked at.
    Other,
}

impl Column {
    fn of(name: &[u8]) -> Self {
        match name {
            b"ts" => Self::Time,
            b"id.orig_h" => Self::Client,
            b"id.resp_h" => Self::Server,
            b"id.resp_p" => Self::Port,
            b"proto" => Self::Protocol,
            b"conn_state" => Self::State,
            b"query" => Self::Query,
            b"rcode_name" => Self::Code,
            b"host" => Self::Host,
            b"uri" => Self::Uri,
            b"status_code" => Self::Status,
            b"established" => Self::Established,
            b"server_name" => Self::ServerName,
            _ => Self::Other,
        }
    }
}

/// What the lines in front say.
#[derive(Debug)]
pub(in crate::readers) struct Columns {
    separator: u8,
    unset: Vec<u8>,
    empty: Vec<u8>,
    log: Log,
    columns: Vec<Column>,
}

impl Default for Columns {
    fn default() -> Self {
        let (unset, empty) = (b"-".to_vec(), b"(empty)".to_vec());
        Self { separator: b'\t', unset, empty, log: Log::Other, columns: Vec::new() }
    }
}

impl Header for Columns {
    const NAME: &'static str = "zeek";
    const MARKS: &'static [&'static [u8]] = &[MARK];

    fn read<'l>(&mut self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        match line.strip_prefix(b"#") {
            Some(told) => self.learn(told).map_or(Reading::Unread, |()| Reading::Quiet),
            None => self.record(line, clock).unwrap_or(Reading::Unread),
        }
    }
}

impl Columns {
    /// A line behind its `#`.
    fn learn(&mut self, told: &[u8]) -> Option<()> {
        if let Some(separator) = told.strip_prefix(b"separator ") {
            *self = Self { separator: byte(separator)?, ..Self::default() };
            return Some(());
        }
        let end = memchr::memchr(self.separator, told)?;
        let (key, value) = (told.get(..end)?, told.get(end + 1..)?);
        match key {
            b"unset_field" => self.unset = value.to_vec(),
            b"empty_field" => self.empty = value.to_vec(),
            b"path" => self.log = Log::of(value),
            b"fields" => {
                let names = value.split(|byte| *byte == self.separator);
                self.columns = names.take(COLUMNS).map(Column::of).collect();
            }
            b"set_separator" | b"types" | b"open" | b"close" => {}
            _ => return None,
        }
        Some(())
    }

    fn record<'l>(&self, line: &'l [u8], clock: &Clock) -> Option<Reading<'l>> {
        let (mut fields, mut time, mut rest) = (Fields::default(), None, Some(line));
        for column in &self.columns {
            let left = rest?;
            let value = match memchr::memchr(self.separator, left) {
                Some(end) => {
                    rest = left.get(end + 1..);
                    left.get(..end)?
                }
                None => {
                    rest = None;
                    left
                }
            };
            if *column == Column::Other || value == self.unset || value == self.empty {
                continue;
            }
            match column {
                Column::Time => time = epoch(value, clock).filter(|(_, rest)| rest.is_empty()),
                column => fields.set(*column, value),
            }
        }
        Some(fields.event(self.log, time?.0))
    }
}

impl<'l> Fields<'l> {
    fn set(&mut self, column: Column, value: &'l [u8]) {
        match column {
            Column::Client => self.client = address(value),
            Column::Server => self.server = address(value),
            Column::Port => self.port = number(value),
            Column::Protocol => self.protocol = Some(value),
            Column::State => self.state = Some(value),
            Column::Query => self.query = Some(value),
            Column::Code => self.code = Some(value),
            Column::Host => self.host = Some(value),
            Column::Uri => self.uri = Some(value),
            Column::Status => self.status = number(value),
            Column::Established => self.is_established = Some(value == b"T"),
            Column::ServerName => self.server_name = Some(value),
            Column::Time | Column::Other => {}
        }
    }
}

/// The byte that `\x09` or a character stands for.
fn byte(text: &[u8]) -> Option<u8> {
    match (text.strip_prefix(b"\\x"), text) {
        (Some(digits), _) => u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok(),
        (None, [byte]) => Some(*byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::event::{Event, Kind, Outcome};
    use crate::time::Moment;
    use miyaburi_model::Protocol;

    /// The readings of a log, as far as they are events.
    fn read(log: &str) -> Vec<Event<'_>> {
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        let mut header = Columns::default();
        let readings = log.lines().map(|line| header.read(line.as_bytes(), &clock));
        readings
            .filter_map(|reading| match reading {
                Reading::Event(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    fn log(path: &str, fields: &str, values: &str) -> String {
        let row = |text: &str| text.replace(' ', "\t");
        format!(
            "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n\
             #path\t{path}\n#open\t2026-11-23-04-29-09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\t\
             id.resp_h\tid.resp_p\t{}\n#types\ttime\tstring\taddr\tport\taddr\tport\n\
             1700000000.250000\tC1\t192.0.2.7\t4321\t198.51.100.9\t53\t{}\n#close\t2026-11-23\n",
            row(fields),
            row(values)
        )
    }

    fn expected(kind: Kind, protocol: Protocol) -> Event<'static> {
        Event {
            client: "192.0.2.7".parse().ok(),
            server: "198.51.100.9".parse().ok(),
            port: Some(53),
            protocol: Some(protocol),
            outcome: Some(Outcome::Success),
            ..Event::new(kind, Some(Moment(1_700_000_000_250_000)))
        }
    }

    /// The columns of Zeek's manual, in its order.
    #[test]
    fn logs_as_the_manual_has_them() {
        const CONN: &str = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration \
            orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts \
            orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents";
        const DNS: &str = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id rtt query \
            qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected";
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        let told = |path: &str, names: &str, row: &str| {
            let mut columns = Columns::default();
            let [names, row] = [names, row].map(|it| it.replace(' ', "\t"));
            for line in [
                "#separator \\x09".to_owned(),
                "#set_separator\t,".to_owned(),
                "#empty_field\t(empty)".to_owned(),
                "#unset_field\t-".to_owned(),
                format!("#path\t{path}"),
                "#open\t2026-11-23-04-00-00".to_owned(),
                format!("#fields\t{names}"),
            ] {
                assert_eq!(columns.read(line.as_bytes(), &clock), Reading::Quiet, "{line}");
            }
            let Reading::Event(event) = columns.read(row.as_bytes(), &clock) else {
                panic!("{row}")
            };
            let name = event.name.map(|name| String::from_utf8_lossy(name).into_owned());
            (event.client.map(|it| it.to_string()), event.port, name, event.outcome)
        };
        let client = Some("192.0.2.7".to_owned());
        assert_eq!(
            told(
                "conn",
                CONN,
                "1700000000.25 C1 192.0.2.7 39681 198.51.100.9 23 tcp - 0.004 97 19 RSTR - - 0 \
                 ShADTdtr 10 730 6 342 -",
            ),
            (client.clone(), Some(23), None, Some(Outcome::Success))
        );
        assert_eq!(
            told(
                "dns",
                DNS,
                "1700000000.25 C2 192.0.2.7 57199 198.51.100.53 53 udp 6601 - c2.example 1 \
                 C_INTERNET 1 A 3 NXDOMAIN F F T F 0 - - F",
            ),
            (client, Some(53), Some("c2.example".to_owned()), Some(Outcome::Failure))
        );
    }

    #[test]
    fn every_log() {
        let conn = log("conn", "proto service conn_state", "tcp - SF");
        assert_eq!(read(&conn), [expected(Kind::Connection, Protocol::Tcp)]);
        let name = Some(&b"c2.example"[..]);
        let dns = log("dns", "proto query rcode_name", "udp c2.example NOERROR");
        let event = Event { name, ..expected(Kind::DnsQuery, Protocol::Udp) };
        assert_eq!(read(&dns), [event]);
        let http = log("http", "host uri status_code", "c2.example /x 200");
        let event = Event { name, url: Some(b"/x"), ..expected(Kind::WebRequest, Protocol::Tcp) };
        assert_eq!(read(&http), [event]);
        let ssl = log("ssl", "server_name established", "c2.example T");
        let event = Event { name, ..expected(Kind::Connection, Protocol::Tcp) };
        assert_eq!(read(&ssl), [event]);
    }

    #[test]
    fn columns_may_be_in_any_order_and_values_be_missing() {
        let dns = log("dns", "query rcode_name proto", "- (empty) udp");
        let event = Event { outcome: None, ..expected(Kind::DnsQuery, Protocol::Udp) };
        assert_eq!(read(&dns), [event]);
    }

    #[test]
    fn joined_parts_have_their_own_columns_and_separators() {
        let one = log("conn", "proto conn_state", "tcp REJ");
        let other = log("dns", "query", "c2.example").replace("\\x09", "|").replace('\t', "|");
        let both = one + &other;
        let events = read(&both);
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].outcome, Some(Outcome::Failure));
        assert_eq!((events[1].kind, events[1].name), (Kind::DnsQuery, Some(&b"c2.example"[..])));
    }

    #[test]
    fn what_is_no_event() {
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        let mut header = Columns::default();
        assert_eq!(header.read(b"1700000000.25\tC1\t192.0.2.7", &clock), Reading::Unread);
        assert!(read(&log("weird", "name", "c2.example")).is_empty());
        let cut = log("dns", "query rcode_name", "c2.example");
        assert!(read(&cut).is_empty(), "a row with too few columns");
        let dns = log("dns", "query", "c2.example");
        for line in dns.lines() {
            header.read(line.as_bytes(), &clock);
        }
        for line in ["#note\tx", "#", "", "yesterday\tC1\t-\t-\t-\t-\t-", "#separator \\x0g"] {
            assert_eq!(header.read(line.as_bytes(), &clock), Reading::Unread, "{line}");
        }
        // The mark of a line in front, as Zeek escapes it in a value.
        let line = b"1700000000.250000\tC1\t192.0.2.7\t1\t198.51.100.9\t53\t\\x23fields\\x09x";
        let Reading::Event(event) = header.read(line, &clock) else { panic!("unread") };
        assert_eq!(event.name, Some(&b"\\x23fields\\x09x"[..]));
    }
}
