//! Hands what the command writes for other programs to these programs: documents of `extract
//! --format maco` to MACO's model, tables of `events` to Arrow's own library, scripts of `--format labels` to a Python interpreter, the
//! nftables rules of `plan` to nft.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

use crate::{components, toolchain::workspace_root};

/// A victim of documentation, to make whole commands of the plan's.
const VICTIM: &str = "198.51.100.7";

/// Lines of the logs among the specimens that are events.
const EVENTS: &str = "12";

/// What the rules of a plan go into.
const CHAIN: &str = "add table inet filter\nadd chain inet filter forward { type filter hook forward priority 0; }\n";

/// Runs `cargo xtask consumers`.
///
/// # Errors
/// When a program is missing, or does not take what was written for it.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = workspace_root();
    let folder = root.join("target").join("consumers");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    let miyaburi = components::build_miyaburi(&root)?;
    let python = components::maco(&root)?;
    let scripts = root.join("xtask/src/consumers");
    let truth = root.join("specimens/examples.truth.ndjson");

    let maco = extract(&root, &miyaburi, &folder, "maco")?;
    run_python(&python, &[&scripts.join("validate_maco.py"), &maco, &truth])?;
    let labels = extract(&root, &miyaburi, &folder, "labels")?;
    run_python(&python, &[&scripts.join("run_labels.py"), &labels])?;

    read_events(&root, &miyaburi, &folder)?;
    let reports = folder.join("reports.ndjson");
    let status = Command::new(&miyaburi)
        .args(["extract", "--format", "ndjson", "--output"])
        .args([&reports, &root.join("specimens/examples")])
        .status()?;
    ensure!(status.success(), "extract: {status}");
    let plan = Command::new(&miyaburi).args(["plan", "--victim", VICTIM]).arg(&reports).output()?;
    ensure!(plan.status.success(), "plan: {}", plan.status);
    check_rules(&String::from_utf8(plan.stdout)?)
}

/// The documents of the example specimens in a format of folders.
fn extract(root: &Path, miyaburi: &Path, into: &Path, format: &str) -> anyhow::Result<PathBuf> {
    let output = into.join(format);
    let status = Command::new(miyaburi)
        .args(["extract", "--format", format, "--output"])
        .args([&output, &root.join("specimens/examples")])
        .status()?;
    ensure!(status.success(), "extract --format {format}: {status}");
    Ok(output)
}

/// Lets Arrow's own library read the events of the logs among the specimens.
fn read_events(root: &Path, miyaburi: &Path, folder: &Path) -> anyhow::Result<()> {
    let python = components::pyarrow(root)?;
    let [arrow, ndjson] = ["arrow", "ndjson"].map(|format| (format, folder.join(format)));
    for (format, path) in [&arrow, &ndjson] {
        let status = Command::new(miyaburi)
            .args(["events", "--latest", "2026-11-23", "--format", format, "--output"])
            .args([path, &root.join("specimens/logs"), &root.join("specimens/incident/mail.log")])
            .status()?;
        ensure!(status.success(), "events --format {format}: {status}");
    }
    let script = root.join("xtask/src/consumers/read_events.py");
    run_python(&python, &[&script, &arrow.1, &ndjson.1, Path::new(EVENTS)])
}

fn run_python(python: &Path, arguments: &[&Path]) -> anyhow::Result<()> {
    let status = Command::new(python).args(arguments).status().context("python")?;
    ensure!(status.success(), "{}: {status}", arguments[0].display());
    Ok(())
}

/// Lets nft check every rule of a plan, without loading one.
fn check_rules(plan: &str) -> anyhow::Result<()> {
    components::install_nft(&workspace_root())?;
    let rules: Vec<String> = plan
        .lines()
        .filter_map(|line| line.strip_prefix("nft "))
        .map(|rule| rule.replace('\'', ""))
        .collect();
    ensure!(!rules.is_empty(), "the plan has no rule for nftables");
    let mut child =
        Command::new("nft").args(["--check", "--file", "-"]).stdin(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("no standard input")?;
    input.write_all(CHAIN.as_bytes())?;
    input.write_all((rules.join("\n") + "\n").as_bytes())?;
    drop(input);
    let status = child.wait()?;
    ensure!(status.success(), "nft: {status}");
    println!("{} rules that nft takes", rules.len());
    Ok(())
}
