//! The directory that an export goes into.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use miyaburi_export::Folder;

/// Where files lie until all of them are written, in the output directory.
const STAGING: &str = ".miyaburi-export";

/// An output directory. Its files are replaced when all new ones are written, so that an export that
/// fails leaves the old ones.
pub(crate) struct OutputFolder {
    root: PathBuf,
    names: Vec<String>,
    removed: Vec<String>,
}

impl OutputFolder {
    /// The directory at `path`, made when it is not there.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let staging = path.join(STAGING);
        if staging.exists() {
            fs::remove_dir_all(&staging)?;
        }
        fs::create_dir_all(&staging)?;
        Ok(Self { root: path.to_owned(), names: Vec::new(), removed: Vec::new() })
    }

    /// Moves all files to their places, and takes away those that are not to be there.
    pub(crate) fn finish(self) -> io::Result<()> {
        let staging = self.root.join(STAGING);
        for name in &self.names {
            let path = self.root.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::rename(staging.join(name), path)?;
        }
        for name in &self.removed {
            match fs::remove_file(self.root.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::remove_dir_all(staging)
    }
}

impl Folder for OutputFolder {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        let path = self.root.join(STAGING).join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::create(path)?;
        self.names.push(name.to_owned());
        Ok(Box::new(BufWriter::new(file)))
    }

    fn remove(&mut self, name: &str) {
        self.removed.push(name.to_owned());
    }

    fn earlier(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.root.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
