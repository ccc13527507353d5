//! Pseudonyms as commands ask for them.

use std::fs;

use miyaburi_hunting::pseudonyms::Pseudonyms;

use crate::arguments::RedactArguments;
use crate::error::{CommandError, KeyError};

/// The pseudonyms, when they are wanted. Reads the key: to be called before rights are dropped.
pub(super) fn pseudonyms(arguments: &RedactArguments) -> Result<Option<Pseudonyms>, CommandError> {
    if !arguments.redact {
        return Ok(None);
    }
    let Some(path) = &arguments.redact_key else {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| CommandError::Random(error.to_string()))?;
        let pseudonyms = Pseudonyms::new(&key);
        return pseudonyms.map(Some).map_err(|error| CommandError::Random(error.to_string()));
    };
    let key = fs::read(path).map_err(KeyError::Read);
    let pseudonyms = key.and_then(|key| Ok(Pseudonyms::new(&key)?));
    pseudonyms.map(Some).map_err(|error| CommandError::Key { path: path.clone(), error })
}
