//! Flows as `nfdump -o csv` prints them, of all its versions.
//!
//! ```text
//! ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt
//! 2026-11-23 04:29:09.123,2026-11-23 04:29:10.123,1.000,192.0.2.7,198.51.100.9,40122,23,TCP,......S.,0,0,1,60,0,0
//! ```
//!
//! The first line names the columns; without one (`-q`) they are these. Times are local ones. A flow goes one
//! way: in that of an answer the client is who answers. An indicator is found on either side of both; one with
//! a port is not on that of an answer from another server's port.

use miyaburi_model::Protocol;

use super::source::Header;
use super::text::{address, number};
use super::{Reading, is_answer};
use crate::event::{Event, Kind, Traffic};
use crate::time::{Clock, rfc3339};

/// How the lines begin that name columns: until version 1.7.3, and since.
const MARKS: &[&[u8]] = &[b"ts,te,td,", b"firstSeen,duration,"];

/// The columns where no line names them.
const USUAL: &[u8] = b"ts,te,td,sa,da,sp,dp,pr";

/// How the lines begin that sum up all flows.
const SUMS: [&[u8]; 3] = [b"Summary", b"flows,bytes,packets", b"No matching flows"];

/// Columns that are looked at; there are fewer than 60.
const COLUMNS: usize = 256;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Time,
    Client,
    Server,
    Port,
    ClientPort,
    Protocol,
    Duration,
    Flags,
    Packets,
    Bytes,
    /// What is not looked at.
    Other,
}

impl Column {
    fn of(name: &[u8]) -> Self {
        match name {
            b"ts" | b"firstSeen" => Self::Time,
            b"sa" | b"srcAddr" => Self::Client,
            b"da" | b"dstAddr" => Self::Server,
            b"dp" | b"dstPort" => Self::Port,
            b"sp" | b"srcPort" => Self::ClientPort,
            b"pr" | b"proto" => Self::Protocol,
            b"td" | b"duration" => Self::Duration,
            b"flg" | b"flags" => Self::Flags,
            b"ipkt" | b"packets" => Self::Packets,
            b"ibyt" | b"bytes" => Self::Bytes,
            _ => Self::Other,
        }
    }
}

/// The columns, up to the last that is looked at.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    /// Whether the sums have begun, of which one line has nothing but numbers.
    is_summed: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self::named(USUAL)
    }
}

impl Header for Table {
    const NAME: &'static str = "nfdump";
    const MARKS: &'static [&'static [u8]] = MARKS;

    fn read<'l>(&mut self, line: &'l [u8], clock: &Clock) -> Reading<'l> {
        if let Some(event) = self.flow(line, clock) {
            return Reading::Event(event);
        }
        if MARKS.iter().any(|mark| line.starts_with(mark)) {
            *self = Self::named(line);
            return Reading::Quiet;
        }
        self.is_summed |= SUMS.iter().any(|sum| line.starts_with(sum));
        if self.is_summed { Reading::Quiet } else { Reading::Unread }
    }
}

impl Table {
    fn named(names: &[u8]) -> Self {
        let names = names.split(|byte| *byte == b',').take(COLUMNS);
        let mut columns: Vec<Column> = names.map(|name| Column::of(name.trim_ascii())).collect();
        let used = columns.iter().rposition(|column| *column != Column::Other);
        columns.truncate(used.map_or(0, |last| last + 1));
        Self { columns, is_summed: false }
    }

    fn flow<'l>(&self, line: &'l [u8], clock: &Clock) -> Option<Event<'l>> {
        let mut event = Event::new(Kind::Connection, None);
        let mut traffic =
            Traffic { protocol: 0, packets: 0, bytes: 0, flags: None, lasted: 0, is_whole: true };
        let mut values = memchr::memchr_iter(b',', line).chain([line.len()]);
        let mut start = 0;
        for column in &self.columns {
            let end = values.next()?;
            let value = line.get(start..end)?;
            start = end + 1;
            match column {
                Column::Time => {
                    let (time, rest) = rfc3339(value, clock)?;
                    event.time = rest.is_empty().then_some(time);
                }
                Column::Client => event.client = Some(address(value.trim_ascii())?),
                Column::Server => event.server = Some(address(value.trim_ascii())?),
                // Of ICMP it is the type and code.
                Column::Port => event.port = number(value.trim_ascii()),
                Column::ClientPort => event.client_port = number(value.trim_ascii()),
                Column::Protocol => {
                    traffic.protocol = protocol_number(value.trim_ascii());
                    event.protocol = protocol(traffic.protocol);
                }
                Column::Duration => traffic.lasted = micros(value.trim_ascii()),
                Column::Flags => traffic.flags = flags(value.trim_ascii()),
                Column::Packets => traffic.packets = count(value.trim_ascii()),
                Column::Bytes => traffic.bytes = count(value.trim_ascii()),
                Column::Other => {}
            }
        }
        event.traffic = (traffic.packets > 0 && traffic.bytes > 0).then_some(traffic);
        event.client_port =
            event.client_port.filter(|from| event.port.is_some_and(|to| is_answer(*from, to)));
        (event.time.is_some() && event.client.is_some() && event.server.is_some()).then_some(event)
    }
}

/// By name, or by number as IANA assigns it; 0 for others.
fn protocol_number(text: &[u8]) -> u8 {
    match text {
        b"TCP" => 6,
        b"UDP" => 17,
        b"GRE" => 47,
        b"ICMP" => 1,
        _ => number(text).unwrap_or(0),
    }
}

const fn protocol(number: u8) -> Option<Protocol> {
    match number {
        6 => Some(Protocol::Tcp),
        17 => Some(Protocol::Udp),
        _ => None,
    }
}

/// A number of at most 18 digits; 0 for others.
fn count(text: &[u8]) -> u64 {
    let digits = || text.iter().map(|digit| digit.wrapping_sub(b'0'));
    let is_number = text.len() <= 18 && digits().all(|digit| digit <= 9);
    if is_number { digits().fold(0, |all, digit| all * 10 + u64::from(digit)) } else { 0 }
}

/// Seconds with a fraction of three digits as microseconds; 0 for others.
fn micros(text: &[u8]) -> i64 {
    let (seconds, millis) = match text.split_last_chunk::<4>() {
        Some((seconds, [b'.', millis @ ..])) => (seconds, millis.as_slice()),
        _ => (text, &b""[..]),
    };
    let millis = count(seconds).saturating_mul(1000).saturating_add(count(millis));
    i64::try_from(millis).unwrap_or_default().saturating_mul(1000)
}

/// Letters of flags, with points for those that are not set; the bits are TCP's, from the lowest on.
fn flags(text: &[u8]) -> Option<u8> {
    let bit = |letter: &u8| match letter {
        b'F' => Some(1),
        b'S' => Some(2),
        b'R' => Some(4),
        b'P' => Some(8),
        b'A' => Some(16),
        b'U' => Some(32),
        b'.' | b'E' | b'C' => Some(0),
        _ => None,
    };
    let flags = text.iter().try_fold(0, |flags, letter| Some(flags | bit(letter)?));
    flags.filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::time::Moment;

    fn clock() -> Clock {
        Clock {
            zone: crate::time::Zone::fixed(9 * 3600),
            ahead: 0,
            latest: Moment::from_unix(1_795_435_200),
        }
    }

    fn flow(
        protocol: Option<Protocol>,
        port: Option<u16>,
        traffic: Option<Traffic>,
    ) -> Reading<'static> {
        Reading::Event(Event {
            client: "192.0.2.7".parse().ok(),
            server: "2001:db8::9".parse().ok(),
            port,
            protocol,
            traffic,
            ..Event::new(Kind::Connection, Some(Moment(1_795_375_749_500_000)))
        })
    }

    /// One packet of 60 bytes in a flow of a second.
    fn one(protocol: u8) -> Option<Traffic> {
        Some(Traffic {
            protocol,
            packets: 1,
            bytes: 60,
            flags: None,
            lasted: 1_000_000,
            is_whole: true,
        })
    }

    const ROW: &[u8] = b"2026-11-23 04:29:09.5,2026-11-23 04:29:10.5,1.0,192.0.2.7,2001:db8::9,40122,23,TCP,......S.,0";

    #[test]
    fn columns_are_where_the_first_line_says() {
        let mut table = Table::default();
        let tcp = flow(Some(Protocol::Tcp), Some(23), None);
        assert_eq!(table.read(ROW, &clock()), tcp, "the usual ones");
        assert_eq!(table.read(b"ts,te,td,sa,da,sp,dp,pr,flg", &clock()), Reading::Quiet);
        assert_eq!(table.read(ROW, &clock()), tcp);
        let newer = b"firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows";
        assert_eq!(table.read(newer, &clock()), Reading::Quiet);
        let row = b"2026-11-23 04:29:09.500,1.000,17,192.0.2.7,40122,2001:db8::9,53,1,60,1";
        assert_eq!(table.read(row, &clock()), flow(Some(Protocol::Udp), Some(53), one(17)));
        let icmp = b"2026-11-23 04:29:09.500,1.000,1,192.0.2.7,0,2001:db8::9,8.0,1,60,1";
        assert_eq!(table.read(icmp, &clock()), flow(None, None, one(1)));
        assert_eq!(table.read(ROW, &clock()), Reading::Unread, "columns of another version");
    }

    #[test]
    fn packets_are_counted_with_their_flags() {
        let mut table = Table::default();
        let columns = b"ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt";
        assert_eq!(table.read(columns, &clock()), Reading::Quiet);
        let row =
            b"2026-11-23 04:29:09.5,x,2.250,192.0.2.7,2001:db8::9,9,80,TCP,...A..S.,0,0,7,420";
        let Reading::Event(event) = table.read(row, &clock()) else { panic!("unread") };
        let lasted = 2_250_000;
        let expected = Traffic {
            protocol: 6,
            packets: 7,
            bytes: 420,
            flags: Some(0x12),
            lasted,
            is_whole: true,
        };
        assert_eq!(event.traffic, Some(expected));
        // What is no number counts nothing.
        let row = b"2026-11-23 04:29:09.5,x,nan,192.0.2.7,2001:db8::9,9,80,TCP,?,0,0,-7,420";
        let Reading::Event(event) = table.read(row, &clock()) else { panic!("unread") };
        assert_eq!(event.traffic, None);
    }

    #[test]
    fn an_answer_tells_the_port_that_it_comes_from() {
        for (ports, expected) in [("23,40122", Some(23)), ("40122,23", None), ("8080,40122", None)]
        {
            let row = format!("2026-11-23 04:29:09.5,x,1.0,192.0.2.7,2001:db8::9,{ports},TCP");
            let Reading::Event(event) = Table::default().read(row.as_bytes(), &clock()) else {
                panic!("{row}")
            };
            assert_eq!(event.client_port, expected, "{ports}");
        }
    }

    #[test]
    fn sums_are_quiet_and_other_lines_unread() {
        let mut table = Table::default();
        for line in ["", "1,2,3", "2026-11-23 04:29:09,,1.0,192.0.2.7", "x,te,td,sa,da,sp,dp,pr"] {
            assert_eq!(table.read(line.as_bytes(), &clock()), Reading::Unread, "{line}");
        }
        let row = b"2026-11-23 04:29:09 x,,,192.0.2.7,192.0.2.9,1,2,TCP";
        assert_eq!(table.read(row, &clock()), Reading::Unread, "no time");
        for line in ["Summary", "flows,bytes,packets,avg_bps,avg_pps,avg_bpp", "2,120,2,960,2,60"] {
            assert_eq!(table.read(line.as_bytes(), &clock()), Reading::Quiet, "{line}");
        }
    }
}
