//! Checks that the workspace keeps its layers: which crate may depend on which, and which may
//! touch the outside.
//!
//! ```text
//! edges.rs    dependencies between crates, from `cargo metadata`
//! outside.rs  uses of files, processes and the network, from the sources
//! ```

mod edges;
mod outside;

use std::process::Command;

use anyhow::{Context, bail};

use crate::toolchain::workspace_root;

/// Runs `cargo xtask layers`.
///
/// # Errors
/// When `cargo metadata` cannot be run or a rule is broken; every violation is printed first.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = workspace_root();
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    let metadata = serde_json::from_slice(&output.stdout).context("output of cargo metadata")?;
    let mut violations = edges::violations(&edges::packages(&metadata)?);
    violations.extend(outside::violations(&root.join("crates"))?);
    for violation in &violations {
        println!("{violation}");
    }
    if !violations.is_empty() {
        bail!("{} violations of the layers", violations.len());
    }
    Ok(())
}
