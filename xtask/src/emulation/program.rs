//! One conformance program: how it is built, recorded by QEMU and compared.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::{mode::Mode, qemu::Machine};
use crate::{
    specimens,
    toolchain::{Compiler, Libc, Target, Toolchain, process, workspace_root},
};

/// The optimisation levels, as the compiler spells them.
const LEVELS: [&str; 6] = ["-O0", "-O1", "-O2", "-O3", "-Os", "-Oz"];

/// The files of `crates/linux/conformance` that every program has.
pub(super) const SOURCES: [&str; 14] = [
    "main.c",
    "memory_tools.c",
    "arithmetic.c",
    "shifts.c",
    "wide.c",
    "control.c",
    "calls.c",
    "memory.c",
    "ciphers.c",
    "hashes.c",
    "text.c",
    "floats.c",
    "library.c",
    "vectors.c",
];

/// The programs that run others in the emulator.
pub(super) struct Emulators {
    /// Function by function.
    pub(super) functions: PathBuf,
    /// From the entry point to the end, with a Linux around it.
    pub(super) whole: PathBuf,
}

impl Emulators {
    /// Runs the program in `file` as a whole and compares what it prints.
    fn compare_whole(&self, file: &Path, expected: &str) -> anyhow::Result<()> {
        let mut command = Command::new(&self.whole);
        // No `fork` of the program is followed to its child.
        command.arg("-").arg(file);
        let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        if printed != expected {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or("").to_owned();
            let same =
                printed.lines().zip(expected.lines()).take_while(|(one, other)| one == other);
            bail!(
                "the whole program prints {} lines as under QEMU, then not: {last}",
                same.count()
            );
        }
        Ok(())
    }
}

/// A way to build the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) toolchain: Toolchain,
    level: &'static str,
    pub(super) mode: Mode,
}

/// What the comparison of one program gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) functions: u64,
    pub(super) cases: u64,
    pub(super) equal: u64,
}

impl Program {
    /// The program of a toolchain at a level such as `O2`; nothing when there is no such level, or
    /// the compiler cannot make the program at it: Zig's takes the symbols out of small programs,
    /// and asks for atomics that older ARM CPUs do not have in unoptimised ones.
    pub(super) fn new(toolchain: Toolchain, level: &str) -> Option<Program> {
        let level = LEVELS.into_iter().find(|known| known.trim_start_matches('-') == level)?;
        let small = matches!(level, "-Os" | "-Oz");
        let old_arm = matches!(toolchain.target, Target::Armv5 | Target::ArmBe);
        let cannot =
            toolchain.compiler == Compiler::Clang && (small || (old_arm && level == "-O0"));
        (!cannot).then_some(Program { toolchain, level, mode: Mode::Usual })
    }

    /// The same program in a mode.
    pub(super) const fn in_mode(self, mode: Mode) -> Program {
        Program { mode, ..self }
    }

    /// Builds the program in `folder`, has QEMU record its results and the emulator compare them:
    /// function by function, and what the whole program prints.
    ///
    /// # Errors
    /// When one of these cannot be done, or the whole program prints something else. A function that
    /// gives something else is none.
    pub(super) fn compare(&self, folder: &Path, emulators: &Emulators) -> anyhow::Result<Counts> {
        let file = folder.join(self.to_string());
        let record = folder.join(format!("{self}.record"));
        self.build(&file)?;
        let printed = self.record(&file)?;
        fs::write(&record, &printed).with_context(|| format!("{}", record.display()))?;
        emulators.compare_whole(&file, &printed)?;
        let mut command = Command::new(&emulators.functions);
        command.arg(&file).arg(&record);
        let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        fs::write(folder.join(format!("{self}.differences")), text.as_bytes())?;
        let counts = text.lines().last().and_then(Counts::parse);
        counts.with_context(|| {
            format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim_end())
        })
    }

    /// Builds the program at `output`, symbols and all.
    pub(super) fn build(&self, output: &Path) -> anyhow::Result<()> {
        let folder = workspace_root().join("crates").join("linux").join("conformance");
        let mut sources: Vec<PathBuf> = SOURCES.iter().map(|name| folder.join(name)).collect();
        let mut includes = vec![folder.clone()];
        let mut extra = vec!["-std=gnu99", "-w"];
        if self.toolchain.libc == Libc::Tiny {
            let (include, library) = specimens::tiny_library(self.toolchain);
            includes.push(include);
            sources.extend(library);
            extra.push("-DTINY_LIBC");
        }
        if !self.toolchain.has_support_library() {
            extra.push("-DNO_SUPPORT_LIBRARY");
        }
        if self.needs_support() {
            sources.push(folder.join("support.c"));
        }
        if self.has_mathematics() {
            extra.extend(["-DWITH_MATH", "-lm"]);
        }
        extra.extend(self.mode.flags());
        self.toolchain.compile(self.level, &sources, &includes, &extra, output)
    }

    /// Whether the compiler's own support library is missing or made for another CPU.
    fn needs_support(&self) -> bool {
        !self.toolchain.has_support_library()
            || matches!(self.toolchain.target, Target::ColdFire | Target::Sparc32)
    }

    /// Whether the library has mathematical functions that can be compared: those of the
    /// distribution's PowerPC glibc use an instruction that QEMU's CPU does not have, and those for
    /// the x87 and the 68881 use transcendental instructions, which the emulator does not model.
    fn has_mathematics(&self) -> bool {
        let has_instructions = matches!(self.toolchain.target, Target::X86 | Target::M68k);
        match self.toolchain.libc {
            Libc::Glibc => !has_instructions && self.toolchain.target != Target::PowerPc,
            Libc::Musl => !has_instructions,
            Libc::Tiny | Libc::Uclibc => false,
        }
    }

    /// What the program prints under QEMU.
    pub(super) fn record(&self, file: &Path) -> anyhow::Result<String> {
        let machine = Machine::of(self.toolchain.target, file)?;
        let mut command = Command::new("timeout");
        command.args(["60", machine.program]).args(machine.switches()).arg(file);
        let record = process::run(&mut command)?;
        if record.is_empty() {
            bail!("{command:?} printed nothing");
        }
        Ok(record)
    }
}

impl Counts {
    /// Reads the last line of the comparison: functions, cases, equal ones.
    fn parse(line: &str) -> Option<Counts> {
        let mut numbers = line.split(' ').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Counts { functions: next()?, cases: next()?, equal: next()? })
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compiler: &Compiler = &self.toolchain.compiler;
        let libc = self.toolchain.libc.name();
        let target = self.toolchain.target;
        write!(f, "{target}{}-{}-{libc}{}", self.mode.suffix(), compiler.name(), self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_first_numbers_of_the_line() {
        let counts = Counts { functions: 2, cases: 16, equal: 15 };
        assert_eq!(Counts::parse("2 16 15 12345"), Some(counts));
        assert_eq!(Counts::parse("no symbol case_x"), None);
    }

    #[test]
    fn every_source_of_the_programs_is_there() {
        let folder = workspace_root().join("crates").join("linux").join("conformance");
        for name in SOURCES {
            assert!(folder.join(name).is_file(), "{name}");
        }
    }
}
