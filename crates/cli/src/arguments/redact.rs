//! Options of commands that tell of people.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct RedactArguments {
    /// Put pseudonyms in the place of addresses, accounts, holders, contracts, names and files, and leave
    /// lines out; the same within a run. Indicators stay
    #[arg(long)]
    pub redact: bool,

    /// Make pseudonyms with what is in this file, 16 secret bytes at least, so that they are the same in
    /// every run [default: a key that nobody knows]
    #[arg(long, value_name = "FILE", requires = "redact")]
    pub redact_key: Option<PathBuf>,
}
