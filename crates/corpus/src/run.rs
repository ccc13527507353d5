//! Analysing many files on several threads, results in the order of the inputs.

use std::any::Any;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use miyaburi_model::{Diagnostic, Level, Report, Sample, Verdict};

use crate::read::{ReadError, read};
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

/// Analyses `inputs` on `jobs` threads and hands every outcome to `deliver`, on the calling
/// thread and in the order of `inputs`, whatever the number of threads. A `Break` from `deliver`
/// ends the run after the files in progress.
///
/// Memory stays bounded: a worker that is too far ahead of the last delivered report waits.
/// Files that cannot be read and analyses that panic become `failed` reports.
///
/// # Errors
/// When the system gives no threads.
pub fn run<R: From<Report> + Send>(
    inputs: &[Input],
    jobs: NonZeroUsize,
    analyze: Analyze<'_, R>,
    mut deliver: impl FnMut(Outcome<R>) -> ControlFlow<()>,
) -> std::io::Result<()> {
    let jobs = jobs.get().min(inputs.len().max(1));
    let queue = Queue::new(inputs.len(), jobs * WINDOW_PER_WORKER);
    let queue = &queue;
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            let work = move || {
                while let Some(index) = queue.take() {
                    let Some(input) = inputs.get(index) else { break };
                    if sender.send((index, analyze_input(input, analyze))).is_err() {
                        break;
                    }
                }
            };
            let builder = thread::Builder::new().name(WORKER_NAME.to_owned());
            let spawned = builder.stack_size(WORKER_STACK_BYTES).spawn_scoped(scope, work);
            if let Err(error) = spawned {
                queue.stop();
                return Err(error);
            }
        }
        drop(sender);

        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (index, outcome) in receiver {
            waiting.insert(index, outcome);
            while let Some(outcome) = waiting.remove(&next) {
                if deliver(outcome).is_break() {
                    queue.stop();
                    return Ok(());
                }
                next += 1;
                queue.delivered(next);
            }
        }
        Ok(())
    })
}

/// The next file to take, bounded by the last report delivered.
struct Queue {
    state: Mutex<QueueState>,
    moved: Condvar,
    length: usize,
    window: usize,
}

struct QueueState {
    taken: usize,
    delivered: usize,
    stopped: bool,
}

impl Queue {
    fn new(length: usize, window: usize) -> Self {
        let state = QueueState { taken: 0, delivered: 0, stopped: false };
        Self { state: Mutex::new(state), moved: Condvar::new(), length, window }
    }

    /// A panic never leaves the state half changed, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index of the next file, once it lies within the window; none when the run is over.
    fn take(&self) -> Option<usize> {
        let mut state = self
            .moved
            .wait_while(self.lock(), |state| {
                !state.stopped
                    && state.taken < self.length
                    && state.taken >= state.delivered + self.window
            })
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopped || state.taken >= self.length {
            return None;
        }
        state.taken += 1;
        Some(state.taken - 1)
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

fn analyze_input<R: From<Report>>(input: &Input, analyze: Analyze<'_, R>) -> Outcome<R> {
    let name = input.name();
    let result = match read(input) {
        Ok(bytes) => catch_unwind(AssertUnwindSafe(|| analyze(&bytes, &name)))
            .unwrap_or_else(|panic| crash(name, bytes.len(), &*panic).into()),
        Err(error) => unread(name, &error).into(),
    };
    Outcome { origin: input.origin, result }
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
