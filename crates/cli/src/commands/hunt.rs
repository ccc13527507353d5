//! `miyaburi hunt`.

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use miyaburi_confinement::Reach;
use miyaburi_hunting::indicators::{self, Indicators, SourceError};
use miyaburi_hunting::time::{Clock, Moment};
use miyaburi_hunting::{Hit, Hunt, Options, Scanned, readers, scan, sources};

use crate::Status;
use crate::arguments::{HuntArguments, HuntFormat};
use crate::error::{CommandError, complain};
use crate::output::Output;
use crate::text::{self, Palette};

/// Bytes of hits that are written at once.
const BATCH: usize = 1 << 16;

pub(crate) fn run(arguments: &HuntArguments) -> Result<Status, CommandError> {
    let mut output = Output::create(arguments.output.as_deref())?;
    let logs = sources::collect(&arguments.logs)
        .map_err(|(path, error)| CommandError::Read { path, error })?;
    let readable = arguments.indicators.iter().chain(&arguments.logs).chain(&logs).cloned();
    let reach = Reach { readable: readable.collect(), writable: Vec::new() };
    arguments.confinement.begin(&reach);
    let (indicators, mut status) = indicators(arguments)?;
    let usual = if output.is_terminal() { HuntFormat::Text } else { HuntFormat::Ndjson };
    let format = arguments.format.unwrap_or(usual);
    let mut hunt = Hunt::new(&indicators);
    for log in &logs {
        if !hunt_in(arguments, log, &mut hunt, format, &mut output)? {
            status = Status::SomethingFailed;
        }
    }
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

/// The indicators of all files; values that are none were told.
fn indicators(arguments: &HuntArguments) -> Result<(Indicators, Status), CommandError> {
    let mut set = Indicators::default();
    let mut status = Status::Clean;
    for path in &arguments.indicators {
        let mut refused = |error: SourceError| {
            complain(format_args!("{}: {error}", path.display()));
            status = Status::SomethingFailed;
        };
        let fail = |error| CommandError::Indicators { path: path.clone(), error };
        let read = match path.as_os_str() == sources::STANDARD_INPUT {
            true => indicators::read(&mut stdin().lock(), &mut set, &mut refused),
            false => File::open(path).map_err(SourceError::Read).and_then(|file| {
                indicators::read(&mut BufReader::new(file), &mut set, &mut refused)
            }),
        };
        read.map_err(fail)?;
    }
    set.seal();
    Ok((set, status))
}

/// Hunts in one log. False when it could not be read whole, which was told.
fn hunt_in(
    arguments: &HuntArguments,
    log: &Path,
    hunt: &mut Hunt<'_>,
    format: HuntFormat,
    output: &mut Output,
) -> Result<bool, CommandError> {
    let name = log.display().to_string();
    let mut lines = String::new();
    let mut failure = None;
    let mut found = |hit: Hit| {
        if format != HuntFormat::Ndjson || failure.is_some() {
            return;
        }
        failure = append(&mut lines, &hit, output).err();
    };
    let scanned = sources::open(log)
        .and_then(|reader| scan(reader, &name, &options(arguments), hunt, &mut found));
    if let Some(failure) = failure {
        return Err(failure);
    }
    output.write(&lines)?;
    Ok(match scanned {
        Ok(scanned) => tell(&name, &scanned),
        Err(error) => {
            complain(format_args!("{name}: {error}"));
            false
        }
    })
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

fn options(arguments: &HuntArguments) -> Options {
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    Options {
        format: arguments.log_format.as_deref().and_then(readers::named),
        clock: Clock {
            offset: arguments.timezone,
            ahead: arguments.clock_ahead,
            latest: arguments.latest.unwrap_or_else(now),
        },
    }
}

/// Tells of lines that were not read. False when nothing was, though there was something.
fn tell(name: &str, scanned: &Scanned) -> bool {
    if let (Some(format), 0) = (scanned.format, scanned.events)
        && scanned.lines > 0
    {
        complain(format_args!("{name}: read as {format}, and no line tells of anything to hunt"));
    }
    let Some((offset, sample)) = scanned.samples.first() else { return true };
    if scanned.format.is_none() {
        complain(format_args!("{name}: no known log format, such as {sample:?}"));
        return false;
    }
    let Scanned { unread, lines, .. } = scanned;
    complain(format_args!(
        "{name}: {unread} of {lines} lines not read, first byte {offset}: {sample:?}"
    ));
    true
}
