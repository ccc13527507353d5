//! What exports put in force: what, since when, until when, and which export did.
//!
//! An export is a run. It is written down before its files are ([`Ledger::begin`]) and again after they
//! are ([`Ledger::complete`]); each time as a whole or not at all. One that was stopped in between may
//! have put its entries in force, so they count as such until the next one completes.
//!
//! ```text
//! run.rs       what a run was made from and how
//! entry.rs     what it put in force, what it withdrew, and what no later one is to block
//! tables.rs    where each lies in the database
//! ledger.rs    writing and reading runs
//! ```
//!
//! Every run stays, and so does what was withdrawn. Of entries, those of the last two runs do: what
//! holds, and what a roll back returns to.

mod entry;
mod error;
mod ledger;
mod run;
mod tables;

pub use entry::{Entry, Exempt, Innocent, Withdrawn};
pub use error::LedgerError;
pub use ledger::{Before, Ledger, Return};
pub use run::{Kind, Run, State};
