//! Indicators as commands read them.

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::PathBuf;

use miyaburi_hunting::indicators::{self, Indicators, SourceError};
use miyaburi_hunting::sources;

use crate::Status;
use crate::error::{CommandError, complain};

/// The indicators of all files; values that are none were told.
pub(super) fn read(paths: &[PathBuf]) -> Result<(Indicators, Status), CommandError> {
    let mut set = Indicators::default();
    let mut status = Status::Clean;
    for path in paths {
        let mut refused = |error: SourceError| {
            complain(format_args!("{}: {error}", path.display()));
            status = Status::SomethingFailed;
        };
        let fail = |error| CommandError::Indicators { path: path.clone(), error };
        let read = match path.as_os_str() == sources::STANDARD_INPUT {
            true => indicators::read(&mut stdin().lock(), &mut set, &mut refused),
            false => File::open(path).map_err(SourceError::Read).and_then(|file| {
                indicators::read(&mut BufReader::new(file), &mut set, &mut refused)
            }),
        };
        read.map_err(fail)?;
    }
    set.seal();
    Ok((set, status))
}
