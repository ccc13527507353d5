//! Corrections of the specifications' sources.
//!
//! A file of corrections holds any number of these, each behind lines that say why:
//!
//! ```text
//! # why
//! file ARM/data/languages/ARMneon.sinc
//! replace
//! old lines, which the file holds exactly once
//! with
//! new lines
//! end
//! ```
//!
//! `replace all` replaces every occurrence, of which there must be one.

use anyhow::{Context as _, bail};
use std::path::Path;

const FILES: &[(&str, &str)] = &[
    ("68000", include_str!("../corrections/68000.txt")),
    ("aarch64", include_str!("../corrections/aarch64.txt")),
    ("arm", include_str!("../corrections/arm.txt")),
    ("mips", include_str!("../corrections/mips.txt")),
    ("powerpc", include_str!("../corrections/powerpc.txt")),
    ("riscv", include_str!("../corrections/riscv.txt")),
    ("sparc", include_str!("../corrections/sparc.txt")),
    ("x86", include_str!("../corrections/x86.txt")),
];

/// Applies all corrections to the sources below `folder`.
pub(crate) fn apply(folder: &Path) -> anyhow::Result<()> {
    for (name, text) in FILES {
        let mut lines = text.lines();
        let mut file = None;
        while let Some(line) = lines.next() {
            if let Some(path) = line.strip_prefix("file ") {
                file = Some(folder.join(path));
            } else if line == "replace" || line == "replace all" {
                let old = block(&mut lines, "with").with_context(|| format!("{name}: {line}"))?;
                let new = block(&mut lines, "end").with_context(|| format!("{name}: {old}"))?;
                let path = file.as_deref().with_context(|| format!("{name}: no file"))?;
                replace(path, &old, &new, line == "replace all")
                    .with_context(|| (*name).to_owned())?;
            } else if !line.is_empty() && !line.starts_with('#') {
                bail!("{name}: {line}");
            }
        }
    }
    Ok(())
}

/// Lines up to the one that is `end`.
fn block<'a>(lines: &mut impl Iterator<Item = &'a str>, end: &str) -> anyhow::Result<String> {
    let mut block = Vec::new();
    for line in lines {
        if line == end {
            return Ok(block.join("\n"));
        }
        block.push(line);
    }
    bail!("no line `{end}`")
}

fn replace(path: &Path, old: &str, new: &str, all: bool) -> anyhow::Result<()> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {shown}"))?;
    let text = text.replace("\r\n", "\n");
    let count = text.matches(old).count();
    if count == 0 || (count > 1 && !all) {
        bail!("{shown} holds this {count} times:\n{old}");
    }
    std::fs::write(path, text.replace(old, new)).with_context(|| format!("writing {shown}"))
}
