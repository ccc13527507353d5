//! The list that a roll back returns to.

use std::collections::BTreeMap;

use miyaburi_export::gate::{OwnSpace, Reason};
use miyaburi_export::indicators::{Host, InForce, Indicator};
use miyaburi_export::{BlockList, Stage, Stamp, Withdrawal};
use miyaburi_ledger::{Entry, Innocent};
use miyaburi_model::EndpointRole;

/// What holds again of `target`, without what expired or is spared since, and what no
/// longer holds of `present`.
pub(crate) fn rolled_back(
    target: Vec<Entry>,
    mut present: BTreeMap<Indicator, InForce>,
    spared: &Spared<'_>,
    stage: Stage,
    stamp: Stamp,
) -> BlockList {
    let mut reasons: BTreeMap<Indicator, Reason> = BTreeMap::new();
    let mut blocks = Vec::new();
    for entry in target {
        let until = entry.in_force.until;
        let expired = (until <= stamp.now).then_some(Reason::Expired(until));
        match spared.reason(&entry.indicator.host).or(expired) {
            Some(reason) => drop(reasons.insert(entry.indicator, reason)),
            None => {
                let in_force = present.remove(&entry.indicator);
                blocks.push(entry.block(in_force));
            }
        }
    }
    let withdrawn = present.into_iter().map(|(indicator, in_force)| {
        let reason = reasons.remove(&indicator).unwrap_or(Reason::RolledBack);
        Withdrawal { indicator, in_force, reason }
    });
    let withdrawn = Some(withdrawn.collect());
    BlockList { stamp, stage, blocks, overdue: Vec::new(), withdrawn }
}

/// Hosts that are not to be blocked again, whatever was before.
pub(crate) struct Spared<'a> {
    revoked: OwnSpace,
    innocent: BTreeMap<&'a Host, EndpointRole>,
}

impl<'a> Spared<'a> {
    /// What the user took back, and who is innocent.
    pub(crate) fn new(revoked: OwnSpace, innocent: &'a [Innocent]) -> Self {
        let role = |it: &'a Innocent| (&it.indicator.host, it.indicator.role);
        Self { revoked, innocent: innocent.iter().map(role).collect() }
    }

    fn reason(&self, host: &Host) -> Option<Reason> {
        let innocent = || self.innocent.get(host).copied().map(Reason::ContradictedBefore);
        self.revoked.find(host).map(Reason::Revoked).or_else(innocent)
    }
}
