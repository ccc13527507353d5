//! Development tasks: `cargo xtask <task>`.

mod specimens;
mod toolchain;

use clap::Parser;

/// Development tasks of the project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Build the specimens with their truth
    Specimens(specimens::Args),
    /// List or install the cross toolchains of the specimens
    Toolchains(toolchain::Args),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Specimens(args) => specimens::run(&args),
        Task::Toolchains(args) => toolchain::run(&args),
    }
}
