//! The programs that are kept with the project, so that its tests need no compiler and no QEMU.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use lzma_rust2::{XzOptions, XzWriter};
use std::io::Write as _;

use crate::toolchain::{Compiler, Libc, Target, Toolchain, workspace_root};

use super::{ordinary, program::Program};

/// Relative to the workspace's root: the functions, and the programs that ask the kernel.
const FUNCTIONS: &str = "crates/linux/tests/fixtures/conformance.tar.xz";
const SYSTEM: &str = "crates/linux/tests/fixtures/system.tar.xz";

/// The optimisation level of the kept programs.
const LEVEL: &str = "Os";

/// Builds and records two programs for each target and writes them as two archives.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    write_functions(folder)?;
    write_system(folder)
}

/// The programs that ask the kernel, with what they print in the folder of ordinary programs.
fn write_system(folder: &Path) -> anyhow::Result<()> {
    let files = ordinary::write_files(folder)?;
    let mut archive = tar::Builder::new(Vec::new());
    for target in Target::ALL {
        let toolchain = Toolchain { target, libc: Libc::Tiny, compiler: Compiler::Gcc };
        let file = folder.join(format!("{target}-system"));
        ordinary::build_system(toolchain, "-Os", &file)?;
        let outcome = ordinary::under_qemu(target, &file, &ordinary::system(), &files)?;
        if outcome.status != ordinary::SYSTEM_STATUS {
            bail!("{target}: under QEMU the program ends with {}", outcome.status);
        }
        append(&mut archive, target.name(), &fs::read(&file)?)?;
        append(&mut archive, &format!("{target}.record"), &outcome.printed)?;
    }
    write_archive(archive, SYSTEM)
}

fn write_functions(folder: &Path) -> anyhow::Result<()> {
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
    write_archive(archive, FUNCTIONS)
}

/// Writes an archive to a path relative to the workspace's root.
fn write_archive(archive: tar::Builder<Vec<u8>>, name: &str) -> anyhow::Result<()> {
    let bytes = compressed(&archive.into_inner()?)?;
    let path = workspace_root().join(name);
    fs::write(&path, &bytes).with_context(|| format!("{}", path.display()))?;
    println!("{name}: {} bytes", bytes.len());
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
