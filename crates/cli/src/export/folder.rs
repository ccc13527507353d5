//! The directory that an export goes into.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use miyaburi_export::Folder;

/// An output directory.
pub(crate) struct OutputFolder(PathBuf);

impl OutputFolder {
    /// The directory at `path`, made when it is not there.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self(path.to_owned()))
    }
}

impl Folder for OutputFolder {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        let path = self.0.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(Box::new(BufWriter::new(File::create(path)?)))
    }
}
