//! The spellings. Each function reads one at the beginning of a text, and gives the moment and what is
//! behind it; `None` when the text does not begin with one.

use super::clock::days_of;
use super::{Clock, DAY, Moment, Zone};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A text that is read from its beginning.
#[derive(Clone, Copy)]
struct Cursor<'l>(&'l [u8]);

impl<'l> Cursor<'l> {
    /// A number of so many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits.iter().try_fold(0_i64, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
        })?;
        self.0 = rest;
        Some(number)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn month(&mut self) -> Option<u8> {
        let (name, rest) = self.0.split_first_chunk::<3>()?;
        self.0 = rest;
        (1..).zip(MONTHS).find(|(_, month)| *month == name).map(|(number, _)| number)
    }

    /// `HH:MM:SS` as seconds of the day; a leap second is the last of its minute.
    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.expect(b':')?;
        let minute = self.digits(2)?;
        self.expect(b':')?;
        let second = self.digits(2)?;
        (hour < 24 && minute < 60 && second <= 60)
            .then_some(hour * 3600 + minute * 60 + second.min(59))
    }

    /// A fraction of a second behind its point, in microseconds; 0 without one.
    fn fraction(&mut self) -> i64 {
        if !matches!(self.0, [b'.' | b',', digit, ..] if digit.is_ascii_digit()) {
            return 0;
        }
        self.0 = self.0.get(1..).unwrap_or_default();
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let digit = |place: usize| digits.get(place).map_or(0, |digit| i64::from(digit - b'0'));
        (0..6).fold(0, |sum, place| sum * 10 + digit(place))
    }

    /// `+HHMM` or `+HH:MM` in seconds.
    fn zone(&mut self) -> Option<i32> {
        let sign = match self.0.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = self.0.get(1..)?;
        let hours = self.digits(2)?;
        let _ = self.expect(b':');
        let minutes = self.digits(2)?;
        Some(sign * (hours * 3600 + minutes * 60) as i32)
    }
}

/// `Nov 23 04:29:09`, `Nov  3 04:29:09` (RFC 3164, section 4.1.2): local time without a year.
#[must_use]
pub fn rfc3164<'l>(text: &'l [u8], clock: &Clock) -> Option<(Moment, &'l [u8])> {
    let mut cursor = Cursor(text);
    let month = cursor.month()?;
    cursor.expect(b' ')?;
    let day = match cursor.expect(b' ') {
        Some(()) => cursor.digits(1)?,
        None => cursor.digits(2)?,
    };
    cursor.expect(b' ')?;
    let seconds = cursor.time_of_day()?;
    Some((clock.without_year(month, day as u8, seconds)?, cursor.0))
}

/// `2026-11-23T04:29:09.123456+09:00`, with a blank for the `T` and without a zone, too (RFC 3339).
#[must_use]
pub fn rfc3339<'l>(text: &'l [u8], clock: &Clock) -> Option<(Moment, &'l [u8])> {
    let mut cursor = Cursor(text);
    let year = cursor.digits(4)?;
    cursor.expect(b'-')?;
    let month = cursor.digits(2)?;
    cursor.expect(b'-')?;
    let day = cursor.digits(2)?;
    cursor.expect(b'T').or_else(|| cursor.expect(b' '))?;
    let seconds = cursor.time_of_day()? + days_of(year, month as u8, day as u8)? * DAY;
    let micros = cursor.fraction();
    let mut zone = cursor;
    let moment = if zone.expect(b'Z').is_some() {
        cursor = zone;
        clock.zoned(seconds, micros, 0)
    } else if let Some(offset) = zone.zone() {
        cursor = zone;
        clock.zoned(seconds, micros, offset)
    } else {
        clock.local(seconds, micros)
    };
    Some((moment, cursor.0))
}

/// The same with a blank before its zone, `2026-11-23 04:29:09.123 +0900`, as Exim writes it.
#[must_use]
pub fn spaced<'l>(text: &'l [u8], clock: &Clock) -> Option<(Moment, &'l [u8])> {
    let (local, rest) = rfc3339(text, clock)?;
    let mut zone = Cursor(rest);
    let Some(offset) = zone.expect(b' ').and_then(|()| zone.zone()) else {
        return Some((local, rest));
    };
    // The same reading in the zone that the record names.
    let (named, _) = rfc3339(text, &Clock { zone: Zone::fixed(offset), ..*clock })?;
    Some((named, zone.0))
}

/// `23-Nov-2026 04:29:09.123`, as BIND writes it: local time.
#[must_use]
pub fn bind<'l>(text: &'l [u8], clock: &Clock) -> Option<(Moment, &'l [u8])> {
    let mut cursor = Cursor(text);
    let day = cursor.digits(2)?;
    cursor.expect(b'-')?;
    let month = cursor.month()?;
    cursor.expect(b'-')?;
    let year = cursor.digits(4)?;
    cursor.expect(b' ')?;
    let seconds = cursor.time_of_day()? + days_of(year, month, day as u8)? * DAY;
    let micros = cursor.fraction();
    Some((clock.local(seconds, micros), cursor.0))
}

/// `23/Nov/2026:04:29:09 +0900`, as web servers write it in the common log format.
#[must_use]
pub fn common_log<'l>(text: &'l [u8], clock: &Clock) -> Option<(Moment, &'l [u8])> {
    let mut cursor = Cursor(text);
    let day = cursor.digits(2)?;
    cursor.expect(b'/')?;
    let month = cursor.month()?;
    cursor.expect(b'/')?;
    let year = cursor.digits(4)?;
    cursor.expect(b':')?;
    let seconds = cursor.time_of_day()? + days_of(year, month, day as u8)? * DAY;
    cursor.expect(b' ')?;
    let offset = cursor.zone()?;
    Some((clock.zoned(seconds, 0, offset), cursor.0))
}

/// Seconds since 1970 with or without a fraction: `1700000000.123`.
#[must_use]
pub fn epoch<'l>(text: &'l [u8], clock: &Clock) -> Option<(Moment, &'l [u8])> {
    /// Digits up to the year 33658, which no log reaches.
    const MOST: usize = 12;
    let mut cursor = Cursor(text);
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let seconds = (1..=MOST).contains(&count).then(|| cursor.digits(count))??;
    let micros = cursor.fraction();
    Some((clock.zoned(seconds, micros, 0), cursor.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The latest is 2026-11-23T12:00:00Z, local time nine hours ahead.
    fn clock() -> Clock {
        Clock { zone: Zone::fixed(9 * 3600), ahead: 0, latest: Moment::from_unix(1_795_435_200) }
    }

    type Reader = for<'l> fn(&'l [u8], &Clock) -> Option<(Moment, &'l [u8])>;

    fn read(reader: Reader, text: &str) -> Option<(String, String)> {
        let (moment, rest) = reader(text.as_bytes(), &clock())?;
        Some((moment.to_string(), String::from_utf8_lossy(rest).into_owned()))
    }

    fn is(reader: Reader, text: &str, moment: &str, rest: &str) {
        assert_eq!(read(reader, text), Some((moment.to_owned(), rest.to_owned())), "{text}");
    }

    #[test]
    fn every_spelling() {
        is(rfc3164, "Nov 23 04:29:09 host x", "2026-11-22T19:29:09Z", " host x");
        is(rfc3164, "Dec  3 04:29:09 h", "2025-12-02T19:29:09Z", " h");
        is(rfc3339, "2026-11-23T04:29:09.5+09:00 x", "2026-11-22T19:29:09.5Z", " x");
        is(rfc3339, "2026-11-23T04:29:09Z", "2026-11-23T04:29:09Z", "");
        is(rfc3339, "2026-11-23 04:29:09,123456 x", "2026-11-22T19:29:09.123456Z", " x");
        is(rfc3339, "2026-11-23T04:29:09-0330", "2026-11-23T07:59:09Z", "");
        is(spaced, "2026-11-23 04:29:09.5 +0000 x", "2026-11-23T04:29:09.5Z", " x");
        is(spaced, "2026-11-23 04:29:09 x", "2026-11-22T19:29:09Z", " x");
        is(bind, "23-Nov-2026 04:29:09.123 q", "2026-11-22T19:29:09.123Z", " q");
        is(common_log, "23/Nov/2026:04:29:09 +0000] x", "2026-11-23T04:29:09Z", "] x");
        is(epoch, "1700000000] x", "2023-11-14T22:13:20Z", "] x");
        is(epoch, "1700000000.25 x", "2023-11-14T22:13:20.25Z", " x");
    }

    #[test]
    fn leap_seconds_and_days() {
        is(rfc3339, "2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", "");
        is(rfc3339, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "");
        assert_eq!(read(rfc3339, "2023-02-29T00:00:00Z"), None);
    }

    #[test]
    fn what_is_no_time() {
        for text in
            ["", "Nov", "Nov 32 04:29:09", "Foo 23 04:29:09", "Nov 23 24:00:00", "Nov 23 0:0:0"]
        {
            assert_eq!(read(rfc3164, text), None, "{text}");
        }
        for text in
            ["2026-13-01T00:00:00Z", "2026-11-23", "26-11-23T00:00:00Z", "2026-11-23T00:60:00Z"]
        {
            assert_eq!(read(rfc3339, text), None, "{text}");
        }
        assert_eq!(read(epoch, "12345678901234567890"), None);
        assert_eq!(read(common_log, "23/Nov/2026:04:29:09"), None);
        assert_eq!(read(bind, "3-Nov-2026 04:29:09"), None);
    }
}
