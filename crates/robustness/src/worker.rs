//! Runs one case after the other on a small stack, telling the parent where it is.

use crate::arguments::Arguments;
use crate::case::{self, CaseId, Cost};
use crate::protocol::Line;
use crate::specimens::{self, Specimen};
use crate::{memory, noise, patterns};
use anyhow::{Context, anyhow};
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Where the latest panic happened.
type Place = Arc<Mutex<Option<String>>>;

/// Runs every case that is this worker's.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let specimens = specimens::read(&arguments.specimens)?;
    if let (Some(path), Some(only)) = (&arguments.write, arguments.only) {
        let bytes = case::input(arguments, &specimens, only);
        std::fs::write(path, bytes).with_context(|| format!("{}", path.display()))?;
    }
    let place = Place::default();
    let noted = place.clone();
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        *noted.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    memory::set_cap(arguments.memory << 20);
    let arguments = arguments.clone();
    let worker = thread::Builder::new()
        .name("case".to_owned())
        .stack_size(arguments.stack << 10)
        .spawn(move || run_cases(&arguments, &specimens, &place))?;
    worker.join().map_err(|_| anyhow!("the worker itself panicked"))??;
    Ok(())
}

fn run_cases(arguments: &Arguments, specimens: &[Specimen], place: &Place) -> anyhow::Result<()> {
    let mut next = arguments.only.or(arguments.from);
    while let Some(current) = next {
        tell(&Line::At(current))?;
        let run = AssertUnwindSafe(|| case::run(arguments, specimens, current));
        let (cost, result) =
            panic::catch_unwind(run).unwrap_or_else(|_| (Cost::default(), Err("panic".to_owned())));
        tell(&match result {
            Ok(()) => Line::Fine(current, cost),
            Err(reason) => {
                let at = place.lock().unwrap_or_else(PoisonError::into_inner).take();
                let at = at.map_or(String::new(), |at| format!(" at {at}"));
                Line::Failed(current, cost, format!("{reason}{at}"))
            }
        })?;
        next = following(arguments, current).filter(|_| arguments.only.is_none());
    }
    tell(&Line::End)
}

/// The case after `case` that is this worker's: files first, then code, then patterns.
pub(crate) fn following(arguments: &Arguments, case: CaseId) -> Option<CaseId> {
    let step = arguments.jobs;
    let pieces = noise::pieces(arguments);
    match case {
        CaseId::File(number) if number + step < arguments.files => {
            Some(CaseId::File(number + step))
        }
        CaseId::File(number) => first_code(arguments, number % step),
        CaseId::Code(number) if number + step < pieces => Some(CaseId::Code(number + step)),
        CaseId::Code(number) => pattern(arguments, number % step),
        CaseId::Pattern(number) => pattern(arguments, number + step),
    }
}

/// The first case of worker `index`.
pub(crate) fn first(arguments: &Arguments, index: u64) -> Option<CaseId> {
    // The shares of the workers are those of a whole run.
    let step = arguments.jobs;
    let number = index + arguments.first.saturating_sub(index).div_ceil(step) * step;
    if number < arguments.files {
        return Some(CaseId::File(number));
    }
    first_code(arguments, index)
}

fn first_code(arguments: &Arguments, index: u64) -> Option<CaseId> {
    let code = (index < noise::pieces(arguments)).then_some(CaseId::Code(index));
    code.or_else(|| pattern(arguments, index))
}

fn pattern(arguments: &Arguments, number: u64) -> Option<CaseId> {
    (number < patterns::count(arguments)).then_some(CaseId::Pattern(number))
}

/// Writes a line at once: the next thing this process does may be its last.
fn tell(line: &Line) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", line.to_text())?;
    output.flush()?;
    Ok(())
}
