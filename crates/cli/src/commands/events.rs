//! `miyaburi events`.

use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use miyaburi_confinement::Reach;
use miyaburi_hunting::pseudonyms::Pseudonyms;
use miyaburi_hunting::table::{Batches, Row, schema};

use super::logs::Logs;
use super::redact;
use crate::Status;
use crate::arguments::{EventsArguments, EventsFormat};
use crate::error::CommandError;
use crate::output::Output;

/// Bytes of text that are written together.
const TOGETHER: usize = 1 << 16;

pub(crate) fn run(arguments: &EventsArguments) -> Result<Status, CommandError> {
    let output = Output::create(arguments.output.as_deref())?;
    let logs = Logs::collect(&arguments.logs, output.is_terminal())?;
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let readable = arguments.logs.logs.iter().chain(&logs.files).cloned().collect();
    arguments.confinement.begin(&Reach { readable, writable: Vec::new() });
    let pseudonyms = pseudonyms.as_ref();
    let status = match arguments.format {
        EventsFormat::Ndjson => ndjson(&logs, pseudonyms, output),
        EventsFormat::Arrow => arrow(&logs, pseudonyms, output),
    };
    logs.finish();
    status
}

/// Hands all rows to `take`; its first error ends it.
fn rows(
    logs: &Logs<'_>,
    pseudonyms: Option<&Pseudonyms>,
    mut take: impl FnMut(Row) -> Result<(), CommandError>,
) -> Result<Status, CommandError> {
    let mut status = Status::Clean;
    for log in &logs.files {
        let mut taken = Ok(());
        let is_whole = logs.read(log, &mut |event, at| {
            if taken.is_ok() {
                let mut row = Row::of(event, at);
                pseudonyms.iter().for_each(|it| it.row_of_events(&mut row));
                taken = take(row);
            }
        });
        taken?;
        if !is_whole {
            status = Status::SomethingFailed;
        }
    }
    Ok(status)
}

fn ndjson(
    logs: &Logs<'_>,
    pseudonyms: Option<&Pseudonyms>,
    mut output: Output,
) -> Result<Status, CommandError> {
    let mut text = String::new();
    let status = rows(logs, pseudonyms, |row| {
        text.push_str(&serde_json::to_string(&row)?);
        text.push('\n');
        if text.len() >= TOGETHER {
            output.write(&text)?;
            text.clear();
        }
        Ok(())
    })?;
    output.write(&text)?;
    Ok(status)
}

fn arrow(
    logs: &Logs<'_>,
    pseudonyms: Option<&Pseudonyms>,
    output: Output,
) -> Result<Status, CommandError> {
    let name = output.name().to_owned();
    let failed = |error: ArrowError| CommandError::Arrow { name: name.clone(), error };
    let mut stream = StreamWriter::try_new(output, &schema()).map_err(failed)?;
    let mut batches = Batches::default();
    let status = rows(logs, pseudonyms, |row| {
        if batches.push(row)
            && let Some(batch) = batches.take().map_err(failed)?
        {
            stream.write(&batch).map_err(failed)?;
        }
        Ok(())
    })?;
    if let Some(batch) = batches.take().map_err(failed)? {
        stream.write(&batch).map_err(failed)?;
    }
    stream.finish().map_err(failed)?;
    Ok(status)
}
