//! Writing an export, and a ledger of it.

use std::collections::BTreeMap;
use std::path::Path;

use miyaburi_export::configurations::Configurations;
use miyaburi_export::flowspec::Routes;
use miyaburi_export::gate::Refusal;
use miyaburi_export::{BlockList, ExportError, Folder, Tlp, Withdrawal, csv};
use miyaburi_ledger::{Exempt, Kind, Run, State};
use serde_json::Value;

use super::difference::{self, Difference};
use super::{Book, ExportProblem, OutputFolder, Sources, provenance, write_formats};
use crate::arguments::ExportFormat;
use crate::error::complain;

/// An export that is to be written.
pub(crate) struct Export<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) formats: &'a [ExportFormat],
    pub(crate) provenance: Value,
    pub(crate) kind: Kind,
    pub(crate) configurations: &'a Configurations,
    pub(crate) tlp: Tlp,
    pub(crate) exempt: &'a Exempt,
    pub(crate) refusals: &'a [Refusal],
}

impl Export<'_> {
    /// Writes all files; what the export changed, when there is a ledger. It gets the entries before
    /// the files are in their places: what was put in force is never unknown to it.
    pub(crate) fn write(
        &self,
        mut list: BlockList,
        mut state: State,
        book: Option<&Book>,
    ) -> Result<Option<String>, ExportProblem> {
        if let Some(book) = book {
            list.overdue = overdue(book, self.formats, &list)?;
        }
        let list = &list;
        let before = book.map(|book| &book.before);
        let is_announcing = self.formats.contains(&ExportFormat::Flowspec);
        state.routes = match &state.flows {
            Some(flows) if is_announcing => Routes::new(list, &state.traffic, flows),
            // Who had routes announced has them still.
            _ => before.map(|before| before.routes.clone()).unwrap_or_default(),
        };
        let run = book.map(|book| self.run(book, list));
        let difference =
            before.zip(run.as_ref()).map(|(before, run)| Difference::new(before, run, list));
        if let Some((book, run)) = book.zip(run.as_ref()) {
            book.begin(run, &state, list, self.exempt)?;
        }
        let in_folder = |error| ExportProblem::Read { path: self.folder.to_owned(), error };
        let mut folder = OutputFolder::create(self.folder).map_err(in_folder)?;
        let sources = Sources {
            traffic: &state.traffic,
            configurations: self.configurations,
            routes: &state.routes,
            routes_before: before.map(|before| &before.routes),
            subscribers: &state.subscribers,
            tlp: self.tlp,
        };
        self.write_files(list, &sources, difference.as_ref(), &mut folder)
            .map_err(|error| ExportProblem::Write { folder: self.folder.to_owned(), error })?;
        folder.finish().map_err(in_folder)?;
        if let Some((book, run)) = book.zip(run.as_ref()) {
            book.complete(run, list)?;
        }
        Ok(difference.map(|difference| difference.text()))
    }

    fn write_files(
        &self,
        list: &BlockList,
        sources: &Sources<'_>,
        difference: Option<&Difference<'_>>,
        folder: &mut dyn Folder,
    ) -> Result<(), ExportError> {
        provenance::write(&self.provenance, folder)?;
        csv::write_refusals(self.refusals, folder)?;
        match difference {
            Some(difference) => difference.write(folder)?,
            None => folder.remove(difference::FILE),
        }
        write_formats(self.formats, list, sources, folder)
    }

    fn run(&self, book: &Book, list: &BlockList) -> Run {
        Run {
            number: book.number(),
            kind: self.kind,
            time: list.stamp.now,
            serial: list.stamp.serial,
            stage: list.stage,
            formats: self.formats.iter().map(|format| format.name().to_owned()).collect(),
            is_complete: false,
            provenance: self.provenance.clone(),
        }
    }
}

/// What was withdrawn since these formats were last written and is not blocked now; tells of other formats
/// that still have something of it.
fn overdue(
    book: &Book,
    formats: &[ExportFormat],
    list: &BlockList,
) -> Result<Vec<Withdrawal>, ExportProblem> {
    let written: BTreeMap<ExportFormat, u64> =
        book.written()?.into_iter().filter(|(format, _)| format.is_rolled_back()).collect();
    let (now, others): (BTreeMap<ExportFormat, u64>, BTreeMap<ExportFormat, u64>) =
        written.into_iter().partition(|(format, _)| formats.contains(format));
    let is_free = |it: &Withdrawal| {
        list.blocks.binary_search_by(|block| block.indicator.cmp(&it.indicator)).is_err()
    };
    let withdrawn_after = |run: Option<u64>| -> Result<Vec<Withdrawal>, ExportProblem> {
        let withdrawn = run.map_or_else(|| Ok(Vec::new()), |run| book.withdrawn_after(run))?;
        Ok(withdrawn.into_iter().filter(is_free).collect())
    };
    let is_withdrawing = list.withdrawn.iter().any(|now| !now.is_empty());
    for (format, run) in others {
        if !is_withdrawing && withdrawn_after(Some(run))?.is_empty() {
            continue;
        }
        complain(format_args!(
            "{}: last written by export {run}; where that was loaded, what was withdrawn since is \
             in force until {} is among the formats again",
            format.name(),
            format.name()
        ));
    }
    withdrawn_after(now.into_values().min())
}
