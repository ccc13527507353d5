//! Shows that files that are analysed cannot make the host open a socket, start a process or write
//! a file: the command is run on the example specimens under strace, attacks watched, and every
//! system call that it makes behind its own wall is judged.
//!
//! ```text
//! trace.rs  lines of strace, and which of them may not be
//! ```

mod trace;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};

use crate::{components, toolchain::workspace_root};
use trace::Allowed;

/// Arguments of `cargo xtask confinement`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files and directories to analyse, one with attacks among them [default: the example
    /// specimens]
    inputs: Vec<PathBuf>,
}

/// Runs `cargo xtask confinement`.
///
/// # Errors
/// When strace or the command cannot be run, or when a trace holds what it may not; every such
/// system call is printed first.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let root = workspace_root();
    let inputs = match args.inputs.as_slice() {
        [] => vec![root.join("specimens").join("examples")],
        inputs => inputs.iter().map(fs::canonicalize).collect::<Result<_, _>>()?,
    };
    let folder = root.join("target").join("confinement");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let program = components::build_miyaburi(&root)?;
    let runs = Runs { program: &program, inputs: &inputs, folder: &folder };
    runs.extract_to_a_file()?;
    runs.extract_to_directories()?;
    runs.dump()?;
    runs.without_walls()
}

struct Runs<'r> {
    program: &'r Path,
    inputs: &'r [PathBuf],
    folder: &'r Path,
}

impl Runs<'_> {
    fn extract_to_a_file(&self) -> anyhow::Result<()> {
        let reports = self.folder.join("reports.ndjson");
        let options = ["extract", "--format", "ndjson", "--output"];
        let trace = self.trace("extract", &options, std::slice::from_ref(&reports), self.inputs)?;
        let text = fs::read_to_string(&reports)?;
        ensure!(text.contains(r#""kind_method":"observed""#), "no attack was observed");
        self.judge("extract", &trace, &[])
    }

    fn extract_to_directories(&self) -> anyhow::Result<()> {
        let folder = self.folder.join("mirai-toushi");
        let packets = self.folder.join("pcap");
        let pcap = packets.display().to_string();
        let options = ["extract", "--pcap", &pcap, "--format", "mirai-toushi", "--output"];
        let trace =
            self.trace("directories", &options, std::slice::from_ref(&folder), self.inputs)?;
        for folder in [&folder, &packets] {
            ensure!(fs::read_dir(folder)?.next().is_some(), "{} is empty", folder.display());
        }
        self.judge("extract to directories", &trace, &[folder, packets])
    }

    fn dump(&self) -> anyhow::Result<()> {
        let Some(file) = self.inputs.iter().find_map(|input| first_file(input)) else {
            bail!("no file in the inputs")
        };
        let listing = self.folder.join("listing");
        let options = ["dump", "--stage", "disasm", "--output"];
        let trace = self.trace("dump", &options, &[listing], &[file])?;
        self.judge("dump", &trace, &[])
    }

    /// The judgement must not pass what is no wall.
    fn without_walls(&self) -> anyhow::Result<()> {
        let reports = self.folder.join("unconfined.ndjson");
        let options = ["extract", "--unconfined", "--output"];
        let file: Vec<PathBuf> =
            self.inputs.iter().filter_map(|input| first_file(input)).take(1).collect();
        let trace = self.trace("unconfined", &options, &[reports], &file)?;
        ensure!(trace::behind_the_wall(&trace).is_none(), "--unconfined was confined");
        Ok(())
    }

    /// Runs the command under strace; what that wrote.
    fn trace(
        &self,
        name: &str,
        options: &[&str],
        output: &[PathBuf],
        inputs: &[PathBuf],
    ) -> anyhow::Result<String> {
        let trace = self.folder.join(format!("{name}.trace"));
        let mut command = Command::new("strace");
        // Threads as well, paths in full.
        command.args(["-f", "-qq", "-s", "4096", "-o"]).arg(&trace).arg(self.program);
        let status = command.args(options).args(output).args(inputs).status().context("strace")?;
        ensure!(status.success(), "{name}: {status}");
        fs::read_to_string(&trace).with_context(|| format!("{}", trace.display()))
    }

    fn judge(&self, name: &str, trace: &str, written: &[PathBuf]) -> anyhow::Result<()> {
        let calls = trace::behind_the_wall(trace).context("no filter was installed")?;
        let allowed = Allowed { read: self.inputs, written };
        let violations = trace::violations(&calls, allowed);
        for violation in &violations {
            println!("{violation}");
        }
        println!("{name}: {} system calls behind the wall, {} bad", calls.len(), violations.len());
        ensure!(violations.is_empty(), "{name} did what it may not");
        Ok(())
    }
}

/// `path`, or the first file in it.
fn first_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    entries.into_iter().find(|entry| entry.is_file())
}
