//! What earlier exports put in force.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{MAX_SOURCES, Sightings, Timestamp};

/// Since when and until when an earlier export has an indicator in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The export that first had it, of those that had it without a break.
    pub since: Timestamp,
    /// When it expires.
    pub until: Timestamp,
    /// The number of the first export of `since` in its ledger.
    pub run: u64,
}

impl InForce {
    /// What covers both.
    pub(super) fn with(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        let first = if other.run < self.run { other } else { self };
        Self { until: self.until.max(other.until), ..first }
    }
}

/// What is known of an indicator, from reports and from earlier exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What reports say of it: those of this export or, when none of them names it, of the last one
    /// that had any that did.
    pub sightings: Sightings,
    /// Its state before this export, none when it is new.
    pub in_force: Option<InForce>,
    /// What the reports of this export say.
    pub naming: Naming,
}

/// Whether reports name what is known from an earlier export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// One does.
    Named,
    /// None does.
    NotNamed,
    /// None does, though every file that it was found in was analysed again, to the end.
    Gone,
}

impl Known {
    /// Takes over what a report of this export says. Files and times of earlier exports stay, certainty
    /// and the number of reports do not, as the same reports may be read again.
    pub(super) fn name(&mut self, new: Sightings) {
        if self.naming == Naming::Named {
            self.sightings.merge(new);
        } else {
            self.naming = Naming::Named;
            let earlier = std::mem::replace(&mut self.sightings, new);
            self.sightings.remember(earlier);
        }
    }

    /// Notices that no file has it any more. Of what is in more than a few files, or in one without a
    /// digest, not all are known: that stays until it expires.
    pub(super) fn compare(&mut self, analysed: &HashSet<[u8; 32]>) {
        let Sightings { sources, reports, .. } = &self.sightings;
        let known = u64::try_from(sources.len()).unwrap_or(u64::MAX);
        let are_all_known = !sources.is_empty() && sources.len() < MAX_SOURCES && known >= *reports;
        if self.naming == Naming::NotNamed
            && are_all_known
            && sources.iter().all(|source| analysed.contains(&source.sha256))
        {
            self.naming = Naming::Gone;
        }
    }
}
