//! The distribution's GNU cross compilers.

use std::{path::Path, process::Command};

use super::{Job, Libc, Target, add_common, process, sh4};

/// GNU triplet: the prefix of the compiler and the binutils.
pub(super) fn triplet(target: Target) -> &'static str {
    match target {
        Target::Armv5 | Target::Armv7Thumb | Target::ArmBe => "arm-linux-gnueabi",
        Target::Aarch64 => "aarch64-linux-gnu",
        Target::MipsBe => "mips-linux-gnu",
        Target::MipsLe => "mipsel-linux-gnu",
        Target::PowerPc => "powerpc-linux-gnu",
        Target::Sparc32 => "sparc64-linux-gnu",
        Target::Sh4 => "sh4-linux-gnu",
        Target::M68k | Target::ColdFire => "m68k-linux-gnu",
        Target::X86 => "i686-linux-gnu",
        Target::X86_64 => "x86_64-linux-gnu",
        Target::Riscv64 => "riscv64-linux-gnu",
    }
}

/// Switches that every call for the target needs: they select the CPU within the
/// compiler's family and, for SuperH, mend the compiler.
pub(super) fn cpu_flags(target: Target) -> Vec<String> {
    let mut flags: Vec<String> = variant_flags(target).iter().map(|it| (*it).to_owned()).collect();
    if target == Target::Sh4 {
        flags.push(sh4::flag());
    }
    flags
}

fn variant_flags(target: Target) -> &'static [&'static str] {
    match target {
        Target::Armv5 => &["-marm", "-march=armv5te", "-mfloat-abi=soft"],
        Target::Armv7Thumb => {
            &["-mthumb", "-march=armv7-a", "-mfloat-abi=softfp", "-mfpu=vfpv3-d16"]
        }
        Target::ArmBe => &["-marm", "-march=armv5te", "-mfloat-abi=soft", "-mbig-endian"],
        Target::MipsBe | Target::MipsLe => &["-mabi=32", "-march=mips32"],
        Target::Sparc32 => &["-m32", "-mcpu=v8"],
        Target::ColdFire => &["-mcpu=5475"],
        Target::X86 => &["-march=i586", "-mno-sse"],
        Target::Aarch64
        | Target::PowerPc
        | Target::Sh4
        | Target::M68k
        | Target::X86_64
        | Target::Riscv64 => &[],
    }
}

/// Whether the distribution has the C library for the target: there is no big-endian ARM
/// and no ColdFire build of glibc.
pub(super) fn offers(target: Target, libc: Libc) -> bool {
    match libc {
        Libc::Tiny => true,
        Libc::Glibc => !matches!(target, Target::ArmBe | Target::ColdFire),
        Libc::Musl | Libc::Uclibc => false,
    }
}

/// Whether libgcc exists for the target.
pub(super) fn has_support_library(target: Target) -> bool {
    target != Target::ArmBe
}

/// The compiler's program name.
pub(super) fn compiler(target: Target) -> String {
    format!("{}-gcc", triplet(target))
}

/// Whether compiler and library are there.
pub(super) fn installed(target: Target, libc: Libc) -> bool {
    let compiler = compiler(target);
    let mended = target != Target::Sh4 || sh4::installed();
    if !offers(target, libc) || !mended || process::find_program(&compiler).is_none() {
        return false;
    }
    match libc {
        Libc::Glibc => has_library(&compiler, target, "libc.a"),
        Libc::Tiny => !has_support_library(target) || has_library(&compiler, target, "libgcc.a"),
        Libc::Musl | Libc::Uclibc => false,
    }
}

/// Asks the compiler for a library; it answers with the bare name when it has none.
fn has_library(compiler: &str, target: Target, library: &str) -> bool {
    let mut command = Command::new(compiler);
    command.args(variant_flags(target)).arg(format!("-print-file-name={library}"));
    process::run(&mut command).is_ok_and(|path| Path::new(path.trim()).is_file())
}

/// The command line for `job`.
pub(super) fn command(target: Target, libc: Libc, job: &Job<'_>) -> Command {
    let mut command = Command::new(compiler(target));
    command.args(cpu_flags(target));
    add_common(&mut command, libc, job);
    if libc == Libc::Tiny {
        // Without it, the optimiser turns the specimen's memcpy into a call of itself.
        command.arg("-fno-tree-loop-distribute-patterns");
    }
    command.arg("-o").arg(job.output).args(job.sources).args(job.extra);
    if libc == Libc::Tiny && has_support_library(target) {
        command.arg("-lgcc");
    }
    command
}
