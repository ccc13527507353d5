//! Local time: so far ahead of UTC always, or by the rules of a place.
//!
//! The rules are those of the IANA database, which is part of the program. A local time that a change made
//! twice is taken for the first, one that it left out for as much later: which was meant, a record without
//! a zone does not say.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How far local time is ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    offset: i32,
    place: Option<&'static TimeZone>,
}

/// A text that is no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither an offset such as +09:00 nor a place such as Asia/Tokyo")]
pub struct NoZone;

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::fixed(0);

    /// So many seconds ahead.
    #[must_use]
    pub const fn fixed(offset: i32) -> Self {
        Self { offset, place: None }
    }

    /// Reads `+09:00` or a name of the IANA database. Places are kept as long as the process lives: as
    /// many as users name.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse(text: &str) -> Result<Self, NoZone> {
        if let Some(offset) = offset(text) {
            return Ok(Self::fixed(offset));
        }
        if !text.contains('/') {
            return Err(NoZone);
        }
        let place = TimeZone::get(text).map_err(|_| NoZone)?;
        Ok(Self { offset: 0, place: Some(Box::leak(Box::new(place))) })
    }

    /// How far ahead at a local time, in seconds since 1970 as if it were UTC.
    pub(super) fn at(&self, local: i64) -> i32 {
        let by_rules = |place: &TimeZone| {
            let civil = TimeZone::UTC.to_datetime(Timestamp::from_second(local).ok()?);
            let moment = place.to_ambiguous_timestamp(civil).compatible().ok()?;
            i32::try_from(local - moment.as_second()).ok()
        };
        self.place.and_then(by_rules).unwrap_or(self.offset)
    }
}

/// Seconds of `+HH:MM`.
fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str, most: i32| {
        text.parse::<i32>().ok().filter(|number| text.len() == 2 && (0..=most).contains(number))
    };
    let (hours, minutes) = number(hours, 14).zip(number(minutes, 59))?;
    Some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Clock, Moment, rfc3164, rfc3339};
    use super::*;

    #[test]
    fn offsets() {
        assert_eq!(Zone::parse("+09:00"), Ok(Zone::fixed(9 * 3600)));
        assert_eq!(Zone::parse("-03:30"), Ok(Zone::fixed(-(3 * 3600 + 1800))));
        for text in ["09:00", "+9:00", "+15:00", "+09:60", "", "+", "+0900", "Nowhere/City", "EST5"]
        {
            assert_eq!(Zone::parse(text), Err(NoZone), "{text}");
        }
    }

    fn in_new_york(local: &str) -> String {
        let zone = Zone::parse("America/New_York").unwrap();
        let clock = Clock { zone, ..Clock::utc(Moment::from_unix(1_795_435_200)) };
        rfc3339(local.as_bytes(), &clock).unwrap().0.to_string()
    }

    #[test]
    fn summer_time_begins_and_ends() {
        assert_eq!(in_new_york("2026-03-08 01:59:59"), "2026-03-08T06:59:59Z");
        assert_eq!(in_new_york("2026-03-08 03:00:00"), "2026-03-08T07:00:00Z");
        // There is no such time.
        assert_eq!(in_new_york("2026-03-08 02:30:00"), "2026-03-08T07:30:00Z");
        // There are two: the first.
        assert_eq!(in_new_york("2026-11-01 01:30:00"), "2026-11-01T05:30:00Z");
        assert_eq!(in_new_york("2026-11-01 02:00:00"), "2026-11-01T07:00:00Z");
        // A zone in the record counts more.
        assert_eq!(in_new_york("2026-07-01 00:00:00+09:00"), "2026-06-30T15:00:00Z");
    }

    #[test]
    fn a_leap_second_in_local_time_is_the_last_of_its_minute() {
        let zone = Zone::parse("Asia/Tokyo").unwrap();
        let clock = Clock { zone, ..Clock::utc(Moment::from_unix(1_483_315_200)) };
        let (time, rest) = rfc3164(b"Jan  1 08:59:60 host x", &clock).unwrap();
        assert_eq!((time.to_string().as_str(), rest), ("2016-12-31T23:59:59Z", &b" host x"[..]));
    }
}
