//! Options of `miyaburi hunt`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Confinement, LogArguments, RedactArguments};

#[derive(Debug, Args)]
pub(crate) struct HuntArguments {
    #[command(flatten)]
    pub logs: LogArguments,

    /// What to look for: reports (NDJSON or JSON), tables as ThreatFox and export make them, MISP
    /// events, STIX 2.1, or plain lists of names, addresses, networks and URLs, defanged or not
    #[arg(short, long, required = true, value_name = "FILE")]
    pub indicators: Vec<PathBuf>,

    /// Who has an address when: leases of ISC dhcpd or Kea, details of FreeRADIUS, or a table
    /// "address,holder" with "from" and "until" where known; hits then name them
    #[arg(long, value_name = "FILE")]
    pub leases: Vec<PathBuf>,

    /// Go on with what is written to the logs, across rotation, until ended; hits are NDJSON and out
    /// within a second
    #[arg(long, conflicts_with = "format")]
    pub follow: bool,

    /// With --follow and --output, keep in this file how far logs were followed: a later run goes on from
    /// there, and whenever the process was ended, no hit is missed or there twice
    #[arg(long, value_name = "FILE", requires = "follow", requires = "output")]
    pub checkpoint: Option<PathBuf>,

    /// How to print [default: text on a terminal, ndjson elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<HuntFormat>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub redaction: RedactArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HuntFormat {
    /// Who was touched, for people
    Text,
    /// One JSON object a line for every hit
    Ndjson,
    /// One JSON object a line for everybody who was touched and every indicator
    Summary,
}
