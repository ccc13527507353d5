//! What keeps an export from being made.

use std::io;
use std::path::PathBuf;

use ipnet::IpNet;
use miyaburi_export::ExportError;
use miyaburi_export::gate::{OwnSpaceError, WarningListError};
use miyaburi_export::indicators::{ObservedError, TimestampError};
use miyaburi_ledger::LedgerError;

use super::ListsProblem;
use crate::reports::FolderError;

/// What keeps an export from being made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportProblem {
    #[error(transparent)]
    Lists(#[from] ListsProblem),
    #[error(transparent)]
    List(#[from] WarningListError),
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Observed { path: PathBuf, error: ObservedError },
    #[error("{}: {error}", path.display())]
    Prefixes { path: PathBuf, error: OwnSpaceError },
    #[error("the clock: {0}")]
    Clock(#[from] TimestampError),
    #[error("{}: {error}", folder.display())]
    Write { folder: PathBuf, error: ExportError },
    #[error(transparent)]
    Document(#[from] FolderError),
    #[error("provenance: {0}")]
    Provenance(#[from] serde_json::Error),
    #[error("{0} is a network: --victim-networks allows that")]
    WideVictim(IpNet),
    #[error("{0} is no one's own: a victim has a prefix of 8 bits or more")]
    NobodysVictim(IpNet),
    #[error("{}: not every report could be read, so no list was written", .0.display())]
    Reports(PathBuf),
    #[error(
        "no report was read: without a ledger (--state) that would unblock everything, so no list was written"
    )]
    NoReports,
    #[error("{}: {error}", path.display())]
    Ledger { path: PathBuf, error: LedgerError },
    #[error("{}: nothing to roll back: no export, or the last one was a roll back", .0.display())]
    NothingToRollBack(PathBuf),
}
