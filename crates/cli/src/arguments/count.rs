//! Options of `miyaburi count`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::{Confinement, LogArguments, RedactArguments};

#[derive(Debug, Args)]
pub(crate) struct CountArguments {
    #[command(flatten)]
    pub logs: LogArguments,

    /// Networks or addresses of one's own devices; may be given several times
    #[arg(long, required = true, value_name = "NETWORK", value_parser = network)]
    pub own: Vec<IpNet>,

    /// Sources to count by name, as for hunt
    #[arg(short, long, value_name = "FILE")]
    pub indicators: Vec<PathBuf>,

    /// How to print [default: markdown on a terminal, ndjson elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<CountFormat>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub redaction: RedactArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CountFormat {
    /// Tables for people and reports
    Markdown,
    /// One JSON object a line for every count
    Ndjson,
}

fn network(text: &str) -> Result<IpNet, String> {
    let host = || text.parse().map(|address: core::net::IpAddr| IpNet::from(address));
    text.parse().or_else(|_| host()).map_err(|_| "neither a network nor an address".to_owned())
}
