//! Shows that no input makes the analysis panic, hang, recurse or take memory without bound.
//!
//! ```text
//! arguments.rs  what to run
//! parent.rs     starts workers, watches them, and goes on behind what kills one
//! worker.rs     runs one case after the other on a small stack
//! case.rs       one case: what is run, and what counts as a failure
//! mutate/       damaged specimens
//! noise/        random code as a program
//! patterns.rs   one pattern that fills megabytes, as a program
//! memory.rs     counts the memory in use, and ends the process beyond a cap
//! ```
//!
//! Every case follows from a seed and its number alone, so that any failure can be run again:
//! `--seed S --only KIND:NUMBER`.

mod arguments;
mod case;
mod memory;
mod mutate;
mod noise;
mod parent;
mod patterns;
mod protocol;
mod specimens;
mod summary;
mod worker;

use arguments::Arguments;
use clap::Parser;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.worker {
        worker::run(&arguments)?;
        return Ok(ExitCode::SUCCESS);
    }
    let summary = parent::run(&arguments)?;
    print!("{summary}");
    Ok(if summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
