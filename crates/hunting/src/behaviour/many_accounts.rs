//! One source logs in to many accounts within a day, successfully.
//!
//! Reason: whoever has stolen credentials tries them all; a person has a few accounts.
//!
//! False positives: a company or a carrier behind one address, web mail and mobile gateways, migration
//! tools, monitoring. False negatives: attackers with many addresses, each below the threshold; failed
//! attempts count elsewhere.

use core::net::IpAddr;

use rustc_hash::FxHashSet;

use super::kept::Kept;
use super::{Seen, hash};
use crate::event::{Event, Kind, Outcome};
use crate::time::{DAY, Moment, SECOND};

/// Accounts a day.
const ACCOUNTS: usize = 20;

/// What is kept of each source on its last day.
#[derive(Debug, Default)]
pub(super) struct ManyAccounts {
    pub(super) sources: Kept<IpAddr, (i64, FxHashSet<u64>)>,
}

impl ManyAccounts {
    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        let (client, account) = event.client.zip(event.account)?;
        let is_login = event.kind == Kind::Login && event.outcome == Some(Outcome::Success);
        if !is_login {
            return None;
        }
        let day = time.unix().div_euclid(DAY);
        let new = || (day, FxHashSet::default());
        let (of, accounts) = self.sources.of(client, time, DAY * SECOND, new)?;
        if *of != day {
            (*of, *accounts) = (day, FxHashSet::default());
        }
        if accounts.len() < ACCOUNTS {
            accounts.insert(hash(account));
        }
        (accounts.len() >= ACCOUNTS)
            .then(|| Seen::of(client, format!("{ACCOUNTS} accounts on one day")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins(accounts: usize, step: i64, outcome: Outcome) -> bool {
        let mut many = ManyAccounts::default();
        (0..500).any(|number| {
            let account = format!("u{}", number % accounts);
            let event = Event {
                client: "192.0.2.7".parse().ok(),
                account: Some(account.as_bytes()),
                outcome: Some(outcome),
                ..Event::new(Kind::Login, None)
            };
            many.look(&event, Moment::from_unix(number as i64 * step)).is_some()
        })
    }

    #[test]
    fn many_accounts_of_one_source() {
        assert!(logins(ACCOUNTS, 60, Outcome::Success));
        assert!(!logins(ACCOUNTS - 1, 60, Outcome::Success));
        assert!(!logins(ACCOUNTS, 60, Outcome::Failure));
        // As many, but not on one day.
        assert!(!logins(500, 2 * 3600, Outcome::Success));
    }
}
