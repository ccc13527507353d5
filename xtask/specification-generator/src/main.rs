//! Writes the compiled specifications and processor specifications that Miyaburi uses into the
//! folder given as its one argument.

use anyhow::{Context as _, bail};
use std::path::Path;

/// Compiled specifications, by file stem.
const LANGUAGES: &[&str] = &[
    "68020", "AARCH64", "ARM7_be", "ARM7_le", "SparcV9_32", "SuperH4_le", "coldfire", "mips32be",
    "mips32le", "ppc_32_be", "riscv.lp64d", "x86", "x86-64",
];

/// Processor specifications, by file stem.
const PROCESSORS: &[&str] = &[
    "68000", "AARCH64", "ARMt", "RV64GC", "SparcV9", "SuperH4", "mips32", "ppc_32", "x86", "x86-64",
];

fn main() -> anyhow::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else { bail!("usage: <folder>") };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    for stem in LANGUAGES {
        let bytes = find(&sleigh_config::SLA_DATA, "SLA", stem)?;
        write(folder, &format!("{stem}.sla"), bytes)?;
    }
    for stem in PROCESSORS {
        let text = find(&sleigh_config::PSPEC_DATA, "PSPEC", stem)?;
        write(folder, &format!("{stem}.pspec"), text.as_bytes())?;
    }
    Ok(())
}

/// The entry for a file stem: `sleigh-config` names it `processor_x86::SLA_X86_64`.
fn find<T: Copy>(entries: &[(&str, T)], prefix: &str, stem: &str) -> anyhow::Result<T> {
    let wanted = format!("::{prefix}_{}", stem.replace(['-', '.'], "_").to_uppercase());
    entries
        .iter()
        .find(|(name, _)| name.ends_with(&wanted))
        .map(|(_, entry)| *entry)
        .with_context(|| format!("sleigh-config has no {wanted}"))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))
}
