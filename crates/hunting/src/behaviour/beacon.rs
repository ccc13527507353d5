//! A device comes back to one destination at even intervals, for hours.
//!
//! Reason: a bot reports to its C2 by a timer; people and most programs come at uneven times.
//!
//! False positives: programs with timers of their own: clocks (NTP, port 123, is left out), checks for
//! updates and mail, monitoring, push services; such destinations are many clients' and well known, so an
//! alert is a question, not an answer. False negatives: timers with jitter above the threshold, intervals
//! above a day's quarter or below ten seconds, connections that stay open.

use core::net::IpAddr;

use super::Seen;
use super::kept::Kept;
use crate::event::{Event, Kind};
use crate::time::{Moment, SECOND};

/// Connections in a row.
const TIMES: u32 = 24;

/// The shortest interval that counts.
const SHORTEST: i64 = 10 * SECOND;

/// The longest.
const LONGEST: i64 = 6 * 3600 * SECOND;

/// How far an interval may be from the one before, as a part of it: one in so many.
const JITTER: i64 = 20;

/// The port of NTP.
const NTP: u16 = 123;

/// What is kept of each pair.
#[derive(Debug, Default)]
pub(super) struct Beacons {
    pub(super) pairs: Kept<(IpAddr, IpAddr, u16), Row>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    last: Moment,
    interval: i64,
    times: u32,
}

impl Beacons {
    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        let (client, server) = event.client.zip(event.server)?;
        let port = event.port.filter(|port| *port != NTP && event.kind == Kind::Connection)?;
        let key = (client, server, port);
        let new = || Row { last: time, interval: 0, times: 0 };
        let row = self.pairs.of(key, time, LONGEST, new)?;
        let interval = time.0.saturating_sub(row.last.0);
        if interval < SHORTEST {
            // Part of the same visit.
            row.last = time;
            return None;
        }
        let is_even = (interval - row.interval).abs() <= row.interval / JITTER;
        row.times = if is_even && interval <= LONGEST { row.times + 1 } else { 1 };
        (row.last, row.interval) = (time, interval);
        (row.times >= TIMES).then(|| {
            let (times, seconds) = (row.times, interval / SECOND);
            let destination = core::net::SocketAddr::new(server, port);
            Seen {
                other: Some(destination.to_string()),
                ..Seen::of(client, format!("{times} times to one destination, every {seconds} s"))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::connection;
    use super::*;

    fn visits(times: &[i64], port: u16) -> bool {
        let mut beacons = Beacons::default();
        let event = connection("192.0.2.7", "203.0.113.1", port);
        times.iter().any(|seconds| beacons.look(&event, Moment::from_unix(*seconds)).is_some())
    }

    #[test]
    fn even_intervals_are_a_beacon() {
        let times: Vec<i64> = (0..40).map(|number| number * 60 + number % 2).collect();
        assert!(visits(&times, 48101));
    }

    #[test]
    fn uneven_intervals_clocks_and_few_visits_are_none() {
        let uneven: Vec<i64> =
            (0..200).map(|number| number * 600 + number * number % 97 * 5).collect();
        assert!(!visits(&uneven, 443));
        let even: Vec<i64> = (0..40).map(|number| number * 64).collect();
        assert!(!visits(&even, 123) && !visits(&even[..20], 443));
        let busy: Vec<i64> = (0..4000).collect();
        assert!(!visits(&busy, 443));
    }
}
