//! `miyaburi extract`.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic;
use std::thread::{self, available_parallelism};

use miyaburi_corpus::{Outcome, WORKER_NAME, collect};
use miyaburi_model::{Level, Report};
use miyaburi_pipeline::{Options, analyze};

use crate::Status;
use crate::arguments::{Budgets, ExtractArguments, ReportFormat};
use crate::error::{CommandError, complain};
use crate::output::Output;
use crate::progress;
use crate::text::{self, Palette};

pub(crate) fn run(arguments: &ExtractArguments) -> Result<Status, CommandError> {
    let inputs = collect(&arguments.paths);
    if inputs.is_empty() {
        complain("no files in the directories given");
    }
    let one_file =
        matches!(inputs.as_slice(), [input] if arguments.paths == [input.path.as_path()]);
    let output = Output::create(arguments.output.as_deref())?;
    let mut printer = Printer::new(output, arguments.format, one_file);
    let options = options(&arguments.budgets);
    let jobs = arguments.jobs.or_else(|| available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let bar = progress::bar(inputs.len());
    keep_contained_panics_quiet();

    let mut status = Status::Clean;
    let mut stopped = None;
    let analyze = |bytes: &[u8], path: &str| analyze(bytes, path, &options);
    miyaburi_corpus::run(&inputs, jobs, &analyze, |outcome| {
        bar.inc(1);
        let printed = bar.suspend(|| {
            if outcome.is_failure() {
                status = Status::SomethingFailed;
                complain(failure(&outcome));
            }
            printer.print(&outcome.report)
        });
        match printed {
            Ok(()) if printer.output.is_open() => ControlFlow::Continue(()),
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
        None => printer.finish().map(|()| status),
    }
}

fn options(budgets: &Budgets) -> Options {
    let mut options = Options::default();
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
fn failure(outcome: &Outcome) -> String {
    let Report { sample, verdict, diagnostics, .. } = &outcome.report;
    let worst = diagnostics.iter().rev().max_by_key(|diagnostic| diagnostic.level);
    let reason = worst.filter(|diagnostic| diagnostic.level > Level::Info).or(diagnostics.last());
    let reason = reason.map_or("no reason given", |diagnostic| diagnostic.message.as_str());
    format!("{}: {}: {reason}", sample.path, verdict.name())
}

/// Prints reports one after the other.
struct Printer {
    output: Output,
    format: ReportFormat,
    palette: Palette,
    /// Indented JSON is a single object, not an array.
    single: bool,
    printed: usize,
}

impl Printer {
    fn new(output: Output, format: Option<ReportFormat>, single: bool) -> Self {
        let format = format.unwrap_or(match output.is_terminal() {
            true => ReportFormat::Text,
            false => ReportFormat::Ndjson,
        });
        let palette = Palette::for_terminal(output.is_terminal());
        Self { output, format, palette, single, printed: 0 }
    }

    fn print(&mut self, report: &Report) -> Result<(), CommandError> {
        let separator = match (self.format, self.printed) {
            (ReportFormat::Json, 0) if !self.single => "[\n",
            (ReportFormat::Json, 1..) => ",\n",
            (ReportFormat::Text, 1..) => "\n",
            _ => "",
        };
        let body = match self.format {
            ReportFormat::Ndjson => serde_json::to_string(report)? + "\n",
            ReportFormat::Json if self.single => serde_json::to_string_pretty(report)? + "\n",
            ReportFormat::Json => serde_json::to_string_pretty(report)?,
            ReportFormat::Text => text::report(report, self.palette),
        };
        self.printed += 1;
        self.output.write(&format!("{separator}{body}"))
    }

    fn finish(mut self) -> Result<(), CommandError> {
        match (self.format, self.single, self.printed) {
            (ReportFormat::Json, false, 0) => self.output.write("[]\n"),
            (ReportFormat::Json, false, _) => self.output.write("\n]\n"),
            _ => Ok(()),
        }
    }
}
