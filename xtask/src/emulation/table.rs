//! The outcome of a comparison, by target.

use std::collections::BTreeMap;

use anyhow::bail;

use super::program::{Counts, Program};

type Outcome = (Program, anyhow::Result<Counts>);

/// One program in one line.
pub(super) fn brief(counts: &anyhow::Result<Counts>) -> String {
    match counts {
        Ok(Counts { functions, cases, equal }) => {
            format!("{functions} functions, {cases} cases, {equal} equal")
        }
        Err(error) => format!("{error:#}"),
    }
}

/// Prints a table, a row for each target.
///
/// # Errors
/// When a program could not be compared or differs; names all of them.
pub(super) fn print(outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut rows: BTreeMap<&str, (usize, Counts)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (program, counts) in outcomes {
        let (files, row) = rows.entry(program.toolchain.target.name()).or_default();
        *files += 1;
        let Ok(counts) = counts else {
            wrong.push(program.to_string());
            continue;
        };
        row.functions = row.functions.max(counts.functions);
        row.cases += counts.cases;
        row.equal += counts.equal;
        if counts.equal != counts.cases {
            wrong.push(program.to_string());
        }
    }
    println!("| target | files | functions | cases | equal |\n|---|---|---|---|---|");
    let mut total = Counts::default();
    for (target, (files, Counts { functions, cases, equal })) in &rows {
        println!("| {target} | {files} | {functions} | {cases} | {equal} |");
        total.functions = total.functions.max(*functions);
        total.cases += cases;
        total.equal += equal;
    }
    let Counts { functions, cases, equal } = total;
    println!("| all | {} | {functions} | {cases} | {equal} |", outcomes.len());
    if !wrong.is_empty() {
        bail!("{} of {} programs differ: {}", wrong.len(), outcomes.len(), wrong.join(", "));
    }
    Ok(())
}
