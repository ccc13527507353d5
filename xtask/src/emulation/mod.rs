//! Compares the emulator with QEMU, function by function.
//!
//! The functions are those of `crates/linux/conformance`. Each is called with several sets of
//! inputs by the program itself under QEMU, which records what came out, and by the emulator in the
//! very same file. What a function should give is never asked of the emulator. Then the whole file
//! runs in the emulator, with a Linux around it, and must print what it printed under QEMU.
//!
//! ```text
//! program.rs  one file: how it is built, recorded and compared
//! mode.rs     instruction sets and byte orders beside the usual ones
//! table.rs    what came of all of them, by target
//! ordinary/   ordinary programs, from their entry point to their end
//! rates.rs    instructions a second, against QEMU
//! qemu.rs     which of QEMU's programs runs a file
//! kept.rs     the programs that are kept with the project
//! ```

mod kept;
mod mode;
mod ordinary;
mod program;
mod qemu;
mod rates;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use rayon::prelude::*;

use crate::{
    specifications::status,
    toolchain::{Compiler, Libc, Target, Toolchain, workspace_root},
};

use mode::Mode;
use program::{Emulators, Program};
use table::Table;

/// Arguments of `cargo xtask emulation`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these targets, by their label
    #[arg(long, value_delimiter = ',')]
    targets: Vec<String>,
    /// Only these C libraries, by their label
    #[arg(long, value_delimiter = ',')]
    libcs: Vec<String>,
    /// Only these compilers, by their label
    #[arg(long, value_delimiter = ',')]
    compilers: Vec<String>,
    /// Optimisation levels
    #[arg(long, value_delimiter = ',', default_value = "O0,O2,O3,Os")]
    levels: Vec<String>,
    /// Run ordinary programs only, no single functions
    #[arg(long)]
    ordinary: bool,
    /// Measure instructions a second instead, write them to this file, and print the middle ones
    #[arg(long, value_name = "FILE")]
    rates: Option<PathBuf>,
    /// Write the programs that the tests keep anew instead
    #[arg(long)]
    update: bool,
}

/// Runs `cargo xtask emulation`: with every compiler that is there, whatever the others gave.
///
/// # Errors
/// When a file cannot be built, recorded or compared, anything differs, a program compares next to
/// nothing, or a target that is asked for has no program.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = workspace_root().join("target").join("emulation");
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    if args.update {
        return kept::write(&folder);
    }
    if let Some(path) = &args.rates {
        return measure(&targets(args), &folder, path);
    }
    ordinary::run(&targets(args), &folder, |toolchain| {
        allows(&args.libcs, toolchain.libc.name())
            && allows(&args.compilers, toolchain.compiler.name())
    })?;
    if args.ordinary {
        return Ok(());
    }
    let programs = chosen(args);
    if programs.is_empty() {
        bail!("no compiler is left by these choices");
    }
    let emulators = Emulators {
        functions: build_example("miyaburi-linux", "conformance")?,
        whole: build_example("miyaburi-linux", "trace_program")?,
    };
    let outcomes: Vec<_> = programs
        .par_iter()
        .map(|program| {
            let counts = program.compare(&folder, &emulators);
            eprintln!("{program}: {}", table::brief(&counts));
            (*program, counts)
        })
        .collect();
    let table = Table::new(&targets(args), &outcomes);
    println!("{table}");
    match table.faults() {
        [] => Ok(()),
        faults => bail!("{} faults:\n{}", faults.len(), faults.join("\n")),
    }
}

/// Measures these targets one after the other, writes all rows to `path` and prints the middle ones.
fn measure(targets: &[Target], folder: &Path, path: &Path) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut text = format!("{}\n", rates::COLUMNS);
    for target in targets {
        for row in rates::measure(*target, folder)? {
            text.push_str(&format!("{row}\n"));
            rows.push(row);
        }
        eprintln!("{target}");
    }
    fs::write(path, text).with_context(|| path.display().to_string())?;
    print!("{}", rates::summary(&rows));
    Ok(())
}

/// The targets that are asked for.
fn targets(args: &Args) -> Vec<Target> {
    let is_wanted = |target: &Target| allows(&args.targets, target.name());
    Target::ALL.into_iter().filter(is_wanted).collect()
}

/// Whether a choice, empty for everything, has a name in it.
fn allows(list: &[String], name: &str) -> bool {
    list.is_empty() || list.iter().any(|listed| listed == name)
}

/// Programs of the compilers that are installed, as far as the arguments allow.
fn chosen(args: &Args) -> Vec<Program> {
    Toolchain::all()
        .into_iter()
        .filter(|toolchain| {
            allows(&args.targets, toolchain.target.name())
                && allows(&args.libcs, toolchain.libc.name())
                && allows(&args.compilers, toolchain.compiler.name())
                && !is_left_out(*toolchain)
                && toolchain.installed()
        })
        .flat_map(|toolchain| {
            args.levels.iter().filter_map(move |level| Program::new(toolchain, level))
        })
        .flat_map(|program| {
            Mode::of(program.toolchain).iter().map(move |mode| program.in_mode(*mode))
        })
        .collect()
}

/// What cannot be compared. The distribution's SuperH glibc is miscompiled: its start-up code never
/// ends, under QEMU too.
fn is_left_out(toolchain: Toolchain) -> bool {
    let Toolchain { target, libc, compiler } = toolchain;
    (libc, compiler, target) == (Libc::Glibc, Compiler::Gcc, Target::Sh4)
}

/// Builds a program that runs others in the emulator; its path.
fn build_example(package: &str, example: &str) -> anyhow::Result<PathBuf> {
    let root = workspace_root();
    let build = ["build", "--quiet", "--profile", "test", "--package", package];
    status(Command::new("cargo").args(build).args(["--example", example]).current_dir(&root))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(target.join("debug").join("examples").join(example))
}
