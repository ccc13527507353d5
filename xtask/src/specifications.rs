//! Regenerates the processor specifications that the lifter reads.
//!
//! Their compiler is C++ and takes minutes, so that it lives in a package of its own, outside of
//! the workspace, and its output is kept as data.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of `cargo xtask specifications`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to write the specifications
    #[arg(long, default_value = "crates/pcode/specifications")]
    folder: PathBuf,
}

/// The crate that holds the specifications' sources, and their licence.
const SOURCE_CRATE: &str = "sleigh-config";

const MANIFEST: &str = "xtask/specification-generator/Cargo.toml";

/// Licence files of the source crate, copied beside the specifications.
const LICENCE_FILES: &[&str] = &["LICENSE", "NOTICE"];

/// The folder of the processors within the source crate.
const PROCESSORS: &str = "ghidra/Ghidra/Processors";

/// Builds the generator, runs it, and copies the licence.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let source = source_folder()?;
    let mut generator = Command::new("cargo");
    generator
        .args(["run", "--locked", "--target-dir", "target/specification-generator"])
        .args(["--manifest-path", MANIFEST, "--"])
        .args([&source.join(PROCESSORS), &args.folder]);
    status(&mut generator)?;
    for name in LICENCE_FILES {
        let (from, to) = (source.join("ghidra").join(name), args.folder.join(name));
        std::fs::copy(&from, &to)
            .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

/// Runs a command that must succeed.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("running {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Where cargo has unpacked the source crate.
fn source_folder() -> anyhow::Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path", MANIFEST])
        .output()
        .context("running cargo metadata")?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages in cargo metadata")?;
    let manifest = packages
        .iter()
        .find(|package| package["name"] == SOURCE_CRATE)
        .and_then(|package| package["manifest_path"].as_str())
        .with_context(|| format!("no {SOURCE_CRATE} in cargo metadata"))?;
    let folder = Path::new(manifest).parent().context("a manifest without a folder")?;
    Ok(folder.to_path_buf())
}
