//! Formats that have documents of single files: written while reports are read, as all of them
//! together are larger than memory.

use std::path::Path;

use miyaburi_export::Written;
use miyaburi_model::Report;

use crate::arguments::ExportFormat;
use crate::reports::{FolderError, Folders};

/// Documents of one format, in a folder that is named after it.
pub(crate) struct Documents {
    format: ExportFormat,
    folders: Folders,
    written: Written,
}

impl Documents {
    /// The documents that a format has of single files, none for other formats.
    pub(crate) fn create(root: &Path, format: ExportFormat) -> Result<Option<Self>, FolderError> {
        let Some(of_files) = format.folders() else { return Ok(None) };
        let folders = Folders::create(&root.join(format.name()), of_files)?;
        Ok(Some(Self { format, folders, written: Written::default() }))
    }

    /// Writes what the format has to say of a report.
    pub(crate) fn write(&mut self, report: &Report) -> Result<(), FolderError> {
        match self.folders.write(report)? {
            true => self.written.entries += 1,
            false => self.written.left_out += 1,
        }
        Ok(())
    }

    /// The format, and how many reports have a document and have none.
    pub(crate) const fn written(&self) -> (ExportFormat, Written) {
        (self.format, self.written)
    }
}
