//! `cargo xtask test`: every check of the project, in one run with one closing line.
//!
//! Without options it needs neither root nor the network. `--all` first installs what the rest
//! needs (cross compilers, cargo-deny) and then checks licences, builds and scores specimens of a
//! fresh seed, reads files that are no specimens, and compares the lifter with its reference.
//! Known vulnerabilities of dependencies are not checked: that needs a database from the network.

use std::{
    env, fs,
    path::Path,
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

/// Share of specimens in percent whose reports must be exact.
const REQUIRED_EXACT: &str = "0";

/// One of so many specimens is built: all of them take longer than the rest of the run. A prime,
/// so that the choice does not keep step with targets, libraries or forks.
const ONE_OF: &str = "11";

/// Random bytes of each mode in the comparison with the reference lifter.
const RANDOM_BYTES: &str = "16384";

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
    /// Files in which nothing may be found
    Negatives,
    /// Lifter and reference compared
    Differential,
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
    if wants(Component::Negatives) {
        steps.run("negatives", || score_negatives(root));
    }
    if wants(Component::Differential) {
        steps.run("C++ compiler", || components::install_cpp_compiler(root));
        steps.run("lifter against its reference", || {
            task(root, &["differential", "--random-bytes", RANDOM_BYTES])
        });
    }
}

/// Builds specimens nobody has seen before, analyses them and compares with their truth.
fn score_specimens(root: &Path, seed: Option<u64>) -> anyhow::Result<()> {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_secs());
    let seed = match seed {
        Some(seed) => seed,
        None => clock().context("the clock stands before 1970")?,
    };
    println!("seed {seed}");
    let folder = root.join("target").join("fresh-specimens");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    }
    let out = folder.display().to_string();
    task(root, &["specimens", "--seed", &seed.to_string(), "--one-of", ONE_OF, "--out", &out])?;
    score(root, &folder, &folder.join("truth.ndjson"), REQUIRED_EXACT)
}

/// Makes the benign files and analyses them: nothing may be found in any.
fn score_negatives(root: &Path) -> anyhow::Result<()> {
    task(root, &["negatives"])?;
    let folder = root.join("target").join("negatives");
    score(root, &folder.join("files"), &folder.join("truth.ndjson"), "100")
}

/// Analyses every file below `files` and compares the reports with `truth`; the share of exact
/// ones in percent must reach `required`.
fn score(root: &Path, files: &Path, truth: &Path, required: &str) -> anyhow::Result<()> {
    let folder = root.join("target").join("reports");
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let name = files.strip_prefix(root).unwrap_or(files).display().to_string();
    let reports = folder.join(format!("{}.ndjson", name.replace(['/', '\\'], "-")));
    let text = |path: &Path| path.display().to_string();
    let (files, reports, truth) = (text(files), text(&reports), text(truth));
    let miyaburi = |arguments: &[&str]| {
        // The profile of the tests: optimised, and its dependencies are built already.
        let run = ["run", "--quiet", "--profile", "test", "--bin", "miyaburi", "--"];
        show(root, "cargo", &[&run, arguments].concat())
    };
    let extracted = miyaburi(&["extract", &files, "--format", "ndjson", "--output", &reports]);
    // Also when a file failed: the score says which.
    miyaburi(&["score", &reports, "--truth", &truth, "--require", required])?;
    extracted
}

/// Runs another task of this program.
fn task(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    show(root, env::current_exe().context("path of this program")?, arguments)
}
