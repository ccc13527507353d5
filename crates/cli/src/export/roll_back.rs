//! The list that a roll back returns to.

use std::collections::BTreeMap;

use miyaburi_export::gate::{OwnSpace, Reason};
use miyaburi_export::indicators::{InForce, Indicator, Timestamp};
use miyaburi_export::{BlockList, Stage, Stamp, Withdrawal};
use miyaburi_ledger::Entry;

/// What holds again of `target`, without what expired or was revoked since, and what no longer holds of
/// `present`.
pub(crate) fn rolled_back(
    target: Vec<Entry>,
    mut present: BTreeMap<Indicator, InForce>,
    revoked: &OwnSpace,
    stage: Stage,
    stamp: Stamp,
) -> BlockList {
    let mut reasons: BTreeMap<Indicator, Reason> = BTreeMap::new();
    let mut blocks = Vec::new();
    for entry in target {
        match reason(&entry, revoked, stamp.now) {
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
    BlockList { stamp, stage, blocks, withdrawn }
}

/// Why an entry does not hold again.
fn reason(entry: &Entry, revoked: &OwnSpace, now: Timestamp) -> Option<Reason> {
    let until = entry.in_force.until;
    let is_revoked = revoked.find(&entry.indicator.host).map(Reason::Revoked);
    is_revoked.or_else(|| (until <= now).then_some(Reason::Expired(until)))
}
