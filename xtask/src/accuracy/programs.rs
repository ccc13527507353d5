//! Builds the programs: with symbols and debug information, and stripped.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    specimens::{self, Configuration, Parts},
    toolchain::{Toolchain, workspace_root},
};

use super::plan::Case;

/// Debug information as `gimli` reads it without further ado.
const DEBUG: &[&str] = &["-g", "-gdwarf-5", "-gz=none"];

/// Where programs are built.
pub(super) struct Workshop {
    scratch: tempfile::TempDir,
    /// Where programs stay; what is there already is not built anew.
    kept: Option<PathBuf>,
    parts: Parts,
    seed: u64,
}

/// A program that has been built.
pub(super) struct Built {
    pub(super) toolchain: Toolchain,
    /// The optimisation switch.
    pub(super) level: &'static str,
    /// The file with symbols, there as long as the workshop is.
    pub(super) path: PathBuf,
    pub(super) with_symbols: Vec<u8>,
    pub(super) stripped: Vec<u8>,
    /// What went into a specimen of the family.
    pub(super) configuration: Option<Configuration>,
}

impl Workshop {
    pub(super) fn new(seed: u64, kept: Option<PathBuf>) -> anyhow::Result<Workshop> {
        let scratch = tempfile::tempdir().context("scratch folder")?;
        let parts = Parts::new(scratch.path(), seed)?;
        Ok(Workshop { scratch, kept, parts, seed })
    }

    pub(super) fn build(&self, case: &Case) -> anyhow::Result<Built> {
        let home = self.kept.as_deref().unwrap_or(self.scratch.path());
        let folder = home.join(case.label());
        fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
        let path = folder.join("with-symbols.elf");
        let stripped = folder.join("stripped.elf");
        let configuration = match case {
            Case::Specimen(specimen) => Some(specimens::configuration(specimen, self.seed)),
            Case::Ordinary { .. } => None,
        };
        if !stripped.is_file() || !path.is_file() {
            self.compile(case, &folder, &path, &stripped)?;
        }
        let read = |path: &Path| fs::read(path).with_context(|| format!("{}", path.display()));
        Ok(Built {
            toolchain: case.toolchain(),
            level: case.level(),
            with_symbols: read(&path)?,
            stripped: read(&stripped)?,
            path,
            configuration,
        })
    }

    fn compile(
        &self,
        case: &Case,
        folder: &Path,
        path: &Path,
        stripped: &Path,
    ) -> anyhow::Result<()> {
        let has_sections = match case {
            Case::Specimen(specimen) => {
                let (seed, parts) = (self.seed, &self.parts);
                specimens::compile_with(specimen, seed, folder, parts, DEBUG, path)?;
                specimen.section_headers
            }
            Case::Ordinary { toolchain, level } => {
                let mut extra = vec!["-std=gnu99", "-w"];
                extra.extend(DEBUG);
                toolchain.compile(level, &[ordinary_source()], &[], &extra, path)?;
                true
            }
        };
        // Under its name only when it is done: a file that is there is taken as stripped.
        let unfinished = stripped.with_extension("part");
        fs::copy(path, &unfinished).with_context(|| format!("{}", unfinished.display()))?;
        case.toolchain().strip(&unfinished, has_sections)?;
        fs::rename(&unfinished, stripped).with_context(|| format!("{}", stripped.display()))
    }
}

fn ordinary_source() -> PathBuf {
    workspace_root().join("xtask").join("src").join("accuracy").join("ordinary.c")
}
