//! Packages of another release than the machine's own: installed beside its packages, or only
//! unpacked into a folder, where several versions of one program can stand side by side.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::archive;
use crate::toolchain::{process, workspace_root};

/// The release whose archive the other releases are taken from: the one that the tests are for.
const MACHINE: &str = "bookworm";

/// A release beside the machine's own, with lists in a folder of its own below `target`.
pub(crate) struct Suite {
    name: &'static str,
    home: PathBuf,
}

impl Suite {
    /// The release `name`, such as `bookworm-backports`. Nothing is fetched yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Suite { name, home: workspace_root().join("target").join("apt").join(name) }
    }

    /// Installs packages of this release; what they depend on comes from the machine's own where
    /// it has it.
    ///
    /// # Errors
    /// When the machine has no package source that can be derived from, or apt fails.
    pub(crate) fn install(&self, packages: &[&str]) -> anyhow::Result<()> {
        self.update()?;
        let arguments = ["install", "--yes", "--no-install-recommends", "--target-release"];
        let mut command = self.apt_get(Path::new("."));
        process::run(command.args(arguments).arg(self.name).args(packages)).map(drop)
    }

    /// Unpacks packages of this release into `folder`, without what they depend on. Nothing is
    /// installed.
    ///
    /// # Errors
    /// As [`Suite::install`].
    pub(crate) fn unpack(&self, packages: &[&str], folder: &Path) -> anyhow::Result<()> {
        self.update()?;
        for package in packages {
            let archives = self.home.join("archives").join(package);
            if archives.exists() {
                fs::remove_dir_all(&archives)?;
            }
            fs::create_dir_all(&archives)?;
            let wanted = format!("{package}/{}", self.name);
            process::run(self.apt_get(&archives).args(["download", &wanted]))?;
            for entry in fs::read_dir(&archives)? {
                let mut unpack = Command::new("dpkg-deb");
                process::run(unpack.arg("--extract").arg(entry?.path()).arg(folder))?;
            }
        }
        Ok(())
    }

    /// Fetches the package lists of the machine's release and of this one.
    fn update(&self) -> anyhow::Result<()> {
        let lists = self.home.join("lists").join("partial");
        fs::create_dir_all(&lists).with_context(|| lists.display().to_string())?;
        let archive = archive::of_machine(MACHINE)?;
        let sources = [MACHINE, self.name].map(|suite| archive.list(suite)).concat();
        let sources: String = sources
            .lines()
            .filter(|line| line.starts_with("deb "))
            .flat_map(|line| [line, "\n"])
            .collect();
        fs::write(self.home.join("sources.list"), sources)?;
        process::run(self.apt_get(Path::new(".")).arg("update")).map(drop)
    }

    fn apt_get(&self, folder: &Path) -> Command {
        let mut command = Command::new("apt-get");
        let home = self.home.display();
        for option in [
            format!("Dir::State::lists={home}/lists"),
            format!("Dir::Etc::sourcelist={home}/sources.list"),
            "Dir::Etc::sourceparts=-".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command.current_dir(folder).env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}
