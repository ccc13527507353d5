//! Points in time as logs spell them.

mod clock;
mod clocks;
mod spellings;
mod zone;

use core::fmt;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use clock::Clock;
pub use clocks::{ClockError, Clocks};
pub use spellings::{bind, common_log, epoch, rfc3164, rfc3339, spaced};
pub use zone::{NoZone, Zone};

/// Microseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;

/// Seconds of a day; logs count no leap seconds.
pub const DAY: i64 = 86_400;

impl Moment {
    /// That many seconds since 1970.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0.div_euclid(SECOND)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .ok()
            .and_then(|time| time.format(&Rfc3339).ok());
        match text {
            Some(text) => formatter.write_str(&text),
            None => write!(formatter, "@{}", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
