//! `miyaburi count`.

use miyaburi_confinement::Reach;
use miyaburi_hunting::count::{Counts, Line};

use super::logs::Logs;
use super::{indicators, redact};
use crate::Status;
use crate::arguments::{CountArguments, CountFormat};
use crate::error::CommandError;
use crate::output::Output;
use crate::text;

pub(crate) fn run(arguments: &CountArguments) -> Result<Status, CommandError> {
    let mut output = Output::create(arguments.output.as_deref())?;
    let logs = Logs::collect(&arguments.logs, false)?;
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let readable = arguments.logs.logs.iter().chain(&arguments.indicators).chain(&logs.files);
    let readable = readable.cloned().collect();
    arguments.confinement.begin(&Reach { readable, writable: Vec::new() });
    let (indicators, mut status) = indicators::read(&arguments.indicators)?;
    let mut counts = Counts::new(arguments.own.clone(), &indicators);
    for log in &logs.files {
        if !logs.read(log, &mut |event, _| counts.look(event)) {
            status = Status::SomethingFailed;
        }
    }
    logs.finish();
    let mut lines = counts.lines();
    pseudonyms.iter().for_each(|it| lines.iter_mut().for_each(|line| it.count(line)));
    let usual = if output.is_terminal() { CountFormat::Markdown } else { CountFormat::Ndjson };
    let text = match arguments.format.unwrap_or(usual) {
        CountFormat::Markdown => text::counts(&lines),
        CountFormat::Ndjson => ndjson(&lines)?,
    };
    output.write(&text)?;
    Ok(status)
}

fn ndjson(counts: &[Line]) -> Result<String, CommandError> {
    let mut text = String::new();
    for line in counts {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(text)
}
