//! `cargo xtask accuracy`: how much of a program the analysis gets right, measured against what the
//! build knows.
//!
//! ```text
//! plan.rs       which programs: every target, C library and optimisation level
//! programs.rs   builds one, with symbols and debug information, and strips a copy
//! functions.rs  function starts of the stripped copy against the symbols
//!   ├── symbols.rs       the function symbols of a file
//!   └── reachable.rs     which of them anything refers to
//! arguments.rs  constant arguments of calls against what the build recorded
//!   ├── debug_calls.rs   call sites of the debug information
//!   └── added_rows.rs    what the source hands to the routines that fill tables
//! tally.rs      counts and the tables of them
//! ```

mod added_rows;
mod arguments;
mod debug_calls;
mod functions;
mod plan;
mod programs;
mod reachable;
mod symbols;
mod tally;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::ValueEnum;
use rayon::prelude::*;

use crate::{
    specimens::OPTIMISATIONS,
    toolchain::{self, Libc, Target, Toolchain},
};

use plan::Case;
use programs::Workshop;
use tally::{Counts, Table};

/// Arguments of `cargo xtask accuracy`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What is measured
    measure: Measure,
    /// Only these targets, by their label
    #[arg(long, value_delimiter = ',')]
    targets: Vec<String>,
    /// Only these C libraries, by their label
    #[arg(long, value_delimiter = ',')]
    libraries: Vec<String>,
    /// Only these optimisation levels, such as `O2`
    #[arg(long, value_delimiter = ',')]
    levels: Vec<String>,
    /// Only one of every N of the chosen programs of each target
    #[arg(long, default_value_t = 1, value_name = "N")]
    one_of: usize,
    /// Fail when a target is below this many percent, or an argument is wrong
    #[arg(long, value_name = "PERCENT")]
    require: Option<f64>,
    /// Install nothing; leave out what no compiler is there for
    #[arg(long)]
    installed_only: bool,
    /// Seed of the specimens' values
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the programs, with symbols and stripped, in this folder; take those that are there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Name everything that is missing, invented or wrong
    #[arg(long)]
    verbose: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Starts of functions in stripped files
    Functions,
    /// Constant arguments of calls to named routines
    Arguments,
}

/// Runs `cargo xtask accuracy`.
///
/// # Errors
/// When a program cannot be built or analysed, and when a target is below what is required.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    known(&args.targets, Target::ALL.map(Target::name))?;
    known(&args.libraries, [Libc::Tiny, Libc::Glibc, Libc::Musl, Libc::Uclibc].map(Libc::name))?;
    known(&args.levels, OPTIMISATIONS.map(|level| level.trim_start_matches('-')))?;
    let mut cases = chosen(args);
    let mut targets: Vec<Target> = cases.iter().map(|case| case.toolchain().target).collect();
    targets.dedup();
    cases.retain(|case| !args.installed_only || case.toolchain().installed());
    if cases.is_empty() {
        bail!("no program is left by these choices");
    }
    if !args.installed_only {
        let mut wanted: Vec<Toolchain> = cases.iter().map(|case| case.toolchain()).collect();
        wanted.dedup();
        toolchain::install(&wanted)?;
    }
    let workshop = Workshop::new(args.seed, args.keep.clone())?;
    let measured: Vec<(Toolchain, Counts)> = cases
        .par_iter()
        .map(|case| {
            let counts = measure(args.measure, case, &workshop);
            let counts = counts.with_context(|| case.label())?;
            Ok((case.toolchain(), counts))
        })
        .collect::<anyhow::Result<_>>()?;
    if args.verbose {
        for (case, (_, counts)) in cases.iter().zip(&measured) {
            counts.notes.iter().for_each(|note| println!("{}: {note}", case.label()));
        }
    }
    let table = Table::new(args.measure, &targets, &measured);
    println!("{table}");
    match args.require.map(|percent| table.below(percent)) {
        Some(below) if !below.is_empty() => bail!("not reached: {}", below.join(", ")),
        _ => Ok(()),
    }
}

/// Fails when a choice names what there is not, which would leave it out in silence.
fn known<const N: usize>(choice: &[String], names: [&str; N]) -> anyhow::Result<()> {
    match choice.iter().find(|name| !names.contains(&name.as_str())) {
        Some(name) => bail!("there is no {name}, only {}", names.join(", ")),
        None => Ok(()),
    }
}

/// The programs that the arguments leave, whether or not they can be built.
fn chosen(args: &Args) -> Vec<Case> {
    let allows = |list: &[String], name: &str| list.is_empty() || list.iter().any(|n| n == name);
    let mut cases = plan::all();
    cases.retain(|case| {
        let toolchain = case.toolchain();
        allows(&args.targets, toolchain.target.name())
            && allows(&args.libraries, toolchain.libc.name())
            && allows(&args.levels, case.level().trim_start_matches('-'))
    });
    // Counted anew for each target, so that none is left out.
    let mut chosen = Vec::new();
    for of_target in cases.chunk_by(|a, b| a.toolchain().target == b.toolchain().target) {
        chosen.extend(of_target.iter().step_by(args.one_of.max(1)).cloned());
    }
    chosen
}

fn measure(measure: Measure, case: &Case, workshop: &Workshop) -> anyhow::Result<Counts> {
    let program = workshop.build(case)?;
    match measure {
        Measure::Functions => functions::measure(&program),
        Measure::Arguments => arguments::measure(&program),
    }
}
