//! Options of `miyaburi events`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Confinement, LogArguments, RedactArguments};

#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    #[command(flatten)]
    pub logs: LogArguments,

    /// How to write them
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    pub format: EventsFormat,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub redaction: RedactArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventsFormat {
    /// One JSON object a line
    Ndjson,
    /// A stream of Arrow record batches, as data frames and SQL engines read it
    Arrow,
}
