//! What nobody has on a list yet, by how it behaves: one file for each behaviour, with its reason,
//! thresholds, and what it takes for one by mistake or misses.
//!
//! Events of one source come in the order of their times, or nearly; every behaviour keeps what it needs of
//! the last hours or of each account, and is told once a day and entity at most.

mod beacon;
mod first_network;
mod flooding;
mod guessing;
mod insiders;
mod kept;
mod many_accounts;
mod mass_reading;
mod places;
mod reset;
mod rules;
mod scanning;

use core::fmt;
use core::hash::{Hash, Hasher};
use rustc_hash::{FxHashSet, FxHasher};
use serde::{Deserialize, Serialize};

use crate::event::{Event, Kind};
use crate::hunt::{Evidence, Sighted};
use crate::time::{DAY, Moment};

use beacon::Beacons;
use first_network::FirstNetworks;
use flooding::Flooding;
pub use flooding::Vectors;
use guessing::Guessing;
use insiders::Insiders;
use many_accounts::ManyAccounts;
use mass_reading::MassReading;
pub use places::{PlaceError, Places};
use reset::Resets;
pub use rules::{RuleError, RuleName, Rules};
use scanning::Scanning;

/// Alerts that are remembered, so that none is told twice a day.
const MOST: usize = 1 << 20;

/// Something that behaves like what it is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// A device looks for others to log in to.
    Scanning,
    /// A device comes back to one destination at even intervals.
    Beaconing,
    /// A device sends what an attack sends.
    Flooding,
    /// One source logs in to many accounts.
    ManyAccounts,
    /// Failures, then a success, from one source at one account.
    Guessing,
    /// An account is used from a network or country from which it never was.
    FirstNetwork,
    /// A password is reset, and the client then uses an account that never was used from there.
    Reset,
    /// An account reads many different things at once, as it never did.
    MassReading,
    /// An account of the staff is used at an hour or for an amount at which it never was.
    Insider,
    /// A rule of the user's own matches.
    Rule,
}

impl Behaviour {
    /// Whether it is that of a client towards accounts.
    #[must_use]
    pub const fn is_of_accounts(self) -> bool {
        !matches!(self, Self::Scanning | Self::Beaconing | Self::Flooding)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Scanning => "scanning",
            Self::Beaconing => "beaconing",
            Self::Flooding => "flooding",
            Self::ManyAccounts => "many_accounts",
            Self::Guessing => "guessing",
            Self::FirstNetwork => "first_network",
            Self::Reset => "reset",
            Self::MassReading => "mass_reading",
            Self::Insider => "insider",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A behaviour that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// What.
    pub behaviour: Behaviour,
    /// Who: an address or an account.
    pub entity: String,
    /// With whom, where it was one: the destination of a device, the client of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// When it was enough.
    pub time: Moment,
    /// What was seen, in numbers.
    pub reason: String,
    /// The rule that matches, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// The line that made it enough.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// All behaviours.
#[derive(Debug, Default)]
pub struct Behaviours {
    scanning: Scanning,
    beacons: Beacons,
    flooding: Flooding,
    many_accounts: ManyAccounts,
    guessing: Guessing,
    first_networks: FirstNetworks,
    resets: Resets,
    mass_reading: MassReading,
    insiders: Insiders,
    rules: Rules,
    /// What was told, with its rule and its day.
    told: FxHashSet<(Behaviour, Option<String>, String, i64)>,
}

impl Behaviours {
    /// With rules of the user's own beside them.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// With a table of the countries in which addresses are.
    #[must_use]
    pub fn with_places(self, places: Places) -> Self {
        Self { first_networks: FirstNetworks::with_places(places), ..self }
    }

    /// Looking for what attack vectors of reports send.
    #[must_use]
    pub fn with_vectors(self, vectors: Vectors) -> Self {
        Self { flooding: Flooding::of(vectors), ..self }
    }

    /// Watching accounts of the staff for what they never did, in any case of ASCII letters.
    #[must_use]
    pub fn with_staff(self, staff: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        Self { insiders: Insiders::of(staff), ..self }
    }

    /// Looks at an event. Those without a time tell nothing of behaviour.
    pub fn look(&mut self, event: &Event<'_>, at: Sighted<'_>, found: &mut impl FnMut(Alert)) {
        let Some(time) = event.time else { return };
        let flooding = (Behaviour::Flooding, self.flooding.look(event, time));
        if event.kind == Kind::Traffic {
            self.tell([flooding], event, time, at, found);
            return;
        }
        let seen = [
            flooding,
            (Behaviour::Scanning, self.scanning.look(event, time)),
            (Behaviour::Beaconing, self.beacons.look(event, time)),
            (Behaviour::ManyAccounts, self.many_accounts.look(event, time)),
            (Behaviour::Guessing, self.guessing.look(event, time)),
            (Behaviour::Reset, self.resets.look(event, time, &self.first_networks)),
            (Behaviour::MassReading, self.mass_reading.look(event, time)),
            (Behaviour::Insider, self.insiders.look(event, time)),
            (Behaviour::FirstNetwork, self.first_networks.look(event, time)),
        ];
        self.tell(seen, event, time, at, found);
    }

    /// Tells what was seen, and what rules say of an event that is one.
    fn tell<const N: usize>(
        &mut self,
        seen: [(Behaviour, Option<Seen>); N],
        event: &Event<'_>,
        time: Moment,
        at: Sighted<'_>,
        found: &mut impl FnMut(Alert),
    ) {
        let seen = seen.into_iter().filter_map(|(behaviour, seen)| Some((behaviour, None, seen?)));
        let is_one = event.kind != Kind::Traffic;
        let matching = if is_one { self.rules.matching(event, at.line) } else { Vec::new() };
        let matching = matching.into_iter();
        let matching = matching.map(|rule| (Behaviour::Rule, Some(rule), Seen::by_rule(event)));
        for (behaviour, rule, Seen { entity, other, reason }) in seen.chain(matching) {
            let day = time.unix().div_euclid(DAY);
            let title = rule.as_ref().map(|rule| rule.title.clone());
            if self.told.len() < MOST && self.told.insert((behaviour, title, entity.clone(), day)) {
                let evidence = Evidence::of(at);
                found(Alert { behaviour, entity, other, time, reason, rule, evidence });
            }
        }
    }

    /// Events that were not watched because too many entities were: what these do is not told.
    #[must_use]
    pub const fn unwatched(&self) -> u64 {
        self.scanning.clients.unwatched
            + self.beacons.pairs.unwatched
            + self.flooding.sent.unwatched
            + self.many_accounts.sources.unwatched
            + self.guessing.failed.unwatched
            + self.first_networks.unwatched
            + self.resets.clients.unwatched
            + self.mass_reading.unwatched
    }
}

/// What a behaviour gives.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Who.
    entity: String,
    /// With whom, where it was one.
    other: Option<String>,
    /// Why, which names nobody.
    reason: String,
}

impl Seen {
    fn of(entity: impl ToString, reason: String) -> Self {
        Self { entity: entity.to_string(), other: None, reason }
    }

    /// The account of an event, else its client, and whom that met.
    fn by_rule(event: &Event<'_>) -> Self {
        let account = event.account.map(|account| String::from_utf8_lossy(account).into_owned());
        let [client, server] = [event.client, event.server].map(|it| it.map(|it| it.to_string()));
        let mut parties = account.into_iter().chain(client).chain(server);
        let entity = parties.next().unwrap_or_else(|| "unknown".to_owned());
        Self { entity, other: parties.next(), reason: "matches a rule".to_owned() }
    }
}

/// What stands for an account, in any case of ASCII letters.
fn hash(account: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    account.to_ascii_lowercase().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn connection(client: &str, server: &str, port: u16) -> Event<'static> {
        Event {
            client: client.parse().ok(),
            server: server.parse().ok(),
            port: Some(port),
            ..Event::new(Kind::Connection, None)
        }
    }

    #[test]
    fn a_behaviour_is_told_once_a_day() {
        let mut behaviours = Behaviours::default();
        let mut alerts = Vec::new();
        for second in 0..2 * DAY {
            let server = format!("203.0.{}.{}", second / 250 % 250, second % 250);
            let event = Event {
                time: Some(Moment::from_unix(second)),
                ..connection("192.0.2.7", &server, 23)
            };
            let at = Sighted { file: "x", offset: 0, line: b"" };
            behaviours.look(&event, at, &mut |alert| alerts.push(alert));
        }
        let told: Vec<_> =
            alerts.iter().map(|alert| (alert.behaviour, alert.entity.as_str())).collect();
        assert_eq!(told, [(Behaviour::Scanning, "192.0.2.7"); 2]);
    }
}
