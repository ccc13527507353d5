//! Making toolchains available on this machine.

use std::{collections::BTreeSet, process::Command};

use super::{Compiler, Libc, Target, Toolchain, process, sh4, uclibc, zig};

/// Installs what `wanted` needs and is not there yet; prints each step. Needs root for
/// the distribution's packages.
///
/// # Errors
/// When a package manager or a build fails; the message holds its own.
pub(crate) fn install(wanted: &[Toolchain]) -> anyhow::Result<()> {
    let missing: Vec<Toolchain> = wanted.iter().copied().filter(|it| !it.installed()).collect();
    let packages: BTreeSet<&str> = missing.iter().flat_map(|it| packages(*it)).collect();
    if !packages.is_empty() {
        apt_install(&packages)?;
    }
    if missing.iter().any(|it| it.compiler == Compiler::Clang) {
        zig::install()?;
    }
    if missing.iter().any(|it| it.target == Target::Sh4) {
        sh4::install()?;
    }
    for toolchain in missing.iter().filter(|it| it.libc == Libc::Uclibc) {
        uclibc::install(toolchain.target)?;
    }
    for toolchain in missing.iter().filter(|it| it.libc == Libc::Musl) {
        warm(*toolchain)?;
    }
    for toolchain in &missing {
        println!(
            "{toolchain}: {}",
            if toolchain.installed() { "installed" } else { "still missing" }
        );
    }
    Ok(())
}

/// Has the driver compile musl into its cache, so that the first specimen is not charged.
fn warm(toolchain: Toolchain) -> anyhow::Result<()> {
    println!("{toolchain}: compiling the C library");
    let dir = tempfile::tempdir()?;
    let source = dir.path().join("empty.c");
    std::fs::write(&source, "int main(void) { return 0; }\n")?;
    toolchain.compile("-O2", &[source], &[], &[], &dir.path().join("empty"))
}

/// Runs apt-get for packages.
fn apt_install(packages: &BTreeSet<&str>) -> anyhow::Result<()> {
    let names: Vec<&str> = packages.iter().copied().collect();
    println!("apt-get install {}", names.join(" "));
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "--yes", "--no-install-recommends"])
        .args(names);
    process::run(&mut command)?;
    Ok(())
}

/// The Debian packages of a toolchain.
fn packages(toolchain: Toolchain) -> Vec<&'static str> {
    if toolchain.compiler == Compiler::Clang {
        // Stripping uses the target's own binutils whatever compiled the file.
        return vec!["python3-pip", binutils_package(toolchain.target)];
    }
    let mut packages = vec![compiler_package(toolchain.target)];
    if toolchain.target == Target::Sh4 {
        packages.extend(sh4::PACKAGES);
    }
    if toolchain.target == Target::Sparc32 {
        packages.push("gcc-multilib-sparc64-linux-gnu");
    }
    if toolchain.libc != Libc::Tiny {
        packages.push(libc_package(toolchain.target));
    }
    if toolchain.libc == Libc::Uclibc {
        // The C library packages above bring the kernel's headers.
        packages.extend(["uclibc-source", "make", "xz-utils"]);
    }
    packages
}

fn compiler_package(target: Target) -> &'static str {
    match target {
        Target::Armv5 | Target::Armv7Thumb | Target::ArmBe => "gcc-arm-linux-gnueabi",
        Target::Aarch64 => "gcc-aarch64-linux-gnu",
        Target::MipsBe => "gcc-mips-linux-gnu",
        Target::MipsLe => "gcc-mipsel-linux-gnu",
        Target::PowerPc => "gcc-powerpc-linux-gnu",
        Target::Sparc32 => "gcc-sparc64-linux-gnu",
        Target::Sh4 => "gcc-sh4-linux-gnu",
        Target::M68k | Target::ColdFire => "gcc-m68k-linux-gnu",
        Target::X86 => "gcc-i686-linux-gnu",
        Target::X86_64 => "gcc-x86-64-linux-gnu",
        Target::Riscv64 => "gcc-riscv64-linux-gnu",
    }
}

fn binutils_package(target: Target) -> &'static str {
    match target {
        Target::Armv5 | Target::Armv7Thumb | Target::ArmBe => "binutils-arm-linux-gnueabi",
        Target::Aarch64 => "binutils-aarch64-linux-gnu",
        Target::MipsBe => "binutils-mips-linux-gnu",
        Target::MipsLe => "binutils-mipsel-linux-gnu",
        Target::PowerPc => "binutils-powerpc-linux-gnu",
        Target::Sparc32 => "binutils-sparc64-linux-gnu",
        Target::Sh4 => "binutils-sh4-linux-gnu",
        Target::M68k | Target::ColdFire => "binutils-m68k-linux-gnu",
        Target::X86 => "binutils-i686-linux-gnu",
        Target::X86_64 => "binutils-x86-64-linux-gnu",
        Target::Riscv64 => "binutils-riscv64-linux-gnu",
    }
}

fn libc_package(target: Target) -> &'static str {
    match target {
        Target::Armv5 | Target::Armv7Thumb | Target::ArmBe => "libc6-dev-armel-cross",
        Target::Aarch64 => "libc6-dev-arm64-cross",
        Target::MipsBe => "libc6-dev-mips-cross",
        Target::MipsLe => "libc6-dev-mipsel-cross",
        Target::PowerPc => "libc6-dev-powerpc-cross",
        Target::Sparc32 => "libc6-dev-sparc-sparc64-cross",
        Target::Sh4 => "libc6-dev-sh4-cross",
        Target::M68k | Target::ColdFire => "libc6-dev-m68k-cross",
        Target::X86 => "libc6-dev-i386-cross",
        Target::X86_64 => "libc6-dev",
        Target::Riscv64 => "libc6-dev-riscv64-cross",
    }
}
