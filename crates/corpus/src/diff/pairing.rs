//! Which report of one set belongs to which of the other.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use miyaburi_model::{HexBytes, Report};

use super::PairedBy;
use crate::FiledReport;
use crate::reports::ReportSet;

/// Two reports, or one without a counterpart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pair<'a> {
    Both(&'a FiledReport, &'a FiledReport, PairedBy),
    OnlyInA(&'a FiledReport),
    OnlyInB(&'a FiledReport),
}

/// What two reports may have in common; none when a report has nothing of the kind.
type KeyOf = fn(&Subject<'_>) -> Option<String>;

/// A report with what a key may need to know about its set.
struct Subject<'a> {
    filed: &'a FiledReport,
    set: &'a ReportSet,
    /// Length of the directory that all samples of the set share, its slash included.
    shared: usize,
}

/// Keys in the order in which they are tried. Where several reports have the same key, those that
/// agree in an earlier line of the table are already gone; the rest pair up in their order.
const ROUNDS: [(KeyOf, PairedBy); 11] = [
    (|subject| both(sha256(subject), file_name(subject)), PairedBy::Sha256),
    (|subject| both(sha256(subject), sample_path(subject)), PairedBy::Sha256),
    (sha256, PairedBy::Sha256),
    (file_name, PairedBy::Name),
    (sample_path, PairedBy::Name),
    (path_below_shared, PairedBy::Name),
    (|subject| both(hashes(subject), cpu(subject)), PairedBy::Hashes),
    (hashes, PairedBy::Hashes),
    (|subject| both(table_hash(subject), cpu(subject)), PairedBy::StringTableHash),
    (table_hash, PairedBy::StringTableHash),
    (credentials_hash, PairedBy::CredentialsHash),
];

/// Gives every report of both sets its place; each has at most one counterpart.
pub(super) fn pair<'a>(a: &'a ReportSet, b: &'a ReportSet) -> Vec<Pair<'a>> {
    if let ([a], [b]) = (a.reports.as_slice(), b.reports.as_slice()) {
        return vec![Pair::Both(a, b, PairedBy::OnlyOnes)];
    }
    let mut left = subjects(a);
    let mut right = subjects(b);
    let mut pairs = Vec::new();
    for (key, paired_by) in ROUNDS {
        let mut by_key: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (index, subject) in right.iter().enumerate() {
            if let Some(key) = key(subject) {
                by_key.entry(key).or_default().push_back(index);
            }
        }
        let mut is_taken = vec![false; right.len()];
        left.retain(|subject| {
            let partner = key(subject).and_then(|key| by_key.get_mut(&key)?.pop_front());
            let Some((index, partner)) = partner.and_then(|index| Some((index, right.get(index)?)))
            else {
                return true;
            };
            is_taken[index] = true;
            pairs.push(Pair::Both(subject.filed, partner.filed, paired_by));
            false
        });
        let mut is_taken = is_taken.into_iter();
        right.retain(|_| is_taken.next() != Some(true));
    }
    pairs.extend(left.iter().map(|subject| Pair::OnlyInA(subject.filed)));
    pairs.extend(right.iter().map(|subject| Pair::OnlyInB(subject.filed)));
    pairs
}

fn subjects(set: &ReportSet) -> Vec<Subject<'_>> {
    let mut paths = set.reports.iter().map(|filed| filed.report.sample.path.as_bytes());
    let directory =
        |path: &[u8]| path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    let first = paths.next().unwrap_or_default();
    let shared = paths.fold(directory(first), |shared, path| {
        let equal = first.iter().zip(path).take_while(|(one, other)| one == other).count();
        directory(first.get(..equal.min(shared)).unwrap_or_default())
    });
    set.reports.iter().map(|filed| Subject { filed, set, shared }).collect()
}

fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    // Digests and comparison hashes come first and hold no line break.
    Some(format!("{}\n{}", one?, other?))
}

fn sha256(subject: &Subject<'_>) -> Option<String> {
    subject.filed.report.sample.sha256.as_ref().map(ToString::to_string)
}

/// The report file's path below the directory given, when no other report stands in it.
fn file_name(subject: &Subject<'_>) -> Option<String> {
    let Subject { filed, set, .. } = subject;
    let name: &Path = filed.file.strip_prefix(&set.path).ok()?;
    (set.is_directory && filed.is_alone).then(|| name.to_string_lossy().into_owned())
}

fn sample_path(subject: &Subject<'_>) -> Option<String> {
    Some(subject.filed.report.sample.path.clone())
}

fn path_below_shared(subject: &Subject<'_>) -> Option<String> {
    subject.filed.report.sample.path.get(subject.shared..).map(ToOwned::to_owned)
}

fn cpu(subject: &Subject<'_>) -> Option<String> {
    subject.filed.report.sample.cpu.clone()
}

fn hashes(subject: &Subject<'_>) -> Option<String> {
    both(table_hash(subject), credentials_hash(subject))
}

/// An empty table has a hash as well, which says nothing about who wrote it.
fn table_hash(subject: &Subject<'_>) -> Option<String> {
    let Report { string_table, .. } = &subject.filed.report;
    let table = string_table.as_ref().filter(|table| !table.entries.is_empty())?;
    table.sha256.as_ref().map(HexBytes::to_string)
}

fn credentials_hash(subject: &Subject<'_>) -> Option<String> {
    let Report { credentials, .. } = &subject.filed.report;
    let list = credentials.as_ref().filter(|list| !list.entries.is_empty())?;
    list.sha256.as_ref().map(HexBytes::to_string)
}
