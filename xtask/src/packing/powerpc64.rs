//! Programs for PowerPC64 in both byte orders, which the packer supports and no specimen is built for.

use std::{fs, path::Path, process::Command};

use anyhow::ensure;
use miyaburi_unpackers::{Limits, upx};

use super::packer::Packer;
use crate::toolchain::process;

/// Byte order and the switches that choose it.
const BUILDS: [(&str, &[&str]); 2] =
    [("be", &["-mbig-endian"]), ("le", &["-mlittle-endian", "-mabi=elfv2"])];

const METHODS: [&str; 4] = ["--nrv2b", "--nrv2d", "--nrv2e", "--lzma"];

/// Packs a program with each method, and demands that it comes out as it went in.
///
/// # Errors
/// When it cannot be built, is not packed, or does not come out as it went in.
pub(super) fn run(root: &Path, packers: &[Packer]) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (order, switches) in BUILDS {
        let program = folder.path().join(order);
        let mut compile = Command::new("powerpc-linux-gnu-gcc");
        compile.args(["-m64", "-O1", "-nostdlib", "-static", "-Wl,-e,begin", "-o"]).arg(&program);
        compile.args(switches).arg(root.join("xtask/src/packing/shared/library.c"));
        process::run(&mut compile)?;
        let original = fs::read(&program)?;
        for (packer, method) in packers.iter().flat_map(|it| METHODS.map(|method| (it, method))) {
            let name = format!("powerpc64, {order}, {} {method}", packer.version);
            let packed = packer.pack(&program, method)?;
            let unpacked =
                packed.map(|packed| upx::unpack(&packed, Limits::default())).transpose()?.flatten();
            let is_whole = unpacked.is_some_and(|it| it.file == original && it.repairs.is_empty());
            ensure!(is_whole, "{name}: the program does not come out");
        }
    }
    println!("powerpc64: {} files, unpacked to what was packed", 8 * packers.len());
    Ok(())
}
