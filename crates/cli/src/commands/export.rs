//! `miyaburi export`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use miyaburi_export::Stamp;
use miyaburi_export::VERSION;
use miyaburi_export::configurations::Configurations;
use miyaburi_export::indicators::{InForce, Indicator};
use miyaburi_ledger::{Kind, Return};

use crate::Status;
use crate::arguments::{ExportArguments, ExportFormat};
use crate::error::{CommandError, complain};
use crate::export::{
    Book, Documents, Export, ExportProblem, Prepared, Spared, dry_run, now, rolled_back,
    tell_written,
};
use crate::output::Output;

pub(crate) fn run(arguments: &ExportArguments) -> Result<Status, CommandError> {
    let made = match (&arguments.output, &arguments.state.state) {
        (Some(output), Some(state)) if arguments.state.rollback => {
            roll_back(arguments, output, state)
        }
        (Some(output), _) => export(arguments, output),
        (None, _) => return dry_run(arguments),
    };
    if let Some(difference) = made.map_err(CommandError::Export)? {
        Output::standard().write(&difference)?;
    }
    Ok(Status::Clean)
}

/// Makes an export; what it changed, where that is known.
fn export(arguments: &ExportArguments, output: &Path) -> Result<Option<String>, ExportProblem> {
    let book = arguments.state.state.as_deref().map(|path| Book::open(path, true)).transpose()?;
    let prepared = Prepared::read(arguments, Some(output), book.as_ref())?;
    let export = Export {
        folder: output,
        formats: &arguments.formats(),
        provenance: prepared.provenance,
        kind: Kind::Export,
        configurations: &prepared.configurations,
        tlp: arguments.tlp.into(),
        exempt: &prepared.exempt,
        refusals: &prepared.refusals,
    };
    let difference = export.write(prepared.list, prepared.state, book.as_ref())?;
    for (format, written) in prepared.documents.iter().map(Documents::written) {
        tell_written(format, written);
    }
    Ok(difference)
}

/// Returns to what the ledger had before its last export; what that changed.
fn roll_back(
    arguments: &ExportArguments,
    output: &Path,
    path: &Path,
) -> Result<Option<String>, ExportProblem> {
    let now = now(&arguments.selection)?;
    let book = Book::open(path, false)?;
    let Return { undone, target, state } = book.last_enforcement()?;
    let present: BTreeMap<Indicator, InForce> = book
        .in_force()?
        .into_merged()
        .into_iter()
        .filter_map(|(indicator, known)| Some((indicator, known.in_force?)))
        .collect();
    let entries = target.as_ref().map_or_else(|| Ok(Vec::new()), |run| book.entries(run))?;
    let (revoked, exempt) = (book.revoked()?, book.exempt()?);
    let spared = Spared::new(revoked, &exempt.innocent);
    let serial = Stamp::serial(now, book.before.serial());
    let stage = target.as_ref().unwrap_or(&undone).stage;
    let list = rolled_back(entries, present, &spared, stage, state.stamp(now, serial));
    let provenance = serde_json::json!({
        "tool": format!("miyaburi {VERSION}"),
        "time": now,
        "rolled_back": undone.number,
        "returns_to": target.as_ref().map(|run| &run.provenance),
    });
    let runs = || target.iter().chain([&undone]);
    let formats: BTreeSet<ExportFormat> =
        runs().flat_map(|run| &run.formats).filter_map(|it| ExportFormat::named(it)).collect();
    let (formats, others): (Vec<ExportFormat>, Vec<ExportFormat>) =
        formats.into_iter().partition(|format| format.is_rolled_back());
    for format in others {
        complain(format_args!("{}: tells what was found, and stays as it is", format.name()));
    }
    Export {
        folder: output,
        formats: &formats,
        provenance,
        kind: Kind::RollBack(undone.number),
        configurations: &Configurations::default(),
        tlp: arguments.tlp.into(),
        exempt: &exempt,
        refusals: &[],
    }
    .write(list, state, Some(&book))
}
