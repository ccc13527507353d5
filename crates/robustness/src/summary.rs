//! What a run has shown.

use crate::arguments::Arguments;
use crate::case::{CaseId, Cost};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// How many of the slowest and the largest cases are named.
const NAMED: usize = 5;

/// A case that went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) case: CaseId,
    pub(crate) reason: String,
}

/// Counts over all cases, and the extremes.
pub(crate) struct Summary {
    arguments: Arguments,
    start: Instant,
    files: u64,
    code: u64,
    patterns: u64,
    cut: u64,
    verdicts: BTreeMap<String, u64>,
    spent: Duration,
    slowest: Vec<(Duration, CaseId)>,
    largest: Vec<(usize, CaseId)>,
    failures: Vec<Failure>,
}

impl Summary {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        Self {
            arguments: arguments.clone(),
            start: Instant::now(),
            files: 0,
            code: 0,
            patterns: 0,
            cut: 0,
            verdicts: BTreeMap::new(),
            spent: Duration::ZERO,
            slowest: Vec::new(),
            largest: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Counts a case that came to its end.
    pub(crate) fn add(&mut self, case: CaseId, cost: Cost) {
        match case {
            CaseId::File(_) => self.files += 1,
            CaseId::Code(_) => self.code += 1,
            CaseId::Pattern(_) => self.patterns += 1,
        }
        self.cut += u64::from(cost.is_cut);
        self.spent += cost.time;
        *self.verdicts.entry(cost.verdict).or_default() += 1;
        keep_largest(&mut self.slowest, (cost.time, case));
        keep_largest(&mut self.largest, (cost.peak, case));
    }

    /// Takes a failure, and tells of it at once.
    pub(crate) fn fail(&mut self, failure: Failure) {
        eprintln!("{}: {}\n    {}", failure.case, failure.reason, self.command(failure.case));
        self.failures.push(failure);
    }

    /// Whether nothing went wrong.
    pub(crate) const fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// One line on how far the run is.
    pub(crate) fn progress(&self) -> String {
        let seconds = self.start.elapsed().as_secs();
        let Self { files, code, patterns, failures, .. } = self;
        let failures = failures.len();
        format!(
            "{seconds} s: {files} files, {code} pieces of code, {patterns} patterns, \
             {failures} failures"
        )
    }

    fn command(&self, case: CaseId) -> String {
        let Arguments { seed, mostly_below, random_code, patterns, .. } = &self.arguments;
        let code = match case {
            CaseId::File(_) => format!("--mostly-below {mostly_below}"),
            CaseId::Code(_) => format!("--random-code {random_code}"),
            CaseId::Pattern(_) => format!("--patterns {patterns}"),
        };
        format!("cargo xtask robustness --seed {seed} {code} --only {case}")
    }
}

fn keep_largest<T: Ord>(kept: &mut Vec<T>, value: T) {
    let place = kept.partition_point(|other| *other > value);
    if place < NAMED {
        kept.insert(place, value);
        kept.truncate(NAMED);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, code, patterns, cut, verdicts, .. } = self;
        let elapsed = self.start.elapsed().as_secs_f64();
        let mean = self.spent.as_secs_f64() * 1000.0 / (files + code + patterns).max(1) as f64;
        writeln!(
            formatter,
            "{files} damaged files, {code} pieces of random code, {patterns} patterns"
        )?;
        writeln!(formatter, "{elapsed:.0} s, {mean:.1} ms an analysis, {cut} cut by a budget")?;
        for (verdict, count) in verdicts {
            writeln!(formatter, "verdict {verdict}: {count}")?;
        }
        for (time, case) in &self.slowest {
            writeln!(formatter, "slow: {case} {:.2} s", time.as_secs_f64())?;
        }
        for (peak, case) in &self.largest {
            writeln!(formatter, "large: {case} {:.1} MiB", *peak as f64 / f64::from(1 << 20))?;
        }
        writeln!(formatter, "{} failures", self.failures.len())?;
        for failure in &self.failures {
            writeln!(formatter, "{}: {}", failure.case, failure.reason)?;
            writeln!(formatter, "    {}", self.command(failure.case))?;
        }
        Ok(())
    }
}
