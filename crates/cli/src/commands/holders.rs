//! Who has an address when, as commands read it.

use std::io::BufReader;
use std::path::PathBuf;

use miyaburi_hunting::holders::{self, HolderError, Holders};
use miyaburi_hunting::sources;

use crate::Status;
use crate::error::{CommandError, complain};

/// The leases of all files, compressed ones too; what of them cannot be used was told.
pub(super) fn read(paths: &[PathBuf]) -> Result<(Holders, Status), CommandError> {
    let mut all = Holders::default();
    let mut status = Status::Clean;
    for path in paths {
        let mut refused = |error: HolderError| {
            complain(format_args!("{}: {error}", path.display()));
            status = Status::SomethingFailed;
        };
        let read = sources::open(path)
            .map_err(HolderError::Read)
            .and_then(|reader| holders::read(&mut BufReader::new(reader), &mut all, &mut refused));
        read.map_err(|error| CommandError::Holders { path: path.clone(), error })?;
    }
    all.seal();
    Ok((all, status))
}
