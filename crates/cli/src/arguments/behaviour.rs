//! Options of `miyaburi behaviour`.

use std::path::PathBuf;

use clap::Args;

use super::{Confinement, LogArguments, RedactArguments};

#[derive(Debug, Args)]
pub(crate) struct BehaviourArguments {
    #[command(flatten)]
    pub logs: LogArguments,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub redaction: RedactArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}
