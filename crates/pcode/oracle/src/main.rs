//! Compares the lifter with the reference implementation, operation by operation.

mod compare;
mod program;
mod random;
mod reference;
mod time;

use anyhow::{Context as _, bail};
use clap::{Parser, builder::PossibleValuesParser};
use std::path::PathBuf;

#[derive(Parser)]
enum Task {
    /// Whole programs, along control flow
    Programs {
        /// How many differences of a file to show
        #[arg(long, default_value_t = 10)]
        show: usize,
        /// Fail when fewer instructions than this are the same
        #[arg(long, default_value_t = 1_000_000)]
        at_least: u64,
        /// Fail when fewer instructions than this of one file are the same
        #[arg(long, default_value_t = 10_000)]
        each_at_least: u64,
        files: Vec<PathBuf>,
    },
    /// Random bytes in every mode
    Random {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Bytes of each mode
        #[arg(long, default_value_t = 65536)]
        bytes: usize,
        /// Only these modes
        #[arg(value_parser = PossibleValuesParser::new(random::MODES.iter().map(|mode| mode.name)))]
        modes: Vec<String>,
    },
    /// Lifts the same instructions with both, over and over, and compares the time
    Time {
        /// Passes of each, in turn; the fastest counts
        #[arg(long, default_value_t = 40)]
        passes: usize,
        /// Folder of the code that the lifter's bench lifts
        #[arg(long, default_value = "crates/pcode/benches/code")]
        code: PathBuf,
    },
    /// A part of one mode, for `random`
    #[command(hide = true)]
    RandomChild { mode: String, seed: u64, bytes: usize, from: u64, record: PathBuf },
}

const HEADER: &str = "| | same | operations | successor contexts | both refuse | reference's bound \
                      | own bound | different |";

fn row(name: &str, counts: compare::Counts) -> String {
    let cells: Vec<String> = counts.to_array().iter().map(u64::to_string).collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Programs { show, at_least, each_at_least, files } => {
            programs(&files, show, at_least, each_at_least)
        }
        Task::Random { seed, bytes, modes } => random_modes(seed, bytes, &modes),
        Task::Time { passes, code } => time::compare(&code, passes),
        Task::RandomChild { mode, seed, bytes, from, record } => {
            let mode = random::MODES.iter().find(|known| known.name == mode);
            random::child(mode.context("unknown mode")?, seed, bytes, from, &record)
        }
    }
}

fn programs(
    files: &[PathBuf],
    show: usize,
    at_least: u64,
    each_at_least: u64,
) -> anyhow::Result<()> {
    println!("{HEADER}\n|---|---|---|---|---|---|---|---|");
    let mut total = compare::Counts::default();
    let mut small = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let compared = program::compare(file, show)?;
        let (cpu, counts) = compared.with_context(|| format!("{name}: no reference for its CPU"))?;
        println!("{}", row(&format!("{name} ({cpu})"), counts));
        if counts.same < each_at_least {
            small.push(name);
        }
        total.add(counts.to_array());
    }
    println!("{}", row("all", total));
    check(total)?;
    if total.same < at_least {
        bail!("{} instructions compared, {at_least} are required", total.same);
    }
    if !small.is_empty() {
        bail!("fewer than {each_at_least} instructions of {}", small.join(", "));
    }
    Ok(())
}

/// Random bytes of which at least one instruction is the same in both: the fewest are those of
/// AArch64, a third of whose words are instructions.
const BYTES_PER_INSTRUCTION: usize = 16;

/// Fails when instructions differ, or only the reference has lifted some.
fn check(counts: compare::Counts) -> anyhow::Result<()> {
    if counts.different > 0 {
        bail!("{} instructions differ", counts.different);
    }
    if counts.own_bound > 0 {
        bail!("{} instructions are beyond a bound of the lifter alone", counts.own_bound);
    }
    Ok(())
}

fn random_modes(seed: u64, bytes: usize, modes: &[String]) -> anyhow::Result<()> {
    println!("{HEADER} crashes |\n|---|---|---|---|---|---|---|---|---|");
    let mut total = compare::Counts::default();
    let mut small = Vec::new();
    for mode in random::MODES {
        if !modes.is_empty() && !modes.iter().any(|name| name == mode.name) {
            continue;
        }
        let (counts, crashes) = random::parent(mode, seed, bytes)?;
        println!("{} {crashes} |", row(mode.name, counts));
        if counts.same < (bytes / BYTES_PER_INSTRUCTION) as u64 {
            small.push(mode.name);
        }
        total.add(counts.to_array());
    }
    check(total)?;
    if !small.is_empty() {
        bail!("next to nothing was compared of {}", small.join(", "));
    }
    Ok(())
}
