//! What changed between reports: one pair, or two sets of them.
//!
//! Compared is what the program is configured to do. What describes the file (path, digests, CPU,
//! packer), addresses and evidence are not: they change with every build. A report of a file that
//! was not analysed (`failed`, `unsupported`) says nothing about a configuration, so against it
//! the verdict alone is compared; nothing passes for removed because an analysis failed.

mod compare;
mod difference;
mod items;
mod pairing;
mod schema;

pub use difference::{
    Change, ChangedItem, Changes, Comparison, CredentialsChanges, DIFF_SCHEMA_VERSION, ItemChanges,
    Outcome, PairedBy, ScanChanges, Side, SynField, TableChanges,
};
pub use schema::schema;

use pairing::Pair;

use crate::FiledReport;
use crate::reports::ReportSet;

/// Pairs the reports of two sets and compares each pair. Reports are paired, each with at most
/// one other, by the first of these that fits, as [`PairedBy`] tells: they are the only ones;
/// equal SHA-256; equal names; equal comparison hashes.
///
/// Sorted: pairs by path, then what is only in `a`, then what is only in `b`.
#[must_use]
pub fn diff(a: &ReportSet, b: &ReportSet) -> Vec<Comparison> {
    let pairs = pairing::pair(a, b);
    let mut comparisons: Vec<Comparison> = pairs.into_iter().map(compare_pair).collect();
    comparisons.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
    comparisons
}

/// Pairs before reports without a counterpart, then by sample and report file.
fn sort_key(comparison: &Comparison) -> (u8, [Option<(&str, &str)>; 2]) {
    fn place(side: Option<&Side>) -> Option<(&str, &str)> {
        side.map(|side| (side.path.as_str(), side.report_file.as_str()))
    }
    let kind = match comparison.result {
        Outcome::Same | Outcome::Different | Outcome::NotCompared => 0,
        Outcome::OnlyInA => 1,
        Outcome::OnlyInB => 2,
    };
    (kind, [place(comparison.a.as_ref()), place(comparison.b.as_ref())])
}

fn compare_pair(pair: Pair<'_>) -> Comparison {
    let (result, paired_by, a, b, changes) = match pair {
        Pair::Both(a, b, paired_by) => {
            let (result, changes) = compare::reports(&a.report, &b.report);
            (result, Some(paired_by), Some(a), Some(b), changes)
        }
        Pair::OnlyInA(a) => (Outcome::OnlyInA, None, Some(a), None, None),
        Pair::OnlyInB(b) => (Outcome::OnlyInB, None, None, Some(b), None),
    };
    let [a, b] = [a, b].map(|report| report.map(side));
    Comparison { schema_version: DIFF_SCHEMA_VERSION, result, paired_by, a, b, changes }
}

fn side(filed: &FiledReport) -> Side {
    let FiledReport { file, report, .. } = filed;
    Side {
        report_file: file.to_string_lossy().into_owned(),
        path: report.sample.path.clone(),
        sha256: report.sample.sha256.clone(),
        cpu: report.sample.cpu.clone(),
        verdict: report.verdict,
    }
}
