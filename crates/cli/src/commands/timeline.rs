//! `miyaburi timeline`.

use miyaburi_confinement::Reach;
use miyaburi_hunting::coverage::{Coverage, Gap, Spoken};
use miyaburi_hunting::timeline::{Entry, Timeline};
use serde::Serialize;

use super::logs::Logs;
use super::redact;
use crate::Status;
use crate::arguments::{TimelineArguments, TimelineFormat};
use crate::error::CommandError;
use crate::output::Output;
use crate::text;

/// A line of the output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'t> {
    Gap(&'t Gap),
    Event(&'t Entry),
}

pub(crate) fn run(arguments: &TimelineArguments) -> Result<Status, CommandError> {
    let mut output = Output::create(arguments.output.as_deref())?;
    let logs = Logs::collect(&arguments.logs, false)?;
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let readable = arguments.logs.logs.iter().chain(&logs.files).cloned();
    arguments.confinement.begin(&Reach { readable: readable.collect(), writable: Vec::new() });
    let mut timeline = Timeline::new(arguments.entity.clone(), arguments.since, arguments.until);
    let mut coverage = Coverage::default();
    let mut status = Status::Clean;
    for log in &logs.files {
        let mut spoken = Spoken::default();
        let is_whole = logs.read(log, &mut |event, at| {
            event.time.into_iter().for_each(|time| spoken.note(time));
            timeline.look(event, at);
        });
        coverage.add(&log.display().to_string(), spoken);
        if !is_whole {
            status = Status::SomethingFailed;
        }
    }
    logs.finish();
    let span = coverage
        .span()
        .map(|(first, last)| (arguments.since.unwrap_or(first), arguments.until.unwrap_or(last)));
    let mut gaps = span.map_or_else(Vec::new, |(since, until)| {
        coverage.gaps(since, until, arguments.silence.threshold())
    });
    let mut entries = timeline.finish();
    let mut entity = arguments.entity.to_string();
    if let Some(pseudonyms) = &pseudonyms {
        entity = pseudonyms.entity(&entity);
        entries.iter_mut().for_each(|entry| pseudonyms.entry(entry));
        gaps.iter_mut().for_each(|gap| pseudonyms.gap(gap));
    }
    let usual =
        if output.is_terminal() { TimelineFormat::Markdown } else { TimelineFormat::Ndjson };
    let text = match arguments.format.unwrap_or(usual) {
        TimelineFormat::Markdown => text::timeline(&entity, &entries, &gaps),
        TimelineFormat::Html => text::page(&entity, &entries, &gaps),
        TimelineFormat::Ndjson => ndjson(&entries, &gaps)?,
    };
    output.write(&text)?;
    Ok(status)
}

/// Gaps and events by the time at which they begin.
fn ndjson(entries: &[Entry], gaps: &[Gap]) -> Result<String, CommandError> {
    let mut lines: Vec<_> = gaps.iter().map(|gap| (Some(gap.from), Line::Gap(gap))).collect();
    lines.extend(entries.iter().map(|entry| (entry.time, Line::Event(entry))));
    lines.sort_by_key(|(time, _)| *time);
    let mut text = String::new();
    for (_, line) in lines {
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}
