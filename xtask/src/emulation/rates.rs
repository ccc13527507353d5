//! How many instructions a second the emulator runs, against QEMU, on the same functions in the same
//! run.
//!
//! One program for each target (GCC, no C library) calls a function of `crates/linux/conformance`
//! as often as it is told. Both machines run the very same file and must print the same; time is that
//! of the processor, and that of a run without a call is taken away: start, translation of the start,
//! and QEMU's own.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::Image;
use miyaburi_linux::{Ended, Process, Setup};

use super::{program::SOURCES, qemu::Machine};
use crate::{
    specimens,
    toolchain::{Compiler, Libc, Target, Toolchain, process, workspace_root},
};

/// What routines that keep strings and configurations are made of, and two that are not.
const CASES: [&str; 8] = [
    "rc4",
    "chacha20",
    "xtea_both_ways",
    "aes128_both_ways",
    "crc32_by_table",
    "sha256",
    "substring_search",
    "quick_sort",
];

/// Instructions that the emulator runs of each function, at least.
const INSTRUCTIONS: u64 = 10_000_000;

/// As many times more calls for QEMU, whose time is counted in hundredths of a second.
const MORE_CALLS: u64 = 120;

/// Less than this, ten steps of QEMU's clock, tells nothing.
const MIN_SECONDS: f64 = 0.1;

/// The best of so many runs counts: other work on the machine only makes them slower.
const ROUNDS: usize = 3;

/// More than any run takes.
const LIMITS: Limits = Limits { instructions: u64::MAX, depth: 10_000, ..Limits::DEFAULT };

/// Pages of 4 KiB that a program may touch.
const PAGES: usize = 4096;

/// One function of one target; displays as a row of `bench/emulation-rates.tsv`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    target: Target,
    case: &'static str,
    /// Instructions of one call, as the emulator counts them.
    instructions: f64,
    /// Seconds of one call.
    emulator: f64,
    qemu: f64,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { target, case, instructions, emulator, qemu } = self;
        write!(
            f,
            "{target}\t{case}\t{instructions:.0}\t{:.2}\t{:.3}\t{:.1}\t{:.1}",
            emulator * 1e6,
            qemu * 1e6,
            instructions / emulator / 1e6,
            emulator / qemu
        )
    }
}

/// What the columns of a [`Row`] hold.
pub(super) const COLUMNS: &str = "target\tfunction\tinstructions_per_call\temulator_us_per_call\t\
    qemu_us_per_call\temulator_million_instructions_per_second\temulator_time_to_qemu_time";

/// Measures all functions of a target, with its program in `folder`.
///
/// # Errors
/// When the program cannot be built or run, or prints something else than under QEMU.
pub(super) fn measure(target: Target, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let file = build(target, folder)?;
    let machine = Machine::of(target, &file)?;
    CASES.into_iter().map(|case| row(target, case, &file, machine)).collect()
}

/// One line for each target: the middle of its functions.
pub(super) fn summary(rows: &[Row]) -> String {
    let mut text =
        "| target | million instructions a second | time to QEMU's |\n|---|---|---|\n".to_owned();
    for rows in rows.chunk_by(|one, other| one.target == other.target) {
        let Some(first) = rows.first() else { continue };
        let rate = middle(rows.iter().map(|row| row.instructions / row.emulator / 1e6).collect());
        let ratio = middle(rows.iter().map(|row| row.emulator / row.qemu).collect());
        text.push_str(&format!("| {} | {rate:.1} | {ratio:.1} |\n", first.target));
    }
    text
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn build(target: Target, folder: &Path) -> anyhow::Result<PathBuf> {
    let toolchain = Toolchain { target, libc: Libc::Tiny, compiler: Compiler::Gcc };
    let linux = workspace_root().join("crates").join("linux");
    let conformance = linux.join("conformance");
    let mut sources = vec![linux.join("ordinary").join("repeat.c")];
    sources.extend(SOURCES.iter().filter(|name| **name != "main.c").map(|it| conformance.join(it)));
    let (include, library) = specimens::tiny_library(toolchain);
    sources.extend(library);
    let mut extra = vec!["-std=gnu99", "-w", "-DTINY_LIBC"];
    if !toolchain.has_support_library() {
        extra.push("-DNO_SUPPORT_LIBRARY");
    }
    if !toolchain.has_support_library() || matches!(target, Target::ColdFire | Target::Sparc32) {
        sources.push(conformance.join("support.c"));
    }
    let file = folder.join(format!("{target}-repeat"));
    toolchain.compile("-O2", &sources, &[conformance, include], &extra, &file)?;
    Ok(file)
}

fn row(target: Target, case: &'static str, file: &Path, machine: Machine) -> anyhow::Result<Row> {
    let bytes = fs::read(file)?;
    let one = emulated(&bytes, case, 1)?.instructions - emulated(&bytes, case, 0)?.instructions;
    let calls = (INSTRUCTIONS / one.max(1)).max(1);
    let more = calls * MORE_CALLS;
    let (many, expected) =
        (emulated(&bytes, case, calls)?, under_qemu(machine, file, case, calls)?);
    if many.printed != expected.printed {
        bail!("{target}: {case} gives {}, under QEMU {}", many.printed, expected.printed);
    }
    let none = emulated(&bytes, case, 0)?;
    let instructions = (many.instructions - none.instructions) as f64 / calls as f64;
    // The best of each apart: a bad run without a call must not make the others look good.
    let best = |run: &dyn Fn() -> anyhow::Result<Run>| -> anyhow::Result<f64> {
        (0..ROUNDS).try_fold(f64::INFINITY, |best, _| Ok(best.min(run()?.seconds)))
    };
    let emulator = best(&|| emulated(&bytes, case, calls))? - best(&|| emulated(&bytes, case, 0))?;
    let qemu = best(&|| under_qemu(machine, file, case, more))?
        - best(&|| under_qemu(machine, file, case, 0))?;
    if qemu < MIN_SECONDS {
        bail!("{target}: {case} takes {qemu} seconds under QEMU, too little to be measured");
    }
    let (emulator, qemu) = (emulator / calls as f64, qemu / more as f64);
    Ok(Row { target, case, instructions, emulator, qemu })
}

/// What one run took and printed.
struct Run {
    printed: String,
    seconds: f64,
    /// Of the emulator alone.
    instructions: u64,
}

fn emulated(file: &[u8], case: &str, calls: u64) -> anyhow::Result<Run> {
    let image = Image::parse(file)?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let abi = Abi::new(image.arch(), &*language)?;
    let mut emulator = Emulator::new(&image, &*language, abi);
    let arguments = ["repeat", case, &calls.to_string()].map(|it| it.as_bytes().to_vec());
    let setup = Setup { arguments: arguments.to_vec(), ..Setup::default() };
    let mut process = Process::start(&emulator, &*language, &image, file, &setup, PAGES)?;
    let before = own_seconds()?;
    let outcome = process.run(&mut emulator, &LIMITS);
    let seconds = own_seconds()? - before;
    if process.ended() != Some(Ended::Exited(0)) {
        bail!("{case}: {:?}, {:?}", process.ended(), outcome.exit);
    }
    let printed = String::from_utf8_lossy(process.kernel.written(1)).into_owned();
    Ok(Run { printed, seconds, instructions: outcome.instructions })
}

fn under_qemu(machine: Machine, file: &Path, case: &str, calls: u64) -> anyhow::Result<Run> {
    let mut command = Command::new(machine.program);
    command.args(machine.switches()).arg(file).args([case, &calls.to_string()]);
    let before = childrens_seconds()?;
    let printed = process::run(&mut command)?;
    let seconds = childrens_seconds()? - before;
    Ok(Run { printed, seconds, instructions: 0 })
}

/// Processor time of this thread, from the scheduler's own count in nanoseconds.
fn own_seconds() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().context("no time in schedstat")?;
    Ok(first.parse::<f64>()? / 1e9)
}

/// Processor time of all children that have ended, in hundredths of a second (`man 5 proc`).
fn childrens_seconds() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // Behind the name in brackets; the 16th and 17th field of all.
    let behind = text.rsplit(')').next().context("no name in stat")?;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("too few fields in stat")?.parse()?)
    };
    Ok((ticks(13)? + ticks(14)?) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::{Row, middle};
    use crate::toolchain::Target;

    #[test]
    fn rows_hold_rates_and_ratios() {
        let row = Row {
            target: Target::Sh4,
            case: "rc4",
            instructions: 1000.0,
            emulator: 2e-5,
            qemu: 4e-6,
        };
        assert_eq!(row.to_string(), "sh4\trc4\t1000\t20.00\t4.000\t50.0\t5.0");
        assert_eq!(middle(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
