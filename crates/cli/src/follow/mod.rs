//! Logs that are followed: a thread for each looks for hits and hands them on, one place writes them.

mod checkpoint;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use miyaburi_hunting::sources::{self, Growing, Identity, parts_since};
use miyaburi_hunting::{Event, Hit, Hunt, Options, Scanned, Sighted, Summary, events, readers};

pub(crate) use checkpoint::CheckpointError;
use checkpoint::{Checkpoint, Position};

use crate::error::{CommandError, complain};

/// Events with hits that wait to be written.
const WAITING: usize = 256;

/// How often a log is looked for that is moved away meanwhile.
const LOOKS: usize = 10;

/// How often, and with which pauses, a log is opened that is not there: ten seconds.
const REOPENING: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(100);

/// The line of an event by its first byte, and which event of the line it is.
type EventPlace = (u64, u64);

/// A log to follow.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    /// What is to be read first: parts since the checkpoint, then the log itself.
    parts: Vec<File>,
    position: Option<Position>,
}

/// What a thread tells.
struct Told {
    log: String,
    position: Position,
    /// The hits of one event, as lines of JSON.
    hits: String,
}

/// What is kept between runs, and where hits go.
pub(crate) struct Follow {
    output: Box<dyn Write>,
    checkpoint: Option<(PathBuf, Checkpoint)>,
    logs: Vec<Log>,
}

impl Follow {
    /// Opens output and checkpoint, and looks where each log is to be read on. What the output has
    /// beyond the checkpoint is taken off: it is found again.
    pub(crate) fn begin(
        logs: &[PathBuf],
        output: Option<&Path>,
        checkpoint: Option<&Path>,
    ) -> Result<Self, CommandError> {
        let opened = checkpoint.map(|path| {
            let opened = Checkpoint::open(path).map(|checkpoint| (path.to_owned(), checkpoint));
            opened.map_err(|error| CommandError::Checkpoint { path: path.to_owned(), error })
        });
        let checkpoint = opened.transpose()?;
        let state = checkpoint.as_ref().map(|(_, checkpoint)| &checkpoint.state);
        let output: Box<dyn Write> = match output {
            Some(path) => Box::new(
                cut(path, state.map_or(0, |state| state.output))
                    .map_err(|error| CommandError::Create { path: path.to_owned(), error })?,
            ),
            None => Box::new(stdout()),
        };
        let logs = logs.iter().map(|path| {
            let known = state.and_then(|state| state.logs.get(&path.display().to_string()));
            log(path, known).map_err(|error| CommandError::Read { path: path.clone(), error })
        });
        let logs = logs.collect::<Result<_, _>>()?;
        Ok(Self { output, checkpoint, logs })
    }

    /// Follows all logs, each with a hunt of its own, until the process is ended or no log can be read.
    /// `ended` is told how much of each file was read.
    pub(crate) fn run<'h>(
        mut self,
        options: impl Fn(&Path) -> Options<'h>,
        hunt: impl Fn() -> Hunt<'h> + Sync,
        ended: impl Fn(&str, &Scanned) -> bool + Sync,
    ) {
        let (sender, receiver) = sync_channel(WAITING);
        let logs = core::mem::take(&mut self.logs);
        thread::scope(|scope| {
            for log in logs {
                let options = options(&log.path);
                let (sender, hunt, ended) = (sender.clone(), &hunt, &ended);
                scope.spawn(move || {
                    let name = log.path.display().to_string();
                    if let Err(error) = follow(log, options, hunt(), ended, &sender) {
                        complain(format_args!("{name}: {error}"));
                    }
                });
            }
            drop(sender);
            if let Err(error) = self.write(&receiver) {
                // The threads wait for lines that may never come: the process ends without them.
                let is_gone = matches!(&error, CheckpointError::File(error) if error.kind() == ErrorKind::BrokenPipe);
                if is_gone {
                    exit(0);
                }
                complain(error);
                exit(1);
            }
        });
    }

    fn write(&mut self, receiver: &Receiver<Told>) -> Result<(), CheckpointError> {
        while let Ok(Told { log, position, hits }) = receiver.recv() {
            self.output.write_all(hits.as_bytes())?;
            self.output.flush()?;
            if let Some((_, checkpoint)) = &mut self.checkpoint {
                checkpoint.state.output += hits.len() as u64;
                checkpoint.state.logs.insert(log, position);
                checkpoint.keep()?;
            }
        }
        Ok(())
    }
}

/// The output, with its first `length` bytes alone.
fn cut(path: &Path, length: u64) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    if file.metadata()?.len() < length {
        return Err(io::Error::other("shorter than the checkpoint says"));
    }
    file.set_len(length)?;
    Ok(file)
}

/// Where a log is to be read on.
fn log(path: &Path, known: Option<&Position>) -> io::Result<Log> {
    if let Some(position) = known {
        let at = (position.identity.clone(), position.length);
        // It may be moved away between the two looks.
        for _ in 0..LOOKS {
            let Some(parts) = parts_since(path, &at)? else { break };
            let parts = parts.iter().map(File::open).collect::<io::Result<Vec<File>>>()?;
            if parts.first().is_some_and(|first| at.0.is(first, at.1)) {
                return Ok(Log { path: path.to_owned(), parts, position: Some(position.clone()) });
            }
        }
        complain(format_args!(
            "{}: the file that was followed is not there any more: what was written to it since the \
             checkpoint is not read",
            path.display()
        ));
    }
    Ok(Log { path: path.to_owned(), parts: vec![File::open(path)?], position: None })
}

/// Follows one log.
fn follow(
    log: Log,
    mut options: Options<'_>,
    mut hunt: Hunt<'_>,
    ended: &dyn Fn(&str, &Scanned) -> bool,
    sender: &SyncSender<Told>,
) -> io::Result<()> {
    let Log { path, mut parts, mut position } = log;
    let name = path.display().to_string();
    loop {
        let last = parts.len().saturating_sub(1);
        for (number, file) in parts.iter().enumerate() {
            // Of the file that was being read, what was told of is passed over; others are new.
            let before = position.take();
            let length = before.as_ref().map_or(0, |position| position.length);
            let before = before.and_then(|position| position.told);
            let mut teller = Teller { log: &name, file, before, at: None, sender };
            teller.tell(length, before, String::new())?;
            let reader: Box<dyn Read> = match number == last {
                true => Box::new(Growing::new(&path, file.try_clone()?)),
                false => sources::opened(file.try_clone()?)?,
            };
            let mut failure = None;
            let scanned = events(reader, &name, &options, &mut |event, at| {
                if failure.is_none() {
                    failure = teller.look(&mut hunt, event, at).err();
                }
            })?;
            failure.map_or(Ok(()), Err)?;
            if !ended(&name, &scanned) {
                return Err(io::Error::other("not followed any more"));
            }
            // The next part of a log is of the same format, however it begins.
            options.format = options.format.or(scanned.format.and_then(readers::named));
        }
        parts = vec![reopened(&path)?];
    }
}

/// The log again, once it is there.
fn reopened(path: &Path) -> io::Result<File> {
    for _ in 0..REOPENING {
        match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => thread::sleep(BETWEEN),
            opened => return opened,
        }
    }
    File::open(path)
}

/// Tells what one file has.
struct Teller<'t> {
    log: &'t str,
    file: &'t File,
    /// The last event that was told of before.
    before: Option<EventPlace>,
    /// The last event that was looked at.
    at: Option<EventPlace>,
    sender: &'t SyncSender<Told>,
}

impl Teller<'_> {
    fn look(&mut self, hunt: &mut Hunt<'_>, event: &Event<'_>, at: Sighted<'_>) -> io::Result<()> {
        let place = match self.at {
            Some((offset, number)) if offset == at.offset => (offset, number + 1),
            _ => (at.offset, 0),
        };
        self.at = Some(place);
        if self.before.is_some_and(|before| place <= before) {
            return Ok(());
        }
        let mut hits: Vec<Hit> = Vec::new();
        hunt.look(event, at, &mut |hit| hits.push(hit));
        if hits.is_empty() {
            return Ok(());
        }
        // Nobody asks for the summary of what has no end.
        hunt.summary = Summary::default();
        let mut lines = String::new();
        for hit in hits {
            lines.push_str(&serde_json::to_string(&hit)?);
            lines.push('\n');
        }
        self.tell(at.offset + at.line.len() as u64, Some(place), lines)
    }

    fn tell(&mut self, length: u64, told: Option<EventPlace>, hits: String) -> io::Result<()> {
        let identity = Identity::of(self.file, length)?;
        let position = Position { identity, length, told };
        let told = Told { log: self.log.to_owned(), position, hits };
        self.sender.send(told).map_err(|_| io::Error::other("nothing can be written any more"))
    }
}
