//! An account is used from a network from which it never was, after it was used for a while from others
//! only, and at an hour at which it never was.
//!
//! Reason: somebody else is elsewhere and awake at other times. One alone is daily life (travel, a late
//! evening), so both have to come together. A network is a /16, of IPv6 a /32, or the country of an address
//! where a table tells it.
//!
//! False positives: travel across time zones, a new provider used first at night. False negatives: accounts
//! with fewer than the threshold's logins before, attackers in the account's own networks or hours, accounts
//! that are used around the clock.

use core::net::IpAddr;

use rustc_hash::FxHashMap;

use super::places::Places;
use super::{Seen, hash};
use crate::event::{Event, Kind, Outcome};
use crate::time::Moment;

/// Logins before that are needed.
const KNOWN: u16 = 20;

/// Networks of an account that are kept; one with more is not told.
const NETWORKS: usize = 4;

/// Accounts of which something is kept; later ones are not watched.
const MOST: usize = 1 << 23;

/// Hours around one that was seen which count as seen.
const AROUND: u32 = 2;

/// What is kept of each account.
#[derive(Debug, Default)]
pub(super) struct FirstNetworks {
    accounts: FxHashMap<u64, Habits>,
    places: Places,
    /// Logins to accounts for which there was no room.
    pub(super) unwatched: u64,
}

#[derive(Debug, Default)]
struct Habits {
    logins: u16,
    known: u8,
    networks: [u32; NETWORKS],
    /// A bit for each hour of the day, in UTC.
    hours: u32,
}

impl FirstNetworks {
    /// With a table of countries.
    pub(super) fn with_places(places: Places) -> Self {
        Self { places, ..Self::default() }
    }

    /// Whether enough is known of an account, and it never was used from the client's network.
    pub(super) fn is_elsewhere(&self, account: &[u8], client: IpAddr) -> bool {
        self.accounts.get(&hash(account)).is_some_and(|habits| {
            let networks = habits.networks.get(..usize::from(habits.known)).unwrap_or_default();
            let is_new = networks.len() < NETWORKS && !networks.contains(&self.places.of(client));
            is_new && habits.logins >= KNOWN
        })
    }

    pub(super) fn look(&mut self, event: &Event<'_>, time: Moment) -> Option<Seen> {
        let (client, account) = event.client.zip(event.account)?;
        let is_login = event.kind == Kind::Login && event.outcome == Some(Outcome::Success);
        let key = hash(account);
        if !is_login {
            return None;
        }
        if self.accounts.len() >= MOST && !self.accounts.contains_key(&key) {
            self.unwatched += 1;
            return None;
        }
        let habits = self.accounts.entry(key).or_default();
        let network = self.places.of(client);
        let hour = time.unix().div_euclid(3600).rem_euclid(24) as u32;
        let networks = habits.networks.get(..usize::from(habits.known)).unwrap_or_default();
        let is_new = networks.len() < NETWORKS && !networks.contains(&network);
        let is_strange = is_new && habits.logins >= KNOWN && habits.hours >> hour & 1 == 0;
        let before = habits.logins;
        habits.logins = habits.logins.saturating_add(1);
        if is_new && let Some(place) = habits.networks.get_mut(usize::from(habits.known)) {
            *place = network;
            habits.known += 1;
        }
        for around in 0..=2 * AROUND {
            habits.hours |= 1 << ((hour + 24 - AROUND + around) % 24);
        }
        is_strange.then(|| {
            let account = String::from_utf8_lossy(account).into_owned();
            let place = self
                .places
                .country(client)
                .map_or_else(|| "a network".to_owned(), |country| format!("country {country:?}"));
            let reason = format!(
                "first login from {place}, at {hour}:00 UTC, after {before} from elsewhere at other hours"
            );
            Seen { other: Some(client.to_string()), ..Seen::of(account, reason) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: i64 = 30;

    /// A month of logins at 9 and 17 hours from one network, then one.
    fn used(days: i64, client: &str, hour: i64) -> Option<Seen> {
        used_of(FirstNetworks::default(), days, client, hour)
    }

    fn used_of(mut networks: FirstNetworks, days: i64, client: &str, hour: i64) -> Option<Seen> {
        let login = |client: &str| Event {
            client: client.parse().ok(),
            account: Some(b"alice"),
            outcome: Some(Outcome::Success),
            ..Event::new(Kind::Login, None)
        };
        for day in 0..days {
            for hour in [9, 17] {
                let time = Moment::from_unix(day * 86_400 + hour * 3600);
                assert_eq!(networks.look(&login("198.51.100.7"), time), None);
            }
        }
        networks.look(&login(client), Moment::from_unix(days * 86_400 + hour * 3600))
    }

    #[test]
    fn elsewhere_at_night() {
        assert!(used(DAYS, "203.0.113.9", 3).is_some());
        // Travel, a late evening, and an account of which too little is known.
        assert_eq!(used(DAYS, "203.0.113.9", 10), None);
        assert_eq!(used(DAYS, "198.51.200.1", 3), None);
        assert_eq!(used(5, "203.0.113.9", 3), None);
    }

    #[test]
    fn another_country_is_elsewhere_and_another_network_of_the_same_is_not() {
        let of = |client: &str, hour: i64| {
            let table =
                "network,country\n198.51.100.0/24,JP\n203.0.113.0/25,JP\n203.0.113.128/25,KR\n";
            let places = Places::read(table.as_bytes()).ok()?;
            used_of(FirstNetworks::with_places(places), DAYS, client, hour)
        };
        assert!(of("203.0.113.200", 3).is_some_and(|seen| seen.reason.contains("country \"KR\"")));
        assert_eq!(of("203.0.113.200", 10), None);
        assert_eq!(of("203.0.113.9", 3), None);
    }
}
