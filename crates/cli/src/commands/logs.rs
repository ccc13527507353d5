//! Logs as commands read them: every event, and what could not be read told.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::ProgressBar;
use miyaburi_hunting::Kind;
use miyaburi_hunting::readers::Source;
use miyaburi_hunting::time::{Clock, Moment};
use miyaburi_hunting::{Event, Options, Scanned, Sighted, begins, events, readers, sources};

use crate::arguments::{LogArguments, ReadingArguments};
use crate::error::{CommandError, complain};
use crate::progress;

/// The logs that are meant, and how far they were read.
pub(crate) struct Logs<'a> {
    arguments: &'a ReadingArguments,
    /// The files, and standard input.
    pub(crate) files: Vec<PathBuf>,
    /// The time of the command, by the clock or by its options.
    now: Moment,
    progress: ProgressBar,
}

impl<'a> Logs<'a> {
    /// Finds them. `is_quiet` when a bar would stand in the way of what is printed.
    pub(super) fn collect(
        arguments: &'a LogArguments,
        is_quiet: bool,
    ) -> Result<Self, CommandError> {
        Self::of(&arguments.reading, &arguments.logs, now(), is_quiet)
    }

    /// The same at another time than the clock's.
    pub(crate) fn of(
        arguments: &'a ReadingArguments,
        paths: &[PathBuf],
        now: Moment,
        is_quiet: bool,
    ) -> Result<Self, CommandError> {
        let files =
            sources::collect(paths).map_err(|(path, error)| CommandError::Read { path, error })?;
        let sizes = files.iter().map(|log| log.metadata().map_or(0, |it| it.len()));
        let progress = progress::bytes(if is_quiet { 0 } else { sizes.sum() });
        Ok(Self { arguments, files, now, progress })
    }

    /// The files by the time of their first event, so that parts of a log that were rotated come in order;
    /// standard input, which can be read once, and what has no such time come first.
    pub(super) fn in_order(&self) -> Vec<PathBuf> {
        let first = |log: &PathBuf| {
            let is_input = log.as_os_str() == sources::STANDARD_INPUT;
            // What cannot be read is told when it is read whole.
            let reader = (!is_input).then(|| sources::open(log).ok()).flatten()?;
            begins(reader, &options(self.arguments, log, self.now)).ok().flatten()
        };
        let mut logs: Vec<_> = self.files.iter().map(|log| (first(log), log)).collect();
        logs.sort_by_key(|(time, _)| *time);
        logs.into_iter().map(|(_, log)| log.clone()).collect()
    }

    /// Hands all events of one log to `seen`, except those that only count. False when it could not be
    /// read whole, which was told.
    pub(crate) fn read(&self, log: &Path, seen: &mut impl FnMut(&Event<'_>, Sighted<'_>)) -> bool {
        self.read_all(log, &mut |event, at| {
            if event.kind != Kind::Traffic {
                seen(event, at);
            }
        })
    }

    /// Hands all events of one log to `seen`. False when it could not be read whole, which was told.
    pub(crate) fn read_all(
        &self,
        log: &Path,
        seen: &mut impl FnMut(&Event<'_>, Sighted<'_>),
    ) -> bool {
        let name = log.display().to_string();
        let options = options(self.arguments, log, self.now);
        let scanned = self.open(log).and_then(|reader| events(reader, &name, &options, seen));
        self.progress.suspend(|| match scanned {
            Ok(scanned) => tell(&name, &scanned),
            Err(error) => {
                complain(format_args!("{name}: {error}"));
                false
            }
        })
    }

    /// Takes the bar away, before anything is printed where it stood.
    pub(crate) fn finish(&self) {
        self.progress.finish_and_clear();
    }

    /// The bytes of a log, of which those are counted that the file has.
    fn open(&self, log: &Path) -> io::Result<Box<dyn Read>> {
        if log.as_os_str() == sources::STANDARD_INPUT {
            return sources::open(log);
        }
        sources::opened(self.progress.wrap_read(File::open(log)?))
    }
}

/// How logs are read that are still written to: of times without a year, those of the next months are
/// meant, too.
pub(super) fn following<'a>(arguments: &'a LogArguments, log: &Path) -> Options<'a> {
    /// Seconds of half a year: what is older than that gets the wrong year.
    const AHEAD: i64 = 182 * 86_400;
    let mut options = options(&arguments.reading, log, now());
    if arguments.reading.latest.is_none() {
        options.clock.latest = Moment::from_unix(options.clock.latest.unix() + AHEAD);
    }
    options
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn options<'a>(arguments: &'a ReadingArguments, log: &Path, now: Moment) -> Options<'a> {
    let described = arguments.log_description.as_ref().map(|described| described as &dyn Source);
    let usual = Clock {
        zone: arguments.timezone,
        ahead: arguments.clock_ahead,
        latest: arguments.latest.unwrap_or(now),
    };
    let clocks = arguments.clocks.as_ref();
    Options {
        format: described.or_else(|| arguments.log_format.as_deref().and_then(readers::named)),
        clock: clocks.map_or(usual, |clocks| clocks.of(&log.display().to_string(), usual)),
    }
}

/// Tells of lines that were not read. False when nothing was, though there was something.
pub(super) fn tell(name: &str, scanned: &Scanned) -> bool {
    if let (Some(format), 0) = (scanned.format, scanned.events)
        && scanned.lines > 0
    {
        complain(format_args!("{name}: read as {format}, and no line tells of anything to hunt"));
    }
    let Some((offset, sample)) = scanned.samples.first() else { return true };
    if scanned.format.is_none() {
        complain(format_args!(
            "{name}: no known log format, such as {sample:?}; --log-format or --log-description tells one"
        ));
        return false;
    }
    let Scanned { unread, lines, .. } = scanned;
    complain(format_args!(
        "{name}: {unread} of {lines} lines not read, first byte {offset}: {sample:?}"
    ));
    true
}
