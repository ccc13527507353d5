//! Inputs that several commands read.

use std::fs;
use std::path::{Path, PathBuf};

use miyaburi_corpus::for_each_report;
use miyaburi_intel::Observed;
use miyaburi_model::Report;

use crate::error::{CommandError, complain};

/// A whole file.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, CommandError> {
    fs::read(path).map_err(|error| CommandError::Read { path: path.to_owned(), error })
}

/// When files were seen; of none when no file says so.
pub(super) fn observed(path: Option<&PathBuf>) -> Result<Observed, CommandError> {
    let Some(path) = path else { return Ok(Observed::default()) };
    Observed::parse(&file(path)?)
        .map_err(|error| CommandError::Observed { path: path.clone(), error })
}

/// Hands the reports at `paths` to `take`, in their order, one after the other. False when some could
/// not be read, which was told.
pub(super) fn reports(paths: &[PathBuf], mut take: impl FnMut(&Report)) -> bool {
    for path in paths {
        if let Err(errors) = for_each_report(path, |_, report| take(&report)) {
            errors.into_iter().for_each(complain);
            return false;
        }
    }
    true
}
