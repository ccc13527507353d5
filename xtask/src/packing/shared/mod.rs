//! Shared objects, which the packer packs in place, in both ways in which linkers lay them out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;
use miyaburi_unpackers::{Limits, upx};

use super::packer::Packer;
use crate::toolchain::{Toolchain, process};

const TOOLCHAINS: [&str; 4] =
    ["aarch64-gcc-glibc", "armv5-gcc-glibc", "x86-gcc-glibc", "x86_64-gcc-glibc"];

/// Switches of the linker, with a word for them.
const LAYOUTS: [(&str, &str); 2] =
    [("together", "-Wl,-z,noseparate-code"), ("apart", "-Wl,-z,separate-code")];

/// Packed shared objects that there are at least: the packers do not take all, and of what the older one
/// takes, it cannot undo all itself.
const FEWEST: usize = 8;

/// Packs shared objects, and demands that each comes out as it went in; the packed files go to `keep`
/// where a folder is named.
///
/// # Errors
/// When one cannot be built, too few are packed, or one does not come out as it went in.
pub(super) fn run(root: &Path, packers: &[Packer], keep: Option<&Path>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut count = 0;
    for name in TOOLCHAINS {
        for (layout, switch) in LAYOUTS {
            let library = build(root, &name.parse()?, switch, folder.path())?;
            let original = fs::read(&library)?;
            for packer in packers {
                let Some(packed) = packer.pack(&library, "--lzma")? else { continue };
                if !packer.undoes(&packed)? {
                    continue;
                }
                let cpu = name.trim_end_matches("-gcc-glibc");
                let version = packer.version.to_lowercase().replace(' ', "-");
                let name = format!("{cpu}.shared-{layout}.{version}");
                let unpacked = upx::unpack(&packed, Limits::default())?;
                let found = unpacked.filter(|it| it.file == original && it.repairs.is_empty());
                ensure!(found.is_some(), "{name}: the shared object does not come out");
                if let Some(keep) = keep {
                    fs::write(keep.join(&name), &packed)?;
                    fs::write(keep.join(format!("{cpu}.shared-{layout}")), &original)?;
                }
                println!("{name}: {} bytes, unpacked to what was packed", packed.len());
                count += 1;
            }
        }
    }
    ensure!(count >= FEWEST, "only {count} shared objects were packed");
    Ok(())
}

fn build(
    root: &Path,
    toolchain: &Toolchain,
    layout: &str,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let output = folder.join("library.so");
    let mut compile = Command::new(format!("{}-gcc", toolchain.triplet()));
    compile.args(toolchain.cpu_flags()).args(["-shared", "-fPIC", "-O1", "-nostdlib", layout]);
    compile.args(["-Wl,-init,begin", "-Wl,--build-id=none", "-o"]).arg(&output);
    process::run(compile.arg(root.join("xtask/src/packing/shared/library.c")))?;
    Ok(output)
}
