//! Which of QEMU's programs runs a file.

use std::{fs, path::Path};

use anyhow::Context;

use crate::toolchain::Target;

/// One of QEMU's programs, and the CPU that it is to be, where that is not its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) program: &'static str,
    pub(super) cpu: Option<&'static str>,
}

impl Machine {
    /// The one that runs a program of a target.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn of(target: Target, file: &Path) -> anyhow::Result<Machine> {
        let (program, cpu) = match target {
            Target::Armv5 | Target::Armv7Thumb => ("qemu-arm-static", None),
            Target::ArmBe => ("qemu-armeb-static", None),
            Target::Aarch64 => ("qemu-aarch64-static", None),
            Target::MipsBe => ("qemu-mips-static", None),
            Target::MipsLe => ("qemu-mipsel-static", None),
            Target::PowerPc => ("qemu-ppc-static", None),
            Target::Sparc32 if is_sparc_v8plus(file)? => ("qemu-sparc32plus-static", None),
            Target::Sparc32 => ("qemu-sparc-static", None),
            Target::Sh4 => ("qemu-sh4-static", None),
            Target::M68k => ("qemu-m68k-static", None),
            Target::ColdFire => ("qemu-m68k-static", Some("cfv4e")),
            Target::X86 => ("qemu-i386-static", None),
            Target::X86_64 => ("qemu-x86_64-static", None),
            Target::Riscv64 => ("qemu-riscv64-static", None),
        };
        Ok(Machine { program, cpu })
    }

    /// Its switches, before the file.
    pub(super) fn switches(&self) -> impl Iterator<Item = &'static str> {
        self.cpu.into_iter().flat_map(|cpu| ["-cpu", cpu])
    }
}

/// Whether the ELF header names SPARC V8+ (`EM_SPARC32PLUS`), 64-bit registers in 32-bit programs.
fn is_sparc_v8plus(file: &Path) -> anyhow::Result<bool> {
    let bytes = fs::read(file).with_context(|| format!("{}", file.display()))?;
    Ok(bytes.get(18..20) == Some(&[0, 18]))
}
