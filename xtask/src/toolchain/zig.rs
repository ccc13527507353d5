//! Clang, lld and musl from the `ziglang` package of the Python package index: one
//! download serves every target, and musl is compiled on first use into a cache.

use std::{path::PathBuf, process::Command};

use super::{Job, Libc, Target, add_common, cache_dir, process};

/// The package's version. Output depends on it, so it is fixed.
const VERSION: &str = "0.15.2";

/// (`-target`, `-mcpu`) for the compiler, or nothing where its LLVM has no back end (SH-4,
/// ColdFire, 68k) or no musl (32-bit SPARC).
fn triple(target: Target) -> Option<(&'static str, Option<&'static str>)> {
    Some(match target {
        Target::Armv5 => ("arm-linux-musleabi", Some("arm926ej_s")),
        Target::Armv7Thumb => ("thumb-linux-musleabi", Some("cortex_a7")),
        Target::ArmBe => ("armeb-linux-musleabi", Some("arm926ej_s")),
        Target::Aarch64 => ("aarch64-linux-musl", None),
        Target::MipsBe => ("mips-linux-musleabi", Some("mips32")),
        Target::MipsLe => ("mipsel-linux-musleabi", Some("mips32")),
        Target::PowerPc => ("powerpc-linux-musleabi", None),
        Target::X86 => ("x86-linux-musl", Some("i586")),
        Target::X86_64 => ("x86_64-linux-musl", None),
        Target::Riscv64 => ("riscv64-linux-musl", None),
        Target::Sparc32 | Target::Sh4 | Target::M68k | Target::ColdFire => return None,
    })
}

/// Whether the package builds for the target.
pub(super) fn offers(target: Target, libc: Libc) -> bool {
    matches!(libc, Libc::Tiny | Libc::Musl) && triple(target).is_some()
}

/// Folder into which the package is installed.
fn home() -> PathBuf {
    cache_dir().join(format!("zig-{VERSION}"))
}

/// The compiler's driver.
fn program() -> PathBuf {
    home().join("ziglang").join("zig")
}

/// Whether the package is there.
pub(super) fn installed(target: Target, libc: Libc) -> bool {
    offers(target, libc) && program().is_file()
}

/// Installs the package.
pub(super) fn install() -> anyhow::Result<()> {
    if program().is_file() {
        return Ok(());
    }
    println!("pip install ziglang=={VERSION}");
    let mut command = Command::new("python3");
    command
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--root-user-action=ignore", "--target"])
        .arg(home())
        .arg(format!("ziglang=={VERSION}"));
    process::run(&mut command)?;
    Ok(())
}

/// The command line for `job`.
pub(super) fn command(target: Target, libc: Libc, job: &Job<'_>) -> Command {
    let mut command = Command::new(program());
    command.arg("cc");
    if let Some((triple, cpu)) = triple(target) {
        command.args(["-target", triple]);
        command.args(cpu.map(|cpu| format!("-mcpu={cpu}")));
    }
    // The driver's defaults include the undefined-behaviour sanitizer, debug information
    // (which names the folder of the sources) and frame pointers.
    command.args(["-fno-sanitize=undefined", "-g0", "-fomit-frame-pointer"]);
    add_common(&mut command, libc, job);
    if libc == Libc::Tiny {
        // lld's default on MIPS is `__start`.
        command.args(["-fno-builtin", "-Wl,-e,_start"]);
    }
    command.arg("-o").arg(job.output).args(job.sources).args(job.extra);
    let cache = cache_dir().join("zig-cache");
    command.env("ZIG_LOCAL_CACHE_DIR", &cache).env("ZIG_GLOBAL_CACHE_DIR", &cache);
    command
}
