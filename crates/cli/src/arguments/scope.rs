//! Options of `miyaburi scope`.

use std::path::PathBuf;

use clap::Args;
use miyaburi_hunting::time::Moment;

use super::logs::moment;
use super::timeline::SilenceArguments;
use super::{Confinement, LogArguments, RedactArguments};

#[derive(Debug, Args)]
pub(crate) struct ScopeArguments {
    #[command(flatten)]
    pub logs: LogArguments,

    /// Who did it: reports, tables, events of MISP or lists, as for hunt
    #[arg(short, long, required_unless_present = "alerts", value_name = "FILE")]
    pub indicators: Vec<PathBuf>,

    /// Alerts of behaviour, not redacted: what their accounts hold, and what their clients read, is
    /// possible until somebody has looked. Can be repeated
    #[arg(long, value_name = "FILE")]
    pub alerts: Vec<PathBuf>,

    /// All accounts, CSV: "account,contract,data_classes", classes with semicolons between, and
    /// "sources" where an account's records are in some logs only (names of files or folders)
    #[arg(long, required = true, value_name = "FILE")]
    pub accounts: PathBuf,

    /// What reads which class, CSV: "data_class" and any of "event", "url" (the beginning of its
    /// path), "server", "port" [default: every login or request with the account reads all that it
    /// holds]
    #[arg(long, value_name = "FILE")]
    pub classes: Option<PathBuf>,

    /// Who has an address when, as for hunt: accounts that are named so by their address
    #[arg(long, value_name = "FILE")]
    pub leases: Vec<PathBuf>,

    /// From when on
    #[arg(long, required = true, value_name = "TIME", value_parser = moment)]
    pub since: Moment,

    /// Until when
    #[arg(long, required = true, value_name = "TIME", value_parser = moment)]
    pub until: Moment,

    #[command(flatten)]
    pub silence: SilenceArguments,

    /// Directory to write into: confirmed.csv, possible.csv, excluded.csv, contracts.csv, gaps.csv,
    /// unlisted.csv and scope.md
    #[arg(short, long, required = true, value_name = "DIR")]
    pub output: PathBuf,

    #[command(flatten)]
    pub redaction: RedactArguments,

    #[command(flatten)]
    pub confinement: Confinement,
}
