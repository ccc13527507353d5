//! `miyaburi hunt`.

use std::path::{Path, PathBuf};

use miyaburi_confinement::Reach;
use miyaburi_hunting::{Hit, Hunt};

use super::logs::{self, Logs};
use super::{holders, indicators, redact};
use crate::Status;
use crate::arguments::{HuntArguments, HuntFormat};
use crate::error::CommandError;
use crate::follow::Follow;
use crate::output::Output;
use crate::text::{self, Palette};

/// Bytes of hits that are written at once.
const BATCH: usize = 1 << 16;

pub(crate) fn run(arguments: &HuntArguments) -> Result<Status, CommandError> {
    if arguments.follow {
        return follow(arguments);
    }
    let mut output = Output::create(arguments.output.as_deref())?;
    let usual = if output.is_terminal() { HuntFormat::Text } else { HuntFormat::Ndjson };
    let format = arguments.format.unwrap_or(usual);
    let is_printing = format == HuntFormat::Ndjson && output.is_terminal();
    let logs = Logs::collect(&arguments.logs, is_printing)?;
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let readable = arguments.indicators.iter().chain(&arguments.logs.logs).chain(&logs.files);
    let readable = readable.chain(&arguments.leases).cloned();
    let reach = Reach { readable: readable.collect(), writable: Vec::new() };
    arguments.confinement.begin(&reach);
    let (indicators, mut status) = indicators::read(&arguments.indicators)?;
    let (holders, told) = holders::read(&arguments.leases)?;
    status = status.with(told);
    let mut hunt =
        Hunt::new(&indicators).with_holders(&holders).with_pseudonyms(pseudonyms.as_ref());
    for log in &logs.files {
        if !hunt_in(&logs, log, &mut hunt, format, &mut output)? {
            status = Status::SomethingFailed;
        }
    }
    logs.finish();
    match format {
        HuntFormat::Text => {
            let palette = Palette::for_terminal(output.is_terminal());
            output.write(&text::hunted(&hunt.summary, indicators.len(), palette))?;
        }
        HuntFormat::Ndjson => {}
        HuntFormat::Summary => {
            let mut lines = String::new();
            for line in hunt.summary.lines() {
                lines.push_str(&serde_json::to_string(line)?);
                lines.push('\n');
            }
            output.write(&lines)?;
        }
    }
    Ok(status)
}

/// Follows logs, which are files by name, since what takes their place is found by it.
fn follow(arguments: &HuntArguments) -> Result<Status, CommandError> {
    let logs = &arguments.logs.logs;
    if let Some(path) = logs.iter().find(|path| !path.is_file()) {
        return Err(CommandError::NotFollowed { path: path.clone() });
    }
    let pseudonyms = redact::pseudonyms(&arguments.redaction)?;
    let follow = Follow::begin(logs, arguments.output.as_deref(), arguments.checkpoint.as_deref())?;
    let folder = |path: &PathBuf| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
    };
    let given = arguments.indicators.iter().chain(&arguments.leases).cloned();
    let readable = given.chain(logs.iter().map(folder)).collect();
    arguments.confinement.begin(&Reach { readable, writable: Vec::new() });
    let (indicators, status) = indicators::read(&arguments.indicators)?;
    let (holders, told) = holders::read(&arguments.leases)?;
    let hunt = || {
        let hunt = Hunt::new(&indicators).with_holders(&holders);
        hunt.with_pseudonyms(pseudonyms.as_ref())
    };
    follow.run(|log| logs::following(&arguments.logs, log), hunt, logs::tell);
    // It comes to an end when no log can be read any more.
    Ok(status.with(told).with(Status::SomethingFailed))
}

/// Hunts in one log. False when it could not be read whole, which was told.
fn hunt_in(
    logs: &Logs<'_>,
    log: &Path,
    hunt: &mut Hunt<'_>,
    format: HuntFormat,
    output: &mut Output,
) -> Result<bool, CommandError> {
    let mut lines = String::new();
    let mut failure = None;
    let mut found = |hit: Hit| {
        if format != HuntFormat::Ndjson || failure.is_some() {
            return;
        }
        failure = append(&mut lines, &hit, output).err();
    };
    let is_whole = logs.read(log, &mut |event, at| hunt.look(event, at, &mut found));
    if let Some(failure) = failure {
        return Err(failure);
    }
    output.write(&lines)?;
    Ok(is_whole)
}

fn append(lines: &mut String, hit: &Hit, output: &mut Output) -> Result<(), CommandError> {
    lines.push_str(&serde_json::to_string(hit)?);
    lines.push('\n');
    if lines.len() >= BATCH {
        output.write(lines)?;
        lines.clear();
    }
    Ok(())
}
