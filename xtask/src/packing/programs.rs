//! Programs that no specimen is: for PowerPC64 in both byte orders, and position-independent ones.

use std::{fs, path::Path, process::Command};

use anyhow::ensure;
use miyaburi_unpackers::{Limits, upx};

use super::packer::Packer;
use crate::toolchain::{Toolchain, process};

const METHODS: [&str; 4] = ["--nrv2b", "--nrv2d", "--nrv2e", "--lzma"];

/// Byte orders of PowerPC64 and the switches that choose them.
const POWERPC64: [(&str, &[&str]); 2] = [
    ("powerpc64, big endian", &["-m64", "-static", "-mbig-endian"]),
    ("powerpc64, little endian", &["-m64", "-static", "-mlittle-endian", "-mabi=elfv2"]),
];

/// CPU types whose position-independent programs the packer takes.
const POSITION_INDEPENDENT: [&str; 7] = [
    "aarch64-gcc-glibc",
    "armv5-gcc-glibc",
    "mips-be-gcc-glibc",
    "mips-le-gcc-glibc",
    "powerpc-gcc-glibc",
    "x86-gcc-glibc",
    "x86_64-gcc-glibc",
];

/// Packs each program with each method, and demands that it comes out as it went in.
///
/// # Errors
/// When one cannot be built, is packed by no packer, or does not come out as it went in.
pub(super) fn run(root: &Path, packers: &[Packer]) -> anyhow::Result<()> {
    for (name, switches) in POWERPC64 {
        let mut compile = Command::new("powerpc-linux-gnu-gcc");
        judge(root, packers, name, compile.args(switches))?;
    }
    for name in POSITION_INDEPENDENT {
        let toolchain: Toolchain = name.parse()?;
        let mut compile = Command::new(format!("{}-gcc", toolchain.triplet()));
        compile.args(toolchain.cpu_flags()).args(["-pie", "-fPIE"]);
        judge(root, packers, &format!("{name}, position-independent"), &mut compile)?;
    }
    Ok(())
}

/// The same of the program that a compiler makes.
fn judge(root: &Path, packers: &[Packer], name: &str, compile: &mut Command) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("program");
    compile.args(["-O1", "-nostdlib", "-Wl,-e,begin", "-o"]).arg(&program);
    process::run(compile.arg(root.join("xtask/src/packing/shared/library.c")))?;
    let original = fs::read(&program)?;
    let mut count = 0;
    for (packer, method) in packers.iter().flat_map(|it| METHODS.map(|method| (it, method))) {
        let Some(packed) = packer.pack(&program, method)? else { continue };
        let unpacked = upx::unpack(&packed, Limits::default())?;
        let is_whole = unpacked.is_some_and(|it| it.file == original && it.repairs.is_empty());
        ensure!(is_whole, "{name}, {} {method}: the program does not come out", packer.version);
        count += 1;
    }
    ensure!(count >= METHODS.len(), "{name}: only {count} programs were packed");
    println!("{name}: {count} files, unpacked to what was packed");
    Ok(())
}
