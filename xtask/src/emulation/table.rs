//! The outcome of a comparison, by target.

use std::{collections::BTreeMap, fmt};

use crate::toolchain::Target;

use super::{
    mode::Mode,
    program::{Counts, Program},
};

/// Fewest functions that a target is compared by in each of its programs, so that a program that
/// has lost its functions does not pass.
const MIN_FUNCTIONS: u64 = 60;

/// One program in one line.
pub(super) fn brief(counts: &anyhow::Result<Counts>) -> String {
    match counts {
        Ok(Counts { functions, cases, equal }) => {
            format!("{functions} functions, {cases} cases, {equal} equal")
        }
        Err(error) => format!("{error:#}"),
    }
}

/// What the programs of one target gave.
#[derive(Debug, Default)]
struct Row {
    files: usize,
    /// Of the program with most functions: libraries without mathematics have fewer.
    most_functions: u64,
    /// Of the program with fewest.
    fewest_functions: Option<u64>,
    cases: u64,
    equal: u64,
}

impl Row {
    fn add(&mut self, counts: &Counts) {
        self.most_functions = self.most_functions.max(counts.functions);
        let fewest = self.fewest_functions.unwrap_or(u64::MAX).min(counts.functions);
        self.fewest_functions = Some(fewest);
        self.cases += counts.cases;
        self.equal += counts.equal;
    }
}

/// What came of all programs, a row for each target and mode; displays as a table.
pub(super) struct Table {
    rows: BTreeMap<(Target, Mode), Row>,
    /// What is wrong, one line each.
    faults: Vec<String>,
}

impl Table {
    /// The outcomes of the programs of the targets that are to be compared.
    pub(super) fn new(targets: &[Target], outcomes: &[(Program, anyhow::Result<Counts>)]) -> Table {
        let mut rows: BTreeMap<(Target, Mode), Row> =
            targets.iter().map(|target| ((*target, Mode::Usual), Row::default())).collect();
        let mut faults = Vec::new();
        for (program, counts) in outcomes {
            let row = rows.entry((program.toolchain.target, program.mode)).or_default();
            row.files += 1;
            match counts {
                Ok(counts) => {
                    row.add(counts);
                    if counts.equal != counts.cases {
                        faults.push(format!("{program}: {}", brief(&Ok(*counts))));
                    }
                    if counts.cases == 0 {
                        faults.push(format!("{program}: no case was compared"));
                    }
                }
                Err(error) => faults.push(format!("{program}: {error:#}")),
            }
        }
        for ((target, mode), row) in &rows {
            let target = format!("{target}{}", mode.suffix());
            match row.fewest_functions {
                None => faults.push(format!("{target}: no program was compared")),
                Some(fewest) if fewest < MIN_FUNCTIONS => faults.push(format!(
                    "{target}: a program with {fewest} functions only, of at least {MIN_FUNCTIONS}"
                )),
                Some(_) => {}
            }
        }
        Table { rows, faults }
    }

    /// What is wrong: programs that differ, could not be compared or compared nothing, and targets
    /// with too few functions or without a program.
    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| target | files | functions | cases | equal |\n|---|---|---|---|---|")?;
        for ((target, mode), row) in &self.rows {
            let mode = mode.suffix();
            let Row { files, most_functions, cases, equal, .. } = row;
            writeln!(f, "| {target}{mode} | {files} | {most_functions} | {cases} | {equal} |")?;
        }
        let sum = |value: fn(&Row) -> u64| self.rows.values().map(value).sum::<u64>();
        writeln!(
            f,
            "| all | {} | {} | {} | {} |",
            self.rows.values().map(|row| row.files).sum::<usize>(),
            self.rows.values().map(|row| row.most_functions).max().unwrap_or_default(),
            sum(|row| row.cases),
            sum(|row| row.equal),
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::toolchain::{Compiler, Libc, Toolchain};
    use anyhow::anyhow;

    const GOOD: Counts = Counts { functions: 150, cases: 1200, equal: 1200 };

    fn program(target: Target, level: &str) -> Program {
        let toolchain = Toolchain { target, libc: Libc::Tiny, compiler: Compiler::Gcc };
        Program::new(toolchain, level).unwrap()
    }

    fn faults(
        targets: &[Target],
        counts: Vec<(Target, &str, anyhow::Result<Counts>)>,
    ) -> Vec<String> {
        let outcomes: Vec<_> = counts
            .into_iter()
            .map(|(target, level, counts)| (program(target, level), counts))
            .collect();
        Table::new(targets, &outcomes).faults().to_vec()
    }

    #[test]
    fn equal_cases_of_every_target_are_without_fault() {
        let targets = [Target::Sh4, Target::X86];
        let outcomes = targets.map(|target| (target, "O2", Ok(GOOD)));
        assert!(faults(&targets, outcomes.into()).is_empty());
    }

    #[test]
    fn a_difference_and_a_program_that_fails_are_faults() {
        let differs = Ok(Counts { equal: 1199, ..GOOD });
        let outcomes = vec![
            (Target::Sh4, "O0", differs),
            (Target::Sh4, "O2", Ok(GOOD)),
            (Target::Sh4, "Os", Err(anyhow!("does not build"))),
        ];
        let expected = [
            "sh4-gcc-tiny-O0: 150 functions, 1200 cases, 1199 equal",
            "sh4-gcc-tiny-Os: does not build",
        ];
        assert_eq!(faults(&[Target::Sh4], outcomes), expected);
    }

    #[test]
    fn a_target_without_a_program_is_a_fault() {
        let outcomes = vec![(Target::Sh4, "O2", Ok(GOOD))];
        assert_eq!(faults(&[Target::Sh4, Target::X86], outcomes), ["x86: no program was compared"]);
    }

    #[test]
    fn nothing_compared_is_a_fault() {
        let nothing = Ok(Counts { functions: 150, cases: 0, equal: 0 });
        let outcomes = vec![(Target::Sh4, "O2", nothing)];
        assert_eq!(faults(&[Target::Sh4], outcomes), ["sh4-gcc-tiny-O2: no case was compared"]);
    }

    #[test]
    fn modes_have_rows_of_their_own() {
        let outcomes = [Mode::Usual, Mode::Thumb1]
            .map(|mode| (program(Target::Armv5, "O2").in_mode(mode), Ok(GOOD)));
        let table = Table::new(&[Target::Armv5], &outcomes);
        let text = table.to_string();
        assert!(text.contains("| armv5 | 1 |") && text.contains("| armv5-thumb1 | 1 |"), "{text}");
        assert!(table.faults().is_empty());
    }

    #[test]
    fn the_program_with_fewest_functions_counts() {
        let few = Ok(Counts { functions: 59, cases: 472, equal: 472 });
        let outcomes = vec![(Target::Sh4, "O0", Ok(GOOD)), (Target::Sh4, "O2", few)];
        assert_eq!(
            faults(&[Target::Sh4], outcomes),
            ["sh4: a program with 59 functions only, of at least 60"]
        );
    }
}
