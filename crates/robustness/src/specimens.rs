//! The files that are damaged.

use anyhow::{Context, ensure};
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

/// A well-formed file.
#[derive(Clone, Debug)]
pub(crate) struct Specimen {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// The ELF files in a tar file under xz or in a folder, by size.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Specimen>> {
    let found = if path.is_dir() { read_folder(path) } else { read_archive(path) };
    let mut specimens = found.with_context(|| format!("{}", path.display()))?;
    specimens.retain(|specimen| specimen.bytes.starts_with(b"\x7fELF"));
    specimens.sort_by(|a, b| (a.bytes.len(), &a.name).cmp(&(b.bytes.len(), &b.name)));
    ensure!(!specimens.is_empty(), "{} holds no ELF file", path.display());
    Ok(specimens)
}

fn read_folder(path: &Path) -> anyhow::Result<Vec<Specimen>> {
    let mut specimens = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            specimens.push(Specimen { name, bytes: fs::read(entry.path())? });
        }
    }
    Ok(specimens)
}

fn read_archive(path: &Path) -> anyhow::Result<Vec<Specimen>> {
    let file = BufReader::new(File::open(path)?);
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(file, false));
    let mut specimens = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        specimens.push(Specimen { name, bytes });
    }
    Ok(specimens)
}
