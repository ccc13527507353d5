//! When each source spoke, and where it fell silent: what is not in a log that was not written proves
//! nothing.
//!
//! A source is a log with its rotated parts. Its events are counted by the hour. From the days of its own
//! span follows what each hour of the day usually has (the median over the days), and a silence in which
//! that many events were to be expected as chance does not explain is a gap.
//!
//! False positives: a source that was quiet for good reason, such as over holidays, or that was set up or
//! taken out of service within the span that is asked about. False negatives: a source with too few
//! events to tell (its median is zero in most hours), silences shorter than an hour, events lost here and
//! there, a source of which nothing is there at all. [`Threshold::Silence`] names every silence of a
//! length that the user knows to be wrong.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::time::{DAY, Moment, SECOND};

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Hours of a day.
const HOURS: usize = 24;

/// Events that have to be missing: of a Poisson process that expects as many, one in 500 million
/// silences has none.
pub const EXPECTED: f64 = 20.0;

/// Hours of one source that are told apart, 119 years: more is no log but its clock.
const MOST_HOURS: usize = 1 << 20;

/// When a silence is a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// At so many events that were to be expected: see [`EXPECTED`].
    Expected(f64),
    /// At so many seconds.
    Silence(i64),
}

/// A span without events of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The source.
    pub source: String,
    /// Its last event before, or the beginning of the span that was asked about.
    pub from: Moment,
    /// Its next event, or the end of the span that was asked about.
    pub until: Moment,
    /// How many events such a span usually has.
    pub expected: f64,
}

/// Of an hour.
#[derive(Clone, Copy, Debug)]
struct Hour {
    count: u64,
    first: Moment,
    last: Moment,
}

/// What one source told, by the hour.
#[derive(Clone, Debug, Default)]
pub struct Spoken {
    hours: BTreeMap<i64, Hour>,
}

impl Spoken {
    /// Takes note of an event.
    pub fn note(&mut self, time: Moment) {
        let number = hour_of(time);
        if self.hours.len() >= MOST_HOURS && !self.hours.contains_key(&number) {
            return;
        }
        let hour = self.hours.entry(number).or_insert(Hour { count: 0, first: time, last: time });
        hour.count += 1;
        hour.first = hour.first.min(time);
        hour.last = hour.last.max(time);
    }

    /// From the first event to the last.
    #[must_use]
    pub fn span(&self) -> Option<(Moment, Moment)> {
        let (_, first) = self.hours.first_key_value()?;
        let (_, last) = self.hours.last_key_value()?;
        Some((first.first, last.last))
    }

    /// What is usual at each hour of the day: the median over the days from the first event to the last.
    fn usual(&self) -> [f64; HOURS] {
        let mut days: [Vec<u64>; HOURS] = Default::default();
        let ends = self.hours.first_key_value().zip(self.hours.last_key_value());
        let Some(((first, _), (last, _))) = ends else { return [0.0; HOURS] };
        // Hours without an entry are zeros, and are added below by number alone.
        for (number, hour) in &self.hours {
            if let Some(day) = days.get_mut(of_day(*number)) {
                day.push(hour.count);
            }
        }
        let mut usual = [0.0; HOURS];
        for (of_day, (counts, usual)) in days.iter_mut().zip(&mut usual).enumerate() {
            let all = hours_like(of_day, *first, *last);
            counts.sort_unstable();
            let zeros = all.saturating_sub(counts.len());
            let at = |place: usize| match place.checked_sub(zeros) {
                Some(place) => counts.get(place).copied().unwrap_or_default() as f64,
                None => 0.0,
            };
            if let Some(last) = all.checked_sub(1) {
                *usual = f64::midpoint(at(last / 2), at(all / 2));
            }
        }
        usual
    }
}

/// How many hours from `first` to `last` are this hour of the day.
fn hours_like(of_day: usize, first: i64, last: i64) -> usize {
    let day = HOURS as i64;
    let until = |end: i64| (end - of_day as i64).div_euclid(day);
    usize::try_from(until(last) - until(first - 1)).unwrap_or_default()
}

fn hour_of(time: Moment) -> i64 {
    time.unix().div_euclid(HOUR)
}

fn of_day(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(HOURS as i64)).unwrap_or_default()
}

/// All sources.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    sources: BTreeMap<String, Spoken>,
}

impl Coverage {
    /// Takes what the file at `path` told: rotated parts of one log are one source.
    pub fn add(&mut self, path: &str, spoken: Spoken) {
        let known = self.sources.entry(source_of(path)).or_default();
        for (number, hour) in spoken.hours {
            let there = known.hours.entry(number).or_insert(Hour { count: 0, ..hour });
            there.count += hour.count;
            there.first = there.first.min(hour.first);
            there.last = there.last.max(hour.last);
        }
    }

    /// The names of the sources.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// From the first event of any source to the last.
    #[must_use]
    pub fn span(&self) -> Option<(Moment, Moment)> {
        let spans: Vec<_> = self.sources.values().filter_map(Spoken::span).collect();
        let first = spans.iter().map(|(first, _)| *first).min()?;
        let last = spans.iter().map(|(_, last)| *last).max()?;
        Some((first, last))
    }

    /// The gaps within a span, by source and time.
    #[must_use]
    pub fn gaps(&self, since: Moment, until: Moment, threshold: Threshold) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (source, spoken) in &self.sources {
            let usual = spoken.usual();
            let inside =
                spoken.hours.values().filter(|hour| hour.last >= since && hour.first <= until);
            let ends = inside.map(|hour| (hour.first, hour.last)).chain([(until, until)]);
            let mut before = since;
            for (first, last) in ends {
                let (from, to) = (before, first.min(until));
                let expected = expected(&usual, from, to);
                let is_gap = match threshold {
                    Threshold::Expected(least) => expected >= least,
                    Threshold::Silence(seconds) => to.0.saturating_sub(from.0) >= seconds * SECOND,
                };
                // Times within an hour are known by their first and last alone.
                if is_gap && to.0.saturating_sub(from.0) >= HOUR * SECOND {
                    gaps.push(Gap { source: source.clone(), from, until: to, expected });
                }
                before = before.max(last);
            }
        }
        gaps
    }
}

/// How many events are usual between two moments.
fn expected(usual: &[f64; HOURS], from: Moment, until: Moment) -> f64 {
    let whole = until.0.saturating_sub(from.0).div_euclid(DAY * SECOND).max(0);
    let mut sum = usual.iter().sum::<f64>() * whole as f64;
    let from = Moment(from.0.saturating_add(whole * DAY * SECOND));
    for hour in hour_of(from)..=hour_of(until) {
        let (begins, ends) = (Moment::from_unix(hour * HOUR), Moment::from_unix((hour + 1) * HOUR));
        let share = until.min(ends).0.saturating_sub(from.max(begins).0).max(0);
        let of_hour = usual.get(of_day(hour)).copied().unwrap_or_default();
        sum += of_hour * share as f64 / (HOUR * SECOND) as f64;
    }
    sum
}

/// The log that a file is a rotated part of: `mail.log.2.gz`, `mail.log-20261123` and
/// `mail.log.2026-11-23` are of `mail.log`.
#[must_use]
pub fn source_of(path: &str) -> String {
    /// Ends of compressed files.
    const COMPRESSED: [&str; 6] = [".gz", ".xz", ".bz2", ".zst", ".lzma", ".Z"];
    /// Digits of a date.
    const DATE: usize = 8;
    let name = COMPRESSED.iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let rest = name.trim_end_matches(|byte: char| byte.is_ascii_digit() || byte == '-');
    let number = name.get(rest.len()..).unwrap_or_default();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_part = match rest.strip_suffix('.') {
        Some(_) => digits > 0,
        None => digits >= DATE && number.starts_with('-'),
    };
    let log = rest.strip_suffix('.').unwrap_or(rest);
    let has_name = !log.is_empty() && !log.ends_with(['/', '\\']);
    if is_part && has_name { log.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: i64 = 30;

    /// An event every ten minutes of the day's hours 8 to 19, none at night.
    fn office(skipped: impl Fn(i64) -> bool) -> Coverage {
        let mut spoken = Spoken::default();
        for minute in (0..DAYS * 24 * 60).step_by(10) {
            let hour = minute / 60 % 24;
            if (8..20).contains(&hour) && !skipped(minute * 60) {
                spoken.note(Moment::from_unix(minute * 60));
            }
        }
        let mut coverage = Coverage::default();
        coverage.add("mail.log", spoken);
        coverage
    }

    fn gaps(coverage: &Coverage, threshold: Threshold) -> Vec<(i64, i64)> {
        let gaps = coverage.gaps(Moment(0), Moment::from_unix(DAYS * DAY), threshold);
        gaps.iter().map(|gap| (gap.from.unix(), gap.until.unix())).collect()
    }

    #[test]
    fn nights_are_no_gaps_and_a_lost_day_is() {
        let usual = Threshold::Expected(EXPECTED);
        assert_eq!(gaps(&office(|_| false), usual), []);
        let lost = office(|second| (10 * DAY..11 * DAY).contains(&second));
        let last = 10 * DAY - 4 * HOUR - 600;
        assert_eq!(gaps(&lost, usual), [(last, 11 * DAY + 8 * HOUR)]);
        let found = lost.gaps(Moment(0), Moment::from_unix(DAYS * DAY), usual);
        assert!((found[0].expected - 73.0).abs() < 1.5, "{found:?}");
        // Two hours at noon are twelve events, which may be missing by chance as far as this knows.
        let noon = office(|second| (10 * DAY + 12 * HOUR..10 * DAY + 14 * HOUR).contains(&second));
        assert_eq!(gaps(&noon, usual), []);
        let told = gaps(&noon, Threshold::Silence(13 * HOUR));
        assert_eq!(told, []);
        assert_eq!(gaps(&noon, Threshold::Silence(2 * HOUR)).len() as i64, DAYS + 2);
    }

    #[test]
    fn a_source_that_ends_early_or_begins_late_has_a_gap_there() {
        let usual = Threshold::Expected(EXPECTED);
        let ended = office(|second| second >= 25 * DAY);
        assert_eq!(gaps(&ended, usual), [(25 * DAY - 4 * HOUR - 600, DAYS * DAY)]);
        let late = office(|second| second < 5 * DAY);
        assert_eq!(gaps(&late, usual), [(0, 5 * DAY + 8 * HOUR)]);
        assert_eq!(Coverage::default().gaps(Moment(0), Moment(1), usual), []);
    }

    #[test]
    fn a_part_that_fills_a_gap_closes_it() {
        let mut lost = office(|second| (10 * DAY..11 * DAY).contains(&second));
        let mut part = Spoken::default();
        for second in (10 * DAY + 8 * HOUR..10 * DAY + 20 * HOUR).step_by(600) {
            part.note(Moment::from_unix(second));
        }
        lost.add("mail.log.1.gz", part);
        assert_eq!(gaps(&lost, Threshold::Expected(EXPECTED)), []);
        assert_eq!(lost.sources().collect::<Vec<_>>(), ["mail.log"]);
    }

    #[test]
    fn few_events_say_nothing() {
        let mut spoken = Spoken::default();
        for day in [0, 1, 20, 29] {
            spoken.note(Moment::from_unix(day * DAY));
        }
        let mut coverage = Coverage::default();
        coverage.add("x", spoken);
        assert_eq!(gaps(&coverage, Threshold::Expected(EXPECTED)), []);
    }

    #[test]
    fn times_without_end_are_bounded() {
        let mut spoken = Spoken::default();
        for hour in 0..MOST_HOURS as i64 + 10 {
            spoken.note(Moment::from_unix(hour * HOUR));
        }
        assert_eq!(spoken.hours.len(), MOST_HOURS);
    }

    #[test]
    fn parts_of_a_log() {
        for part in [
            "a/mail.log",
            "a/mail.log.1",
            "a/mail.log.2.gz",
            "a/mail.log-20261123.xz",
            "a/mail.log.2026-11-23",
        ] {
            assert_eq!(source_of(part), "a/mail.log", "{part}");
        }
        for other in ["-", "web-01", "2026-11-23", "a/2026-11-23", "10.0.0.1/x", "mail7"] {
            assert_eq!(source_of(other), other);
        }
    }
}
