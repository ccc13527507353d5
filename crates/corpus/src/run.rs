//! Analysing many files on several threads, results in the order of the inputs.
//!
//! One thread reads and unpacks, the others analyse: how many files an archive holds is only known
//! once it has been read.

use std::any::Any;
use std::borrow::{Borrow, BorrowMut};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use miyaburi_archives as archives;
use miyaburi_model::{Diagnostic, Level, Report, Sample, Verdict};

use crate::feed::{Task, feed};
use crate::read::ReadError;
use crate::{Input, Origin};

/// The analysis: bytes and name of a file to its report, or to something that holds it.
pub type Analyze<'a, R> = &'a (dyn Fn(&[u8], &str) -> R + Sync);

/// Finished reports that may wait for a slower predecessor, per worker.
const WINDOW_PER_WORKER: usize = 16;

/// Name of the threads that analyse. A panic on one of them is contained and reported, so that a
/// panic hook need not print it.
pub const WORKER_NAME: &str = "analysis";

/// Stack of a worker, that of a main thread on Linux: the default of other threads is a quarter.
const WORKER_STACK_BYTES: usize = 8 << 20;

/// What came of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<R> {
    /// Index of the input that it came from.
    pub input: usize,
    /// Who brought the file in.
    pub origin: Origin,
    /// What the analysis made of it.
    pub result: R,
}

impl<R: Borrow<Report>> Outcome<R> {
    /// Its report.
    #[must_use]
    pub fn report(&self) -> &Report {
        self.result.borrow()
    }

    /// Whether the outcome counts as a failure of the run.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.report().verdict.is_failure(self.origin == Origin::Named)
    }
}

/// Analyses `inputs` and the members of the archives among them on `jobs` threads, and hands every
/// outcome to `deliver`, on the calling thread and in the order of `inputs`, whatever the number of
/// threads. A `Break` from `deliver` ends the run after the files in progress.
///
/// Memory stays bounded: reading waits for the analysis, and a worker that is too far ahead of the
/// last delivered report waits as well. What cannot be read and analyses that panic become `failed`
/// reports, members that end early `partial` ones of what there is.
///
/// # Errors
/// When the system gives no threads.
pub fn run<R: From<Report> + BorrowMut<Report> + Send>(
    inputs: &[Input],
    jobs: NonZeroUsize,
    archives: &archives::Options,
    analyze: Analyze<'_, R>,
    mut deliver: impl FnMut(Outcome<R>) -> ControlFlow<()>,
) -> std::io::Result<()> {
    let jobs = jobs.get();
    let window = &Window::new(jobs * WINDOW_PER_WORKER);
    let (feeder, tasks) = mpsc::sync_channel(jobs);
    let tasks = Arc::new(Mutex::new(tasks));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        // Started last, so that a failure before it leaves nothing to wait for.
        for _ in 0..jobs {
            let (sender, tasks) = (sender.clone(), Arc::clone(&tasks));
            spawn(scope, move || work(&tasks, &sender, analyze))?;
        }
        drop((sender, tasks));
        spawn(scope, move || feed(inputs, archives, window, &feeder))?;

        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (index, outcome) in receiver {
            waiting.insert(index, outcome);
            while let Some(outcome) = waiting.remove(&next) {
                if deliver(outcome).is_break() {
                    window.stop();
                    return Ok(());
                }
                next += 1;
                window.delivered(next);
            }
        }
        Ok(())
    })
}

/// Starts a thread that may panic quietly.
fn spawn<'scope, 'env>(
    scope: &'scope thread::Scope<'scope, 'env>,
    body: impl FnOnce() + Send + 'scope,
) -> std::io::Result<()> {
    let builder = thread::Builder::new().name(WORKER_NAME.to_owned());
    builder.stack_size(WORKER_STACK_BYTES).spawn_scoped(scope, body).map(drop)
}

/// Analyses tasks until there are none, or nobody wants their outcomes.
fn work<R: From<Report> + BorrowMut<Report>>(
    tasks: &Mutex<Receiver<Task>>,
    sender: &mpsc::Sender<(usize, Outcome<R>)>,
    analyze: Analyze<'_, R>,
) {
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(task) = next() {
        let index = task.index;
        if sender.send((index, analyze_task(task, analyze))).is_err() {
            break;
        }
    }
}

/// How far reading may be ahead of the last report delivered.
pub(crate) struct Window {
    state: Mutex<WindowState>,
    moved: Condvar,
    length: usize,
}

struct WindowState {
    delivered: usize,
    stopped: bool,
}

impl Window {
    fn new(length: usize) -> Self {
        let state = WindowState { delivered: 0, stopped: false };
        Self { state: Mutex::new(state), moved: Condvar::new(), length }
    }

    /// A panic never leaves the state half changed, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, WindowState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the file at `index` lies within; false when the run is over.
    pub(crate) fn admits(&self, index: usize) -> bool {
        let ahead = |state: &mut WindowState| {
            !state.stopped && index >= state.delivered.saturating_add(self.length)
        };
        let state = self.moved.wait_while(self.lock(), ahead);
        !state.unwrap_or_else(PoisonError::into_inner).stopped
    }

    fn delivered(&self, count: usize) {
        self.lock().delivered = count;
        self.moved.notify_all();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }
}

fn analyze_task<R: From<Report> + BorrowMut<Report>>(
    task: Task,
    analyze: Analyze<'_, R>,
) -> Outcome<R> {
    let Task { input, origin, name, content, cut, .. } = task;
    let mut result = match content {
        Ok(bytes) => catch_unwind(AssertUnwindSafe(|| analyze(&bytes, &name)))
            .unwrap_or_else(|panic| crash(name, bytes.len(), &*panic).into()),
        Err(error) => unread(name, &error).into(),
    };
    if let Some(cut) = cut {
        result.borrow_mut().note_cut("read", cut.to_string());
    }
    Outcome { input, origin, result }
}

fn unread(name: String, error: &ReadError) -> Report {
    let sample = Sample { path: name, ..Sample::default() };
    let mut report = Report::failed(sample, "read", error.to_string());
    if matches!(error, ReadError::NotRegular) {
        report.verdict = Verdict::Unsupported;
        report.diagnostics = vec![Diagnostic::new("read", Level::Info, error.to_string())];
    }
    report
}

fn crash(name: String, size: usize, panic: &(dyn Any + Send)) -> Report {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let sample = Sample { path: name, size: u64::try_from(size).ok(), ..Sample::default() };
    Report::failed(sample, "analysis", format!("contained a crash: {message}"))
}
