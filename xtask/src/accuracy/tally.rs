//! Counts and the tables of them.

use std::{collections::BTreeMap, fmt};

use crate::toolchain::{Libc, Target, Toolchain};

use super::Measure;

/// What one program, or several, yielded.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) files: usize,
    /// What is to be found, and was: functions, or constant arguments.
    pub(super) right: usize,
    /// What is to be found and was not.
    pub(super) missing: usize,
    /// What was found and is not there: invented functions, wrong arguments.
    pub(super) wrong: usize,
    /// Functions that nothing refers to, so that they are not to be found, but were.
    pub(super) beyond: usize,
    /// Functions that nothing refers to, and that were not found.
    pub(super) unreachable: usize,
    /// What is missing or wrong, one line each.
    pub(super) notes: Vec<String>,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.files += other.files;
        self.right += other.right;
        self.missing += other.missing;
        self.wrong += other.wrong;
        self.beyond += other.beyond;
        self.unreachable += other.unreachable;
    }

    /// Share of what is to be found that was, in percent.
    pub(super) fn recall(&self) -> f64 {
        percent(self.right, self.missing)
    }

    /// Share of the constants that were recovered, in percent; wrong ones were not.
    fn recovered(&self) -> f64 {
        percent(self.right, self.missing + self.wrong)
    }

    /// Share of what was found that is there, in percent.
    pub(super) fn precision(&self) -> f64 {
        percent(self.right + self.beyond, self.wrong)
    }

    /// Share of everything that is there that was found, in percent.
    fn whole_recall(&self) -> f64 {
        percent(self.right + self.beyond, self.missing + self.unreachable)
    }
}

fn percent(good: usize, bad: usize) -> f64 {
    if good + bad == 0 { 100.0 } else { 100.0 * good as f64 / (good + bad) as f64 }
}

/// Counts per target, and per target and C library.
pub(super) struct Table {
    measure: Measure,
    rows: BTreeMap<(Target, Option<Libc>), Counts>,
}

impl Table {
    pub(super) fn new(measure: Measure, measured: &[(Toolchain, Counts)]) -> Table {
        let mut rows: BTreeMap<(Target, Option<Libc>), Counts> = BTreeMap::new();
        for (toolchain, counts) in measured {
            for libc in [None, Some(toolchain.libc)] {
                rows.entry((toolchain.target, libc)).or_default().add(counts);
            }
        }
        Table { measure, rows }
    }

    /// The targets below so many percent, or with anything wrong where nothing may be.
    pub(super) fn below(&self, percent: f64) -> Vec<String> {
        let is_below = |counts: &Counts| match self.measure {
            Measure::Functions => counts.recall() < percent || counts.precision() < percent,
            Measure::Arguments => counts.recovered() < percent || counts.wrong > 0,
        };
        self.rows
            .iter()
            .filter(|((_, libc), counts)| libc.is_none() && is_below(counts))
            .map(|((target, _), _)| target.name().to_owned())
            .collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.measure {
            Measure::Functions => self.write_functions(f),
            Measure::Arguments => self.write_arguments(f),
        }
    }
}

impl Table {
    fn write_functions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| target | library | files | reachable | missing | invented | recall | precision \
             | unreachable | recall of all |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for ((target, libc), counts) in &self.rows {
            writeln!(
                f,
                "| {target} | {} | {} | {} | {} | {} | {:.2} % | {:.2} % | {} | {:.2} % |",
                libc.map_or("all", Libc::name),
                counts.files,
                counts.right + counts.missing,
                counts.missing,
                counts.wrong,
                counts.recall(),
                counts.precision(),
                counts.beyond + counts.unreachable,
                counts.whole_recall(),
            )?;
        }
        Ok(())
    }

    fn write_arguments(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| target | library | files | constants | missing | wrong | recovered |")?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|")?;
        for ((target, libc), counts) in &self.rows {
            writeln!(
                f,
                "| {target} | {} | {} | {} | {} | {} | {:.2} % |",
                libc.map_or("all", Libc::name),
                counts.files,
                counts.right + counts.missing + counts.wrong,
                counts.missing,
                counts.wrong,
                counts.recovered(),
            )?;
        }
        Ok(())
    }
}
