//! `cargo xtask test`: every check of the project, in one run with one closing line.
//!
//! Without options it needs neither root nor the network. `--all` first installs what the rest
//! needs (cross compilers, cargo-deny) and then checks licences, builds and scores specimens of a
//! fresh seed, reads files that are no specimens, runs damaged files and random code, watches what
//! the command does to the host, compares the lifter with its reference and the emulator with QEMU.
//! Known vulnerabilities of dependencies are not checked: that needs a database from the network.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use clap::ValueEnum;

use crate::{
    components, layers,
    steps::{Steps, show},
    toolchain::workspace_root,
};

/// What must be right in every specimen of [`EXACT_FORK`] for [`EXACT_TARGETS`].
const EXACT_FIELDS: &str = "verdict,sample.arch,sample.cpu,sample.bits,sample.endian,endpoints,\
    string_table.key,string_table.effective_key,string_table.sha256,string_table.entries,\
    credentials.effective_key,credentials.sha256,credentials.entries";

/// The fork that [`EXACT_FIELDS`] are required of.
const EXACT_FORK: &str = "classic";

/// The CPU types that [`EXACT_FIELDS`] are required of.
const EXACT_TARGETS: &str = "x86,powerpc";

/// Share of those files in percent that must be exact. All of the bundled ones are, which the
/// tests assert; of a seed nobody has seen, one file in many is not.
const REQUIRED_EXACT: &str = "75";

/// One of so many specimens is built: all of them take longer than the rest of the run. A prime,
/// so that the choice does not keep step with targets, libraries or forks.
const ONE_OF: &str = "17";

/// The programs whose functions and arguments are measured, and what is required of every target:
/// `bench/analysis-accuracy.md` records all programs.
const ACCURACY: [&str; 7] = [
    "--installed-only",
    "--libraries",
    "tiny,glibc",
    "--one-of",
    "3",
    "--require",
    REQUIRED_ACCURACY,
];

/// Recall and precision of every target in percent.
const REQUIRED_ACCURACY: &str = "99";

/// Random bytes of each mode in the comparison with the reference lifter.
const RANDOM_BYTES: &str = "8192";

/// Damaged files, random bytes of each mode, and bytes of its pattern: some minutes on two cores.
const ROBUSTNESS: [&str; 6] = ["--files", "800", "--random-code", "32768", "--patterns", "1048576"];

/// Optimisation levels of the programs that the emulator and QEMU run.
const EMULATION_LEVELS: &str = "O0,Os";

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also install what is missing and run what needs it
    #[arg(long)]
    all: bool,
    /// Leave a component out of `--all`
    #[arg(long, value_name = "NAME", requires = "all")]
    without: Vec<Component>,
    /// Seed of the specimens (default: from the clock)
    #[arg(long, requires = "all")]
    seed: Option<u64>,
}

/// A part of `--all` that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Component {
    /// Licences, duplicates and sources of dependencies
    Deny,
    /// Specimens of a fresh seed, analysed and scored
    Specimens,
    /// Functions and arguments against what the build knows
    Accuracy,
    /// Files in which nothing may be found
    Negatives,
    /// Lifter and reference compared
    Differential,
    /// Emulator and QEMU compared
    Emulation,
    /// More damaged files and random code than the tests run
    Robustness,
    /// What the command does to the host while it analyses
    Confinement,
    /// Captures of attacks in the eyes of tshark
    Captures,
    /// Documents, scripts and rules in the eyes of the programs that they are for
    Consumers,
    /// Exports in the programs that they are for
    Exports,
    /// Logs of real servers and probes
    Producers,
    /// Files of the real packer, damaged
    Packing,
}

/// Runs `cargo xtask test`: every step, whatever the others gave.
pub(crate) fn run(args: &Args) -> ExitCode {
    let root = workspace_root();
    let mut steps = Steps::default();
    if args.all {
        steps.run("Rust components", || components::install_rust_components(&root));
    }
    run_checks(&root, &mut steps);
    if args.all {
        run_all(&root, args, &mut steps);
    }
    steps.finish()
}

/// What needs neither root nor the network.
fn run_checks(root: &Path, steps: &mut Steps) {
    steps.run("format", || show(root, "cargo", &["fmt", "--all", "--check"]));
    steps.run("lints", || {
        let arguments =
            ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        show(root, "cargo", &arguments)
    });
    steps.run("layers", layers::run);
    if components::has_cargo_command("nextest") {
        steps.run("tests", || show(root, "cargo", &["nextest", "run", "--workspace"]));
        steps.run("documentation tests", || show(root, "cargo", &["test", "--workspace", "--doc"]));
    } else {
        steps.run("tests", || show(root, "cargo", &["test", "--workspace"]));
    }
}

fn run_all(root: &Path, args: &Args, steps: &mut Steps) {
    let wants = |component: Component| {
        let left_out = args.without.contains(&component);
        if left_out {
            println!("\nleft out: {component:?}");
        }
        !left_out
    };
    if wants(Component::Deny) {
        steps.run("licences, bans and sources of dependencies", || {
            let deny = components::cargo_deny(root)?;
            show(root, deny, &["check", "licenses", "bans", "sources"])
        });
    }
    if wants(Component::Specimens) {
        steps.run("cross toolchains", || components::install_toolchains(root));
        steps.run("specimens of a fresh seed", || score_specimens(root, args.seed));
    }
    if wants(Component::Accuracy) {
        steps.run("cross toolchains", || components::install_toolchains(root));
        for measure in ["functions", "arguments"] {
            steps.run(&format!("accuracy of {measure}"), || {
                task(root, &[&["accuracy", measure], &ACCURACY[..]].concat())
            });
        }
    }
    if wants(Component::Negatives) {
        steps.run("negatives", || score_negatives(root));
    }
    if wants(Component::Robustness) {
        steps.run("damaged files and random code", || {
            task(root, &[&["robustness"], &ROBUSTNESS[..]].concat())
        });
    }
    if wants(Component::Confinement) {
        steps.run("strace", || components::install_strace(root));
        steps.run("nothing reaches the host", || task(root, &["confinement"]));
    }
    if wants(Component::Captures) {
        steps.run("tshark", || components::install_tshark(root));
        steps.run("captures of attacks", || task(root, &["captures"]));
    }
    if wants(Component::Consumers) {
        steps.run("consumers of documents, scripts and rules", || task(root, &["consumers"]));
    }
    if wants(Component::Exports) {
        steps.run("resolvers and packet filter", || components::install_resolvers_and_filter(root));
        steps.run("Suricata", components::install_suricata);
        steps.run("exports in their consumers", || task(root, &["exports"]));
    }
    if wants(Component::Producers) {
        steps.run("servers and probes", || components::install_producers(root));
        steps.run("Suricata", components::install_suricata);
        steps.run("hunting in the logs of real servers", || task(root, &["producers"]));
    }
    if wants(Component::Packing) {
        steps.run("files that UPX packed", || task(root, &["packing"]));
    }
    if wants(Component::Differential) {
        steps.run("C++ compiler and cross toolchains", || {
            components::install_cpp_compiler(root)?;
            components::install_toolchains(root)
        });
        steps.run("lifter against its reference", || {
            task(root, &["differential", "--random-bytes", RANDOM_BYTES])
        });
    }
    if wants(Component::Emulation) {
        steps.run("QEMU and cross toolchains", || {
            components::install_qemu(root)?;
            components::install_toolchains(root)
        });
        steps.run("emulator against QEMU", || {
            task(root, &["emulation", "--compilers", "gcc", "--levels", EMULATION_LEVELS])
        });
    }
}

/// Builds specimens nobody has seen before, analyses them and compares with their truth: a sample
/// of all, which must be analysed without a failure, and those that must be exact.
fn score_specimens(root: &Path, seed: Option<u64>) -> anyhow::Result<()> {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_secs());
    let seed = match seed {
        Some(seed) => seed,
        None => clock().context("the clock stands before 1970")?,
    };
    println!("seed {seed}");
    let sample = fresh_specimens(root, seed, "sample", &["--one-of", ONE_OF])?;
    score(root, &extract(root, &sample)?, &sample.join("truth.ndjson"), &[])?;
    let chosen = ["--forks", EXACT_FORK, "--targets", EXACT_TARGETS];
    let exact = fresh_specimens(root, seed, "exact", &chosen)?;
    let required = ["--fields", EXACT_FIELDS, "--require", REQUIRED_EXACT];
    score(root, &extract(root, &exact)?, &exact.join("truth.ndjson"), &required)
}

/// Builds the chosen specimens of a seed with the compilers that are there; the folder they are in.
fn fresh_specimens(root: &Path, seed: u64, name: &str, choice: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = root.join("target").join("fresh-specimens").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    }
    let (seed, out) = (seed.to_string(), folder.display().to_string());
    let fresh = ["specimens", "--installed-only", "--seed", &seed, "--out", &out];
    task(root, &[&fresh[..], choice].concat())?;
    Ok(folder)
}

/// Fetches benign files and analyses them: nothing may be found in any.
fn score_negatives(root: &Path) -> anyhow::Result<()> {
    task(root, &["negatives", "--fetched-only"])?;
    let folder = root.join("target").join("negatives");
    let reports = extract(root, &folder.join("files"))?;
    score(root, &reports, &folder.join("truth.ndjson"), &["--require", "100"])
}

/// Analyses every file below `files`; the path of the reports.
fn extract(root: &Path, files: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join("target").join("reports");
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let name = files.strip_prefix(root).unwrap_or(files).display().to_string();
    let reports = folder.join(format!("{}.ndjson", name.replace(['/', '\\'], "-")));
    let (files, output) = (files.display().to_string(), reports.display().to_string());
    miyaburi(root, &["extract", &files, "--format", "ndjson", "--output", &output])?;
    Ok(reports)
}

/// Compares reports with their truth.
fn score(root: &Path, reports: &Path, truth: &Path, options: &[&str]) -> anyhow::Result<()> {
    let (reports, truth) = (reports.display().to_string(), truth.display().to_string());
    let arguments = ["score", &reports, "--truth", &truth];
    miyaburi(root, &[&arguments[..], options].concat())
}

fn miyaburi(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    // The profile of the tests: optimised, and its dependencies are built already.
    let run = ["run", "--quiet", "--profile", "test", "--bin", "miyaburi", "--"];
    show(root, "cargo", &[&run[..], arguments].concat())
}

/// Runs another task of this program.
fn task(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    show(root, env::current_exe().context("path of this program")?, arguments)
}
