//! The programs that are kept with the project, so that its tests need no compiler and no QEMU.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use lzma_rust2::{XzOptions, XzWriter};
use std::io::Write as _;

use crate::toolchain::{Compiler, Libc, Target, Toolchain, workspace_root};

use super::program::Program;

/// Relative to the workspace's root.
const ARCHIVE: &str = "crates/linux/tests/fixtures/conformance.tar.xz";

/// The optimisation level of the kept programs.
const LEVEL: &str = "Os";

/// Builds and records one program for each target and writes them as one archive.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    let mut archive = tar::Builder::new(Vec::new());
    for target in Target::ALL {
        let toolchain = Toolchain { target, libc: Libc::Tiny, compiler: Compiler::Gcc };
        let Some(program) = Program::new(toolchain, LEVEL) else {
            bail!("{target}: no program at {LEVEL}");
        };
        let file = folder.join(format!("{target}-kept"));
        program.build(&file)?;
        let bytes = fs::read(&file).with_context(|| format!("{}", file.display()))?;
        append(&mut archive, target.name(), &bytes)?;
        let record = program.record(&file)?;
        append(&mut archive, &format!("{target}.record"), record.as_bytes())?;
        println!("{program}: {} bytes, {} cases", bytes.len(), record.lines().count());
    }
    let bytes = compressed(&archive.into_inner()?)?;
    let path = workspace_root().join(ARCHIVE);
    fs::write(&path, &bytes).with_context(|| format!("{}", path.display()))?;
    println!("{ARCHIVE}: {} bytes", bytes.len());
    Ok(())
}

/// Adds a file without anything of this machine.
fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, bytes).with_context(|| name.to_owned())
}

fn compressed(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(9))?;
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}
