//! Development tasks: `cargo xtask <task>`.

mod differential;
mod negatives;
mod specifications;
mod specimens;
mod toolchain;

use clap::Parser;

/// Development tasks of the project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Compare the lifter with the reference implementation of SLEIGH
    Differential(differential::Args),
    /// Fetch and build the benign files of the false-positive tests
    Negatives(negatives::Args),
    /// Regenerate the processor specifications of the lifter
    Specifications(specifications::Args),
    /// Build the specimens with their truth
    Specimens(specimens::Args),
    /// List or install the cross toolchains of the specimens
    Toolchains(toolchain::Args),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Differential(args) => differential::run(&args),
        Task::Negatives(args) => negatives::run(&args),
        Task::Specifications(args) => specifications::run(&args),
        Task::Specimens(args) => specimens::run(&args),
        Task::Toolchains(args) => toolchain::run(&args),
    }
}
