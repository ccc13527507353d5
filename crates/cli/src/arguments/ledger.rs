//! Options of `miyaburi ledger`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct LedgerArguments {
    /// The file of export --state
    #[arg(value_name = "FILE")]
    pub ledger: PathBuf,

    /// How to print [default: text on a terminal, ndjson elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<LedgerFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LedgerFormat {
    /// Exports, what is in force and what was withdrawn, for people
    Text,
    /// The same, one JSON object a line; `record` says what each is
    Ndjson,
}
