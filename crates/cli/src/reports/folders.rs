//! A folder of files for every analysed file.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miyaburi_export::mirai_toushi::Documents;
use miyaburi_export::{labels, maco};
use miyaburi_model::{HexBytes, Report};

/// What is written of each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FolderFormat {
    MiraiToushi,
    Maco,
    Labels,
}

/// What keeps a document from being written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("{}: {error}", path.display())]
    Create { path: PathBuf, error: io::Error },
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Writes documents into `<root>/<sha256>/`, over those of an earlier run.
pub(crate) struct Folders {
    root: PathBuf,
    format: FolderFormat,
    written: HashSet<HexBytes>,
}

impl Folders {
    /// Creates the root, so that one that cannot be is told before anything is analysed.
    pub(crate) fn create(root: &Path, format: FolderFormat) -> Result<Self, FolderError> {
        create_directory(root)?;
        Ok(Self { root: root.to_owned(), format, written: HashSet::new() })
    }

    /// Writes the documents of one report; whether there were any. A file of which the format has
    /// nothing to say gets no folder; of files with the same content the first is written.
    pub(crate) fn write(&mut self, report: &Report) -> Result<bool, FolderError> {
        let files = files(self.format, report)?;
        let Some(sha256) = report.sample.sha256.as_ref().filter(|_| !files.is_empty()) else {
            return Ok(false);
        };
        if !self.written.insert(sha256.clone()) {
            return Ok(false);
        }
        let folder = self.root.join(sha256.to_string());
        create_directory(&folder)?;
        for (name, text) in files {
            let path = folder.join(name);
            fs::write(&path, text).map_err(|error| FolderError::Create { path, error })?;
        }
        Ok(true)
    }
}

/// Names and texts of the files, none when the format has nothing to say of the report.
fn files(
    format: FolderFormat,
    report: &Report,
) -> Result<Vec<(&'static str, String)>, FolderError> {
    Ok(match format {
        FolderFormat::MiraiToushi => match Documents::new(report) {
            Some(documents) => documents.files()?.into_iter().collect(),
            None => Vec::new(),
        },
        FolderFormat::Maco => match maco::Document::new(report) {
            Some(document) => vec![(maco::FILE, document.text()?)],
            None => Vec::new(),
        },
        FolderFormat::Labels => labels::scripts(report).into_iter().flatten().collect(),
    })
}

fn create_directory(path: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(path).map_err(|error| FolderError::Create { path: path.to_owned(), error })
}
