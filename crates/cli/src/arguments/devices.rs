//! Options of `miyaburi devices`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct DevicesArguments {
    /// Report files, NDJSON or JSON, or directories of them; - is standard input
    #[arg(required = true, value_name = "REPORTS")]
    pub reports: Vec<PathBuf>,

    /// Own devices: CSV with the columns address, vendor, model, firmware, open_ports (numbers with
    /// blanks between, none, or empty when not known) and login_changed (yes, no or unknown)
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,

    /// When files were seen: CSV with the columns sha256, first_seen and last_seen
    #[arg(long, value_name = "FILE")]
    pub observed: Option<PathBuf>,

    /// More sources: CSV with the columns id, title, url, licence
    #[arg(long, value_name = "FILE")]
    pub sources: Vec<PathBuf>,

    /// More default logins: CSV with the columns user, password, vendor, product, kind, confidence,
    /// sources
    #[arg(long, value_name = "FILE")]
    pub credentials: Vec<PathBuf>,

    /// More exploit requests: CSV with the columns method, path, port, vendor, product, kind, cve,
    /// confidence, sources
    #[arg(long, value_name = "FILE")]
    pub exploits: Vec<PathBuf>,

    /// How to print [default: text on a terminal, ndjson elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<DevicesFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DevicesFormat {
    /// For people
    Text,
    /// One JSON object a line for every target, or with --inventory for every device at risk
    Ndjson,
    /// One JSON object with everything
    Json,
    /// One line for every target, or with --inventory for every danger of every device
    Csv,
}
