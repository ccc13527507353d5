//! Starts workers, watches them, and goes on behind what kills one.

use crate::arguments::Arguments;
use crate::case::CaseId;
use crate::protocol::Line;
use crate::summary::{Failure, Summary};
use crate::worker::{first, following};
use anyhow::Context;
use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Time between two lines about the progress.
const PROGRESS: Duration = Duration::from_secs(30);

/// Bytes kept of what a worker says on its standard error.
const MAX_COMPLAINT: usize = 4096;

/// What one watcher tells.
enum Event {
    Line(Line),
    /// The worker is gone while it ran this case.
    Died(CaseId, String),
    /// The watcher itself could not go on.
    Broken(anyhow::Error),
}

/// Runs all cases.
///
/// # Errors
/// When workers cannot be started or `--rows` cannot be written; never because of a case.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Summary> {
    let (sender, events) = mpsc::channel();
    let workers = if arguments.only.is_some() { 1 } else { arguments.jobs };
    for index in 0..workers {
        let Some(first) = arguments.only.or_else(|| first(arguments, index)) else { continue };
        let (sender, arguments) = (sender.clone(), arguments.clone());
        thread::spawn(move || {
            let tell = |event| sender.send(event).is_ok();
            if let Err(error) = watch(&arguments, first, &tell) {
                tell(Event::Broken(error));
            }
        });
    }
    drop(sender);
    collect(arguments, &events)
}

fn collect(arguments: &Arguments, events: &Receiver<Event>) -> anyhow::Result<Summary> {
    let mut summary = Summary::new(arguments);
    let mut rows = match &arguments.rows {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("{}", path.display()))?;
            Some(BufWriter::new(file))
        }
        None => None,
    };
    let mut told = Instant::now();
    for event in events {
        match event {
            Event::Line(Line::At(_) | Line::End) => {}
            Event::Line(line @ (Line::Fine(..) | Line::Failed(..))) => {
                if let Some(rows) = &mut rows {
                    writeln!(rows, "{}", line.to_text())?;
                }
                match line {
                    Line::Failed(case, cost, reason) => {
                        summary.add(case, cost);
                        summary.fail(Failure { case, reason });
                    }
                    Line::Fine(case, cost) => summary.add(case, cost),
                    Line::At(_) | Line::End => {}
                }
            }
            Event::Died(case, reason) => {
                if let Some(rows) = &mut rows {
                    writeln!(rows, "died {case} {reason}")?;
                }
                summary.fail(Failure { case, reason });
            }
            Event::Broken(error) => return Err(error),
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            if let Some(rows) = &mut rows {
                rows.flush()?;
            }
            eprintln!("{}", summary.progress());
        }
    }
    if let Some(rows) = &mut rows {
        rows.flush()?;
    }
    Ok(summary)
}

/// Runs one worker after the other until its share is done.
fn watch(
    arguments: &Arguments,
    first: CaseId,
    tell: &impl Fn(Event) -> bool,
) -> anyhow::Result<()> {
    let mut next = Some(first);
    while let Some(from) = next {
        let Some((last, reason)) = watch_one(arguments, from, tell)? else { return Ok(()) };
        tell(Event::Died(last, reason));
        next = following(arguments, last).filter(|_| arguments.only.is_none());
    }
    Ok(())
}

/// Runs one worker; the case it died of and how, when it did not reach its end.
fn watch_one(
    arguments: &Arguments,
    from: CaseId,
    tell: &impl Fn(Event) -> bool,
) -> anyhow::Result<Option<(CaseId, String)>> {
    let mut worker = start(arguments, from)?;
    let lines = lines_of(&mut worker)?;
    let complaint = complaint_of(&mut worker)?;
    let mut current = from;
    let hung = loop {
        match lines.recv_timeout(arguments.silence()) {
            Ok(Line::End) => {
                worker.wait()?;
                return Ok(None);
            }
            Ok(line) => {
                if let Line::At(case) = line {
                    current = case;
                }
                tell(Event::Line(line));
            }
            Err(RecvTimeoutError::Timeout) => break true,
            Err(RecvTimeoutError::Disconnected) => break false,
        }
    };
    if hung {
        worker.kill()?;
    }
    let status = worker.wait()?;
    let complaint = complaint.join().unwrap_or_default();
    let reason = match complaint.trim() {
        _ if hung => format!("hang: nothing for {} s", arguments.silence().as_secs()),
        text if text.contains("overflowed its stack") => "stack overflow".to_owned(),
        text if text.contains("memory allocation of") => format!("memory: {text}"),
        text => format!("{status}: {text}"),
    };
    Ok(Some((current, reason.replace('\n', " "))))
}

fn start(arguments: &Arguments, from: CaseId) -> anyhow::Result<Child> {
    let program = env::current_exe().context("path of this program")?;
    let mut command = Command::new(program);
    command.args(arguments.of_worker(from)).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(path) = &arguments.write {
        command.arg("--write").arg(path);
    }
    command.spawn().context("cannot start a worker")
}

/// The lines of a worker, as they come.
fn lines_of(worker: &mut Child) -> anyhow::Result<Receiver<Line>> {
    let output = worker.stdout.take().context("a worker without output")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if Line::parse(&line).is_some_and(|line| sender.send(line).is_err()) {
                return;
            }
        }
    });
    Ok(receiver)
}

/// What a worker says before it dies.
fn complaint_of(worker: &mut Child) -> anyhow::Result<thread::JoinHandle<String>> {
    let mut errors = worker.stderr.take().context("a worker without standard error")?;
    Ok(thread::spawn(move || {
        let mut text = Vec::new();
        // What cannot be read is not told; the exit status is.
        let _ = errors.read_to_end(&mut text);
        let start = text.len().saturating_sub(MAX_COMPLAINT);
        String::from_utf8_lossy(text.get(start..).unwrap_or_default()).into_owned()
    }))
}
