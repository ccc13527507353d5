//! `miyaburi diff`.

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;
use miyaburi_corpus::diff::{Outcome, diff};
use miyaburi_corpus::read_reports;

use crate::Status;
use crate::arguments::{Arguments, DiffArguments, DiffFormat};
use crate::error::{CommandError, complain};
use crate::output::Output;
use crate::text::{self, Palette};

pub(crate) fn run(arguments: &DiffArguments) -> Result<Status, CommandError> {
    let paths = [&arguments.a, &arguments.b];
    if paths.iter().all(|path| path.as_path() == Path::new("-")) {
        let problem = "only one of A and B can be standard input";
        Arguments::command().error(ErrorKind::ArgumentConflict, problem).exit();
    }
    let (a, b) = match paths.map(|path| read_reports(path)) {
        [Ok(a), Ok(b)] => (a, b),
        sides => {
            sides.into_iter().filter_map(Result::err).flatten().for_each(complain);
            return Ok(Status::SomethingFailed);
        }
    };
    let comparisons = diff(&a, &b);
    let mut output = Output::standard();
    match arguments.format {
        DiffFormat::Text => {
            let palette = Palette::for_terminal(output.is_terminal());
            output.write(&text::diff(&comparisons, palette))?;
        }
        DiffFormat::Json => {
            for comparison in &comparisons {
                output.write(&(serde_json::to_string(comparison)? + "\n"))?;
            }
        }
    }
    let is_same = comparisons.iter().all(|comparison| comparison.result == Outcome::Same);
    match arguments.exit_code && !is_same {
        true => Ok(Status::SomethingFailed),
        false => Ok(Status::Clean),
    }
}
