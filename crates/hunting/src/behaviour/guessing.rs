//! Failures, then a success, from one source at one account within an hour.
//!
//! Reason: passwords that are guessed or tried from a list fail until one does not.
//!
//! False positives: a person who forgot a password, a program with an old one that is corrected; the
//! threshold is above what lock-outs and patience usually allow. False negatives: guesses spread over sources
//! or days, a first guess that is right.

use core::net::IpAddr;

use super::kept::Kept;
use super::{Seen, hash};
use crate::event::{Event, Kind, Outcome};
use crate::time::{Moment, SECOND};

/// Failures.
const FAILURES: u32 = 10;

/// An hour.
const WINDOW: i64 = 3600 * SECOND;

/// What is kept of each source and account that failed.
#[derive(Debug, Default)]
pub(super) struct Guessing {
    pub(super) failed: Kept<(IpAddr, u64), (Moment, u32)>,
}

impl Guessing {
    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        let (client, account) = event.client.zip(event.account)?;
        let outcome = event.outcome.filter(|_| event.kind == Kind::Login)?;
        let key = (client, hash(account));
        if outcome == Outcome::Success {
            let (since, failures) = self.failed.take(&key)?;
            let is_soon = time.0.saturating_sub(since.0) <= WINDOW;
            let account = String::from_utf8_lossy(account);
            return (failures >= FAILURES && is_soon).then(|| {
                let reason = format!("{failures} failures from one client, then a success");
                Seen { other: Some(client.to_string()), ..Seen::of(account, reason) }
            });
        }
        let (since, failures) = self.failed.of(key, time, WINDOW, || (time, 0))?;
        if time.0.saturating_sub(since.0) > WINDOW {
            (*since, *failures) = (time, 0);
        }
        *failures += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(failures: i64, step: i64, last: &str) -> Option<Seen> {
        let mut guessing = Guessing::default();
        let login = |client: &str, outcome| Event {
            client: client.parse().ok(),
            account: Some(b"alice"),
            outcome: Some(outcome),
            ..Event::new(Kind::Login, None)
        };
        for number in 0..failures {
            let failure = login("192.0.2.7", Outcome::Failure);
            assert_eq!(guessing.look(&failure, Moment::from_unix(number * step)), None);
        }
        guessing.look(&login(last, Outcome::Success), Moment::from_unix(failures * step))
    }

    #[test]
    fn failures_then_a_success() {
        let seen = guessed(12, 10, "192.0.2.7").map(|seen| seen.entity);
        assert_eq!(seen, Some("alice".to_owned()));
        assert_eq!(guessed(3, 10, "192.0.2.7"), None);
        assert_eq!(guessed(12, 1000, "192.0.2.7"), None);
        assert_eq!(guessed(12, 10, "192.0.2.8"), None);
    }
}
