//! The numbers of a score.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::truth::Truth;

/// Items of one field over some files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Items the truth has.
    pub expected: usize,
    /// Items the reports have.
    pub found: usize,
    /// Items both have.
    pub correct: usize,
    /// Files whose truth mentions the field.
    pub files: usize,
    /// Those whose report has exactly the expected items.
    pub exact_files: usize,
}

impl Tally {
    /// Share of the found items that is correct; none when nothing was found.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        share(self.correct, self.found)
    }

    /// Share of the expected items that was found; none when nothing was expected.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        share(self.correct, self.expected)
    }

    fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.found += other.found;
        self.correct += other.correct;
        self.files += other.files;
        self.exact_files += other.exact_files;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of items stay far below 2^52")]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Files that share a label, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Files in the truth.
    pub files: usize,
    /// Those with every scored field exact.
    pub exact_files: usize,
    /// Numbers by field.
    pub fields: BTreeMap<&'static str, Tally>,
}

impl Group {
    /// Share of exact files in percent; none without files.
    #[must_use]
    pub fn exact_percent(&self) -> Option<f64> {
        share(self.exact_files, self.files).map(|share| share * 100.0)
    }

    /// The numbers of all fields together.
    #[must_use]
    pub fn all_fields(&self) -> Tally {
        let mut sum = Tally::default();
        self.fields.values().for_each(|tally| sum.add(tally));
        sum
    }

    pub(crate) fn add(&mut self, exact: bool, tallies: &[(&'static str, Tally)]) {
        self.files += 1;
        self.exact_files += usize::from(exact);
        for (field, tally) in tallies {
            self.fields.entry(field).or_default().add(tally);
        }
    }
}

/// What one field of one file lacks and has too much.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldMiss {
    /// Name of the field.
    pub field: &'static str,
    /// Expected items that the report lacks.
    pub missing: Vec<Value>,
    /// Items of the report that are not expected.
    pub extra: Vec<Value>,
}

/// What one file lacks and has too much.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileScore {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Path in the report, null when there is no report.
    pub path: Option<String>,
    /// Labels of the file.
    pub labels: BTreeMap<String, String>,
    /// Fields that are not exact.
    pub misses: Vec<FieldMiss>,
}

impl FileScore {
    pub(crate) fn new(truth: &Truth, report: Option<&Value>) -> Self {
        let path = report.map(|report| {
            report.pointer("/sample/path").and_then(Value::as_str).unwrap_or_default().to_owned()
        });
        Self {
            sha256: truth.sha256.clone(),
            path,
            labels: truth.labels.clone(),
            misses: Vec::new(),
        }
    }

    /// Whether there is a report and every scored field is exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.path.is_some() && self.misses.is_empty()
    }
}

/// The score of a set of reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// All files in the truth.
    pub total: Group,
    /// Files by label and value of the label.
    pub labels: BTreeMap<String, BTreeMap<String, Group>>,
    /// Files in the truth that have no report; they are failures.
    pub without_report: usize,
    /// Reports of files that no truth describes; they are not scored.
    pub reports_without_truth: usize,
    /// Further reports of a file that already had one; they are not scored.
    pub repeated_reports: usize,
    /// Top-level fields of the truth that nothing scores.
    pub unscored: BTreeSet<String>,
    /// Files that are not exact, in the order of the truth.
    pub inexact: Vec<FileScore>,
}

impl Score {
    /// Whether at least `percent` of the files are exact; no files are never enough.
    #[must_use]
    pub fn meets(&self, percent: f64) -> bool {
        self.total.exact_percent().is_some_and(|exact| exact >= percent)
    }
}
