//! What ends a command, and how it is told.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

use arrow_schema::ArrowError;
use miyaburi_corpus::ReadError;
use miyaburi_corpus::score::{TruthError, UnknownField};
use miyaburi_emulator::MissingRegister;
use miyaburi_hunting::behaviour::PlaceError;
use miyaburi_hunting::holders::HolderError;
use miyaburi_hunting::indicators::SourceError;
use miyaburi_hunting::pseudonyms::ShortKey;
use miyaburi_hunting::scope::{AlertError, TableError};
use miyaburi_image::ImageError;
use miyaburi_intel::{InventoryError, KnowledgeError, ObservedError};
use miyaburi_pcode::LanguageError;
use miyaburi_pipeline::UnpackError;

use crate::dump::NoFunction;
use crate::export::ExportProblem;
use crate::follow::CheckpointError;
use crate::reports::FolderError;
use crate::text::escape;

/// What keeps a command from finishing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{}: {error}", path.display())]
    Create { path: PathBuf, error: io::Error },
    #[error("{name}: {error}")]
    Write { name: String, error: io::Error },
    #[error("threads: {0}")]
    Threads(#[source] io::Error),
    #[error("{}: {error}", path.display())]
    Truth { path: PathBuf, error: TruthError },
    #[error(transparent)]
    Field(#[from] UnknownField),
    #[error("{}: no truth to compare with", path.display())]
    NoTruth { path: PathBuf },
    #[error("no truth has the selected labels")]
    NothingSelected,
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Knowledge { path: PathBuf, error: KnowledgeError },
    #[error("built-in tables: {0}")]
    Builtin(#[source] KnowledgeError),
    #[error("{}: {error}", path.display())]
    Inventory { path: PathBuf, error: InventoryError },
    #[error("{}: {error}", path.display())]
    Observed { path: PathBuf, error: ObservedError },
    #[error("{}: {error}", path.display())]
    Indicators { path: PathBuf, error: SourceError },
    #[error("{}: {error}", path.display())]
    Holders { path: PathBuf, error: HolderError },
    #[error("{}: {error}", path.display())]
    Table { path: PathBuf, error: TableError },
    #[error("{}: {error}", path.display())]
    Countries { path: PathBuf, error: PlaceError },
    #[error("{}: {error}", path.display())]
    Alerts { path: PathBuf, error: AlertError },
    #[error("{}: {error}", path.display())]
    Key { path: PathBuf, error: KeyError },
    #[error("{}: {error}", path.display())]
    Checkpoint { path: PathBuf, error: CheckpointError },
    #[error("{}: is no file that can be followed", path.display())]
    NotFollowed { path: PathBuf },
    #[error("{name}: {error}")]
    Arrow { name: String, error: ArrowError },
    #[error("{}: is the file to unpack, and would be lost", path.display())]
    OwnOutput { path: PathBuf },
    #[error("no random key: {0}")]
    Random(String),
    #[error("CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error("{}: {error}", path.display())]
    Dump { path: PathBuf, error: DumpError },
    #[error("{}: {error}", path.display())]
    Unpack { path: PathBuf, error: UnpackProblem },
    #[error("schema: {0}")]
    Schema(#[from] serde_json::Error),
    #[error(transparent)]
    Export(ExportProblem),
    #[error(transparent)]
    Document(#[from] FolderError),
    #[error("there is no command {0}")]
    NoSuchCommand(String),
}

impl CommandError {
    /// Whether the command line itself is wrong, whatever the files hold.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Field(_) | Self::OwnOutput { .. })
    }
}

/// What keeps a file from being a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Short(#[from] ShortKey),
}

/// What keeps a stage of one file from being shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error(transparent)]
    Language(#[from] LanguageError),
    #[error(transparent)]
    Analysis(#[from] MissingRegister),
    #[error(transparent)]
    Function(#[from] NoFunction),
    #[error("the analysis crashed")]
    Crash,
}

/// What keeps a file from being unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackProblem {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error("is not packed")]
    NotPacked,
    #[error("unpacking crashed")]
    Crash,
    /// What there is was written.
    #[error("{0}")]
    Cut(String),
}

/// One line on standard error, whatever the message holds. Where nobody reads that, nobody is told.
pub(crate) fn complain(message: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", line(message));
}

/// The line that [`complain`] prints.
pub(crate) fn line(message: impl Display) -> String {
    format!("miyaburi: {}", escape(&message.to_string()))
}
