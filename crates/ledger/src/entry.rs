//! What a run put in force, and what it withdrew.

use std::collections::BTreeSet;

use miyaburi_export::indicators::{InForce, Indicator, Sightings};
use miyaburi_export::{Block, Withdrawal};
use serde::{Deserialize, Serialize};

use crate::Run;

/// An indicator in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What is blocked.
    #[serde(flatten)]
    pub indicator: Indicator,
    /// Since when, until when and which run began it.
    #[serde(flatten)]
    pub in_force: InForce,
    /// What that rests on.
    #[serde(flatten)]
    pub sightings: Sightings,
    /// A list that says something of it.
    pub note: Option<String>,
}

impl Entry {
    /// What `run` puts in force of a block.
    #[must_use]
    pub fn new(block: &Block, run: &Run) -> Self {
        let (since, number) = match block.in_force {
            Some(earlier) => (earlier.since, earlier.run),
            None => (run.time, run.number),
        };
        Self {
            indicator: block.indicator.clone(),
            in_force: InForce { since, until: block.expires, run: number },
            sightings: block.sightings.clone(),
            note: block.note.as_deref().map(str::to_owned),
        }
    }

    /// The block that it was made of, where `in_force` is what holds already.
    #[must_use]
    pub fn block(self, in_force: Option<InForce>) -> Block {
        let Self { indicator, in_force: own, sightings, note } = self;
        Block { indicator, sightings, expires: own.until, in_force, note: note.map(Into::into) }
    }
}

/// A host that files have as a decoy or a resolver, which no later run is to block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Innocent {
    /// The host in that role.
    #[serde(flatten)]
    pub indicator: Indicator,
    /// What that rests on.
    #[serde(flatten)]
    pub sightings: Sightings,
}

/// What no later run is to block, whatever its reports say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exempt {
    /// What the user took back, as it was told.
    pub revoked: BTreeSet<String>,
    /// Hosts in roles that are not blocked.
    pub innocent: Vec<Innocent>,
}

/// An indicator that is no longer in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// What is no longer blocked.
    #[serde(flatten)]
    pub indicator: Indicator,
    /// Since when and until when it was to be, and which run began it.
    #[serde(flatten)]
    pub in_force: InForce,
    /// The run that withdrew it.
    pub withdrawn_by: u64,
    /// A word for why.
    pub reason: String,
    /// Why.
    pub detail: String,
}

impl Withdrawn {
    /// What the run with this number withdraws.
    #[must_use]
    pub fn new(withdrawal: &Withdrawal, run: u64) -> Self {
        Self {
            indicator: withdrawal.indicator.clone(),
            in_force: withdrawal.in_force,
            withdrawn_by: run,
            reason: withdrawal.reason.name().to_owned(),
            detail: withdrawal.reason.to_string(),
        }
    }
}
