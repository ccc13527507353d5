//! An account of the staff is used at an hour of the week at which it never was, or works on far more things
//! in a day than it ever did.
//!
//! Reason: who misuses what work lets them see does it when nobody watches, or takes much of it at once.
//! Whether that was asked of them no log tells, so that only accounts that the user names as staff's are
//! watched: of ordinary users both happen daily. A thing is a URL without what is behind its `?`.
//!
//! False positives: an emergency at night, a first day of stand-by duty, a new task, a migration. False
//! negatives: the first weeks of an account, accounts that are used around the clock, little at a time at
//! usual hours, what is done through a shared account.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Seen, hash};
use crate::event::{Event, Kind, Outcome};
use crate::time::{DAY, Moment};

/// Days on which the account was used before.
const KNOWN: u32 = 15;

/// Different things in a day.
const THINGS: usize = 50;

/// That many times the most of any day before.
const TIMES: usize = 5;

/// Things of one account on one day that are told apart.
const MOST: usize = 1 << 16;

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Hours of a week.
const WEEK: i64 = 7 * 24;

/// What is kept of each account of the staff: nothing of any other.
#[derive(Debug, Default)]
pub(super) struct Insiders {
    staff: FxHashMap<u64, Habits>,
}

#[derive(Debug)]
struct Habits {
    days: u32,
    day: Option<i64>,
    /// Hours of the week, in UTC, from midnight on Thursday as 1970 began, at which it was used, and those
    /// beside them.
    hours: [bool; WEEK as usize],
    things: FxHashSet<u64>,
    /// The most things of any day before.
    most: usize,
}

impl Insiders {
    /// Watches these accounts, whose case does not count.
    pub(super) fn of(staff: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let names = staff.into_iter().map(|name| (hash(name.as_ref()), Habits::default()));
        Self { staff: names.collect() }
    }

    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        if self.staff.is_empty() || event.outcome == Some(Outcome::Failure) {
            return None;
        }
        let account =
            event.account.filter(|_| matches!(event.kind, Kind::Login | Kind::WebRequest))?;
        let habits = self.staff.get_mut(&hash(account))?;
        habits.begin(time.unix().div_euclid(DAY));
        let reason = habits.hour(time).into_iter().chain(habits.thing(event.url)).next()?;
        let account = String::from_utf8_lossy(account).into_owned();
        let other = event.client.map(|client| client.to_string());
        Some(Seen { other, ..Seen::of(account, reason) })
    }
}

impl Default for Habits {
    fn default() -> Self {
        let hours = [false; WEEK as usize];
        Self { days: 0, day: None, hours, things: FxHashSet::default(), most: 0 }
    }
}

impl Habits {
    fn begin(&mut self, day: i64) {
        // Lines are nearly in order: what is late counts with what is there.
        if self.day.is_none_or(|known| known < day) {
            self.days += u32::from(self.day.is_some());
            self.most = self.most.max(self.things.len());
            self.things.clear();
            self.day = Some(day);
        }
    }

    fn hour(&mut self, time: Moment) -> Option<String> {
        let hour = time.unix().div_euclid(HOUR).rem_euclid(WEEK);
        let place = |hour: i64| usize::try_from(hour.rem_euclid(WEEK)).unwrap_or_default();
        let is_known = self.hours.get(place(hour)).copied().unwrap_or_default();
        for around in -1..=1 {
            if let Some(known) = self.hours.get_mut(place(hour + around)) {
                *known = true;
            }
        }
        (!is_known && self.days >= KNOWN).then(|| {
            format!(
                "used at {time}, at such an hour of the week never in {} days of use",
                self.days
            )
        })
    }

    fn thing(&mut self, url: Option<&[u8]>) -> Option<String> {
        let url = url?;
        if self.things.len() < MOST {
            self.things.insert(hash(url.split(|byte| *byte == b'?').next().unwrap_or(url)));
        }
        let (things, most) = (self.things.len(), self.most);
        let is_much =
            self.days >= KNOWN && things >= THINGS && things >= TIMES.saturating_mul(most);
        is_much.then(|| format!("{things} different URLs on one day, at most {most} on any before"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Workdays of `weeks` at 9 to 16 hours, `things` a day; then `last` different things at this hour of
    /// the Monday after.
    fn worked(staff: &[&str], weeks: i64, things: i64, hour: i64, last: i64) -> Option<Seen> {
        let mut insiders = Insiders::of(staff);
        let mut told = None;
        let mut read = |day: i64, hour: i64, number: i64| {
            let url = format!("/customers/{number}?tab={hour}");
            let event = Event {
                account: Some(b"Clerk"),
                url: Some(url.as_bytes()),
                outcome: Some(Outcome::Success),
                ..Event::new(Kind::WebRequest, None)
            };
            insiders.look(&event, Moment::from_unix(day * DAY + hour * HOUR + number % HOUR))
        };
        // Day 4 is a Monday.
        for day in (4..4 + weeks * 7).filter(|day| (day - 4) % 7 < 5) {
            for number in 0..things {
                assert_eq!(read(day, 9 + number % 8, number), None);
            }
        }
        for number in 0..last {
            told = told.or(read(4 + weeks * 7, hour, number));
        }
        told
    }

    #[test]
    fn at_night_or_much_at_once() {
        let reason = |seen: Option<Seen>| seen.map(|seen| (seen.entity, seen.reason));
        let night = reason(worked(&["clerk"], 4, 10, 2, 1));
        assert!(night.is_some_and(|(who, why)| who == "Clerk" && why.contains("20 days of use")));
        let much = reason(worked(&["clerk"], 4, 10, 10, 50));
        let expected = "50 different URLs on one day, at most 10 on any before";
        assert_eq!(much, Some(("Clerk".to_owned(), expected.to_owned())));
    }

    #[test]
    fn usual_work_others_and_new_accounts_are_none() {
        // An hour before and after the usual ones, and less than much.
        assert_eq!(worked(&["clerk"], 4, 10, 17, 1), None);
        assert_eq!(worked(&["clerk"], 4, 10, 10, 49), None);
        assert_eq!(worked(&["clerk"], 4, 11, 10, 54), None);
        assert_eq!(worked(&["clerk"], 2, 10, 2, 200), None);
        assert_eq!(worked(&["other"], 4, 10, 2, 200), None);
    }
}
