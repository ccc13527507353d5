//! Parts that many specimens share, compiled once per toolchain and level: the tiny C library and
//! the ballast.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::{Context, anyhow};

use crate::toolchain::{Libc, Target, Toolchain};

use super::{ballast, build::source_folder};

/// What every compilation is given beside the toolchain's own switches.
pub(super) const SWITCHES: [&str; 2] = ["-std=gnu99", "-w"];

type Shared = Arc<OnceLock<Result<Vec<PathBuf>, String>>>;

/// Object files by toolchain, level and part; each is compiled by whoever needs it first.
pub(crate) struct Parts {
    folder: PathBuf,
    ballast: PathBuf,
    objects: Mutex<HashMap<String, Shared>>,
}

impl Parts {
    /// Parts of the set of `seed`, kept below `scratch`.
    pub(crate) fn new(scratch: &Path, seed: u64) -> anyhow::Result<Parts> {
        let folder = scratch.join("parts");
        fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
        fs::write(folder.join("ballast.h"), ballast::HEADER)?;
        let ballast = folder.join("ballast.c");
        fs::write(&ballast, ballast::source(seed))?;
        Ok(Parts { folder, ballast, objects: Mutex::default() })
    }

    /// Folder of `ballast.h`.
    pub(super) fn include(&self) -> &Path {
        &self.folder
    }

    /// Object files of the tiny C library, none for another library.
    pub(super) fn library(
        &self,
        toolchain: Toolchain,
        level: &str,
    ) -> anyhow::Result<Vec<PathBuf>> {
        if toolchain.libc != Libc::Tiny {
            return Ok(Vec::new());
        }
        self.shared(toolchain, level, "tiny", &tiny_sources(toolchain))
    }

    /// Object files of the ballast.
    pub(super) fn ballast(
        &self,
        toolchain: Toolchain,
        level: &str,
    ) -> anyhow::Result<Vec<PathBuf>> {
        self.shared(toolchain, level, "ballast", std::slice::from_ref(&self.ballast))
    }

    fn shared(
        &self,
        toolchain: Toolchain,
        level: &str,
        part: &str,
        sources: &[PathBuf],
    ) -> anyhow::Result<Vec<PathBuf>> {
        let name = format!("{toolchain}{level}-{part}");
        // A panic in another thread leaves the map as it was before or after one insertion.
        let slot = Arc::clone(
            self.objects
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(name.clone())
                .or_default(),
        );
        slot.get_or_init(|| {
            self.compile(toolchain, level, &name, sources).map_err(|error| format!("{error:#}"))
        })
        .clone()
        .map_err(|message| anyhow!(message))
    }

    fn compile(
        &self,
        toolchain: Toolchain,
        level: &str,
        name: &str,
        sources: &[PathBuf],
    ) -> anyhow::Result<Vec<PathBuf>> {
        let includes = [self.folder.clone(), source_folder().join("tiny")];
        let map = format!("-ffile-prefix-map={}=.", self.folder.display());
        let mut switches = SWITCHES.to_vec();
        switches.extend(["-c", &map]);
        sources
            .iter()
            .enumerate()
            .map(|(index, source)| {
                let object = self.folder.join(format!("{name}-{index}.o"));
                let source = std::slice::from_ref(source);
                toolchain.compile(level, source, &includes, &switches, &object)?;
                Ok(object)
            })
            .collect()
    }
}

/// Sources of the tiny C library for a toolchain.
pub(super) fn tiny_sources(toolchain: Toolchain) -> Vec<PathBuf> {
    let tiny = source_folder().join("tiny");
    let mut sources =
        vec![tiny.join("unity.c"), tiny.join("arch").join(start_file(toolchain.target))];
    // Clang's support library for big-endian ARM asks for atomics that nothing has.
    if !toolchain.has_support_library() || toolchain.target == Target::ArmBe {
        sources.push(tiny.join("divide.c"));
    }
    sources
}

/// The assembly file with a target's entry point and system call.
fn start_file(target: Target) -> &'static str {
    match target {
        Target::Armv5 | Target::Armv7Thumb | Target::ArmBe => "arm.S",
        Target::Aarch64 => "aarch64.S",
        Target::MipsBe | Target::MipsLe => "mips.S",
        Target::PowerPc => "powerpc.S",
        Target::Sparc32 => "sparc.S",
        Target::Sh4 => "sh4.S",
        Target::M68k | Target::ColdFire => "m68k.S",
        Target::X86 => "x86.S",
        Target::X86_64 => "x86_64.S",
        Target::Riscv64 => "riscv64.S",
    }
}
