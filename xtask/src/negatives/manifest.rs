//! What was made and what an analysis must say about it.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// One benign file.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Negative {
    /// SHA-256 of the file, lower-case hexadecimal.
    pub(super) sha256: String,
    /// Path relative to the folder of the manifest.
    pub(super) path: String,
    /// Package it comes from.
    pub(super) package: String,
    /// The package's version.
    pub(super) version: String,
    /// The distribution's architecture, or the toolchain of a build from source.
    pub(super) architecture: String,
    /// Target's name, or `unsupported`.
    pub(super) target: String,
    /// Whether the CPU is on the supported list.
    pub(super) supported: bool,
}

impl Negative {
    /// Describes the file at `path` below `home`.
    pub(super) fn of(
        home: &Path,
        path: &Path,
        package: &str,
        version: &str,
        architecture: &str,
        target: Option<&str>,
    ) -> anyhow::Result<Negative> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let relative = path.strip_prefix(home).unwrap_or(path);
        Ok(Negative {
            sha256: hex::encode(Sha256::digest(&bytes)),
            path: relative.display().to_string(),
            package: package.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            target: target.unwrap_or("unsupported").to_owned(),
            supported: target.is_some(),
        })
    }

    /// The truth line: a file without any part of the family, or of an unsupported CPU.
    fn truth(&self) -> serde_json::Value {
        let labels = json!({
            "set": "negatives",
            "target": self.target,
            "architecture": self.architecture,
            "package": self.package,
        });
        if !self.supported {
            return json!({"sha256": self.sha256, "verdict": "unsupported", "labels": labels});
        }
        json!({
            "sha256": self.sha256,
            "verdict": "no_config",
            "endpoints": [],
            "string_table": {"entries": []},
            "credentials": {"entries": []},
            "attacks": [],
            "scan": {"exploits": []},
            "labels": labels,
        })
    }
}

/// Writes `manifest.ndjson` and `truth.ndjson`, ordered by path. Files that are equal byte
/// for byte are kept once: truth is keyed by hash.
pub(super) fn write(home: &Path, negatives: &mut Vec<Negative>) -> anyhow::Result<()> {
    negatives.sort_by(|a, b| a.path.cmp(&b.path));
    let mut seen = std::collections::HashSet::new();
    negatives.retain(|negative| seen.insert(negative.sha256.clone()));
    let (mut manifest, mut truth) = (String::new(), String::new());
    for negative in negatives.iter() {
        writeln!(manifest, "{}", serde_json::to_string(negative)?)?;
        writeln!(truth, "{}", negative.truth())?;
    }
    let save = |name: &str, text: String| {
        let path: PathBuf = home.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())
    };
    save("manifest.ndjson", manifest)?;
    save("truth.ndjson", truth)
}
