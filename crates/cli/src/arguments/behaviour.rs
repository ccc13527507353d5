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

    /// Sigma rules of your own to ask beside them: YAML files, or directories of .yml and .yaml. Can be
    /// repeated
    #[arg(long, value_name = "RULES")]
    pub sigma: Vec<PathBuf>,

    /// In which countries addresses are, CSV: "network,country", or "first,last,country" without a header.
    /// An account then is elsewhere when it is in another country
    #[arg(long, value_name = "FILE")]
    pub countries: Option<PathBuf>,

    /// Reports whose attacks are looked for: devices that send what a vector was observed to send. Can be
    /// repeated
    #[arg(long, value_name = "FILE")]
    pub reports: Vec<PathBuf>,

    /// Accounts of the staff, one a line: told when one is used at an hour of the week or for an amount at
    /// which it never was
    #[arg(long, value_name = "FILE")]
    pub staff: Option<PathBuf>,

    #[command(flatten)]
    pub redaction: RedactArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}
