//! What the distribution's SuperH compiler needs to make right code.
//!
//! Its `sh_treg_combine` passes drop the comparison of a 32-bit load with zero, so loops
//! over a table and tests of weak symbols go wrong at `-O1` and above. The distribution's
//! own SuperH glibc and start files carry that damage: glibc hangs in `__libc_start_main`,
//! and `crtbeginT.o` calls a null pointer. A plugin closes the passes' gate for what is
//! built here; uClibc-ng, built with it, gives SuperH files that run.

use std::{fs, path::PathBuf, process::Command};

use super::{Target, cache_dir, gcc, process};

/// The plugin's source. The built plugin is kept as long as this is unchanged.
const SOURCE: &str = include_str!("sh4_pass_gate.cc");

/// Packages that building it needs. A plugin fits one version of the compiler.
pub(super) const PACKAGES: [&str; 2] = ["gcc-12-plugin-dev-sh4-linux-gnu", "g++"];

/// Folder of source and plugin.
fn home() -> PathBuf {
    cache_dir().join("sh4")
}

fn plugin() -> PathBuf {
    home().join("pass_gate.so")
}

/// The switch that loads the plugin.
pub(super) fn flag() -> String {
    format!("-fplugin={}", plugin().display())
}

/// Whether the present plugin is built.
pub(super) fn installed() -> bool {
    plugin().is_file()
        && fs::read_to_string(home().join("pass_gate.cc")).is_ok_and(|source| source == SOURCE)
}

/// Builds the plugin unless it is there.
pub(super) fn install() -> anyhow::Result<()> {
    if installed() {
        return Ok(());
    }
    println!("building the SuperH compiler's plugin");
    fs::create_dir_all(home())?;
    let compiler = gcc::compiler(Target::Sh4);
    let headers = process::run(Command::new(compiler).arg("-print-file-name=plugin"))?;
    // Written last, since it is what `installed` compares.
    let staged = home().join("staged.cc");
    fs::write(&staged, SOURCE)?;
    let mut command = Command::new("g++");
    command
        .args(["-O1", "-fPIC", "-shared", "-fno-rtti", "-I"])
        .arg(PathBuf::from(headers.trim()).join("include"))
        .arg("-o")
        .arg(plugin())
        .arg(&staged);
    process::run(&mut command)?;
    fs::rename(staged, home().join("pass_gate.cc"))?;
    Ok(())
}
