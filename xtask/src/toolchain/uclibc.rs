//! uClibc-ng built from the distribution's source package with the GNU cross compilers.
//!
//! Static library only, configured by `specimens/uclibc/common.config` and one fragment
//! per target. A build is kept as long as those two files are unchanged.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use super::{Job, Libc, Target, add_common, cache_dir, gcc, process, sh4, workspace_root};

/// The version in Debian 12's `uclibc-source` package.
const VERSION: &str = "1.0.35";

/// Supplies what uClibc-ng leaves undefined when it is built without shared objects.
const PAGE_SIZE_OBJECT: &str = "page_size.o";

/// The `ARCH` of uClibc's makefiles, or nothing where no configuration is kept.
fn arch(target: Target) -> Option<&'static str> {
    Some(match target {
        Target::Armv5 => "arm",
        Target::MipsBe | Target::MipsLe => "mips",
        Target::X86 => "i386",
        Target::PowerPc => "powerpc",
        Target::Sparc32 => "sparc",
        Target::Sh4 => "sh",
        Target::M68k => "m68k",
        Target::Armv7Thumb
        | Target::ArmBe
        | Target::Aarch64
        | Target::ColdFire
        | Target::X86_64
        | Target::Riscv64 => return None,
    })
}

/// Whether a configuration is kept for the target.
pub(super) fn offers(target: Target) -> bool {
    arch(target).is_some()
}

/// Whether the compiler is there and the library was built with the present configuration.
pub(super) fn installed(target: Target) -> bool {
    if !gcc::installed(target, Libc::Tiny) {
        return false;
    }
    let stamp = fs::read_to_string(home(target).join("built.config"));
    matches!((stamp, configuration(target)), (Ok(built), Ok(wanted)) if built == wanted)
}

/// Folder of one target's build.
fn home(target: Target) -> PathBuf {
    cache_dir().join(format!("uclibc-{VERSION}")).join(target.name())
}

/// The configuration: the common part, the target's own, and nothing of the machine.
fn configuration(target: Target) -> anyhow::Result<String> {
    let dir = workspace_root().join("specimens").join("uclibc");
    let read = |name: &str| {
        let path = dir.join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    Ok(read("common.config")? + &read(&format!("{target}.config"))?)
}

/// Builds the library for `target` unless it is there; a few minutes each.
pub(super) fn install(target: Target) -> anyhow::Result<()> {
    if installed(target) {
        return Ok(());
    }
    let arch = arch(target).with_context(|| format!("{target}: no uClibc configuration"))?;
    println!("building uClibc-ng {VERSION} for {target}");
    let home = home(target);
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    let kernel = kernel_headers(target, &home)?;
    let archive = format!("/usr/src/uClibc-ng-{VERSION}.tar.xz");
    process::run(Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(&home))?;

    let configuration = configuration(target)?;
    let answers = home.join("answers.config");
    fs::write(&answers, format!("{configuration}KERNEL_HEADERS=\"{}\"\n", kernel.display()))?;
    let tree = home.join(format!("uClibc-ng-{VERSION}"));
    let make = |arguments: &[OsString]| {
        let mut command = Command::new("make");
        command
            .current_dir(&tree)
            .arg(format!("ARCH={arch}"))
            .arg(format!("CROSS_COMPILE={}-", gcc::triplet(target)))
            .args(compiler_override(target))
            .args(arguments)
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", "0");
        process::run(&mut command)
    };
    let assign = |name: &str, path: &Path| {
        let mut argument = OsString::from(name);
        argument.push("=");
        argument.push(path);
        argument
    };
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    make(&[assign("KCONFIG_ALLCONFIG", &answers), "allnoconfig".into()])?;
    make(&[format!("-j{jobs}").into()])?;
    make(&[assign("PREFIX", &home.join("root")), "install_dev".into()])?;
    ensure!(library(target, "libc.a").is_file(), "{target}: uClibc built no libc.a");
    let mut command = Command::new(gcc::compiler(target));
    command.args(gcc::cpu_flags(target)).args(["-Os", "-fno-pie", "-c", "-o"]);
    command.arg(library(target, PAGE_SIZE_OBJECT));
    command.arg(workspace_root().join("specimens").join("uclibc").join("page_size.c"));
    process::run(&mut command)?;
    fs::remove_dir_all(&tree)?;
    fs::write(home.join("built.config"), configuration)?;
    Ok(())
}

/// The makefile variable for a compiler that needs a switch in every call.
fn compiler_override(target: Target) -> Option<String> {
    (target == Target::Sh4).then(|| format!("CC={} {}", gcc::compiler(target), sh4::flag()))
}

/// A folder with the kernel's headers alone: the distribution keeps them beside glibc's,
/// which must not be seen.
fn kernel_headers(target: Target, home: &Path) -> anyhow::Result<PathBuf> {
    let dir = home.join("kernel");
    fs::create_dir_all(&dir)?;
    let include = Path::new("/usr").join(gcc::triplet(target)).join("include");
    for name in ["linux", "asm", "asm-generic", "mtd"] {
        let from = include.join(name);
        if from.exists() {
            std::os::unix::fs::symlink(&from, dir.join(name))
                .with_context(|| from.display().to_string())?;
        }
    }
    Ok(dir)
}

/// A file of the installed library.
fn library(target: Target, name: &str) -> PathBuf {
    home(target).join("root").join("usr").join("lib").join(name)
}

/// The command line for `job`: the GNU compiler with its own C library shut out.
pub(super) fn command(target: Target, job: &Job<'_>) -> anyhow::Result<Command> {
    let compiler = gcc::compiler(target);
    let gcc_file = |name: &str| -> anyhow::Result<String> {
        let mut command = Command::new(&compiler);
        command.args(gcc::cpu_flags(target)).arg(format!("-print-file-name={name}"));
        Ok(process::run(&mut command)?.trim().to_owned())
    };
    let mut command = Command::new(&compiler);
    command.args(gcc::cpu_flags(target));
    add_common(&mut command, Libc::Uclibc, job);
    command.args(["-nostdinc", "-nostdlib"]);
    command.arg("-isystem").arg(home(target).join("root").join("usr").join("include"));
    command.arg("-isystem").arg(gcc_file("include")?);
    command.arg("-isystem").arg(home(target).join("kernel"));
    // Some of its assembler files do not say that they need no executable stack.
    command.args(["-Wl,-z,noexecstack", "-o"]).arg(job.output);
    command.arg(library(target, "crt1.o")).arg(library(target, "crti.o"));
    // SuperH's are miscompiled; C without constructors does not need them.
    let start_files = target != Target::Sh4;
    if start_files {
        command.arg(gcc_file("crtbeginT.o")?);
    }
    command.args(job.sources).args(job.extra);
    command.arg("-Wl,--start-group").arg(library(target, "libc.a"));
    command.arg(library(target, PAGE_SIZE_OBJECT));
    command.args(["-lgcc", "-lgcc_eh", "-Wl,--end-group"]);
    if start_files {
        command.arg(gcc_file("crtend.o")?);
    }
    command.arg(library(target, "crtn.o"));
    Ok(command)
}
