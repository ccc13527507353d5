//! One report against another.

use std::collections::{BTreeMap, VecDeque};

use miyaburi_model::{Credentials, Report, Scan, StringTable, Verdict};

use super::items::Item;
use super::{
    Change, ChangedItem, Changes, CredentialsChanges, ItemChanges, Outcome, ScanChanges, SynField,
    TableChanges,
};

/// What changed from `a` to `b`, and what that amounts to.
pub(super) fn reports(a: &Report, b: &Report) -> (Outcome, Option<Changes>) {
    let is_analyzed =
        |report: &Report| !matches!(report.verdict, Verdict::Failed | Verdict::Unsupported);
    let verdict = change(a.verdict, b.verdict);
    if !is_analyzed(a) && !is_analyzed(b) {
        let is_same_file = a.sample.sha256.is_some() && a.sample.sha256 == b.sample.sha256;
        if verdict.is_none() && !is_same_file {
            return (Outcome::NotCompared, None);
        }
    }
    let changes = match is_analyzed(a) && is_analyzed(b) {
        true => Changes { verdict, ..configurations(a, b) },
        false => Changes { verdict, ..Changes::default() },
    };
    let is_same = changes == Changes::default();
    (if is_same { Outcome::Same } else { Outcome::Different }, Some(changes))
}

/// What changed in the configuration; the verdict is left to the caller.
fn configurations(a: &Report, b: &Report) -> Changes {
    let family = |report: &Report| report.family.as_ref().map(|family| family.name.clone());
    Changes {
        verdict: None,
        family: change(family(a), family(b)),
        endpoints: items(&a.endpoints, &b.endpoints),
        external: items(&a.external, &b.external),
        string_table: tables(a.string_table.as_ref(), b.string_table.as_ref()),
        strings: items(&a.strings, &b.strings),
        credentials: credentials(a.credentials.as_ref(), b.credentials.as_ref()),
        attacks: items(&a.attacks, &b.attacks),
        scan: scans(a.scan.as_ref(), b.scan.as_ref()),
    }
}

fn change<T: PartialEq>(a: T, b: T) -> Option<Change<T>> {
    (a != b).then_some(Change { a, b })
}

fn tables(a: Option<&StringTable>, b: Option<&StringTable>) -> TableChanges {
    let entries = |table: Option<&StringTable>| table.map_or(vec![], |table| table.entries.clone());
    TableChanges {
        found: change(a.is_some(), b.is_some()),
        key: member(a, b, |table| table.key.clone()),
        effective_key: member(a, b, |table| table.effective_key.clone()),
        cipher: member(a, b, |table| Some(table.cipher)),
        nonce: member(a, b, |table| table.nonce.clone()),
        sha256: member(a, b, |table| table.sha256.clone()),
        entries: items(&entries(a), &entries(b)),
    }
}

fn credentials(a: Option<&Credentials>, b: Option<&Credentials>) -> CredentialsChanges {
    let entries = |list: Option<&Credentials>| list.map_or(vec![], |list| list.entries.clone());
    CredentialsChanges {
        found: change(a.is_some(), b.is_some()),
        effective_key: member(a, b, |list| list.effective_key.clone()),
        cipher: member(a, b, |list| Some(list.cipher)),
        sha256: member(a, b, |list| list.sha256.clone()),
        entries: items(&entries(a), &entries(b)),
    }
}

fn scans(a: Option<&Scan>, b: Option<&Scan>) -> ScanChanges {
    let nothing = Scan::default();
    let found = change(a.is_some(), b.is_some());
    let (a, b) = (a.unwrap_or(&nothing), b.unwrap_or(&nothing));
    let syn = |scan: &Scan| -> Vec<SynField> {
        let fields = scan.syn.iter();
        fields.map(|(name, value)| SynField { field: name.clone(), value: value.clone() }).collect()
    };
    ScanChanges {
        found,
        probes: items(&a.probes, &b.probes),
        syn: items(&syn(a), &syn(b)),
        exploits: items(&a.exploits, &b.exploits),
    }
}

/// The change of a member that is null where its part is.
fn member<P, T: PartialEq>(
    a: Option<&P>,
    b: Option<&P>,
    value: impl Fn(&P) -> Option<T>,
) -> Option<Change<Option<T>>> {
    change(a.and_then(&value), b.and_then(&value))
}

/// Compares lists as multisets: each item has at most one counterpart. In every round, items that
/// are the same leave before those that only have the same key.
fn items<T: Item>(a: &[T], b: &[T]) -> ItemChanges<T> {
    let [mut left, mut right] = [a, b].map(|list| list.iter().collect::<Vec<&T>>());
    let mut changed = Vec::new();
    for round in 0..T::ROUNDS {
        let is_same = |a: &T, b: &T| a.differing(b).is_empty();
        take_pairs(&mut left, &mut right, round, is_same);
        changed.extend(take_pairs(&mut left, &mut right, round, |_, _| true));
    }
    changed.sort_by(|(one, _), (other, _)| one.key(0).cmp(&other.key(0)));
    let changed = changed.into_iter().map(|(a, b)| ChangedItem {
        members: a.differing(b),
        a: a.clone(),
        b: b.clone(),
    });
    ItemChanges { added: sorted(right), removed: sorted(left), changed: changed.collect() }
}

fn sorted<T: Item>(mut items: Vec<&T>) -> Vec<T> {
    items.sort_by(|one, other| one.key(0).cmp(&other.key(0)));
    items.into_iter().cloned().collect()
}

/// Takes pairs with equal keys that `fit` out of the lists, in their order.
fn take_pairs<'a, T: Item>(
    left: &mut Vec<&'a T>,
    right: &mut Vec<&'a T>,
    round: usize,
    fit: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, &'a T)> {
    let mut by_key: BTreeMap<T::Key<'a>, VecDeque<&'a T>> = BTreeMap::new();
    for item in right.drain(..) {
        by_key.entry(item.key(round)).or_default().push_back(item);
    }
    let mut pairs = Vec::new();
    left.retain(|item| {
        let Some(candidates) = by_key.get_mut(&item.key(round)) else { return true };
        let place = candidates.iter().position(|candidate| fit(item, candidate));
        let partner = place.and_then(|place| candidates.remove(place));
        pairs.extend(partner.map(|partner| (*item, partner)));
        partner.is_none()
    });
    right.extend(by_key.into_values().flatten());
    pairs
}
