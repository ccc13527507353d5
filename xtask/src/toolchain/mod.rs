//! Cross toolchains: which compiler and C library builds a specimen for which CPU type.
//!
//! ```text
//! Toolchain { target, libc, compiler }
//!   ├── gcc.rs     GNU cross compilers of the distribution
//!   │   └── sh4.rs a repair that the SuperH one needs
//!   ├── zig.rs     clang, lld and musl in one package
//!   ├── uclibc.rs  uClibc-ng built from source with the GNU cross compilers
//!   └── strip.rs   symbols and section headers taken out afterwards
//! ```
//!
//! Output is deterministic: no build id, no time stamp, no path of the checkout.

mod cli;
mod elf;
mod gcc;
mod install;
pub(crate) mod process;
mod sh4;
mod strip;
mod target;
mod uclibc;
mod zig;

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
};

use anyhow::{Context, bail};

pub(crate) use cli::{Args, run};
pub(crate) use install::install;
pub(crate) use target::{Endian, Target};

/// The C library a specimen is linked with, always statically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Libc {
    /// None: `-nostdlib -ffreestanding`, the specimen brings its own start code and
    /// functions; the compiler's support library is linked where it exists
    /// (see [`Toolchain::has_support_library`]).
    Tiny,
    /// The GNU C library.
    Glibc,
    /// musl.
    Musl,
    /// uClibc-ng, configured small.
    Uclibc,
}

impl Libc {
    /// Stable label for names and truth labels.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Libc::Tiny => "tiny",
            Libc::Glibc => "glibc",
            Libc::Musl => "musl",
            Libc::Uclibc => "uclibc",
        }
    }
}

/// The compiler family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Compiler {
    /// GNU Compiler Collection.
    Gcc,
    /// LLVM's C compiler.
    Clang,
}

impl Compiler {
    /// Stable label for names and truth labels.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Compiler::Gcc => "gcc",
            Compiler::Clang => "clang",
        }
    }
}

/// One way to build a specimen: CPU type, C library and compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Toolchain {
    /// CPU type the output runs on.
    pub(crate) target: Target,
    /// C library the output is linked with.
    pub(crate) libc: Libc,
    /// Compiler that makes it.
    pub(crate) compiler: Compiler,
}

impl Toolchain {
    /// Every combination that can be installed, target by target.
    pub(crate) fn all() -> Vec<Toolchain> {
        let libcs = [Libc::Tiny, Libc::Glibc, Libc::Musl, Libc::Uclibc];
        let compilers = [Compiler::Gcc, Compiler::Clang];
        Target::ALL
            .iter()
            .flat_map(|&target| libcs.iter().map(move |&libc| (target, libc)))
            .flat_map(|(target, libc)| {
                compilers.iter().map(move |&compiler| Toolchain { target, libc, compiler })
            })
            .filter(|toolchain| toolchain.exists())
            .collect()
    }

    /// Whether anybody offers this combination.
    fn exists(&self) -> bool {
        match self.compiler {
            Compiler::Gcc if self.libc == Libc::Uclibc => uclibc::offers(self.target),
            Compiler::Gcc => gcc::offers(self.target, self.libc),
            Compiler::Clang => zig::offers(self.target, self.libc),
        }
    }

    /// Stable label such as `mips-be-gcc-glibc`; [`FromStr`] reads it back.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}-{}", self.target, self.compiler.name(), self.libc.name())
    }

    /// Whether the combination can compile now, judged by the files it needs.
    pub(crate) fn installed(&self) -> bool {
        match self.compiler {
            Compiler::Gcc if self.libc == Libc::Uclibc => uclibc::installed(self.target),
            Compiler::Gcc => gcc::installed(self.target, self.libc),
            Compiler::Clang => zig::installed(self.target, self.libc),
        }
    }

    /// Whether 64-bit and software arithmetic helpers (`__udivdi3`, `__aeabi_uidiv`, ...)
    /// are linked. Where they are not, a [`Libc::Tiny`] specimen brings its own.
    pub(crate) fn has_support_library(&self) -> bool {
        match self.compiler {
            Compiler::Gcc => gcc::has_support_library(self.target),
            Compiler::Clang => true,
        }
    }

    /// GNU triplet of the target's binutils and GNU compiler.
    pub(crate) fn triplet(&self) -> &'static str {
        gcc::triplet(self.target)
    }

    /// The GNU compiler's switches for the CPU, for foreign build systems.
    pub(crate) fn cpu_flags(&self) -> Vec<String> {
        gcc::cpu_flags(self.target)
    }

    /// Compiles and links `sources` into a static executable with symbols at `output`.
    ///
    /// `opt` is the optimisation switch (`-O2`). `extra` comes last on the command line and
    /// so overrides the defaults (no PIE, no stack protector, no debug information).
    /// With [`Libc::Tiny`] the entry point is the specimen's `_start`.
    ///
    /// # Errors
    /// When the combination does not exist, its compiler cannot be run, or it rejects the
    /// sources; the message then holds the compiler's own. Also when the output is not for
    /// the target.
    pub(crate) fn compile(
        &self,
        opt: &str,
        sources: &[PathBuf],
        includes: &[PathBuf],
        extra: &[&str],
        output: &Path,
    ) -> anyhow::Result<()> {
        if !self.exists() {
            bail!("there is no toolchain {}", self.name());
        }
        let job = Job { opt, sources, includes, extra, output };
        let mut command = match self.compiler {
            Compiler::Gcc if self.libc == Libc::Uclibc => uclibc::command(self.target, &job)?,
            Compiler::Gcc => gcc::command(self.target, self.libc, &job),
            Compiler::Clang => zig::command(self.target, self.libc, &job),
        };
        process::run(&mut command)
            .with_context(|| format!("{}: cannot build {}", self.name(), output.display()))?;
        elf::verify(self.target, output)
    }

    /// Takes the symbols out of `file`, in place. Unless `keep_section_headers`, also the
    /// section header table and all bytes behind the last segment.
    ///
    /// # Errors
    /// When the strip program cannot be run or refuses the file, or the file is no ELF.
    pub(crate) fn strip(&self, file: &Path, keep_section_headers: bool) -> anyhow::Result<()> {
        strip::symbols(self.target, file)?;
        if !keep_section_headers {
            strip::section_headers(file)?;
        }
        Ok(())
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl FromStr for Toolchain {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Toolchain> {
        Toolchain::all()
            .into_iter()
            .find(|toolchain| toolchain.name() == name)
            .with_context(|| format!("{name}: no such toolchain"))
    }
}

/// What one compiler run is asked for.
struct Job<'a> {
    opt: &'a str,
    sources: &'a [PathBuf],
    includes: &'a [PathBuf],
    extra: &'a [&'a str],
    output: &'a Path,
}

/// Switches that every compiler gets: reproducible, no hardening that the field's builds
/// do not have, no unwind tables that would only pad the file.
const COMMON_FLAGS: &[&str] = &[
    "-static",
    "-fno-pie",
    "-no-pie",
    "-fno-stack-protector",
    "-U_FORTIFY_SOURCE",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-Werror=date-time",
    "-Wl,--build-id=none",
];

/// Switches for [`Libc::Tiny`].
const TINY_FLAGS: &[&str] = &["-nostdlib", "-ffreestanding"];

/// Adds what does not depend on the compiler: optimisation, common switches, include
/// folders and the mapping that keeps the checkout's path out of the file.
fn add_common(command: &mut Command, libc: Libc, job: &Job<'_>) {
    command.arg(job.opt).args(COMMON_FLAGS);
    if libc == Libc::Tiny {
        command.args(TINY_FLAGS);
    }
    let mut map = OsString::from("-ffile-prefix-map=");
    map.push(workspace_root());
    map.push("=.");
    command.arg(map);
    for include in job.includes {
        command.arg("-I").arg(include);
    }
    // Both compilers read the C locale's messages best, and neither may see a clock.
    command.env("LC_ALL", "C").env("SOURCE_DATE_EPOCH", "0");
}

/// The checkout.
pub(crate) fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// Where toolchains that the distribution does not package are kept.
pub(crate) fn cache_dir() -> PathBuf {
    workspace_root().join("target").join("toolchains")
}

#[cfg(test)]
mod tests;
