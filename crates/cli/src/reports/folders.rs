//! A folder of files for every analysed file.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use miyaburi_export::mirai_toushi::Documents;
use miyaburi_model::{HexBytes, Report};

use crate::error::CommandError;

/// Writes the documents of mirai-toushi into `<root>/<sha256>/`, over those of an earlier run.
pub(crate) struct Folders {
    root: PathBuf,
    written: HashSet<HexBytes>,
}

impl Folders {
    /// Creates the root, so that one that cannot be is told before anything is analysed.
    pub(super) fn create(root: &Path) -> Result<Self, CommandError> {
        create_directory(root)?;
        Ok(Self { root: root.to_owned(), written: HashSet::new() })
    }

    /// Writes the documents of one report. A file that was not analysed has none; of files with the
    /// same content the first is written.
    pub(super) fn write(&mut self, report: &Report) -> Result<(), CommandError> {
        let Some(documents) = Documents::new(report) else { return Ok(()) };
        let Some(sha256) = &report.sample.sha256 else { return Ok(()) };
        if !self.written.insert(sha256.clone()) {
            return Ok(());
        }
        let folder = self.root.join(sha256.to_string());
        create_directory(&folder)?;
        for (name, text) in documents.files()? {
            let path = folder.join(name);
            fs::write(&path, text).map_err(|error| CommandError::Create { path, error })?;
        }
        Ok(())
    }
}

fn create_directory(path: &Path) -> Result<(), CommandError> {
    fs::create_dir_all(path).map_err(|error| CommandError::Create { path: path.to_owned(), error })
}
