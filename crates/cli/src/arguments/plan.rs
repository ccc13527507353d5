//! Options of `miyaburi plan`.

use core::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// Report files, NDJSON or JSON, or directories of them; - is standard input
    #[arg(required = true, value_name = "REPORTS")]
    pub reports: Vec<PathBuf>,

    /// When files were seen: CSV with the columns sha256, first_seen and last_seen
    #[arg(long, value_name = "FILE")]
    pub observed: Option<PathBuf>,

    /// Address to put into the commands, instead of VICTIM
    #[arg(long, value_name = "ADDRESS")]
    pub victim: Option<Ipv4Addr>,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    pub format: PlanFormat,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// Markdown
    Markdown,
    /// One HTML document that loads nothing, with drawings of the headers
    Html,
}
