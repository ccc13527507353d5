//! `miyaburi extract`.

use std::borrow::{Borrow, BorrowMut};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic;
use std::thread::{self, available_parallelism};

use miyaburi_confinement::Reach;
use miyaburi_corpus::{ArchiveOptions, Input, Known, Origin, Outcome, WORKER_NAME, collect};
use miyaburi_model::{Level, Report};
use miyaburi_pipeline::{Analysis, Options, analyze_in_full};

use crate::Status;
use crate::arguments::{Budgets, ExtractArguments, ReportFormat, usage_error};
use crate::captures::Captures;
use crate::error::{CommandError, DumpError, complain};
use crate::explain::explain;
use crate::progress;
use crate::reports::ReportWriter;

/// Compressed reports that are kept for copies of their files, in bytes: some thousands of them.
const MAX_KNOWN_BYTES: usize = 16 << 20;

pub(crate) fn run(arguments: &ExtractArguments) -> Result<Status, CommandError> {
    check(arguments);
    let inputs = collect(&arguments.paths);
    if inputs.is_empty() {
        complain("no files in the directories given");
    }
    let one_file =
        matches!(inputs.as_slice(), [input] if arguments.paths == [input.path.as_path()]);
    let mut writer = ReportWriter::create(arguments, one_file)?;
    let mut captures = arguments.pcap.as_deref().map(Captures::create).transpose()?;
    let options = Options { raw: arguments.raw.memory(), ..options(&arguments.budgets) };
    let mut archives = ArchiveOptions { carve: arguments.carve, ..ArchiveOptions::default() };
    archives.passwords.extend(arguments.passwords.iter().cloned());
    let jobs = arguments.jobs.or_else(|| available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let bar = progress::bar(inputs.len());
    // Before threads are started, which have the rights of this one.
    arguments.confinement.begin(&reach(arguments, &inputs));
    keep_contained_panics_quiet();

    let mut status = Status::Clean;
    let mut stopped = None;
    let palette = writer.palette();
    let known = Known::new(MAX_KNOWN_BYTES);
    let analyze = |bytes: &[u8], path: &str| {
        if arguments.explain {
            let analysis = analyze_in_full(bytes, path, &options);
            let why = Some(explain(&analysis.report, bytes, options.raw, palette));
            return Analysed { analysis, why };
        }
        let new = || Analysed { analysis: analyze_in_full(bytes, path, &options), why: None };
        known.or_analyze(bytes, path, new)
    };
    miyaburi_corpus::run(&inputs, jobs, &archives, &analyze, |outcome: Outcome<Analysed>| {
        bar.set_position(u64::try_from(outcome.input).unwrap_or_default());
        let printed = bar.suspend(|| {
            if outcome.is_failure() {
                status = Status::SomethingFailed;
                complain(failure(&outcome));
            }
            let Analysed { analysis, why } = outcome.result;
            writer.write(&analysis.report, why)?;
            captures.iter_mut().try_for_each(|captures| captures.write(&analysis))
        });
        match printed {
            Ok(()) if writer.is_open() => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()),
            Err(error) => {
                stopped = Some(error);
                ControlFlow::Break(())
            }
        }
    })
    .map_err(CommandError::Threads)?;
    bar.finish_and_clear();
    match stopped {
        Some(error) => Err(error),
        None => writer.finish().map(|()| status),
    }
}

/// What came of one file.
struct Analysed {
    analysis: Analysis,
    /// How values were found, where that was asked: while the bytes are there.
    why: Option<Result<String, DumpError>>,
}

impl From<Report> for Analysed {
    fn from(report: Report) -> Self {
        Self { analysis: report.into(), why: None }
    }
}

impl Borrow<Report> for Analysed {
    fn borrow(&self) -> &Report {
        self.analysis.borrow()
    }
}

impl BorrowMut<Report> for Analysed {
    fn borrow_mut(&mut self) -> &mut Report {
        self.analysis.borrow_mut()
    }
}

/// Ends the program for combinations without a meaning.
fn check(arguments: &ExtractArguments) {
    if arguments.explain && arguments.format.is_some_and(|format| format != ReportFormat::Text) {
        usage_error("extract", "--explain is for --format text");
    }
}

/// What the analysis has to read and write. Links that were met may lead out of the directories.
fn reach(arguments: &ExtractArguments, inputs: &[Input]) -> Reach {
    let met = inputs.iter().filter(|input| input.origin == Origin::Met).map(|input| &input.path);
    let links = met.filter(|path| path.is_symlink());
    let readable = arguments.paths.iter().chain(links).cloned().collect();
    let has_folders = arguments.format.is_some_and(ReportFormat::has_folders);
    let folders = arguments.output.iter().filter(|_| has_folders);
    let writable = folders.chain(&arguments.pcap).cloned().collect();
    Reach { readable, writable }
}

fn options(budgets: &Budgets) -> Options {
    let mut options = Options::default();
    if budgets.no_observe {
        options.max_observed = None;
    }
    if let Some(count) = budgets.max_instructions {
        options.max_instructions = count;
    }
    if let Some(count) = budgets.max_steps {
        options.max_steps = count;
    }
    if let Some(bytes) = budgets.max_bytes {
        options.max_bytes = bytes;
    }
    if let Some(limit) = budgets.time_limit {
        options.time_limit = (!limit.is_zero()).then_some(limit);
    }
    options
}

/// A panic of the analysis ends in the report of its file and needs no lines of its own.
fn keep_contained_panics_quiet() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().name() != Some(WORKER_NAME) {
            print(panic);
        }
    }));
}

/// File and reason of a failure.
fn failure(outcome: &Outcome<Analysed>) -> String {
    let Report { sample, verdict, diagnostics, .. } = outcome.report();
    let worst = diagnostics.iter().rev().max_by_key(|diagnostic| diagnostic.level);
    let reason = worst.filter(|diagnostic| diagnostic.level > Level::Info).or(diagnostics.last());
    let reason = reason.map_or("no reason given", |diagnostic| diagnostic.message.as_str());
    format!("{}: {}: {reason}", sample.path, verdict.name())
}
