//! Taking symbols and section headers out of an executable.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, ensure};

use super::{Target, elf::Layout, gcc, process};

/// Removes symbols and debug information with the target's own `strip`.
pub(super) fn symbols(target: Target, file: &Path) -> anyhow::Result<()> {
    let program = format!("{}-strip", gcc::triplet(target));
    process::run(Command::new(program).arg("--strip-all").arg(file))?;
    Ok(())
}

/// Removes the section header table: zeroes its three fields in the ELF header and cuts
/// the file behind the last byte that a program header covers.
pub(super) fn section_headers(file: &Path) -> anyhow::Result<()> {
    let mut bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let end = drop_section_headers(&mut bytes).with_context(|| file.display().to_string())?;
    bytes.truncate(end);
    fs::write(file, bytes).with_context(|| file.display().to_string())
}

/// Zeroes the header fields and returns the length to keep.
fn drop_section_headers(bytes: &mut [u8]) -> anyhow::Result<usize> {
    let layout = Layout::of(bytes)?;
    // (e_phoff, e_shoff, e_phentsize, e_phnum, e_shnum), then (p_offset, p_filesz).
    let (phoff_at, shoff_at, phentsize_at, phnum_at, shnum_at, p_offset, p_filesz) =
        if layout.wide { (32, 40, 54, 56, 60, 8, 32) } else { (28, 32, 42, 44, 48, 4, 16) };
    let phoff = layout.word(bytes, phoff_at)?;
    let phentsize = layout.read(bytes, phentsize_at, 2)?;
    let phnum = layout.read(bytes, phnum_at, 2)?;
    let mut end = phoff + phentsize * phnum;
    for index in 0..phnum {
        let header = phoff + index * phentsize;
        let offset = layout.word(bytes, header + p_offset)?;
        let size = layout.word(bytes, header + p_filesz)?;
        end = end.max(offset.saturating_add(size));
    }
    ensure!(phnum > 0, "no program headers, so nothing says where the file may be cut");
    let word = if layout.wide { 8 } else { 4 };
    for (at, size) in [(shoff_at, word), (shnum_at, 2), (shnum_at + 2, 2)] {
        if let Some(field) = bytes.get_mut(at..at + size) {
            field.fill(0);
        }
    }
    Ok(end.min(bytes.len()))
}
