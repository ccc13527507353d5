//! One account reads many different things within an hour, and many times what it ever read in one before.
//!
//! Reason: whoever has got in takes what is there before being noticed; people read what is new. What is
//! read is a URL that was given out, whatever is behind its `?`: pages of one list are one thing.
//!
//! False positives: an account's first synchronisation on a new device after days of use, an export or
//! backup that the user asked for, a crawler with an account. False negatives: reading slower than the
//! threshold, services in which everything has one URL, mail read by IMAP (its servers do not log messages),
//! accounts within their first hour, attackers who begin on the account's first day.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Seen, hash};
use crate::event::{Event, Kind, Outcome};
use crate::time::Moment;

/// Different URLs within an hour.
const URLS: usize = 500;

/// That many times the most of any hour before.
const TIMES: usize = 10;

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Accounts of which something is kept; later ones are not watched.
const MOST: usize = 1 << 20;

/// URLs of one account in one hour that are told apart.
const MOST_URLS: usize = 1 << 16;

/// What is kept: of every account a number, of those of the present hour what they read.
#[derive(Debug, Default)]
pub(super) struct MassReading {
    hour: i64,
    urls: FxHashMap<u64, FxHashSet<u64>>,
    /// The most of any hour before.
    most: FxHashMap<u64, u32>,
    /// Requests of accounts for which there was no room.
    pub(super) unwatched: u64,
}

impl MassReading {
    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        let (account, url) = event.account.zip(event.url)?;
        if event.kind != Kind::WebRequest || event.outcome != Some(Outcome::Success) {
            return None;
        }
        let hour = time.unix().div_euclid(HOUR);
        // Lines are nearly in order: what is late counts with what is there.
        if hour != self.hour && hour + 1 != self.hour {
            self.close();
            self.hour = hour;
        }
        let key = hash(account);
        if self.urls.len() >= MOST && !self.urls.contains_key(&key) {
            self.unwatched += 1;
            return None;
        }
        let urls = self.urls.entry(key).or_default();
        if urls.len() < MOST_URLS {
            urls.insert(hash(url.split(|byte| *byte == b'?').next().unwrap_or(url)));
        }
        let (urls, most) = (urls.len(), *self.most.get(&key)? as usize);
        (urls >= URLS && urls >= TIMES.saturating_mul(most)).then(|| {
            let account = String::from_utf8_lossy(account).into_owned();
            let reason =
                format!("{urls} different URLs within an hour, at most {most} in any before");
            Seen::of(account, reason)
        })
    }

    /// Ends the hour.
    fn close(&mut self) {
        for (key, urls) in self.urls.drain() {
            let count = u32::try_from(urls.len()).unwrap_or(u32::MAX);
            if self.most.len() >= MOST && !self.most.contains_key(&key) {
                self.unwatched += 1;
                continue;
            }
            let most = self.most.entry(key).or_default();
            *most = count.max(*most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours in which so many URLs are read, each several times; whether the last is told.
    fn read(hours: &[usize], url: impl Fn(usize) -> String) -> bool {
        let mut reading = MassReading::default();
        let mut told = false;
        for (hour, urls) in (0..).zip(hours) {
            told = false;
            for number in 0..3 * urls {
                let url = url(number % urls);
                let event = Event {
                    account: Some(b"alice"),
                    url: Some(url.as_bytes()),
                    outcome: Some(Outcome::Success),
                    ..Event::new(Kind::WebRequest, None)
                };
                let time = Moment::from_unix(hour * HOUR + 7);
                told |= reading.look(&event, time).is_some();
            }
        }
        told
    }

    #[test]
    fn many_things_at_once() {
        let mail = |number: usize| format!("/mail/{number}");
        assert!(read(&[30, 5, URLS], mail));
        // Fewer, as usual for the account, the first hour of it, and pages of one list.
        assert!(!read(&[30, 5, URLS - 1], mail));
        assert!(!read(&[URLS / TIMES + 1, 5, URLS], mail));
        assert!(!read(&[URLS], mail));
        assert!(!read(&[30, 5, URLS], |number| format!("/list?page={number}")));
    }
}
