//! Development tasks: `cargo xtask <task>`.

mod accuracy;
mod apt;
mod captures;
mod components;
mod confinement;
mod consumers;
mod differential;
mod emulation;
mod exports;
mod layers;
mod namespace;
mod negatives;
mod packing;
mod producers;
mod robustness;
mod specifications;
mod specimens;
mod steps;
mod test;
mod toolchain;

use std::process::ExitCode;

use clap::Parser;

/// Development tasks of the project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Measure what the analysis gets right against what the build knows
    Accuracy(accuracy::Args),
    /// Read captures of the example specimens with tshark
    Captures,
    /// Hand documents, scripts and rules to the programs that they are for
    Consumers,
    /// Watch under strace what the command does while it analyses
    Confinement(confinement::Args),
    /// Compare the lifter with the reference implementation of SLEIGH
    Differential(differential::Args),
    /// Compare the emulator with QEMU, function by function
    Emulation(emulation::Args),
    /// Load exports of the example specimens into BIND, Unbound and nftables
    Exports,
    /// Fetch and build the benign files of the false-positive tests
    Negatives(negatives::Args),
    /// Check that crates depend only on those to their left, and which may touch the outside
    Layers,
    /// Pack programs with UPX, damage the files and unpack them
    Packing(packing::Args),
    /// Hunt through what real servers and probes log
    Producers,
    /// Run damaged files and random code through the whole analysis
    Robustness(robustness::Args),
    /// Regenerate the processor specifications of the lifter
    Specifications(specifications::Args),
    /// Build the specimens with their truth
    Specimens(specimens::Args),
    /// Run every check of the project
    Test(test::Args),
    /// List or install the cross toolchains of the specimens
    Toolchains(toolchain::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    match Task::parse() {
        Task::Accuracy(args) => accuracy::run(&args)?,
        Task::Captures => captures::run()?,
        Task::Consumers => consumers::run()?,
        Task::Confinement(args) => confinement::run(&args)?,
        Task::Differential(args) => differential::run(&args)?,
        Task::Emulation(args) => emulation::run(&args)?,
        Task::Exports => exports::run()?,
        Task::Negatives(args) => negatives::run(&args)?,
        Task::Layers => layers::run()?,
        Task::Packing(args) => packing::run(&args)?,
        Task::Producers => producers::run()?,
        Task::Robustness(args) => return robustness::run(&args),
        Task::Specifications(args) => specifications::run(&args)?,
        Task::Specimens(args) => specimens::run(&args)?,
        Task::Test(args) => return Ok(test::run(&args)),
        Task::Toolchains(args) => toolchain::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
