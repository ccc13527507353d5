//! The few fields of an ELF header that building needs. Offsets are those of the System V
//! ABI's ELF header tables.

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};

use super::{Endian, Target};

/// Checks that a compiler made what it was asked for: a wrong switch can silently select
/// another CPU of the same family.
pub(super) fn verify(target: Target, file: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let layout = Layout::of(&bytes)?;
    let bits = if layout.wide { 64 } else { 32 };
    let endian = if layout.big { Endian::Big } else { Endian::Little };
    let machine = layout.read(&bytes, 18, 2)?;
    ensure!(
        bits == target.bits()
            && endian == target.endian()
            && target.elf_machines().iter().any(|it| usize::from(*it) == machine),
        "{}: built for another CPU: {bits} bits, {} endian, machine {machine}",
        file.display(),
        endian.name(),
    );
    Ok(())
}

/// How the fields of one file are laid out.
pub(super) struct Layout {
    /// Most significant byte first.
    pub(super) big: bool,
    /// 64-bit file.
    pub(super) wide: bool,
}

impl Layout {
    /// Reads class and byte order.
    pub(super) fn of(bytes: &[u8]) -> anyhow::Result<Layout> {
        ensure!(bytes.starts_with(b"\x7fELF"), "not an ELF file");
        let wide = match bytes.get(4) {
            Some(1) => false,
            Some(2) => true,
            class => bail!("unknown ELF class {class:?}"),
        };
        let big = match bytes.get(5) {
            Some(1) => false,
            Some(2) => true,
            data => bail!("unknown ELF byte order {data:?}"),
        };
        Ok(Layout { big, wide })
    }

    /// Reads an unsigned field of `size` bytes.
    pub(super) fn read(&self, bytes: &[u8], offset: usize, size: usize) -> anyhow::Result<usize> {
        let field = bytes
            .get(offset..offset.saturating_add(size))
            .with_context(|| format!("file ends before offset {offset:#x}"))?;
        let push = |value: usize, byte: &u8| (value << 8) | usize::from(*byte);
        Ok(if self.big { field.iter().fold(0, push) } else { field.iter().rev().fold(0, push) })
    }

    /// Reads a field as wide as an address.
    pub(super) fn word(&self, bytes: &[u8], offset: usize) -> anyhow::Result<usize> {
        self.read(bytes, offset, if self.wide { 8 } else { 4 })
    }
}
