//! A package index beside the machine's own, for other architectures and for sources.
//!
//! It reads where the machine gets its packages from and trusts the same keys, but keeps
//! lists, cache and status in a folder of its own: nothing is installed and the machine's
//! architectures stay as they are.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::plan::Plan;
use crate::{apt::archive, toolchain::process};

/// The index.
pub(super) struct Apt {
    configuration: PathBuf,
}

impl Apt {
    /// Opens the index in `home`. Nothing is fetched until something is missing.
    pub(super) fn open(home: &Path, plan: &Plan) -> anyhow::Result<Apt> {
        let home = home.join("apt");
        for dir in ["lists/partial", "cache/archives/partial", "parts"] {
            fs::create_dir_all(home.join(dir))?;
        }
        let archive = archive::of_machine(&plan.suite)?;
        fs::write(home.join("sources.list"), archive.list(&plan.suite))?;
        fs::write(home.join("status"), "")?;
        let configuration = home.join("apt.conf");
        fs::write(&configuration, configuration_text(&home, plan))?;
        Ok(Apt { configuration })
    }

    /// Fetches the package lists unless they are there.
    fn update(&self) -> anyhow::Result<()> {
        let done = self.configuration.with_file_name("updated");
        if !done.exists() {
            println!("apt-get update, for all architectures");
            self.apt_get(Path::new("."), &["update".to_owned()])?;
            fs::write(done, "")?;
        }
        Ok(())
    }

    /// Downloads binary packages, named `package:architecture`, into `dir`.
    pub(super) fn download(&self, dir: &Path, packages: &[String]) -> anyhow::Result<()> {
        self.update()?;
        println!("apt-get download of {} packages", packages.len());
        let arguments = std::iter::once("download".to_owned()).chain(packages.iter().cloned());
        self.apt_get(dir, &arguments.collect::<Vec<_>>())
    }

    /// Downloads the files of a source package into `dir`.
    pub(super) fn source(&self, dir: &Path, package: &str) -> anyhow::Result<()> {
        self.update()?;
        println!("apt-get source of {package}");
        self.apt_get(dir, &["source", "--download-only", package].map(str::to_owned))
    }

    fn apt_get(&self, dir: &Path, arguments: &[String]) -> anyhow::Result<()> {
        let mut command = Command::new("apt-get");
        command.current_dir(dir).arg("-c").arg(&self.configuration).args(arguments);
        process::run(command.env("LC_ALL", "C")).map(drop)
    }
}

fn configuration_text(home: &Path, plan: &Plan) -> String {
    let home = home.display();
    let architectures: String =
        plan.architectures.iter().map(|it| format!(" \"{}\";", it.name)).collect();
    format!(
        r#"Dir::State "{home}";
Dir::State::lists "{home}/lists";
Dir::State::status "{home}/status";
Dir::Cache "{home}/cache";
Dir::Etc::sourcelist "{home}/sources.list";
Dir::Etc::sourceparts "{home}/parts";
Dir::Etc::preferencesparts "{home}/parts";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
#clear APT::Architectures;
APT::Architectures {{{architectures} }};
"#
    )
}
