//! What `specimens/negatives/negatives.json` asks for.

use std::fs;

use anyhow::Context;
use serde::Deserialize;

use crate::toolchain::workspace_root;

/// The whole plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// Why the file exists; for its readers.
    #[serde(rename = "about")]
    _about: String,
    /// Release of the distribution.
    pub(super) suite: String,
    /// Architectures whose packages are fetched.
    pub(super) architectures: Vec<Architecture>,
    /// Packages and the files taken from each.
    pub(super) packages: Vec<Package>,
    /// Source packages that a plain compiler call builds.
    pub(super) sources: Vec<Source>,
    /// The one source package with a build system of its own.
    pub(super) busybox: Busybox,
}

/// One of the distribution's architectures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Architecture {
    /// The distribution's name for it.
    pub(super) name: String,
    /// The target's name, or null for a CPU outside the supported list.
    pub(super) target: Option<String>,
}

/// A binary package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Files taken from it, relative to the root folder.
    pub(super) paths: Vec<String>,
    /// Whether it is taken for unsupported CPUs too.
    #[serde(default)]
    pub(super) unsupported: bool,
}

/// A source package and how it is compiled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    /// The source package.
    pub(super) name: String,
    /// The program it makes.
    pub(super) program: String,
    /// Its C files.
    pub(super) files: Vec<String>,
    /// Compiler switches.
    pub(super) flags: Vec<String>,
    /// Names of the toolchains that build it.
    pub(super) toolchains: Vec<String>,
}

/// BusyBox, built by its own makefiles and `specimens/negatives/busybox.config`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Busybox {
    /// The source package.
    pub(super) source: String,
    /// Names of the targets, each with the GNU C library.
    pub(super) targets: Vec<String>,
}

impl Plan {
    /// Reads the committed plan.
    pub(super) fn read() -> anyhow::Result<Plan> {
        let path = workspace_root().join("specimens").join("negatives").join("negatives.json");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }
}
