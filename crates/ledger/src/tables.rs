//! Where each thing lies in the database. Records are JSON.

use redb::{TableDefinition, TableHandle, UntypedTableHandle, WriteTransaction};

use crate::LedgerError;

/// Format of the database, in [`META`].
pub(crate) const FORMAT: u64 = 1;

/// Key of [`FORMAT`].
pub(crate) const FORMAT_KEY: &str = "format";

/// Numbers by name.
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Runs by number.
pub(crate) const RUNS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("runs");

/// What the files of runs are made from, by number of the run.
pub(crate) const STATES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("states");

/// What was withdrawn, by number of the run that did and place.
pub(crate) const WITHDRAWN: TableDefinition<'_, (u64, u64), &[u8]> =
    TableDefinition::new("withdrawn");

/// What the user took back, with the number of the run that was told so.
pub(crate) const REVOKED: TableDefinition<'_, &str, u64> = TableDefinition::new("revoked");

/// Hosts that have nothing to do with the attackers, by place.
pub(crate) const INNOCENT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("innocent");

/// Entries of one run by their place in its list.
pub(crate) type Entries<'a> = TableDefinition<'a, u64, &'static [u8]>;

const ENTRIES: &str = "entries-";

/// Name of the table of a run's entries, which is deleted as a whole.
pub(crate) fn entries_name(run: u64) -> String {
    format!("{ENTRIES}{run}")
}

/// Deletes the entries of all runs but these.
pub(crate) fn keep_entries(
    transaction: &WriteTransaction,
    runs: &[u64],
) -> Result<(), LedgerError> {
    let is_old = |table: &UntypedTableHandle| {
        let run = table.name().strip_prefix(ENTRIES).and_then(|run| run.parse().ok());
        run.is_some_and(|run| !runs.contains(&run))
    };
    let old: Vec<UntypedTableHandle> = transaction.list_tables()?.filter(is_old).collect();
    for table in old {
        transaction.delete_table(table)?;
    }
    Ok(())
}
