//! Compares the lifter with the reference implementation of SLEIGH.
//!
//! The reference is C++ and crashes on some input, so that it is linked into a package outside of
//! the workspace, which runs as a process of its own. What is compared are whole programs of every
//! target, along control flow, and random bytes.

mod programs;
mod source;

use crate::specifications::status;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of `cargo xtask differential`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// More programs to compare
    programs: Vec<PathBuf>,
    /// Random bytes of every mode; 0 leaves them out
    #[arg(long, default_value_t = 65536)]
    random_bytes: usize,
    /// Leave out programs that no compiler is there for
    #[arg(long)]
    installed_only: bool,
    /// Seed of the random bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Instructions that are compared at least, of all programs and of those that can be built.
const LEAST: &str = "1000000";
const LEAST_OF_INSTALLED: &str = "100000";

const MANIFEST: &str = "crates/pcode/oracle/Cargo.toml";
const TARGET_FOLDER: &str = "target/lifter-oracle";

/// Builds the programs and the oracle, and runs it. Its tables go to standard output.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    status(Command::new("cargo").args([
        "build",
        "--locked",
        "--target-dir",
        TARGET_FOLDER,
        "--manifest-path",
        MANIFEST,
    ]))?;
    let folder = Path::new(TARGET_FOLDER).join("programs");
    let mut files = programs::build(&folder, args.installed_only)?;
    files.extend(args.programs.iter().cloned());
    let oracle = Path::new(TARGET_FOLDER).join("debug/lifter-oracle");
    let required = if args.installed_only { LEAST_OF_INSTALLED } else { LEAST };
    status(Command::new(&oracle).args(["programs", "--at-least", required]).args(&files))?;
    if args.random_bytes > 0 {
        let (bytes, seed) = (args.random_bytes.to_string(), args.seed.to_string());
        status(Command::new(&oracle).args(["random", "--bytes", &bytes, "--seed", &seed]))?;
    }
    Ok(())
}
