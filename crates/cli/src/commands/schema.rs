//! `miyaburi schema`.

use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

pub(crate) fn run() -> Result<Status, CommandError> {
    let mut text = serde_json::to_string_pretty(&miyaburi_model::schema())?;
    text.push('\n');
    Output::standard().write(&text)?;
    Ok(Status::Clean)
}
