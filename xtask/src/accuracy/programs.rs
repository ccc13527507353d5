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
    pub(super) fn new(seed: u64) -> anyhow::Result<Workshop> {
        let scratch = tempfile::tempdir().context("scratch folder")?;
        let parts = Parts::new(scratch.path(), seed)?;
        Ok(Workshop { scratch, parts, seed })
    }

    pub(super) fn build(&self, case: &Case) -> anyhow::Result<Built> {
        let folder = self.scratch.path().join(case.label());
        fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
        let path = folder.join("with-symbols.elf");
        let (configuration, has_sections) = match case {
            Case::Specimen(specimen) => {
                let built = specimens::compile_with(
                    specimen,
                    self.seed,
                    &folder,
                    &self.parts,
                    DEBUG,
                    &path,
                )?;
                (Some(built), specimen.section_headers)
            }
            Case::Ordinary { toolchain, level } => {
                let mut extra = vec!["-std=gnu99", "-w"];
                extra.extend(DEBUG);
                toolchain.compile(level, &[ordinary_source()], &[], &extra, &path)?;
                (None, true)
            }
        };
        let read = |path: &Path| fs::read(path).with_context(|| format!("{}", path.display()));
        let stripped = folder.join("stripped.elf");
        fs::copy(&path, &stripped).with_context(|| format!("{}", stripped.display()))?;
        case.toolchain().strip(&stripped, has_sections)?;
        Ok(Built {
            toolchain: case.toolchain(),
            level: case.level(),
            with_symbols: read(&path)?,
            stripped: read(&stripped)?,
            path,
            configuration,
        })
    }
}

fn ordinary_source() -> PathBuf {
    workspace_root().join("xtask").join("src").join("accuracy").join("ordinary.c")
}
