//! Ordinary programs print what they print under QEMU.
//!
//! Programs that nobody wrote for this project run from their entry point to their end with the
//! virtual Linux around them, with arguments, input and files, and must print and end as under QEMU:
//! the distribution's BusyBox, Lua of every compiler and C library, and a program of the project's own
//! that asks the kernel with the numbers and structures of its headers.
//!
//! ```text
//! programs.rs  where they come from
//! cases.rs     what they are asked to do
//! runs.rs      one case in the emulator and under QEMU
//! ```

mod cases;
mod programs;
mod runs;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::bail;
use rayon::prelude::*;

use crate::toolchain::{Target, Toolchain};

pub(super) use cases::{SYSTEM_STATUS, system};
pub(super) use programs::build_system;
pub(super) use runs::under_qemu;

use cases::FILES;
use programs::Program;

/// Runs every case of every program of these targets, with compilers as far as `allows` them.
///
/// # Errors
/// When a program cannot be made, a case cannot be run, or one differs.
pub(super) fn run(
    targets: &[Target],
    folder: &Path,
    allows: impl Fn(Toolchain) -> bool,
) -> anyhow::Result<()> {
    let files = write_files(folder)?;
    let programs = programs::all(targets, folder, allows)?;
    let differences: Vec<(&Program, Vec<String>)> = programs
        .par_iter()
        .map(|program| {
            let outcomes = program.cases.iter().map(|case| runs::compare(program, case, &files));
            let differences: Vec<String> = outcomes
                .filter_map(Result::err)
                .map(|error| format!("{program}: {error:#}"))
                .collect();
            eprintln!("{program}: {} cases, {} differ", program.cases.len(), differences.len());
            (program, differences)
        })
        .collect();
    show(&differences);
    let faults: Vec<String> = differences.into_iter().flat_map(|(_, faults)| faults).collect();
    if !faults.is_empty() {
        bail!("{} differences:\n{}", faults.len(), faults.join("\n"));
    }
    Ok(())
}

/// Writes the files that programs find, below `folder`; the folder with them.
///
/// # Errors
/// When one cannot be written.
pub(super) fn write_files(folder: &Path) -> anyhow::Result<PathBuf> {
    let files = folder.join("files");
    fs::create_dir_all(&files)?;
    for (name, content) in FILES {
        fs::write(files.join(name), content)?;
    }
    Ok(files)
}

/// One row for each target: its programs by kind, their cases, and how many of these are equal.
fn show(outcomes: &[(&Program, Vec<String>)]) {
    let mut rows: BTreeMap<Target, (Vec<&str>, usize, usize)> = BTreeMap::new();
    for (program, differences) in outcomes {
        let (kinds, cases, equal) = rows.entry(program.target).or_default();
        kinds.push(program.kind);
        *cases += program.cases.len();
        *equal += program.cases.len() - differences.len();
    }
    println!("| target | programs | cases | equal |\n|---|---|---|---|");
    for (target, (mut kinds, cases, equal)) in rows {
        kinds.sort_unstable();
        let counted = kinds.chunk_by(|one, other| one == other);
        let counted: Vec<String> =
            counted.filter_map(|same| Some(format!("{} {}", same.len(), same.first()?))).collect();
        println!("| {target} | {} | {cases} | {equal} |", counted.join(", "));
    }
}
