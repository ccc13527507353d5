//! Writes the compiled specifications and processor specifications that Miyaburi uses into a
//! folder.
//!
//! The sources are Ghidra's, with the corrections of `corrections/` applied to a copy.

mod corrections;

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

/// Specifications to compile: folder of the processor, file stem.
const LANGUAGES: &[(&str, &str)] = &[
    ("68000", "68020"),
    ("68000", "coldfire"),
    ("AARCH64", "AARCH64"),
    ("ARM", "ARM7_be"),
    ("ARM", "ARM7_le"),
    ("MIPS", "mips32be"),
    ("MIPS", "mips32le"),
    ("PowerPC", "ppc_32_be"),
    ("RISCV", "riscv.lp64d"),
    ("Sparc", "SparcV9_32"),
    ("Sparc", "SparcV8plus"),
    ("SuperH4", "SuperH4_le"),
    ("x86", "x86"),
    ("x86", "x86-64"),
];

/// Processor specifications, by folder and file stem.
const PROCESSORS: &[(&str, &str)] = &[
    ("68000", "68000"),
    ("AARCH64", "AARCH64"),
    ("ARM", "ARMt"),
    ("MIPS", "mips32"),
    ("PowerPC", "ppc_32"),
    ("RISCV", "RV64GC"),
    ("Sparc", "SparcV9"),
    ("SuperH4", "SuperH4"),
    ("x86", "x86"),
    ("x86", "x86-64"),
];

/// Specifications whose source has another name: compiled, source. Corrections make one of the other.
const RENAMED: &[(&str, &str)] = &[("SparcV8plus", "SparcV9_64")];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [sources, folder, only @ ..] = arguments.as_slice() else {
        bail!("usage: <folder of Ghidra's processors> <folder to write to> [specification...]");
    };
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let scratch = tempfile::tempdir().context("scratch folder")?;
    copy(sources, scratch.path())?;
    corrections::apply(scratch.path())?;
    let languages = |processor: &str| scratch.path().join(processor).join("data/languages");
    for (processor, stem) in LANGUAGES {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == Path::new(stem)) {
            continue;
        }
        let renamed = RENAMED.iter().find(|(compiled, _)| compiled == stem);
        let source = renamed.map_or(*stem, |(_, source)| source);
        let source = languages(processor).join(format!("{source}.slaspec"));
        let mut compiler = sleigh_compiler::SleighCompiler::default();
        compiler
            .compile(&source, &folder.join(format!("{stem}.sla")))
            .map_err(|error| anyhow::anyhow!("{stem}: {error:?}"))?;
    }
    for (processor, stem) in PROCESSORS {
        let name = format!("{stem}.pspec");
        let from = languages(processor).join(&name);
        std::fs::copy(&from, folder.join(&name))
            .with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(())
}

/// Copies the folders of the processors.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .with_context(|| format!("copying {}", entry.path().display()))?;
        }
    }
    Ok(())
}
