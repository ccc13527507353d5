//! `miyaburi unpack`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use miyaburi_confinement::Reach;
use miyaburi_corpus::read_file;
use miyaburi_pipeline::{Options, Unpacked, unpack};

use crate::Status;
use crate::arguments::UnpackArguments;
use crate::error::{CommandError, UnpackProblem, complain};
use crate::output::Output;

pub(crate) fn run(arguments: &UnpackArguments) -> Result<Status, CommandError> {
    let failure = |error| CommandError::Unpack { path: arguments.path.clone(), error };
    let bytes = read_file(&arguments.path).map_err(|error| failure(error.into()))?;
    if is_same(&arguments.path, &arguments.output) {
        return Err(CommandError::OwnOutput { path: arguments.output.clone() });
    }
    // Before the file is looked into: nothing can be opened from then on.
    let mut output = Output::create(Some(&arguments.output))?;
    arguments.confinement.begin(&Reach::default());
    let contained = catch_unwind(AssertUnwindSafe(|| unpack(&bytes, &Options::default())));
    let unpacked = contained.map_err(|_| failure(UnpackProblem::Crash))?;
    let unpacked = unpacked.map_err(|error| failure(error.into()))?;
    let Unpacked { file, cut, .. } = unpacked.ok_or_else(|| failure(UnpackProblem::NotPacked))?;
    output.stream(|out| out.write_all(&file))?;
    let Some(cut) = cut else { return Ok(Status::Clean) };
    complain(failure(UnpackProblem::Cut(cut)));
    Ok(Status::SomethingFailed)
}

/// Whether both paths lead to one file. False negatives: hard links.
fn is_same(one: &Path, other: &Path) -> bool {
    let resolved = [one, other].map(|path| path.canonicalize().ok());
    let [one, other] = &resolved;
    one.is_some() && one == other
}
