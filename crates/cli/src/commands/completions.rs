//! `miyaburi completions`.

use clap::CommandFactory;

use crate::Status;
use crate::arguments::{Arguments, CompletionsArguments};
use crate::error::CommandError;
use crate::output::Output;

pub(crate) fn run(arguments: &CompletionsArguments) -> Result<Status, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "miyaburi", &mut script);
    Output::standard().write(&String::from_utf8_lossy(&script))?;
    Ok(Status::Clean)
}
