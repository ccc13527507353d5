//! The ledger of exports, as `export` uses it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use miyaburi_export::gate::{OwnSpace, Reason};
use miyaburi_export::indicators::Indicators;
use miyaburi_export::{BlockList, Withdrawal};
use miyaburi_ledger::{
    Before, Entry, Exempt, Innocent, Ledger, LedgerError, Return, Run, State, Withdrawn,
};
use redb::StorageBackend;
use redb::backends::{FileBackend, InMemoryBackend};

use super::ExportProblem;
use crate::arguments::ExportFormat;

/// What is done to a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It is written, and begun when it is not there.
    Begin,
    /// It is written.
    Write,
    /// It is read, and its file left as it is: what opening it changes stays in memory.
    Read,
}

/// An open ledger and what holds before this export.
pub(crate) struct Book {
    path: PathBuf,
    ledger: Ledger,
    pub(crate) before: Before,
}

impl Book {
    /// Opens the ledger at `path`.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, ExportProblem> {
        let (ledger, before) = open(path, access)?;
        Ok(Self { path: path.to_owned(), ledger, before })
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The number of this export.
    pub(crate) fn number(&self) -> u64 {
        self.before.next_number()
    }

    /// What may be in force, of which nothing is named yet.
    pub(crate) fn in_force(&self) -> Result<Indicators, ExportProblem> {
        let mut indicators = Indicators::default();
        self.for_each(|entry| {
            indicators.carry(entry.indicator, entry.sightings, entry.in_force);
        })?;
        Ok(indicators)
    }

    /// What may be in force, and who is known to be innocent but for those whom the user reinstates.
    pub(crate) fn known(&self, reinstated: &OwnSpace) -> Result<Indicators, ExportProblem> {
        let mut indicators = self.in_force()?;
        for Innocent { indicator, sightings } in self.exempt()?.innocent {
            if reinstated.find(&indicator.host).is_none() {
                indicators.remember(indicator, sightings);
            }
        }
        Ok(indicators)
    }

    /// Hands on what may be in force.
    pub(crate) fn for_each(&self, mut take: impl FnMut(Entry)) -> Result<(), ExportProblem> {
        let mut entry = |entry| {
            take(entry);
            Ok(())
        };
        for run in self.before.runs() {
            self.told(self.ledger.entries(run.number, &mut entry))?;
        }
        Ok(())
    }

    /// The entries of a run.
    pub(crate) fn entries(&self, run: &Run) -> Result<Vec<Entry>, ExportProblem> {
        let mut entries = Vec::new();
        let read = self.ledger.entries(run.number, |entry| {
            entries.push(entry);
            Ok(())
        });
        self.told(read)?;
        Ok(entries)
    }

    /// What is not to be blocked, before this export.
    pub(crate) fn exempt(&self) -> Result<Exempt, ExportProblem> {
        self.told(self.ledger.exempt())
    }

    /// What the user took back, before this export.
    pub(crate) fn revoked(&self) -> Result<OwnSpace, ExportProblem> {
        let text = Vec::from_iter(self.exempt()?.revoked).join("\n");
        let path = || self.path.clone();
        OwnSpace::parse(&text).map_err(|error| ExportProblem::Prefixes { path: path(), error })
    }

    /// What a roll back undoes and returns to.
    pub(crate) fn last_enforcement(&self) -> Result<Return, ExportProblem> {
        let found = self.told(self.ledger.last_enforcement())?;
        found.ok_or_else(|| ExportProblem::NothingToRollBack(self.path.clone()))
    }

    /// Formats that exports wrote to their end, with the number of the last that did.
    pub(crate) fn written(&self) -> Result<BTreeMap<ExportFormat, u64>, ExportProblem> {
        let runs = self.told(self.ledger.runs())?;
        let whole = runs.iter().filter(|run| run.is_complete);
        let formats = |run: &Run| -> Vec<ExportFormat> {
            run.formats.iter().filter_map(|format| ExportFormat::named(format)).collect()
        };
        Ok(whole
            .flat_map(|run| formats(run).into_iter().map(|format| (format, run.number)))
            .collect())
    }

    /// What exports after that one withdrew.
    pub(crate) fn withdrawn_after(&self, run: u64) -> Result<Vec<Withdrawal>, ExportProblem> {
        let mut withdrawn = Vec::new();
        let read = self.ledger.withdrawn_after(run, |it: Withdrawn| {
            let Withdrawn { indicator, in_force, detail, .. } = it;
            withdrawn.push(Withdrawal { indicator, in_force, reason: Reason::Earlier(detail) });
            Ok(())
        });
        self.told(read)?;
        Ok(withdrawn)
    }

    /// Writes down what is about to be in force.
    pub(crate) fn begin(
        &self,
        run: &Run,
        state: &State,
        list: &BlockList,
        exempt: &Exempt,
    ) -> Result<(), ExportProblem> {
        let entries = list.blocks.iter().map(|block| Entry::new(block, run));
        self.told(self.ledger.begin(run, state, entries, exempt))
    }

    /// Writes down that it is, and what no longer is.
    pub(crate) fn complete(&self, run: &Run, list: &BlockList) -> Result<(), ExportProblem> {
        let withdrawn = |it: &Withdrawal| Withdrawn::new(it, run.number);
        let withdrawn = list.withdrawn.iter().flatten().map(withdrawn);
        self.told(self.ledger.complete(run.number, withdrawn))
    }

    fn told<T>(&self, result: Result<T, LedgerError>) -> Result<T, ExportProblem> {
        result.map_err(|error| ExportProblem::Ledger { path: self.path.clone(), error })
    }
}

fn open(path: &Path, access: Access) -> Result<(Ledger, Before), ExportProblem> {
    let unread = |error: io::Error| ExportProblem::Read { path: path.to_owned(), error };
    let mut options = File::options();
    options.read(true).write(access != Access::Read).create(access == Access::Begin);
    let file = options.truncate(false).open(path).map_err(unread)?;
    let memory = (access == Access::Read).then(|| in_memory(&file)).transpose().map_err(unread)?;
    let ledger = || -> Result<_, LedgerError> {
        let ledger = match memory {
            Some(memory) => Ledger::open(memory)?,
            None => Ledger::open(FileBackend::new(file)?)?,
        };
        let before = ledger.before()?;
        Ok((ledger, before))
    };
    ledger().map_err(|error| ExportProblem::Ledger { path: path.to_owned(), error })
}

/// What a file holds, in memory. Of a ledger that is written meanwhile, it may be of no use.
fn in_memory(mut file: &File) -> io::Result<InMemoryBackend> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let memory = InMemoryBackend::new();
    memory.set_len(bytes.len() as u64)?;
    memory.write(0, &bytes)?;
    Ok(memory)
}
