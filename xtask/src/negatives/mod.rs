//! `cargo xtask negatives`: benign files against which false positives are counted.
//!
//! ```text
//! specimens/negatives/negatives.json   which packages, files, sources and toolchains
//!   ├── apt.rs      a package index of its own, for every architecture
//!   ├── packages.rs Debian's builds: downloaded and unpacked, never installed or run
//!   ├── sources.rs  Debian's sources, built for CPU types that Debian's mirrors lack
//!   └── manifest.rs what was made, and the truth: nothing of the family in any of them
//! ```
//!
//! Everything lives in `target/negatives/`; what is there already is kept.

mod apt;
mod manifest;
mod packages;
mod plan;
mod sources;

use std::{collections::BTreeMap, path::PathBuf};

use crate::toolchain::workspace_root;
use plan::Plan;

/// Fetch and build the benign files of the false-positive tests.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Folder to make them in; `target/negatives` of the checkout by default.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Only what is fetched: build nothing from source
    #[arg(long)]
    fetched_only: bool,
}

/// Where benign files are made, unless another folder is asked for.
pub(crate) fn home() -> PathBuf {
    workspace_root().join("target").join("negatives")
}

/// The folder of one of the distribution's source packages, which is downloaded unless it was.
///
/// # Errors
/// When the machine has no package source of the plan's release, or lacks the package.
pub(crate) fn source(package: &str) -> anyhow::Result<PathBuf> {
    let apt = apt::Apt::open(&home(), &Plan::read()?)?;
    Ok(sources::unpack(&apt, &home(), package)?.dir)
}

/// Runs the subcommand.
///
/// # Errors
/// When the plan cannot be read, the machine has no package source of the plan's release,
/// a package lacks a planned file, or a build fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let home = args.output.clone().unwrap_or_else(home);
    let plan = Plan::read()?;
    let apt = apt::Apt::open(&home, &plan)?;
    let mut negatives = packages::fetch(&plan, &apt, &home)?;
    if !args.fetched_only {
        negatives.extend(sources::build(&plan, &apt, &home)?);
    }
    manifest::write(&home, &mut negatives)?;
    let mut counts = BTreeMap::<&str, usize>::new();
    for negative in &negatives {
        *counts.entry(&negative.target).or_default() += 1;
    }
    for (target, count) in counts {
        println!("{target:<14} {count}");
    }
    println!("{:<14} {} in {}", "all", negatives.len(), home.display());
    Ok(())
}
