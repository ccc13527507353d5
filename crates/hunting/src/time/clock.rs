//! What a source's clock needs to be understood.

use super::{DAY, Moment, SECOND, Zone};

/// The clock of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Its local time, for times that do not say.
    pub zone: Zone,
    /// Seconds that it is ahead of the true time, taken off every time.
    pub ahead: i64,
    /// No record is younger: decides the year of times that have none.
    pub latest: Moment,
}

/// A record may be this much younger than what is taken for the latest, in seconds: clocks differ.
const TOLERANCE: i64 = DAY;

/// Days of a year, of leap years too.
const LONGEST_YEAR: i64 = 366;

impl Clock {
    /// A clock in UTC that is right.
    #[must_use]
    pub const fn utc(latest: Moment) -> Self {
        Self { zone: Zone::UTC, ahead: 0, latest }
    }

    /// The moment of seconds since 1970 in local time, and microseconds.
    #[must_use]
    pub fn local(&self, seconds: i64, micros: i64) -> Moment {
        self.zoned(seconds, micros, self.zone.at(seconds))
    }

    /// The moment of seconds in a local time that is `offset` seconds ahead of UTC.
    #[must_use]
    pub const fn zoned(&self, seconds: i64, micros: i64, offset: i32) -> Moment {
        let seconds = seconds.saturating_sub(offset as i64).saturating_sub(self.ahead);
        Moment(seconds.saturating_mul(SECOND).saturating_add(micros))
    }

    /// The moment of a month, day and second of the day that have no year: the last one that is not
    /// younger than the latest. `None` for no day, such as 30 February.
    #[must_use]
    pub fn without_year(&self, month: u8, day: u8, seconds: i64) -> Option<Moment> {
        let bound = self.latest.unix().saturating_add(TOLERANCE);
        let (year, ..) = civil(bound.div_euclid(DAY).saturating_add(1));
        // Leap days come every eight years at most.
        (0..=8).find_map(|back| {
            let days = days_of(year - back, month, day)?;
            let moment = self.local(days * DAY + seconds, 0);
            (moment.unix() <= bound).then_some(moment)
        })
    }
}

/// Days since 1970 of a date in the Gregorian calendar; `None` when there is no such day.
///
/// The algorithm is that of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
pub(super) fn days_of(year: i64, month: u8, day: u8) -> Option<i64> {
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let (month, day) = (i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The date of that many days since 1970, by the same source.
fn civil(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / (LONGEST_YEAR - 1);
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month as u8, day as u8)
}

fn days_in(year: i64, month: u8) -> u8 {
    let is_leap =
        year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn days_and_dates() {
        assert_eq!(days_of(1970, 1, 1), Some(0));
        assert_eq!(days_of(2026, 11, 23), Some(20_780));
        assert_eq!(civil(20_780), (2026, 11, 23));
        assert_eq!(days_of(2024, 2, 29).map(civil), Some((2024, 2, 29)));
        assert_eq!(days_of(2023, 2, 29), None);
        assert_eq!(days_of(1900, 2, 29), None);
        assert_eq!(days_of(2023, 13, 1), None);
        assert_eq!(days_of(2023, 4, 31), None);
    }

    #[test]
    fn a_year_is_the_last_that_is_not_in_the_future() {
        let clock = Clock::utc(Moment::from_unix(days_of(2026, 1, 2).unwrap() * DAY));
        let at = |month, day| clock.without_year(month, day, 60).map(|it| it.to_string());
        assert_eq!(at(1, 1), Some("2026-01-01T00:01:00Z".to_owned()));
        assert_eq!(at(12, 31), Some("2025-12-31T00:01:00Z".to_owned()));
        // Clocks differ: a day ahead is no year back.
        assert_eq!(at(1, 2), Some("2026-01-02T00:01:00Z".to_owned()));
        assert_eq!(at(1, 4), Some("2025-01-04T00:01:00Z".to_owned()));
        assert_eq!(at(2, 29), Some("2024-02-29T00:01:00Z".to_owned()));
        assert_eq!(at(2, 30), None);
    }

    #[test]
    fn offsets_and_errors_of_clocks_are_taken_off() {
        let clock = Clock { zone: Zone::fixed(9 * 3600), ahead: 30, latest: Moment(0) };
        assert_eq!(clock.local(9 * 3600 + 30, 5), Moment(5));
        assert_eq!(clock.zoned(30, 0, 0), Moment(0));
    }
}
