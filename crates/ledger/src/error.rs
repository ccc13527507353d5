//! What keeps a ledger from being read or written.

/// What is wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database is damaged, or cannot be written.
    #[error("{0}")]
    Database(Box<redb::Error>),
    /// Another process has it open.
    #[error("another export has the ledger open")]
    InUse,
    /// The file is another one.
    #[error("not a ledger")]
    NotALedger,
    /// A record is not what it should be.
    #[error("a record of the ledger: {0}")]
    Record(#[from] serde_json::Error),
    /// Another version of this program wrote it.
    #[error("a ledger of format {found}, not {expected}")]
    Format {
        /// The format of the file.
        found: u64,
        /// The one that can be read.
        expected: u64,
    },
    /// A run that should be there is not.
    #[error("run {0} is not in the ledger")]
    NoRun(u64),
}

/// Errors of the database, which has one type for each kind of call.
macro_rules! from_database {
    ($($error:ident),+) => {
        $(impl From<redb::$error> for LedgerError {
            fn from(error: redb::$error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        })+
    };
}

from_database!(DatabaseError, TransactionError, TableError, StorageError, CommitError);
