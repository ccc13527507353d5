//! `miyaburi schema`.

use crate::Status;
use crate::arguments::{SchemaArguments, SchemaDocument};
use crate::dump;
use crate::error::CommandError;
use crate::output::Output;

pub(crate) fn run(arguments: &SchemaArguments) -> Result<Status, CommandError> {
    let schema = match arguments.document {
        SchemaDocument::Report => miyaburi_model::schema(),
        SchemaDocument::Diff => miyaburi_corpus::diff::schema(),
        SchemaDocument::Dump => dump::schema(),
    };
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Output::standard().write(&text)?;
    Ok(Status::Clean)
}
