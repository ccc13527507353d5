//! One source through its reader: its events, and into a hunt.

use std::io::{self, Read};

use crate::event::Event;
use crate::hunt::{Hit, Hunt, Sighted};
use crate::readers::{self, Input, Records, Scanned, Source};
use crate::time::{Clock, Moment};

/// Bytes by which a format that has a mark is recognised.
const MARKED_BY: usize = 64;

/// Lines by which a format of lines is recognised.
const RECOGNISED_BY: usize = 64;

/// Bytes within which a source names the time of its beginning.
const BEGINNING: usize = 1 << 16;

/// How a source is to be read.
#[derive(Clone, Copy)]
pub struct Options<'f> {
    /// Its format; recognised by content when the user does not say.
    pub format: Option<&'f dyn Source>,
    /// Its clock.
    pub clock: Clock,
}

/// Hunts in a source to its end; `name` is what hits call it.
///
/// # Errors
/// When its bytes cannot be read; what was found until then was handed out.
pub fn scan(
    reader: impl Read,
    name: &str,
    options: &Options<'_>,
    hunt: &mut Hunt<'_>,
    found: &mut impl FnMut(Hit),
) -> io::Result<Scanned> {
    events(reader, name, options, &mut |event, at| hunt.look(event, at, found))
}

/// Reads a source to its end and hands every event to `seen`, with its line; `name` is what lines say
/// they are of.
///
/// # Errors
/// When its bytes cannot be read; what was read until then was handed out.
pub fn events(
    reader: impl Read,
    name: &str,
    options: &Options<'_>,
    seen: &mut dyn FnMut(&Event<'_>, Sighted<'_>),
) -> io::Result<Scanned> {
    let mut reader = reader;
    let mut input = Input::new(&mut reader);
    let mut scanned = Scanned::default();
    let mut records = Records::new(name, &mut scanned, seen);
    let format = recognised(&mut input, options, &mut records)?;
    if let Some(format) = format {
        format.read_all(&mut input, &options.clock, &mut records)?;
    }
    scanned.format = format.map(Source::name);
    Ok(scanned)
}

/// The format; none when it is unknown, and the first line is a sample then. Lines before it that are too
/// long are passed over.
fn recognised<'f>(
    input: &mut Input<'_>,
    options: &Options<'f>,
    records: &mut Records<'_>,
) -> io::Result<Option<&'f dyn Source>> {
    // Where the user says, nothing is waited for: a log may just have begun.
    if options.format.is_some() {
        return Ok(options.format);
    }
    let marked = readers::marked(input.ahead(MARKED_BY)?.1);
    if marked.is_some() {
        return Ok(marked);
    }
    while input.peek(1)?.is_empty()
        && let Some((offset, _)) = input.next_line()?
    {
        records.too_long(offset);
    }
    let beginning = input.peek(RECOGNISED_BY)?;
    let format = readers::recognise(&beginning, &options.clock);
    if format.is_none() {
        beginning.first().into_iter().for_each(|line| records.unknown(line));
    }
    Ok(format)
}

/// When a source begins: the first time in its beginning. By this, parts of a log that are rotated can be
/// read in order.
///
/// # Errors
/// When its bytes cannot be read.
pub fn begins(reader: impl Read, options: &Options<'_>) -> io::Result<Option<Moment>> {
    let mut first = None;
    let mut beginning = reader.take(BEGINNING as u64);
    events(&mut beginning, "", options, &mut |event, _| first = first.or(event.time))?;
    Ok(first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::indicators::{Indicator, Indicators, Validity, Value};

    fn hunted(log: &[u8]) -> (Scanned, Vec<Hit>) {
        let mut indicators = Indicators::default();
        let value = Value::parse("c2.example").unwrap();
        let validity = Validity::default();
        indicators.insert(Indicator { validity, ..Indicator::from(value) });
        indicators.seal();
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        let mut hits = Vec::new();
        let mut hunt = Hunt::new(&indicators);
        let options = Options { format: None, clock };
        let scanned = scan(log, "log", &options, &mut hunt, &mut |hit| hits.push(hit)).unwrap();
        (scanned, hits)
    }

    const QUERY: &str = "Nov 23 04:29:09 dnsmasq[7]: query[A] c2.example from 192.0.2.7\n";

    #[test]
    fn every_line_is_counted() {
        let log = format!("{QUERY}\x1b[2J broken\nNov 23 04:29:09 h cron[1]: x\n\n{QUERY}");
        let (scanned, hits) = hunted(log.as_bytes());
        assert_eq!((scanned.format, scanned.lines), (Some("syslog"), 5));
        assert_eq!((scanned.events, scanned.quiet, scanned.unread), (2, 2, 1));
        assert_eq!(scanned.samples, [(QUERY.len() as u64, "\x1b[2J broken".to_owned())]);
        assert_eq!(hits.len(), 2);
        assert_eq!(hits[1].evidence.offset, (log.len() - QUERY.len()) as u64);
        assert_eq!(hits[1].evidence.line, QUERY.trim_end());
    }

    #[test]
    fn an_unknown_format_is_told() {
        let (scanned, hits) = hunted(b"no such\nformat\n");
        assert_eq!((scanned.format, scanned.unread, hits.len()), (None, 1, 0));
        assert_eq!(scanned.samples, [(0, "no such".to_owned())]);
        assert_eq!(hunted(b"").0.format, None);
    }

    #[test]
    fn a_first_line_that_is_too_long_hides_nothing() {
        let mut log = vec![b'x'; 3 << 20];
        log.push(b'\n');
        log.extend_from_slice(QUERY.as_bytes());
        let (scanned, hits) = hunted(&log);
        assert_eq!((scanned.lines, scanned.events, scanned.unread, hits.len()), (2, 1, 1, 1));
    }

    #[test]
    fn a_query_in_a_line_of_another_program_is_no_query() {
        let log = format!(
            "{QUERY}Nov 23 04:29:09 h app[7]: dnsmasq[7]: query[A] c2.example from 192.0.2.9\n"
        );
        let (scanned, hits) = hunted(log.as_bytes());
        assert_eq!((scanned.events, hits.len()), (1, 1));
    }

    #[test]
    fn a_name_in_a_json_record_is_found_in_its_field_only() {
        let record = |name: &str, agent: &str| {
            format!(
                r#"{{"timestamp":"2026-11-23T04:29:09+0000","event_type":"http","src_ip":"192.0.2.7","http":{{"hostname":"{name}","http_user_agent":"{agent}"}}}}"#
            ) + "\n"
        };
        let quiet = record("a.example", "c2.example") + &record("notc2.example", "");
        let log = quiet.clone() + &record("www.c2.example", "");
        let (scanned, hits) = hunted(log.as_bytes());
        assert_eq!((scanned.format, scanned.events, scanned.unread), (Some("eve"), 3, 0));
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].evidence.offset, quiet.len() as u64);
    }

    #[test]
    fn a_source_begins_with_its_first_event() {
        let clock = Clock::utc(Moment::from_unix(1_795_435_200));
        let options = Options { format: None, clock };
        let log = format!("Nov 23 04:29:08 h cron[1]: x\n{QUERY}");
        let first = begins(log.as_bytes(), &options).unwrap().map(|time| time.to_string());
        assert_eq!(first.as_deref(), Some("2026-11-23T04:29:09Z"));
        assert_eq!(begins(&b"no such\n"[..], &options).unwrap(), None);
    }
}
