//! The command line.

use crate::case::CaseId;
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Damaged files and random code through the whole analysis, in watched processes.
#[derive(Parser, Clone, Debug)]
pub(crate) struct Arguments {
    /// Damaged files
    #[arg(long, default_value_t = 10_000)]
    pub(crate) files: u64,
    /// Leave out the damaged files before this number, to go on with a run
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) first: u64,
    /// Random bytes of code in each mode of each CPU
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) random_code: u64,
    /// Bytes of a program of one pattern, for each mode of each CPU
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) patterns: u64,
    /// What every case follows from, with its number
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// One case alone: file:NUMBER, code:NUMBER or pattern:NUMBER
    #[arg(long, value_name = "CASE")]
    pub(crate) only: Option<CaseId>,
    /// Write the input of the one case to this file
    #[arg(long, value_name = "FILE", requires = "only")]
    pub(crate) write: Option<PathBuf>,
    /// The files to damage: a tar file under xz, or a folder
    #[arg(long, value_name = "PATH", default_value = "specimens/specimens.tar.xz")]
    pub(crate) specimens: PathBuf,
    /// Of the files to damage, those up to this size get nine of ten cases
    #[arg(long, value_name = "BYTES", default_value_t = 32 << 10)]
    pub(crate) mostly_below: usize,
    /// Cases at the same time
    #[arg(long, default_value_t = 2)]
    pub(crate) jobs: u64,
    /// Stack of the thread that runs the cases, in KiB
    #[arg(long, value_name = "KIB", default_value_t = 512)]
    pub(crate) stack: usize,
    /// Memory of one process, specimens included, in MiB; more ends it
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    pub(crate) memory: usize,
    /// Seconds of one case: wall clock for the analysis, processor time for what counts as late
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) time_limit: u64,
    /// Write a line for every case to this file: case, verdict, microseconds, peak bytes
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: Option<PathBuf>,
    /// Run cases and tell of them on standard output
    #[arg(long, hide = true)]
    pub(crate) worker: bool,
    /// The first case of a worker
    #[arg(long, hide = true, requires = "worker")]
    pub(crate) from: Option<CaseId>,
}

/// What reading the clock late and writing the report may add to the time limit.
const GRACE: Duration = Duration::from_secs(2);

impl Arguments {
    /// The time limit of one analysis.
    pub(crate) const fn time_limit(&self) -> Duration {
        Duration::from_secs(self.time_limit)
    }

    /// The longest that one analysis may take.
    pub(crate) const fn latest(&self) -> Duration {
        self.time_limit().saturating_add(GRACE)
    }

    /// How long a worker may be silent: a case can hold several analyses.
    pub(crate) const fn silence(&self) -> Duration {
        self.latest().saturating_mul(4)
    }

    /// The arguments of a worker that starts with `from`.
    pub(crate) fn of_worker(&self, from: CaseId) -> Vec<String> {
        let mut arguments: Vec<String> = [
            ("--files", self.files),
            ("--random-code", self.random_code),
            ("--patterns", self.patterns),
            ("--seed", self.seed),
            ("--mostly-below", self.mostly_below as u64),
            ("--jobs", self.jobs),
            ("--stack", self.stack as u64),
            ("--memory", self.memory as u64),
            ("--time-limit", self.time_limit),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value.to_string()])
        .collect();
        arguments.push("--specimens".to_owned());
        arguments.push(self.specimens.display().to_string());
        arguments.extend(["--worker".to_owned(), "--from".to_owned(), from.to_string()]);
        if let Some(only) = self.only {
            arguments.extend(["--only".to_owned(), only.to_string()]);
        }
        arguments
    }
}
