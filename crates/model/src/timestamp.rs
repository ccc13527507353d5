//! Points in time, to the second.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// As the lists of the field spell it, in UTC.
const SPACED: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// RFC 3339 to the millisecond, in UTC.
const MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");

/// Seconds since 1970 in UTC, in the years that RFC 3339 can spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Not a time such as `2026-11-23T00:00:00Z` or `2026-11-23`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time such as 2026-11-23T00:00:00Z or 2026-11-23")]
pub struct TimestampError;

impl Timestamp {
    /// That many seconds after the beginning of 1970.
    ///
    /// # Errors
    /// Beyond the year 9999.
    pub fn from_unix(seconds: i64) -> Result<Self, TimestampError> {
        let time = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| TimestampError)?;
        if (0..=9999).contains(&time.year()) { Ok(Self(seconds)) } else { Err(TimestampError) }
    }

    /// Seconds after the beginning of 1970.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// That much later, or the last time there is.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(seconds).min(LAST))
    }

    /// How long after `earlier` this is, nothing when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Such as `2026-11-23 00:00:00`.
    #[must_use]
    pub fn spaced(self) -> String {
        self.date_time().format(SPACED).unwrap_or_default()
    }

    /// Such as `2026-11-23T00:00:00.000Z`, for formats that demand fractions.
    #[must_use]
    pub fn milliseconds(self) -> String {
        self.date_time().format(MILLISECONDS).unwrap_or_default()
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// Characters of a date such as `2026-11-23`, which stands for its beginning.
const DATE_LENGTH: usize = 10;

/// The end of the year 9999.
const LAST: i64 = 253_402_300_799;

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let whole_day = Some(format!("{text}T00:00:00Z")).filter(|_| text.len() == DATE_LENGTH);
        let time = OffsetDateTime::parse(whole_day.as_deref().unwrap_or(text), &Rfc3339);
        let time = time.map_err(|_| TimestampError)?;
        Self::from_unix(time.unix_timestamp())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.date_time().format(&Rfc3339).map_err(|_| fmt::Error)?;
        formatter.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn times_are_read_and_written_in_utc() {
        let time: Timestamp = "2026-11-23T09:00:00.5+09:00".parse().unwrap();
        assert_eq!(time.unix(), 1_795_392_000);
        assert_eq!(time.to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(time.spaced(), "2026-11-23 00:00:00");
        assert_eq!(time.milliseconds(), "2026-11-23T00:00:00.000Z");
        assert_eq!("2026-11-23".parse(), Ok(time));
        assert_eq!("2026-11-99".parse::<Timestamp>(), Err(TimestampError));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(TimestampError));
        assert_eq!(Timestamp::from_unix(LAST + 1), Err(TimestampError));
    }

    #[test]
    fn the_end_of_time_is_not_passed() {
        let time: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(time.after(Duration::MAX).to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(time.after(Duration::from_secs(5)).since(time), Duration::from_secs(5));
        assert_eq!(time.since(time.after(Duration::from_secs(5))), Duration::ZERO);
    }
}
