//! The specimens: inert programs shaped like the family, built for every target, with their truth.
//!
//! ```text
//! plan.rs           which specimens there are
//! configuration.rs  what goes into one, drawn from the seed
//!   ├── entries.rs, fork.rs, purpose.rs, attacks.rs, values.rs, style.rs, lookalike.rs
//!   ├── ciphers     how texts are coded
//!   ├── reach.rs    where programs connect that do not hold their C2 as others do
//!   ├── header.rs   written as config.h for the C sources, with header_cipher.rs, header_reach.rs
//!   └── truth.rs    written as a truth line, with packets.rs for what attacks send
//! build.rs          compiles and strips one
//! archive.rs        the set as one compressed archive, its manifest and truth
//! ```

mod added_rows;
mod archive;
mod attacks;
mod ballast;
mod build;
mod ciphers;
mod configuration;
mod entries;
mod fork;
mod header;
mod header_cipher;
mod header_reach;
mod lookalike;
mod packets;
mod parts;
mod plan;
mod purpose;
mod random;
mod reach;
mod style;
#[cfg(test)]
mod tests;
mod truth;
mod values;

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, bail};
use rayon::{iter::Either, prelude::*};

use crate::toolchain::{self, Toolchain, workspace_root};

pub(crate) use added_rows::Row;
use build::Built;
pub(crate) use build::{compile_with, configuration};
pub(crate) use configuration::Configuration;
pub(crate) use fork::Fork;
pub(crate) use parts::Parts;
pub(crate) use plan::{OPTIMISATIONS, Specimen};

/// Folder and sources of the tiny C library, for programs that are no specimens.
pub(crate) fn tiny_library(toolchain: Toolchain) -> (PathBuf, Vec<PathBuf>) {
    (build::source_folder().join("tiny"), parts::tiny_sources(toolchain))
}

/// The seed of the committed set.
const COMMITTED_SEED: u64 = 20260;

/// Arguments of `cargo xtask specimens`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seed of all values, ids, keys and orders
    #[arg(long, default_value_t = COMMITTED_SEED)]
    seed: u64,
    /// Only these targets, by their label
    #[arg(long, value_delimiter = ',')]
    targets: Vec<String>,
    /// Only these forks, by their label
    #[arg(long, value_delimiter = ',')]
    forks: Vec<Fork>,
    /// Only these C libraries, by their label
    #[arg(long, value_delimiter = ',')]
    libcs: Vec<String>,
    /// Only one of every N of the chosen specimens
    #[arg(long, default_value_t = 1, value_name = "N")]
    one_of: usize,
    /// Install nothing; leave out what no compiler is there for
    #[arg(long)]
    installed_only: bool,
    /// Write plain files, manifest and truth into this folder (default: specimens/build)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also keep each file with its symbols in this folder
    #[arg(long, value_name = "DIR")]
    keep_symbols: Option<PathBuf>,
    /// Write the committed archive, manifest, truth and examples instead of plain files
    #[arg(long, conflicts_with = "out")]
    archive: bool,
    /// Take specimens from folders that earlier runs of the same sources and seed wrote
    #[arg(long, value_name = "DIR")]
    built: Vec<PathBuf>,
    /// List the chosen specimens and build nothing
    #[arg(long)]
    list: bool,
}

/// Runs `cargo xtask specimens`.
///
/// # Errors
/// When a compiler cannot be installed or run, or a file cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let specimens = chosen(args);
    if specimens.is_empty() {
        bail!("no specimen is left by these choices");
    }
    if args.list {
        specimens.iter().for_each(|specimen| println!("{}", specimen.label()));
        return Ok(());
    }
    if !args.installed_only {
        let mut wanted: Vec<Toolchain> =
            specimens.iter().map(|specimen| specimen.toolchain).collect();
        wanted.dedup();
        toolchain::install(&wanted)?;
    }
    if let Some(folder) = &args.keep_symbols {
        fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    }
    let (built, failed) = build_missing(&specimens, args)?;
    if args.archive {
        archive::write_committed(&workspace_root().join("specimens"), &built)?;
    } else {
        let default = || workspace_root().join("specimens").join("build");
        archive::write_folder(&args.out.clone().unwrap_or_else(default), &built)?;
    }
    match failed.first() {
        None => Ok(()),
        Some(error) => bail!("{} specimens were not built; the first: {error:#}", failed.len()),
    }
}

/// The specimens that the arguments leave.
fn chosen(args: &Args) -> Vec<Specimen> {
    let allows = |list: &[String], name: &str| list.is_empty() || list.iter().any(|n| n == name);
    plan::all(&Toolchain::all())
        .into_iter()
        .filter(|specimen| {
            allows(&args.targets, specimen.toolchain.target.name())
                && allows(&args.libcs, specimen.toolchain.libc.name())
                && (args.forks.is_empty() || args.forks.contains(&specimen.fork))
                && (!args.installed_only || specimen.toolchain.installed())
        })
        .step_by(args.one_of.max(1))
        .collect()
}

/// Builds what the folders of earlier runs do not hold; the result stands in the order of
/// `specimens`.
fn build_missing(
    specimens: &[Specimen],
    args: &Args,
) -> anyhow::Result<(Vec<Built>, Vec<anyhow::Error>)> {
    let mut earlier = HashMap::new();
    for folder in &args.built {
        let read = archive::read_folder(folder)?;
        earlier.extend(read.into_iter().map(|built| (built.label, built.bytes)));
    }
    let missing: Vec<Specimen> = specimens
        .iter()
        .filter(|specimen| !earlier.contains_key(&specimen.label()))
        .cloned()
        .collect();
    let (built, failed) = build_all(&missing, args)?;
    let mut built: HashMap<String, Built> =
        built.into_iter().map(|built| (built.label.clone(), built)).collect();
    let all = specimens.iter().filter_map(|specimen| {
        let label = specimen.label();
        // What is known of a file may be more than when it was built.
        let earlier = earlier.remove(&label);
        earlier
            .map(|bytes| build::described(specimen, args.seed, bytes))
            .or_else(|| built.remove(&label))
    });
    Ok((all.collect(), failed))
}

/// Builds in parallel: what was built, in the order of `specimens`, and what went wrong.
fn build_all(
    specimens: &[Specimen],
    args: &Args,
) -> anyhow::Result<(Vec<Built>, Vec<anyhow::Error>)> {
    let scratch = tempfile::tempdir().context("scratch folder")?;
    let parts = Parts::new(scratch.path(), args.seed)?;
    let symbols = args.keep_symbols.as_deref();
    let done = AtomicUsize::new(0);
    Ok(specimens.par_iter().partition_map(|specimen| {
        let built = build::build(specimen, args.seed, scratch.path(), &parts, symbols);
        let count = done.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(50) || count == specimens.len() {
            eprintln!("{count} of {} specimens", specimens.len());
        }
        match built {
            Ok(built) => Either::Left(built),
            Err(error) => Either::Right(error),
        }
    }))
}
