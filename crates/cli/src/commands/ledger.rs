//! `miyaburi ledger`.

use std::io::{self, Write};

use miyaburi_ledger::{Entry, Exempt, Innocent, Kind, LedgerError, Run, Withdrawn};
use serde::Serialize;

use crate::Status;
use crate::arguments::{LedgerArguments, LedgerFormat};
use crate::error::CommandError;
use crate::export::{Access, Book, ExportProblem, spelled};
use crate::output::Output;

/// One line of JSON.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Line<'a> {
    Run(&'a Run),
    InForce(&'a Entry),
    Withdrawn(&'a Withdrawn),
    Revoked { entry: &'a str },
    Innocent(&'a Innocent),
}

/// Why not everything was told.
enum Stop {
    Write(io::Error),
    Read(LedgerError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Read(error)
    }
}

pub(crate) fn run(arguments: &LedgerArguments) -> Result<Status, CommandError> {
    let path = &arguments.ledger;
    let book = Book::open(path, Access::Read).map_err(CommandError::Export)?;
    let mut output = Output::standard();
    let usual = if output.is_terminal() { LedgerFormat::Text } else { LedgerFormat::Ndjson };
    let format = arguments.format.unwrap_or(usual);
    let mut unread = None;
    output.stream(|writer| match tell(&book, &mut |line| print(writer, &line, format)) {
        Ok(()) => Ok(()),
        Err(Stop::Write(error)) => Err(error),
        Err(Stop::Read(error)) => {
            unread = Some(error);
            Ok(())
        }
    })?;
    match unread {
        None => Ok(Status::Clean),
        Some(error) => {
            Err(CommandError::Export(ExportProblem::Ledger { path: path.clone(), error }))
        }
    }
}

/// Hands on exports, what is in force, what was withdrawn, what the user took back and who is innocent.
fn tell(book: &Book, take: &mut dyn FnMut(Line<'_>) -> io::Result<()>) -> Result<(), Stop> {
    let ledger = book.ledger();
    for run in ledger.runs()? {
        take(Line::Run(&run))?;
    }
    for run in book.before.runs() {
        ledger.entries(run.number, |entry| Ok::<_, Stop>(take(Line::InForce(&entry))?))?;
    }
    ledger.withdrawn_after(0, |withdrawn| Ok::<_, Stop>(take(Line::Withdrawn(&withdrawn))?))?;
    let Exempt { revoked, innocent } = ledger.exempt()?;
    for entry in &revoked {
        take(Line::Revoked { entry })?;
    }
    for innocent in &innocent {
        take(Line::Innocent(innocent))?;
    }
    Ok(())
}

fn print(writer: &mut dyn Write, line: &Line<'_>, format: LedgerFormat) -> io::Result<()> {
    match (format, line) {
        (LedgerFormat::Ndjson, line) => {
            serde_json::to_writer(&mut *writer, line)?;
            writeln!(writer)
        }
        (LedgerFormat::Text, Line::Run(run)) => print_run(writer, run),
        (LedgerFormat::Text, Line::InForce(entry)) => {
            let Entry { indicator, in_force, .. } = entry;
            let (since, until, run) = (in_force.since, in_force.until, in_force.run);
            let indicator = spelled(indicator);
            writeln!(writer, "  {indicator} since {since} by export {run}, until {until}")
        }
        (LedgerFormat::Text, Line::Withdrawn(withdrawn)) => {
            let Withdrawn { indicator, in_force, withdrawn_by, detail, .. } = withdrawn;
            let (since, indicator) = (in_force.since, spelled(indicator));
            writeln!(
                writer,
                "- {indicator} since {since}, withdrawn by export {withdrawn_by}: {detail}"
            )
        }
        (LedgerFormat::Text, Line::Revoked { entry }) => writeln!(writer, "revoked: {entry}"),
        (LedgerFormat::Text, Line::Innocent(Innocent { indicator, .. })) => {
            writeln!(writer, "not blocked: {}", spelled(indicator))
        }
    }
}

fn print_run(writer: &mut dyn Write, run: &Run) -> io::Result<()> {
    let Run { number, kind, time, stage, formats, is_complete, .. } = run;
    let kind = match kind {
        Kind::Export => String::new(),
        Kind::RollBack(undone) => format!(", a roll back of {undone}"),
    };
    let stopped = if *is_complete { "" } else { ", stopped before its end" };
    let (stage, formats) = (stage.name(), formats.join(","));
    writeln!(writer, "export {number} at {time}, stage {stage}, {formats}{kind}{stopped}")
}
