//! Which indicators may be blocked, and why the others may not.
//!
//! Automatic blocking does harm when an address is shared, or was never the attacker's. What
//! is refused here is in no format, and each refusal is kept with its reason.
//!
//! False negatives: a shared address that no list names is blocked. False positives: a server of
//! attackers in a listed network is not, nor one that another program has as its decoy or resolver, in
//! this export or, with a ledger, in one before it. Attackers who name their own server as a decoy in
//! some files keep it from being blocked, which is why each such refusal is told.

mod matcher;
mod own;
mod warning_list;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use miyaburi_model::{Confidence, EndpointRole, Protocol};

pub use own::{OwnSpace, OwnSpaceError, parse_prefixes};
pub use warning_list::{Effect, WarningList, WarningListError, built_in};

use crate::indicators::{
    Host, HostError, Indicator, Indicators, Known, Naming, Sightings, Timestamp, role_name,
};
use crate::list::{Block, Withdrawal};
use matcher::Matcher;

/// Roles that a block may rest on: the others are not hosts of the attackers.
pub const BLOCKABLE: [EndpointRole; 4] = [
    EndpointRole::C2,
    EndpointRole::ScanReceiver,
    EndpointRole::Loader,
    EndpointRole::DeadDropResolver,
];

/// Roles of hosts that have nothing to do with the attackers: who is in one of them in any file is not
/// blocked, whatever another file says.
const INNOCENT: [EndpointRole; 2] = [EndpointRole::Decoy, EndpointRole::Resolver];

/// What a user wants of all indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The time of the export.
    pub now: Timestamp,
    /// How long an indicator holds after its files were last seen, or after `now` when that is
    /// not known.
    pub ttl: Duration,
    /// Only what was seen since then; what has no known time was not.
    pub since: Option<Timestamp>,
    /// Less is refused.
    pub min_confidence: Confidence,
    /// Of the blockable roles, those that are wanted.
    pub roles: Vec<EndpointRole>,
}

/// What keeps an indicator from being blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The text is no host.
    NotAHost(HostError),
    /// The role is not one of a host of the attackers.
    Role(EndpointRole),
    /// Another file, or the same, has the host in such a role.
    Contradicted(EndpointRole),
    /// A file of an earlier export has the host in such a role.
    ContradictedBefore(EndpointRole),
    /// Not sure enough.
    Confidence(Confidence),
    /// It is in the user's own space, with the entry that says so.
    Own(String),
    /// A warning list has it.
    Listed(Arc<str>),
    /// Others register names below it.
    PublicSuffix,
    /// It was valid until then.
    Expired(Timestamp),
    /// The user took it back, with the entry that says so.
    Revoked(String),
    /// The files that it was found in were analysed again, and have it no more.
    Gone,
    /// The selection no longer asks for it: why it is withdrawn, which is no refusal.
    NotSelected,
    /// The export that had it was rolled back, which is no refusal either.
    RolledBack,
    /// An earlier export withdrew it, as it says.
    Earlier(String),
}

impl Reason {
    /// A word for counting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotAHost(_) => "not_a_host",
            Self::Role(_) => "role",
            Self::Contradicted(_) | Self::ContradictedBefore(_) => "contradicted",
            Self::Confidence(_) => "confidence",
            Self::Own(_) => "own",
            Self::Listed(_) => "warning_list",
            Self::PublicSuffix => "public_suffix",
            Self::Expired(_) => "expired",
            Self::Revoked(_) => "revoked",
            Self::Gone => "gone",
            Self::NotSelected => "not_selected",
            Self::RolledBack => "rolled_back",
            Self::Earlier(_) => "earlier",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAHost(error) => error.fmt(formatter),
            Self::Role(EndpointRole::Unknown) => formatter.write_str("its role is not known"),
            Self::Role(role) => write!(formatter, "a {} is not blocked", role_name(*role)),
            Self::Contradicted(role) => write!(formatter, "also a {}", role_name(*role)),
            Self::ContradictedBefore(role) => {
                write!(formatter, "a {} in an earlier export", role_name(*role))
            }
            Self::Confidence(Confidence::Low) => formatter.write_str("confidence is low"),
            Self::Confidence(_) => formatter.write_str("confidence is below what is asked for"),
            Self::Own(entry) => write!(formatter, "own: {entry}"),
            Self::Listed(list) => formatter.write_str(list),
            Self::PublicSuffix => formatter.write_str("others register names below it"),
            Self::Expired(time) => write!(formatter, "valid until {time}"),
            Self::Revoked(entry) => write!(formatter, "revoked: {entry}"),
            Self::Gone => formatter.write_str("its files no longer have it"),
            Self::NotSelected => formatter.write_str("not asked for any more"),
            Self::RolledBack => formatter.write_str("the export that had it was rolled back"),
            Self::Earlier(detail) => formatter.write_str(detail),
        }
    }
}

/// An indicator that is not exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The host as the file has it, any text at all.
    pub host: String,
    /// Port, none when not known.
    pub port: Option<u16>,
    /// Transport, none when not known.
    pub protocol: Option<Protocol>,
    /// What the program uses it for.
    pub role: EndpointRole,
    /// Why.
    pub reason: Reason,
}

/// What came of all indicators, each part in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// What may be blocked.
    pub blocks: Vec<Block>,
    /// What may not.
    pub refusals: Vec<Refusal>,
    /// How many the selection did not ask for.
    pub not_selected: usize,
    /// What earlier exports have in force and this one has not, in order.
    pub withdrawn: Vec<Withdrawal>,
    /// Hosts that have nothing to do with the attackers, by this export and earlier ones: a later one is
    /// to [remember](Indicators::remember) them.
    pub innocent: Vec<(Indicator, Sightings)>,
}

impl Decisions {
    /// How many were refused by [`Reason::name`].
    #[must_use]
    pub fn refused_by_reason(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for refusal in &self.refusals {
            *counts.entry(refusal.reason.name()).or_default() += 1;
        }
        counts
    }
}

/// The lists and the space that indicators are held against.
#[derive(Debug, Default)]
pub struct Gate {
    deny: Matcher,
    inform: Matcher,
    own: OwnSpace,
    revoked: OwnSpace,
}

impl Gate {
    /// A gate with these lists: of two that have the same entry, the first is named.
    ///
    /// # Errors
    /// For an entry that its list's type does not allow.
    pub fn new(lists: &[WarningList], own: OwnSpace) -> Result<Self, WarningListError> {
        let mut gate = Self { own, ..Self::default() };
        for list in lists {
            let matcher = match list.effect() {
                Effect::Deny => &mut gate.deny,
                Effect::Inform => &mut gate.inform,
            };
            matcher.add(list)?;
        }
        Ok(gate)
    }

    /// Refuses what the user took back, too.
    #[must_use]
    pub fn with_revoked(self, revoked: OwnSpace) -> Self {
        Self { revoked, ..self }
    }

    /// Decides on every indicator.
    #[must_use]
    pub fn decide(&self, indicators: Indicators, selection: &Selection) -> Decisions {
        let mut decisions = Decisions::default();
        for (host, port, role, error) in indicators.refused() {
            let (host, protocol, reason) = (host.to_owned(), None, Reason::NotAHost(error));
            decisions.refusals.push(Refusal { host, port, protocol, role, reason });
        }
        let merged = indicators.into_merged();
        let contradictions = contradictions(&merged);
        for (indicator, known) in merged {
            if INNOCENT.contains(&indicator.role) {
                if known.naming != Naming::Gone {
                    decisions.innocent.push((indicator.clone(), known.sightings.clone()));
                }
                if known.naming != Naming::Named {
                    continue;
                }
            }
            let contradiction = contradictions.get(&indicator.host);
            let expires = expiry(&known, selection);
            let reason = self.reason(&indicator, contradiction, &known, expires, selection);
            let Known { sightings, in_force, .. } = known;
            let is_selected = is_selected(&indicator, &sightings, selection);
            let is_passed = reason.is_none() && is_selected;
            if let Some(in_force) = in_force.filter(|_| !is_passed) {
                let reason = reason.clone().unwrap_or(Reason::NotSelected);
                let indicator = indicator.clone();
                decisions.withdrawn.push(Withdrawal { indicator, in_force, reason });
            }
            if let Some(reason) = reason {
                let Indicator { host, port, protocol, role } = indicator;
                let host = host.to_string();
                decisions.refusals.push(Refusal { host, port, protocol, role, reason });
            } else if is_selected {
                let note = self.inform.find(&indicator.host);
                decisions.blocks.push(Block { indicator, sightings, expires, in_force, note });
            } else {
                decisions.not_selected += 1;
            }
        }
        decisions
    }

    fn reason(
        &self,
        indicator: &Indicator,
        contradiction: Option<&Reason>,
        known: &Known,
        expires: Timestamp,
        selection: &Selection,
    ) -> Option<Reason> {
        if !BLOCKABLE.contains(&indicator.role) {
            return Some(Reason::Role(indicator.role));
        }
        if let Some(contradiction) = contradiction {
            return Some(contradiction.clone());
        }
        if let Some(entry) = self.own.find(&indicator.host) {
            return Some(Reason::Own(entry));
        }
        if let Some(list) = self.deny.find(&indicator.host) {
            return Some(Reason::Listed(list));
        }
        if is_public_suffix(&indicator.host) {
            return Some(Reason::PublicSuffix);
        }
        if let Some(entry) = self.revoked.find(&indicator.host) {
            return Some(Reason::Revoked(entry));
        }
        if known.naming == Naming::Gone {
            return Some(Reason::Gone);
        }
        if known.sightings.confidence < selection.min_confidence {
            return Some(Reason::Confidence(known.sightings.confidence));
        }
        (expires <= selection.now).then_some(Reason::Expired(expires))
    }
}

/// Whether others than its holder register names below a host, as below `co.uk` and `blogspot.com`: by the
/// Public Suffix List (publicsuffix.org). A name of one label is no host to begin with.
///
/// False positives: a name that is asked for and is such a suffix as well. False negatives: services that
/// are not in the list.
fn is_public_suffix(host: &Host) -> bool {
    let Host::Name(name) = host else { return false };
    let name = name.as_str().as_bytes();
    psl::suffix(name).is_some_and(|suffix| suffix.as_bytes() == name)
}

/// Hosts that are in a role of [`INNOCENT`]; what this export's reports say goes before what was known.
fn contradictions(merged: &BTreeMap<Indicator, Known>) -> BTreeMap<Host, Reason> {
    let mut contradictions = BTreeMap::new();
    for (Indicator { host, role, .. }, known) in merged {
        if !INNOCENT.contains(role) {
            continue;
        }
        match known.naming {
            Naming::Named => drop(contradictions.insert(host.clone(), Reason::Contradicted(*role))),
            Naming::NotNamed => {
                contradictions.entry(host.clone()).or_insert(Reason::ContradictedBefore(*role));
            }
            Naming::Gone => {}
        }
    }
    contradictions
}

/// When an indicator no longer holds: what no report of this export names, when the last one that had
/// any said.
fn expiry(known: &Known, selection: &Selection) -> Timestamp {
    if let (Some(in_force), Naming::NotNamed | Naming::Gone) = (known.in_force, known.naming) {
        return in_force.until;
    }
    known.sightings.seen.map_or(selection.now, |span| span.last).after(selection.ttl)
}

fn is_selected(indicator: &Indicator, sightings: &Sightings, selection: &Selection) -> bool {
    let is_recent = |since| sightings.seen.is_some_and(|span| span.last >= since);
    selection.roles.contains(&indicator.role) && selection.since.is_none_or(is_recent)
}
