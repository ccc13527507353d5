//! Writing and reading runs.

use std::io;

use miyaburi_export::flowspec::Routes;
use miyaburi_export::indicators::Timestamp;
use redb::{
    AccessGuard, Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageBackend, StorageError, TableDefinition, TableError, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::tables::{
    Entries, FORMAT, FORMAT_KEY, INNOCENT, META, REVOKED, RUNS, STATES, WITHDRAWN, entries_name,
    keep_entries,
};
use crate::{Entry, Exempt, Kind, LedgerError, Run, State, Withdrawn};

/// A ledger that is open for this process alone.
pub struct Ledger(Database);

/// What holds before a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    /// The last run that came to its end.
    pub last: Option<Run>,
    /// Runs after it that did not, and whose entries may be in force.
    pub stopped: Vec<Run>,
    /// Routes that may be announced.
    pub routes: Routes,
}

/// What a roll back undoes and returns to.
#[derive(Clone, Debug, PartialEq)]
pub struct Return {
    /// The run that is undone.
    pub undone: Run,
    /// The run whose entries hold again, none when there was no run before.
    pub target: Option<Run>,
    /// What the files are made from: the target's, or without one how the undone run made its own.
    pub state: State,
}

impl Before {
    /// The number of the next run.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.runs().map(|run| run.number).max().map_or(1, |number| number.saturating_add(1))
    }

    /// The serial of the last run.
    #[must_use]
    pub fn serial(&self) -> Option<u32> {
        self.runs().last().map(|run| run.serial)
    }

    /// The time of the last run.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.runs().last().map(|run| run.time)
    }

    /// Runs whose entries may be in force, in order.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.last.iter().chain(&self.stopped)
    }
}

impl Ledger {
    /// Opens the ledger that a backend holds, begins one in an empty backend.
    ///
    /// # Errors
    /// When it holds something else, or another process has it open.
    pub fn open(backend: impl StorageBackend) -> Result<Self, LedgerError> {
        let database = Database::builder().create_with_backend(backend).map_err(not_opened)?;
        let transaction = database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            let format = meta.get(FORMAT_KEY)?.map(|format| format.value());
            match format {
                Some(FORMAT) => {}
                Some(found) => return Err(LedgerError::Format { found, expected: FORMAT }),
                None => drop(meta.insert(FORMAT_KEY, FORMAT)?),
            }
            // Tables that are always there need no care when they are read.
            transaction.open_table(RUNS)?;
            transaction.open_table(STATES)?;
            transaction.open_table(WITHDRAWN)?;
            transaction.open_table(REVOKED)?;
            transaction.open_table(INNOCENT)?;
        }
        transaction.commit()?;
        Ok(Self(database))
    }

    /// What holds now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn before(&self) -> Result<Before, LedgerError> {
        let transaction = self.0.begin_read()?;
        let mut before = Before::default();
        for run in runs(&transaction)? {
            if run.is_complete {
                before.last = Some(run);
                before.stopped.clear();
            } else {
                before.stopped.push(run);
            }
        }
        let numbers: Vec<u64> = before.runs().map(|run| run.number).collect();
        for number in numbers {
            before.routes.extend(state(&transaction, number)?.routes);
        }
        Ok(before)
    }

    /// All runs, in order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn runs(&self) -> Result<Vec<Run>, LedgerError> {
        runs(&self.0.begin_read()?)
    }

    /// Hands on the entries of a run, in order; of one whose entries are gone, none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn entries<E: From<LedgerError>>(
        &self,
        run: u64,
        mut take: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let each = || -> Result<_, LedgerError> {
            let transaction = self.0.begin_read()?;
            let name = entries_name(run);
            let table: Entries<'_> = TableDefinition::new(&name);
            match transaction.open_table(table) {
                Ok(table) => Ok(Some(table.range::<u64>(..)?)),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        for record in each()?.into_iter().flatten() {
            let (_, bytes) = record.map_err(LedgerError::from)?;
            take(read(bytes.value())?)?;
        }
        Ok(())
    }

    /// Hands on everything that runs behind this one withdrew, the oldest first; after 0, everything ever.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn withdrawn_after<E: From<LedgerError>>(
        &self,
        run: u64,
        mut take: impl FnMut(Withdrawn) -> Result<(), E>,
    ) -> Result<(), E> {
        let each = || -> Result<_, LedgerError> {
            Ok(self.0.begin_read()?.open_table(WITHDRAWN)?.range((run.saturating_add(1), 0)..)?)
        };
        for record in each()? {
            let (_, bytes) = record.map_err(LedgerError::from)?;
            take(read(bytes.value())?)?;
        }
        Ok(())
    }

    /// What is not to be blocked.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn exempt(&self) -> Result<Exempt, LedgerError> {
        let transaction = self.0.begin_read()?;
        let (revoked, innocent) =
            (transaction.open_table(REVOKED)?, transaction.open_table(INNOCENT)?);
        let told = |record: Result<(AccessGuard<'_, &str>, _), _>| -> Result<_, LedgerError> {
            Ok(record?.0.value().to_owned())
        };
        Ok(Exempt {
            revoked: revoked.range::<&str>(..)?.map(told).collect::<Result<_, _>>()?,
            innocent: innocent
                .range::<u64>(..)?
                .map(|record| read(record?.1.value()))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Writes down what a run is about to put in force, and all that is not to be blocked, by it or
    /// before; nothing when it fails.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn begin(
        &self,
        run: &Run,
        state: &State,
        entries: impl IntoIterator<Item = Entry>,
        exempt: &Exempt,
    ) -> Result<(), LedgerError> {
        let transaction = self.0.begin_write()?;
        {
            put(&transaction, RUNS, run.number, run)?;
            put(&transaction, STATES, run.number, state)?;
            let name = entries_name(run.number);
            let table: Entries<'_> = TableDefinition::new(&name);
            let mut table = transaction.open_table(table)?;
            for (place, entry) in (0..).zip(entries) {
                table.insert(place, serde_json::to_vec(&entry)?.as_slice())?;
            }
            let mut table = transaction.open_table(REVOKED)?;
            table.retain(|entry, _| exempt.revoked.contains(entry))?;
            for entry in &exempt.revoked {
                if table.get(entry.as_str())?.is_none() {
                    table.insert(entry.as_str(), run.number)?;
                }
            }
            transaction.delete_table(INNOCENT)?;
            let mut table = transaction.open_table(INNOCENT)?;
            for (place, innocent) in (0..).zip(&exempt.innocent) {
                table.insert(place, serde_json::to_vec(innocent)?.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Writes down that the files of a run are written and what it withdrew. Entries of all but this run
    /// and the one before it are forgotten.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn complete(
        &self,
        number: u64,
        withdrawn: impl IntoIterator<Item = Withdrawn>,
    ) -> Result<(), LedgerError> {
        let transaction = self.0.begin_write()?;
        {
            let mut runs = transaction.open_table(RUNS)?;
            let run = runs.get(number)?.map(|bytes| read::<Run>(bytes.value())).transpose()?;
            let run = Run { is_complete: true, ..run.ok_or(LedgerError::NoRun(number))? };
            runs.insert(number, serde_json::to_vec(&run)?.as_slice())?;
            let mut table = transaction.open_table(WITHDRAWN)?;
            for (place, withdrawn) in (0..).zip(withdrawn) {
                table.insert((number, place), serde_json::to_vec(&withdrawn)?.as_slice())?;
            }
            let mut kept = vec![number];
            for record in runs.range(..number)?.rev() {
                let run: Run = read(record?.1.value())?;
                if run.is_complete {
                    kept.push(run.number);
                    break;
                }
            }
            transaction.open_table(STATES)?.retain(|run, _| kept.contains(&run))?;
            keep_entries(&transaction, &kept)?;
        }
        Ok(transaction.commit()?)
    }

    /// What a roll back would undo: a run that was stopped, or else the last one. None without a run, or
    /// when the last one was a roll back: what came before that is forgotten.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last_enforcement(&self) -> Result<Option<Return>, LedgerError> {
        let transaction = self.0.begin_read()?;
        let mut runs = runs(&transaction)?;
        let is_roll_back = |run: &Run| matches!(run.kind, Kind::RollBack(_));
        // A roll back that was stopped is done again.
        while runs.pop_if(|run| is_roll_back(run) && !run.is_complete).is_some() {}
        let Some(undone) = runs.pop().filter(|run| !is_roll_back(run)) else { return Ok(None) };
        let target = runs.into_iter().rev().find(|run| run.is_complete);
        let state = match &target {
            Some(target) => state(&transaction, target.number)?,
            None => {
                let State { subscribers, flows, .. } = state(&transaction, undone.number)?;
                State { subscribers, flows, ..State::default() }
            }
        };
        Ok(Some(Return { undone, target, state }))
    }
}

/// What the database says of a file that is none comes as an error of reading it.
fn not_opened(error: DatabaseError) -> LedgerError {
    match error {
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == io::ErrorKind::InvalidData =>
        {
            LedgerError::NotALedger
        }
        DatabaseError::DatabaseAlreadyOpen => LedgerError::InUse,
        error => error.into(),
    }
}

fn runs(transaction: &ReadTransaction) -> Result<Vec<Run>, LedgerError> {
    let table = transaction.open_table(RUNS)?;
    table.range::<u64>(..)?.map(|record| read(record?.1.value())).collect()
}

fn state(transaction: &ReadTransaction, run: u64) -> Result<State, LedgerError> {
    let table = transaction.open_table(STATES)?;
    let bytes = table.get(run)?.ok_or(LedgerError::NoRun(run))?;
    read(bytes.value())
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LedgerError> {
    Ok(serde_json::from_slice(bytes)?)
}

fn put(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, u64, &[u8]>,
    key: u64,
    record: &impl Serialize,
) -> Result<(), LedgerError> {
    transaction.open_table(table)?.insert(key, serde_json::to_vec(record)?.as_slice())?;
    Ok(())
}
