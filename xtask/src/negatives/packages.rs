//! The distribution's own builds: packages are downloaded and single files taken out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use super::{
    apt::Apt,
    manifest::Negative,
    plan::{Architecture, Package, Plan},
};
use crate::toolchain::process;

/// One file of one package of one architecture.
struct Wanted<'a> {
    architecture: &'a Architecture,
    package: &'a Package,
    path: &'a str,
}

impl Wanted<'_> {
    /// Where the file is kept.
    fn file(&self, home: &Path) -> PathBuf {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        home.join("files")
            .join(&self.architecture.name)
            .join(format!("{}.{name}", self.package.name))
    }

    /// Where its package's version is kept.
    fn version_file(&self, home: &Path) -> PathBuf {
        home.join("versions").join(format!("{}_{}", self.package.name, self.architecture.name))
    }
}

/// Makes sure that every planned file is there.
pub(super) fn fetch(plan: &Plan, apt: &Apt, home: &Path) -> anyhow::Result<Vec<Negative>> {
    let wanted = wanted(plan);
    let mut missing: Vec<String> = wanted
        .iter()
        .filter(|it| !it.file(home).is_file() || !it.version_file(home).is_file())
        .map(|it| format!("{}:{}", it.package.name, it.architecture.name))
        .collect();
    missing.dedup();
    if !missing.is_empty() {
        let downloads = tempfile::tempdir_in(home)?;
        apt.download(downloads.path(), &missing)?;
        let archives = archives(downloads.path())?;
        for it in &wanted {
            if let Some(archive) =
                archives.get(&(it.package.name.clone(), it.architecture.name.clone()))
            {
                take(it, archive, home)?;
            }
        }
    }
    wanted
        .iter()
        .map(|it| {
            let version = fs::read_to_string(it.version_file(home))
                .with_context(|| format!("{} was not downloaded", it.package.name))?;
            Negative::of(
                home,
                &it.file(home),
                &it.package.name,
                &version,
                &it.architecture.name,
                it.architecture.target.as_deref(),
            )
        })
        .collect()
}

/// Everything the plan asks for, package by package within an architecture.
fn wanted(plan: &Plan) -> Vec<Wanted<'_>> {
    let mut wanted = Vec::new();
    for architecture in &plan.architectures {
        for package in &plan.packages {
            if architecture.target.is_some() || package.unsupported {
                let paths = package.paths.iter();
                wanted.extend(paths.map(|path| Wanted { architecture, package, path }));
            }
        }
    }
    wanted
}

/// A downloaded package.
struct Archive {
    file: PathBuf,
    version: String,
}

/// The packages in `dir`, by name and architecture.
fn archives(dir: &Path) -> anyhow::Result<BTreeMap<(String, String), Archive>> {
    let mut archives = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let file = entry?.path();
        let format = "--showformat=${Package}\\n${Architecture}\\n${Version}";
        let fields = process::run(Command::new("dpkg-deb").arg("--show").arg(format).arg(&file))?;
        let mut lines = fields.lines().map(str::to_owned);
        if let (Some(name), Some(architecture), Some(version)) =
            (lines.next(), lines.next(), lines.next())
        {
            archives.insert((name, architecture), Archive { file, version });
        }
    }
    Ok(archives)
}

/// Copies one file out of its package.
fn take(wanted: &Wanted<'_>, archive: &Archive, home: &Path) -> anyhow::Result<()> {
    let unpacked = tempfile::tempdir_in(home)?;
    process::run(
        Command::new("dpkg-deb").arg("--extract").arg(&archive.file).arg(unpacked.path()),
    )?;
    let from = unpacked.path().join(wanted.path);
    let bytes = fs::read(&from).with_context(|| {
        format!("{} of {} has no {}", wanted.package.name, wanted.architecture.name, wanted.path)
    })?;
    ensure!(bytes.starts_with(b"\x7fELF"), "{}: {} is no ELF", wanted.package.name, wanted.path);
    let to = wanted.file(home);
    for (path, content) in
        [(&to, bytes.as_slice()), (&wanted.version_file(home), archive.version.as_bytes())]
    {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // Not executable: these files are only ever read.
        fs::write(path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
