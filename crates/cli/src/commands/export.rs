//! `miyaburi export`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use miyaburi_export::Stamp;
use miyaburi_export::VERSION;
use miyaburi_export::configurations::Configurations;
use miyaburi_export::indicators::{InForce, Indicator, Timestamp};
use miyaburi_ledger::{Kind, Return};

use crate::Status;
use crate::arguments::{ExportArguments, ExportFormat};
use crate::error::{CommandError, complain};
use crate::export::{
    Access, Book, Documents, Export, ExportProblem, Prepared, Spared, dry_run, now, rolled_back,
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
    // What cannot be written is told before a ledger begins, and reports are read, which may take long.
    check_directory(output)
        .map_err(|error| ExportProblem::Read { path: output.to_owned(), error })?;
    let book = arguments.state.state.as_deref().map(|path| Book::open(path, Access::Begin));
    let book = book.transpose()?;
    let prepared = Prepared::read(arguments, Some(output), book.as_ref())?;
    if let Some(last) = book.as_ref().and_then(|book| book.before.time()) {
        tell_order(last, prepared.list.stamp.now);
    }
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

/// Whether a directory is there or could be made, which it is not yet.
fn check_directory(path: &Path) -> io::Result<()> {
    let existing = path.ancestors().find_map(|above| fs::metadata(above).ok());
    match existing {
        Some(above) if !above.is_dir() => Err(io::ErrorKind::NotADirectory.into()),
        Some(above) if above.permissions().readonly() => {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        _ => Ok(()),
    }
}

/// Tells of an export that is to be earlier than the one before it.
fn tell_order(last: Timestamp, now: Timestamp) {
    if now < last {
        complain(format_args!(
            "the time of this export, {now}, is before that of the last one, {last}"
        ));
    }
}

/// Returns to what the ledger had before its last export; what that changed.
fn roll_back(
    arguments: &ExportArguments,
    output: &Path,
    path: &Path,
) -> Result<Option<String>, ExportProblem> {
    let now = now(&arguments.selection)?;
    let book = Book::open(path, Access::Write)?;
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
