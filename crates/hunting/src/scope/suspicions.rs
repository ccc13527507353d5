//! What behaviour tells of accounts: nothing that such an account holds is excluded before somebody has looked.
//!
//! An alert about an account counts for all that it holds, one about a client for what accounts let that
//! client read. An alert is a question, so none confirms; whoever finds it to be an attacker's names the
//! client as an indicator.

use core::fmt;
use core::net::IpAddr;
use std::collections::hash_map::Entry;
use std::io::{self, BufRead};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::Accounts;
use crate::behaviour::Behaviour;
use crate::time::{Clock, Moment, rfc3339};

/// Why alerts are none.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// They cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A line is no alert.
    #[error("line {line}: no alert: {error}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// Why.
        error: serde_json::Error,
    },
    /// A line's time is none.
    #[error("line {line}: no time: {time:?}")]
    Time {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        time: String,
    },
}

/// What was told, and when first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspicion {
    behaviour: Behaviour,
    time: Moment,
}

/// A line of `miyaburi behaviour`.
#[derive(Deserialize)]
struct Alerted {
    behaviour: Behaviour,
    entity: String,
    time: String,
}

/// Accounts and clients of which alerts tell.
#[derive(Debug, Default)]
pub struct Suspicions {
    accounts: FxHashMap<Box<[u8]>, Suspicion>,
    clients: FxHashMap<IpAddr, Suspicion>,
}

impl Suspicions {
    /// Reads alerts, one JSON object a line; those outside of the span count for nothing.
    ///
    /// # Errors
    /// When they cannot be read or a line is none.
    pub fn read(
        &mut self,
        reader: impl BufRead,
        since: Moment,
        until: Moment,
    ) -> Result<(), AlertError> {
        for (line, text) in (1..).zip(reader.lines()) {
            let text = text?;
            if text.trim().is_empty() {
                continue;
            }
            let alerted: Alerted =
                serde_json::from_str(&text).map_err(|error| AlertError::Line { line, error })?;
            let time = rfc3339(alerted.time.as_bytes(), &Clock::utc(until))
                .map(|(time, _)| time)
                .ok_or(AlertError::Time { line, time: alerted.time })?;
            if since <= time && time <= until {
                self.add(&alerted.entity, Suspicion { behaviour: alerted.behaviour, time });
            }
        }
        Ok(())
    }

    fn add(&mut self, entity: &str, suspicion: Suspicion) {
        let known = match entity.parse() {
            Ok(client) if suspicion.behaviour.is_of_accounts() => self.clients.entry(client),
            Ok(_) => return,
            Err(_) => {
                let account = entity.to_ascii_lowercase().into_bytes().into_boxed_slice();
                keep_first(self.accounts.entry(account), suspicion);
                return;
            }
        };
        keep_first(known, suspicion);
    }

    /// Accounts of alerts that are not in the table: what they hold, nobody knows.
    #[must_use]
    pub fn unlisted(&self, accounts: &Accounts) -> usize {
        self.accounts.keys().filter(|name| accounts.find(name).is_none()).count()
    }

    /// What was told of an account, whose name is in lower case.
    pub(super) fn of_account(&self, name: &str) -> Option<Suspicion> {
        self.accounts.get(name.as_bytes()).copied()
    }

    /// What was told of a client.
    pub(super) fn of_client(&self, client: IpAddr) -> Option<Suspicion> {
        self.clients.get(&client).copied()
    }
}

fn keep_first<K>(known: Entry<'_, K, Suspicion>, suspicion: Suspicion) {
    let known = known.or_insert(suspicion);
    if suspicion.time < known.time {
        *known = suspicion;
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.behaviour, self.time)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn read(text: &str) -> Result<Suspicions, AlertError> {
        let mut suspicions = Suspicions::default();
        let [since, until] = [1_000_000_000, 2_000_000_000].map(Moment::from_unix);
        suspicions.read(text.as_bytes(), since, until).map(|()| suspicions)
    }

    #[test]
    fn the_first_alert_within_the_span_counts() {
        let suspicions = read(
            "{\"behaviour\":\"reset\",\"entity\":\"Alice\",\"time\":\"2026-11-22T00:00:00Z\"}\n\
             {\"behaviour\":\"guessing\",\"entity\":\"alice\",\"time\":\"2026-11-21T00:00:00Z\",\"x\":1}\n\
             {\"behaviour\":\"reset\",\"entity\":\"alice\",\"time\":\"1999-11-21T00:00:00Z\"}\n\n\
             {\"behaviour\":\"many_accounts\",\"entity\":\"192.0.2.7\",\"time\":\"2026-11-21T00:00:00Z\"}\n\
             {\"behaviour\":\"scanning\",\"entity\":\"192.0.2.8\",\"time\":\"2026-11-21T00:00:00Z\"}\n",
        )
        .unwrap();
        let told = suspicions.of_account("alice").map(|told| told.to_string());
        assert_eq!(told.as_deref(), Some("guessing at 2026-11-21T00:00:00Z"));
        assert_eq!(suspicions.of_account("bob"), None);
        let listed = |names: &str| {
            let table = format!("account,contract,data_classes\n{names}");
            suspicions.unlisted(&Accounts::read(table.as_bytes()).unwrap())
        };
        assert_eq!((listed("ALICE,a,b\n"), listed("bob,a,b\n")), (0, 1));
        let client = |address: &str| suspicions.of_client(address.parse().unwrap()).is_some();
        assert_eq!(["192.0.2.7", "192.0.2.8", "192.0.2.9"].map(client), [true, false, false]);
    }

    #[test]
    fn what_is_no_alert_is_told() {
        assert!(matches!(read("\n{}"), Err(AlertError::Line { line: 2, .. })));
        let untimed = "{\"behaviour\":\"reset\",\"entity\":\"a\",\"time\":\"then\"}";
        assert!(matches!(read(untimed), Err(AlertError::Time { line: 1, .. })));
        let unknown =
            "{\"behaviour\":\"dancing\",\"entity\":\"a\",\"time\":\"2026-11-22T00:00:00Z\"}";
        assert!(read(unknown).is_err());
    }
}
