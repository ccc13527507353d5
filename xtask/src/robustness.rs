//! `cargo xtask robustness`: damaged files and random code through the whole analysis.
//!
//! The program is that of `crates/robustness`, built with optimisation, with checks for overflow and
//! with debug assertions: what a release build would wrap is a panic here.

use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::toolchain::workspace_root;

/// Arguments of `cargo xtask robustness`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments of the program; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs `cargo xtask robustness`; its status is that of the program.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let status = Command::new("cargo")
        .args([
            "run",
            "--profile",
            "robustness",
            "--quiet",
            "--package",
            "miyaburi-robustness",
            "--",
        ])
        .args(&args.arguments)
        .current_dir(workspace_root())
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
