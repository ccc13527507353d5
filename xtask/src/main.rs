//! Development tasks: `cargo xtask <task>`.

mod toolchain;

use clap::Parser;

/// Development tasks of the project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// List or install the cross toolchains of the specimens
    Toolchains(toolchain::Args),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Toolchains(args) => toolchain::run(&args),
    }
}
