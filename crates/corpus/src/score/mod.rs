//! Scoring reports against truth files.
//!
//! A truth file is NDJSON, one line a file: its `sha256`, any subset of a report, and free
//! `labels`. What a line does not mention is not scored; an empty list says that there is none.
//! Lists are compared as multisets of items, so that a duplicate in a report counts as an extra.
//! An item is right when it agrees in those members of its match key that the truth gives; what
//! the truth says about it beyond that is scored as `details`.

mod fields;
mod matching;
mod tally;
mod truth;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

pub use tally::{FieldMiss, FileScore, Group, Score, Tally};
pub use truth::{Truth, TruthError, parse_truths};

use fields::FIELDS;

/// Collects scores while reports stream by; of the reports only their misses are kept.
#[derive(Debug)]
pub struct Scorer {
    truths: Vec<Truth>,
    by_sha256: HashMap<String, Vec<usize>>,
    scores: BTreeMap<usize, FileScore>,
    seen: HashSet<String>,
    score: Score,
    fields: Option<Vec<String>>,
}

/// A field that nothing scores.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no field {name:?} is scored; there are {}", known.join(", "))]
pub struct UnknownField {
    name: String,
    known: Vec<&'static str>,
}

impl Scorer {
    /// A scorer for the files in `truths`; several may describe the same file.
    #[must_use]
    pub fn new(truths: Vec<Truth>) -> Self {
        let mut by_sha256: HashMap<String, Vec<usize>> = HashMap::new();
        let mut score = Score::default();
        for (index, truth) in truths.iter().enumerate() {
            by_sha256.entry(truth.sha256.clone()).or_default().push(index);
            score.unscored.extend(truth.unscored().map(ToOwned::to_owned));
        }
        Self {
            truths,
            by_sha256,
            scores: BTreeMap::new(),
            seen: HashSet::new(),
            score,
            fields: None,
        }
    }

    /// Scores these fields alone, by the names that the score prints.
    ///
    /// # Errors
    /// [`UnknownField`] for a name that is none.
    pub fn only(mut self, fields: Vec<String>) -> Result<Self, UnknownField> {
        let known = || FIELDS.iter().map(|field| field.name);
        if let Some(name) = fields.iter().find(|name| !known().any(|known| known == **name)) {
            return Err(UnknownField { name: name.clone(), known: known().collect() });
        }
        self.fields = Some(fields);
        Ok(self)
    }

    /// Scores one report, given as JSON so that reports of other tools can be scored as well.
    /// A second report of a file already scored is counted and ignored.
    pub fn add(&mut self, report: &Value) {
        let sha256 = report.pointer("/sample/sha256").and_then(Value::as_str).unwrap_or_default();
        let sha256 = sha256.to_ascii_lowercase();
        let Some(indices) = self.by_sha256.get(&sha256) else {
            self.score.reports_without_truth += 1;
            return;
        };
        if !self.seen.insert(sha256) {
            self.score.repeated_reports += 1;
            return;
        }
        for &index in indices {
            if let Some(truth) = self.truths.get(index) {
                self.scores.insert(
                    index,
                    score_file(truth, Some(report), self.fields.as_deref(), &mut self.score),
                );
            }
        }
    }

    /// The score of all files; those without a report are failures.
    #[must_use]
    pub fn finish(mut self) -> Score {
        for (index, truth) in self.truths.iter().enumerate() {
            let file = match self.scores.remove(&index) {
                Some(file) => file,
                None => {
                    self.score.without_report += 1;
                    score_file(truth, None, self.fields.as_deref(), &mut self.score)
                }
            };
            if !file.is_exact() {
                self.score.inexact.push(file);
            }
        }
        self.score
    }
}

/// Scores the chosen fields that `truth` mentions, adding to the totals and to the group of each
/// label.
fn score_file(
    truth: &Truth,
    report: Option<&Value>,
    fields: Option<&[String]>,
    score: &mut Score,
) -> FileScore {
    let mut file = FileScore::new(truth, report);
    let mut tallies = Vec::new();
    let chosen = |name: &str| fields.is_none_or(|fields| fields.iter().any(|field| field == name));
    for field in FIELDS.iter().filter(|field| chosen(field.name)) {
        let Some(expected) = field.expected(&truth.parts) else { continue };
        let found = report.map(|report| field.found(report, &expected)).unwrap_or_default();
        let (mut tally, miss) = matching::compare(field.name, expected, found);
        if report.is_none() {
            tally.exact_files = 0;
        }
        tallies.push((field.name, tally));
        file.misses.extend(miss);
    }
    let exact = file.is_exact();
    score.total.add(exact, &tallies);
    for (label, value) in &truth.labels {
        let values = score.labels.entry(label.clone()).or_default();
        values.entry(value.clone()).or_default().add(exact, &tallies);
    }
    file
}
