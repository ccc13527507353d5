//! The programs that are kept with the project, one for each CPU type.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::io::Read as _;

/// Written by `cargo xtask emulation --update`: for each target a program and, as `TARGET.record`,
/// what it printed under QEMU.
const FUNCTIONS: &[u8] = include_bytes!("../fixtures/conformance.tar.xz");

/// The same of the programs that ask the kernel.
const SYSTEM: &[u8] = include_bytes!("../fixtures/system.tar.xz");

/// One program with its record.
pub struct Kept {
    pub target: String,
    pub file: Vec<u8>,
    pub record: String,
}

/// All conformance programs, by target.
///
/// # Errors
/// When the archive is damaged.
pub fn kept() -> Result<Vec<Kept>, Box<dyn std::error::Error>> {
    kept_in(FUNCTIONS)
}

/// All programs that ask the kernel, by target.
///
/// # Errors
/// When the archive is damaged.
pub fn kept_system() -> Result<Vec<Kept>, Box<dyn std::error::Error>> {
    kept_in(SYSTEM)
}

fn kept_in(archive: &[u8]) -> Result<Vec<Kept>, Box<dyn std::error::Error>> {
    let reader = lzma_rust2::XzReader::new(archive, false);
    let mut archive = tar::Archive::new(reader);
    let mut files = BTreeMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(name, bytes);
    }
    let targets: Vec<String> =
        files.keys().filter(|name| !name.ends_with(".record")).cloned().collect();
    targets
        .into_iter()
        .map(|target| {
            let record = files.remove(&format!("{target}.record")).ok_or("no record")?;
            let file = files.remove(&target).ok_or("no program")?;
            Ok(Kept { target, file, record: String::from_utf8(record)? })
        })
        .collect()
}
