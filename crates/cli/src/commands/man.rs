//! `miyaburi man`.

use clap::CommandFactory;
use clap_mangen::Man;

use crate::Status;
use crate::arguments::{Arguments, ManArguments};
use crate::error::CommandError;
use crate::output::Output;

pub(crate) fn run(arguments: &ManArguments) -> Result<Status, CommandError> {
    let mut described = Arguments::command();
    described.build();
    if let Some(name) = &arguments.command {
        described = described
            .find_subcommand(name)
            .ok_or_else(|| CommandError::NoSuchCommand(name.clone()))?
            .clone();
    }
    let mut page = Vec::new();
    let rendered = Man::new(described).render(&mut page);
    rendered.map_err(|error| CommandError::Write { name: "manual page".to_owned(), error })?;
    Output::standard().write(&String::from_utf8_lossy(&page))?;
    Ok(Status::Clean)
}
