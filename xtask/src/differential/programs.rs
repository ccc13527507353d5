//! Static programs of every target, built with the distribution's cross compilers.

use super::source::freestanding;
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of one target.
struct Program {
    name: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
    /// Linked with a static C library, else freestanding.
    with_library: bool,
}

const fn library(
    name: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
) -> Program {
    Program { name, compiler, flags, with_library: true }
}

const fn bare(
    name: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
) -> Program {
    Program { name, compiler, flags, with_library: false }
}

const PROGRAMS: &[Program] = &[
    library("glibc-x86_64", "x86_64-linux-gnu-gcc", &["-O2"]),
    library("glibc-i686", "i686-linux-gnu-gcc", &["-O2"]),
    library("glibc-arm", "arm-linux-gnueabi-gcc", &["-O2"]),
    library("glibc-aarch64", "aarch64-linux-gnu-gcc", &["-O2"]),
    library("glibc-mips", "mips-linux-gnu-gcc", &["-O2"]),
    library("glibc-mipsel", "mipsel-linux-gnu-gcc", &["-O2"]),
    library("glibc-powerpc", "powerpc-linux-gnu-gcc", &["-O2"]),
    library("glibc-sparc", "sparc64-linux-gnu-gcc", &["-m32", "-O2"]),
    library("glibc-sh4", "sh4-linux-gnu-gcc", &["-O2"]),
    library("glibc-m68k", "m68k-linux-gnu-gcc", &["-O2"]),
    library("glibc-riscv64", "riscv64-linux-gnu-gcc", &["-O2"]),
    bare("x86_64-O0", "x86_64-linux-gnu-gcc", &["-O0", "-fPIC"]),
    bare("i686-pic", "i686-linux-gnu-gcc", &["-O1", "-fPIC"]),
    bare("armv4", "arm-linux-gnueabi-gcc", &["-O2", "-marm", "-march=armv4"]),
    bare("armv7", "arm-linux-gnueabi-gcc", &["-O2", "-marm", "-march=armv7-a"]),
    bare("arm-be", "arm-linux-gnueabi-gcc", &["-O2", "-marm", "-march=armv5te", "-mbig-endian"]),
    bare("thumb1", "arm-linux-gnueabi-gcc", &["-O2", "-mthumb", "-march=armv5te"]),
    bare("thumb2", "arm-linux-gnueabi-gcc", &["-O2", "-mthumb", "-march=armv7-a"]),
    bare(
        "thumb-be",
        "arm-linux-gnueabi-gcc",
        &["-O2", "-mthumb", "-march=armv5te", "-mbig-endian"],
    ),
    bare(
        "mips1",
        "mips-linux-gnu-gcc",
        &["-O1", "-march=mips1", "-mfp32", "-mno-abicalls", "-fno-pic"],
    ),
    bare("mips16", "mips-linux-gnu-gcc", &["-O2", "-mips16", "-mno-abicalls", "-fno-pic"]),
    bare("powerpc-pic", "powerpc-linux-gnu-gcc", &["-O1", "-fPIC"]),
    bare("sparc-v8", "sparc64-linux-gnu-gcc", &["-m32", "-O1", "-mcpu=v8"]),
    bare("sparc-v8plus", "sparc64-linux-gnu-gcc", &["-m32", "-O2", "-mcpu=v9", "-mv8plus"]),
    bare("m68000", "m68k-linux-gnu-gcc", &["-O2", "-mcpu=68000"]),
    bare("coldfire", "m68k-linux-gnu-gcc", &["-O2", "-mcpu=5475"]),
    bare("riscv64-g", "riscv64-linux-gnu-gcc", &["-O0", "-march=rv64g"]),
];

/// Uses enough of the C library that the greater part of it is linked.
const WITH_LIBRARY: &str = "\
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(int argc, char **argv) {
  printf(\"%s %f\\n\", argv[0], pow((double)argc, 1.5));
  return (int)strtol(argv[0], 0, 0) + (int)time(0);
}
";

/// Builds the programs into `folder`.
///
/// # Errors
/// When one of them cannot be built, unless `installed_only` has it left out and named.
pub(crate) fn build(folder: &Path, installed_only: bool) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let sources = [("library.c", WITH_LIBRARY.to_owned()), ("freestanding.c", freestanding())];
    for (name, source) in sources {
        std::fs::write(folder.join(name), source).with_context(|| format!("writing {name}"))?;
    }
    let (mut built, mut missing) = (Vec::new(), Vec::new());
    for program in PROGRAMS {
        let output = folder.join(program.name);
        let mut compile = Command::new(program.compiler);
        compile.args(["-w", "-static"]).args(program.flags).arg("-o").arg(&output);
        if program.with_library {
            compile.arg(folder.join("library.c")).arg("-lm");
        } else {
            compile.args(["-ffreestanding", "-nostdlib", "-fno-stack-protector", "-no-pie"]);
            // Big-endian and ColdFire support libraries are not packaged: what is missing stays
            // unresolved, and is never executed.
            compile.args(["-Wl,--unresolved-symbols=ignore-all"]);
            compile.arg(folder.join("freestanding.c"));
        }
        match compile.status() {
            Ok(status) if status.success() => built.push(output),
            Ok(status) => missing.push(format!("{}: {}: {status}", program.name, program.compiler)),
            Err(error) => missing.push(format!("{}: {}: {error}", program.name, program.compiler)),
        }
    }
    for reason in &missing {
        eprintln!("{reason}");
    }
    ensure!(installed_only || missing.is_empty(), "{} programs were not built", missing.len());
    Ok(built)
}
