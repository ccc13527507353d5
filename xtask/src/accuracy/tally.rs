//! Counts and the tables of them.

use std::{collections::BTreeMap, fmt};

use crate::toolchain::{Libc, Target, Toolchain};

use super::Measure;

/// Percent by which one C library may fall short of what a target must reach: it has few functions.
const LIBRARY_MARGIN: f64 = 6.0;

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
    /// What is not to be found but was: functions that nothing refers to, constants where the record
    /// has none, so that nobody knows whether they are right.
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

    /// Share of what is to be found that was.
    fn recall(&self) -> Share {
        Share::of(self.right, self.missing)
    }

    /// Share of the constants that were recovered; wrong ones were not.
    fn recovered(&self) -> Share {
        Share::of(self.right, self.missing + self.wrong)
    }

    /// Share of what was found that is there.
    fn precision(&self) -> Share {
        Share::of(self.right + self.beyond, self.wrong)
    }

    /// Share of everything that is there that was found.
    fn whole_recall(&self) -> Share {
        Share::of(self.right + self.beyond, self.missing + self.unreachable)
    }
}

/// A share in percent. Of nothing there is none: a measurement of nothing shows nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share(Option<f64>);

impl Share {
    fn of(good: usize, bad: usize) -> Share {
        let all = good + bad;
        Share((all > 0).then(|| 100.0 * good as f64 / all as f64))
    }

    fn reaches(self, percent: f64) -> bool {
        self.0.is_some_and(|share| share >= percent)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(share) => write!(f, "{share:.2} %"),
            None => f.write_str("–"),
        }
    }
}

/// Counts per target, and per target and C library.
pub(super) struct Table {
    measure: Measure,
    rows: BTreeMap<(Target, Option<Libc>), Counts>,
}

impl Table {
    /// What was measured, with a row for each of `targets` even when nothing was.
    pub(super) fn new(
        measure: Measure,
        targets: &[Target],
        measured: &[(Toolchain, Counts)],
    ) -> Table {
        let mut rows: BTreeMap<(Target, Option<Libc>), Counts> =
            targets.iter().map(|target| ((*target, None), Counts::default())).collect();
        for (toolchain, counts) in measured {
            for libc in [None, Some(toolchain.libc)] {
                rows.entry((toolchain.target, libc)).or_default().add(counts);
            }
        }
        Table { measure, rows }
    }

    /// The targets below so many percent, and their C libraries [`LIBRARY_MARGIN`] below that; those
    /// with anything wrong where nothing may be; those with nothing that could be measured, but for
    /// libraries for whose calls the compiler records no argument.
    pub(super) fn below(&self, percent: f64) -> Vec<String> {
        let is_below = |libc: &Option<Libc>, counts: &Counts| {
            let percent = if libc.is_some() { percent - LIBRARY_MARGIN } else { percent };
            match self.measure {
                Measure::Functions => {
                    !counts.recall().reaches(percent) || !counts.precision().reaches(percent)
                }
                Measure::Arguments if libc.is_some() && counts.recovered().0.is_none() => false,
                Measure::Arguments => !counts.recovered().reaches(percent) || counts.wrong > 0,
            }
        };
        let below = self.rows.iter().filter(|((_, libc), counts)| is_below(libc, counts));
        let names = below.map(|((target, libc), _)| match libc {
            Some(libc) => format!("{target} with {}", libc.name()),
            None => target.name().to_owned(),
        });
        names.collect()
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
                "| {target} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
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
        writeln!(
            f,
            "| target | library | files | constants | missing | wrong | recovered | unjudged |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|")?;
        for ((target, libc), counts) in &self.rows {
            writeln!(
                f,
                "| {target} | {} | {} | {} | {} | {} | {} | {} |",
                libc.map_or("all", Libc::name),
                counts.files,
                counts.right + counts.missing + counts.wrong,
                counts.missing,
                counts.wrong,
                counts.recovered(),
                counts.beyond,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::Compiler;

    const TINY: Toolchain =
        Toolchain { target: Target::Sh4, libc: Libc::Tiny, compiler: Compiler::Gcc };

    fn table(measure: Measure, counts: Counts) -> Table {
        Table::new(measure, &[Target::Sh4], &[(TINY, counts)])
    }

    #[test]
    fn nothing_measured_is_no_percentage_and_reaches_none() {
        let table_of = |measure| table(measure, Counts { files: 1, ..Counts::default() });
        assert_eq!(table_of(Measure::Functions).below(0.0), ["sh4", "sh4 with tiny"]);
        assert_eq!(table_of(Measure::Arguments).below(0.0), ["sh4"]);
        for measure in [Measure::Functions, Measure::Arguments] {
            let text = table_of(measure).to_string();
            assert!(text.contains("| – |") && !text.contains('%'), "{text}");
        }
        // Functions that exist, none of them found: no precision, and no recall.
        let counts = Counts { missing: 3, ..Counts::default() };
        assert_eq!(table(Measure::Functions, counts).below(0.0), ["sh4", "sh4 with tiny"]);
    }

    #[test]
    fn a_target_without_a_program_is_below() {
        let good = Counts { files: 1, right: 100, ..Counts::default() };
        let targets = [Target::Sh4, Target::X86];
        let table = Table::new(Measure::Functions, &targets, &[(TINY, good)]);
        assert_eq!(table.below(99.0), ["x86"]);
    }

    #[test]
    fn a_library_may_fall_short_by_a_margin() {
        let few = |right, missing| Counts { files: 1, right, missing, ..Counts::default() };
        let glibc = Toolchain { libc: Libc::Glibc, ..TINY };
        let below = |counts| {
            let measured = [(TINY, few(10_000, 0)), (glibc, counts)];
            Table::new(Measure::Functions, &[Target::Sh4], &measured).below(99.0)
        };
        assert!(below(few(93, 7)).is_empty());
        assert_eq!(below(few(92, 8)), ["sh4 with glibc"]);
    }

    #[test]
    fn what_is_required_is_reached_from_there_on() {
        let counts = Counts { right: 98, missing: 2, ..Counts::default() };
        for measure in [Measure::Functions, Measure::Arguments] {
            let table = table(measure, counts.clone());
            assert!(table.below(98.0).is_empty());
            assert_eq!(table.below(98.1), ["sh4"]);
            assert!(table.to_string().contains("98.00 %"));
        }
        // One wrong argument is too many, whatever the percentage.
        let counts = Counts { wrong: 1, ..counts };
        assert_eq!(table(Measure::Arguments, counts.clone()).below(90.0), ["sh4", "sh4 with tiny"]);
        assert!(table(Measure::Functions, counts).below(90.0).is_empty());
    }
}
