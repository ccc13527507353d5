//! Where ordinary programs come from.

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::cases::{self, Case};
use crate::{
    emulation::is_left_out,
    negatives, specimens,
    toolchain::{Compiler, Libc, Target, Toolchain, workspace_root},
};

/// The distribution's architectures whose static BusyBox is among the benign files.
const BUSYBOXES: [(&str, Target); 6] = [
    ("amd64", Target::X86_64),
    ("arm64", Target::Aarch64),
    ("armel", Target::Armv5),
    ("armhf", Target::Armv7Thumb),
    ("i386", Target::X86),
    ("mipsel", Target::MipsLe),
];

/// Optimisation levels of the program that asks the kernel.
const LEVELS: [&str; 3] = ["-O0", "-O2", "-Os"];

/// A program with what it is asked to do.
pub(super) struct Program {
    pub(super) kind: &'static str,
    pub(super) target: Target,
    /// How it was made.
    build: String,
    pub(super) file: PathBuf,
    pub(super) cases: Vec<Case>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.kind, self.build)
    }
}

/// All programs of these targets: those that the project builds with the compilers that are there
/// and allowed, and BusyBox where it was fetched.
///
/// # Errors
/// When one cannot be built.
pub(super) fn all(
    targets: &[Target],
    folder: &Path,
    allows: impl Fn(Toolchain) -> bool,
) -> anyhow::Result<Vec<Program>> {
    let mut programs = Vec::new();
    let is_usable = |toolchain: &Toolchain| {
        targets.contains(&toolchain.target)
            && allows(*toolchain)
            && !is_left_out(*toolchain)
            && toolchain.installed()
    };
    for toolchain in Toolchain::all().into_iter().filter(is_usable) {
        match toolchain.libc {
            Libc::Tiny if toolchain.compiler == Compiler::Gcc => {
                for level in LEVELS {
                    programs.push(system(toolchain, level, folder)?);
                }
            }
            // Lua wants mathematics, which uClibc is built without.
            Libc::Tiny | Libc::Uclibc => {}
            Libc::Glibc | Libc::Musl => programs.push(lua(toolchain, folder)?),
        }
    }
    for (architecture, target) in BUSYBOXES {
        if targets.contains(&target) {
            programs.extend(busybox(architecture, target, folder)?);
        }
    }
    Ok(programs)
}

fn system(toolchain: Toolchain, level: &str, folder: &Path) -> anyhow::Result<Program> {
    let build = format!("{toolchain}{level}");
    let file = folder.join(format!("system-{build}"));
    build_system(toolchain, level, &file)?;
    let cases = vec![cases::system()];
    Ok(Program { kind: "system", target: toolchain.target, build, file, cases })
}

/// Builds the program that asks the kernel.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn build_system(toolchain: Toolchain, level: &str, output: &Path) -> anyhow::Result<()> {
    let (include, mut sources) = specimens::tiny_library(toolchain);
    let linux = workspace_root().join("crates").join("linux");
    sources.insert(0, linux.join("ordinary").join("system.c"));
    toolchain.compile(level, &sources, &[include], &["-std=gnu99", "-w"], output)
}

/// Builds the distribution's Lua, unless that was done.
fn lua(toolchain: Toolchain, folder: &Path) -> anyhow::Result<Program> {
    let build = toolchain.to_string();
    let file = folder.join(format!("lua-{build}"));
    if !file.is_file() {
        let tree = negatives::source("lua5.4")?.join("src");
        let mut sources = Vec::new();
        for entry in fs::read_dir(&tree)? {
            let path = entry?.path();
            let is_source = path.extension().is_some_and(|it| it == "c");
            // Another program, and both in one.
            let is_other = path.file_stem().is_some_and(|it| it == "luac" || it == "onelua");
            if is_source && !is_other {
                sources.push(path);
            }
        }
        sources.sort();
        // The distribution's build makes it: where libraries lie that are loaded, which none is here.
        let header = folder.join("lua");
        fs::create_dir_all(&header)?;
        fs::write(header.join("lua5.4-deb-multiarch.h"), "#define DEB_HOST_MULTIARCH \"none\"\n")?;
        let includes = [tree, header];
        toolchain.compile("-O2", &sources, &includes, &["-std=gnu99", "-w", "-lm"], &file)?;
    }
    Ok(Program { kind: "lua", target: toolchain.target, build, file, cases: cases::lua() })
}

/// The distribution's static BusyBox, where it is among the benign files.
fn busybox(architecture: &str, target: Target, folder: &Path) -> anyhow::Result<Option<Program>> {
    let fetched = negatives::home().join("files").join(architecture).join("busybox-static.busybox");
    if !fetched.is_file() {
        eprintln!("{architecture}: no BusyBox was fetched (cargo xtask negatives)");
        return Ok(None);
    }
    let file = folder.join(format!("busybox-{architecture}"));
    fs::copy(&fetched, &file)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    let build = architecture.to_owned();
    Ok(Some(Program { kind: "busybox", target, build, file, cases: cases::busybox() }))
}
