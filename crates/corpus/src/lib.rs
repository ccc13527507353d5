//! Many files: collecting them, analysing them in parallel, scoring reports against truth,
//! comparing them with one another.
//!
//! The analysis itself is a parameter of [`run`], so that this crate knows the report and the
//! file system and nothing of CPUs.

mod collect;
pub mod diff;
mod feed;
mod known;
mod read;
pub mod reports;
mod run;
pub mod score;

pub use miyaburi_archives::Options as ArchiveOptions;

pub use collect::{Input, Origin, collect};
pub use known::Known;
pub use read::{MAX_INPUT_BYTES, ReadError, read_file};
pub use reports::{
    FiledReport, ReportSet, ReportsError, ReportsProblem, for_each_report, read_reports,
};
pub use run::{Analyze, Outcome, WORKER_NAME, run};
