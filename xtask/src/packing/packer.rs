//! The real packer, in two versions beside each other.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{apt::suite::Suite, toolchain::process};

/// Its options that choose a method or how hard it tries.
pub(super) const METHODS: [&str; 7] =
    ["--nrv2b", "--nrv2d", "--nrv2e", "--lzma", "--best", "--brute", "--ultra-brute"];

/// A version and the release of Debian that has it.
const VERSIONS: [(&str, &str); 2] = [("UPX 3.96", "bullseye"), ("UPX 4.2.2", "bookworm-backports")];

/// One version.
pub(super) struct Packer {
    /// Its name.
    pub(super) version: &'static str,
    folder: PathBuf,
}

/// Fetches what is missing into `target/tools`.
pub(super) fn install(root: &Path) -> anyhow::Result<Vec<Packer>> {
    VERSIONS
        .iter()
        .map(|&(version, suite)| {
            let folder = root.join("target").join("tools").join(version.replace(' ', "-"));
            let packer = Packer { version, folder };
            if process::run(packer.command().arg("--version")).is_err() {
                fs::create_dir_all(&packer.folder)?;
                Suite::new(suite).unpack(&["upx-ucl"], &packer.folder)?;
                // Its library is the same in all releases.
                Suite::new("bullseye").unpack(&["libucl1"], &packer.folder)?;
            }
            Ok(packer)
        })
        .collect()
}

impl Packer {
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.folder.join("usr/bin/upx-ucl"));
        command.env("LD_LIBRARY_PATH", self.folder.join("usr/lib/x86_64-linux-gnu"));
        command
    }

    /// The packed file; `None` when the packer does not want the input: another CPU type, or a
    /// file that would not become smaller.
    pub(super) fn pack(&self, input: &Path, method: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let folder = tempfile::tempdir()?;
        let program = folder.path().join("program");
        fs::copy(input, &program).with_context(|| input.display().to_string())?;
        // It packs nothing that cannot be executed.
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        let packed = folder.path().join("packed");
        let mut command = self.command();
        command.args(["-qqq", method, "-o"]).arg(&packed).arg(&program);
        let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
        if !output.status.success() {
            return Ok(None);
        }
        Ok(Some(fs::read(packed)?))
    }

    /// Whether the packer can undo its own work.
    pub(super) fn undoes(&self, packed: &[u8]) -> anyhow::Result<bool> {
        let folder = tempfile::tempdir()?;
        let input = folder.path().join("packed");
        fs::write(&input, packed)?;
        let mut command = self.command();
        command.args(["-qqq", "-d", "-o"]).arg(folder.path().join("program")).arg(&input);
        let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
        Ok(output.status.success())
    }
}
