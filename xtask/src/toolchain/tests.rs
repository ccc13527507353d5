//! Every installed toolchain compiles a freestanding file and its header is right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use super::*;

const SOURCE: &str = r"
static volatile unsigned cell = 7;
static unsigned mix(unsigned a, unsigned b) { return a * 31u + (b ^ 0x5au); }
void _start(void) { for (;;) cell = mix(cell, cell >> 3); }
";

const HOSTED_SOURCE: &str = r#"
#include <stdio.h>
int main(int argc, char **argv) { return printf("%s %d\n", argv[0], argc) < 0; }
"#;

/// (class, byte order, machine) of an ELF header.
fn header(bytes: &[u8]) -> (u8, Endian, u16) {
    assert_eq!(&bytes[..4], b"\x7fELF");
    let pair = [bytes[18], bytes[19]];
    match bytes[5] {
        1 => (bytes[4], Endian::Little, u16::from_le_bytes(pair)),
        2 => (bytes[4], Endian::Big, u16::from_be_bytes(pair)),
        other => panic!("byte order {other}"),
    }
}

/// Number of section headers.
fn section_count(bytes: &[u8]) -> u16 {
    let at = if bytes[4] == 2 { 60 } else { 48 };
    let pair = [bytes[at], bytes[at + 1]];
    if bytes[5] == 2 { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
}

fn build(toolchain: Toolchain, dir: &Path) -> PathBuf {
    let text = if toolchain.libc == Libc::Tiny { SOURCE } else { HOSTED_SOURCE };
    let source = dir.join(format!("{toolchain}.c"));
    fs::write(&source, text).unwrap();
    let output = dir.join(toolchain.name());
    toolchain.compile("-O2", &[source], &[], &[], &output).unwrap();
    output
}

fn check(toolchain: Toolchain, dir: &Path) {
    let output = build(toolchain, dir);
    let whole = fs::read(&output).unwrap();
    let target = toolchain.target;
    let (class, endian, machine) = header(&whole);
    assert_eq!(u32::from(class) * 32, u32::from(target.bits()), "{toolchain}");
    assert_eq!(endian, target.endian(), "{toolchain}");
    assert!(target.elf_machines().contains(&machine), "{toolchain}: machine {machine}");
    assert!(section_count(&whole) > 0, "{toolchain}");

    toolchain.strip(&output, true).unwrap();
    let stripped = fs::read(&output).unwrap();
    assert!(section_count(&stripped) > 0, "{toolchain}");
    assert!(stripped.len() < whole.len(), "{toolchain}");

    toolchain.strip(&output, false).unwrap();
    let bare = fs::read(&output).unwrap();
    assert_eq!(section_count(&bare), 0, "{toolchain}");
    assert!(bare.len() < stripped.len(), "{toolchain}");
    assert_eq!(header(&bare), (class, endian, machine), "{toolchain}");
}

#[test]
fn installed_toolchains_make_the_right_elf() {
    let dir = tempfile::tempdir().unwrap();
    for toolchain in Toolchain::all().into_iter().filter(Toolchain::installed) {
        check(toolchain, dir.path());
    }
}

/// Without its plugin the compiler drops the comparison, and no instruction sets T for the
/// branch.
#[test]
fn superh_compares_what_it_loads() {
    let toolchain = Toolchain { target: Target::Sh4, libc: Libc::Tiny, compiler: Compiler::Gcc };
    if !toolchain.installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (source, output) = (dir.path().join("loop.c"), dir.path().join("loop.s"));
    let text = "unsigned *skip(unsigned *p) { while (*p) p++; return p + 1; }\n";
    fs::write(&source, text).unwrap();
    let job =
        Job { opt: "-O2", sources: &[source], includes: &[], extra: &["-S"], output: &output };
    process::run(&mut gcc::command(Target::Sh4, Libc::Tiny, &job)).unwrap();
    let assembly = fs::read_to_string(&output).unwrap();
    assert!(assembly.contains("tst\t") || assembly.contains("cmp/"), "{assembly}");
}

/// Prints the CRC-32 check value (0xcbf43926, from the catalogue of parametrised CRCs), the
/// length of a list that ends in zero, and a 64-bit quotient.
const KNOWN_ANSWERS: &str = r#"
#include <stdio.h>
static unsigned crc(const char *p) {
    unsigned c = ~0u;
    for (; *p; p++) {
        c ^= (unsigned char)*p;
        for (int i = 0; i < 8; i++) c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}
static volatile unsigned words[] = {5, 7, 9, 0, 3};
static volatile unsigned long long big = 1000000000000ull;
int main(int argc, char **argv) {
    unsigned n = 0;
    for (volatile unsigned *p = words; *p; p++) n++;
    printf("%x %u %llu\n", crc("123456789"), n, big / 7);
    return argc - 1;
}
"#;

/// The user-mode emulator for a target.
fn emulator(target: Target) -> &'static str {
    match target {
        Target::Armv5 | Target::Armv7Thumb => "qemu-arm-static",
        Target::ArmBe => "qemu-armeb-static",
        Target::Aarch64 => "qemu-aarch64-static",
        Target::MipsBe => "qemu-mips-static",
        Target::MipsLe => "qemu-mipsel-static",
        Target::PowerPc => "qemu-ppc-static",
        Target::Sparc32 => "qemu-sparc32plus-static",
        Target::Sh4 => "qemu-sh4-static",
        Target::M68k | Target::ColdFire => "qemu-m68k-static",
        Target::X86 => "qemu-i386-static",
        Target::X86_64 => "qemu-x86_64-static",
        Target::Riscv64 => "qemu-riscv64-static",
    }
}

/// Compilers and C libraries are right: their builds give known answers.
#[test]
#[ignore = "needs qemu-user-static and builds with every toolchain"]
fn builds_compute_known_answers() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("answers.c");
    fs::write(&source, KNOWN_ANSWERS).unwrap();
    let mut wrong = Vec::new();
    for toolchain in Toolchain::all().into_iter().filter(Toolchain::installed) {
        // The distribution's SuperH glibc does not reach main (see `sh4`).
        let broken = toolchain.target == Target::Sh4 && toolchain.libc == Libc::Glibc;
        if toolchain.libc == Libc::Tiny || broken {
            continue;
        }
        // Clang's C library is compiled anew for each level.
        let levels: &[&str] =
            if toolchain.compiler == Compiler::Clang { &["-O2"] } else { &["-O0", "-O2", "-Os"] };
        for opt in levels {
            let output = dir.path().join(format!("{toolchain}{opt}"));
            let built = toolchain.compile(opt, std::slice::from_ref(&source), &[], &[], &output);
            let said = built
                .and_then(|()| process::run(Command::new(emulator(toolchain.target)).arg(&output)))
                .unwrap_or_else(|error| format!("{error:#}"));
            if said != "cbf43926 3 142857142857\n" {
                wrong.push(format!("{toolchain} {opt}: {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_read_back() {
    for toolchain in Toolchain::all() {
        assert_eq!(toolchain.name().parse::<Toolchain>().unwrap(), toolchain);
    }
    assert!("vax-gcc-glibc".parse::<Toolchain>().is_err());
}

#[test]
fn builds_are_deterministic() {
    for toolchain in Toolchain::all().into_iter().filter(Toolchain::installed) {
        let first = tempfile::tempdir().unwrap();
        let second = tempfile::tempdir().unwrap();
        // The folders differ, so no path of theirs may be in the file.
        let (one, two) = (build(toolchain, first.path()), build(toolchain, second.path()));
        assert!(fs::read(one).unwrap() == fs::read(two).unwrap(), "{toolchain}");
    }
}

#[test]
fn a_build_for_another_cpu_is_refused() {
    let Some(toolchain) = Toolchain::all().into_iter().find(Toolchain::installed) else { return };
    let dir = tempfile::tempdir().unwrap();
    let output = build(toolchain, dir.path());
    elf::verify(toolchain.target, &output).unwrap();
    let other = if toolchain.target == Target::Sh4 { Target::X86 } else { Target::Sh4 };
    let error = elf::verify(other, &output).expect_err("another CPU");
    assert!(error.to_string().contains("built for another CPU"), "{error:#}");
}

#[test]
fn compiler_errors_are_carried() {
    let Some(toolchain) = Toolchain::all().into_iter().find(Toolchain::installed) else { return };
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("broken.c");
    fs::write(&source, "int main(void) { return no_such_name; }").unwrap();
    let error = toolchain
        .compile("-O0", &[source], &[], &[], &dir.path().join("out"))
        .expect_err("undeclared name");
    assert!(format!("{error:#}").contains("no_such_name"), "{error:#}");
}

#[test]
fn stripping_what_is_no_elf_fails() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("text");
    fs::write(&file, "#!/bin/sh\n").unwrap();
    assert!(strip::section_headers(&file).is_err());
}
