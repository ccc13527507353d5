//! Indicators as commands read them.

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::PathBuf;

use miyaburi_hunting::indicators::{self, Indicators, Passed, SourceError};
use miyaburi_hunting::sources;

use crate::Status;
use crate::error::{CommandError, complain};

/// Of one file, what cannot be read is told this often by itself.
const TOLD: u64 = 20;

/// The indicators of all files; values that are none were told.
pub(super) fn read(paths: &[PathBuf]) -> Result<(Indicators, Status), CommandError> {
    let mut set = Indicators::default();
    let mut status = Status::Clean;
    for path in paths {
        let mut count = 0_u64;
        let mut refused = |error: SourceError| {
            count += 1;
            if count <= TOLD {
                complain(format_args!("{}: {error}", path.display()));
            }
            status = Status::SomethingFailed;
        };
        let fail = |error| CommandError::Indicators { path: path.clone(), error };
        let read = match path.as_os_str() == sources::STANDARD_INPUT {
            true => indicators::read(&mut stdin().lock(), &mut set, &mut refused),
            false => File::open(path).map_err(SourceError::Read).and_then(|file| {
                indicators::read(&mut BufReader::new(file), &mut set, &mut refused)
            }),
        };
        let passed = read.map_err(fail)?;
        if count > TOLD {
            complain(format_args!("{}: {} more not read", path.display(), count - TOLD));
        }
        tell(&path.display().to_string(), passed);
    }
    set.seal();
    Ok((set, status))
}

/// Tells of what a file has and does not want to be looked for.
fn tell(name: &str, passed: Passed) {
    let Passed { revoked, not_for_detection, others } = passed;
    if passed != Passed::default() {
        complain(format_args!(
            "{name}: not looked for: {revoked} revoked, {not_for_detection} not for detection, {others} that \
             no log of a network shows"
        ));
    }
}
