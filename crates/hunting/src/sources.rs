//! Where lines come from: files, directories and standard input, decompressed as they stream.

mod growing;
mod lines;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

pub use growing::{Growing, Identity, parts_since};
pub use lines::{Lines, MAX_LINE, Piece};
use miyaburi_archives::decompressed;

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// The path that stands for standard input.
pub const STANDARD_INPUT: &str = "-";

/// The files at these paths: directories are walked, in the order of their names, so that a rotated
/// set is read whole.
///
/// # Errors
/// The path that cannot be read, with the reason.
pub fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    let mut left: Vec<PathBuf> = paths.iter().rev().cloned().collect();
    while let Some(path) = left.pop() {
        let fail = |error| (path.clone(), error);
        if path.as_os_str() != STANDARD_INPUT && path.metadata().map_err(fail)?.is_dir() {
            let entries = path.read_dir().map_err(fail)?;
            let inner: io::Result<Vec<PathBuf>> =
                entries.map(|entry| entry.map(|entry| entry.path())).collect();
            let mut inner = inner.map_err(fail)?;
            inner.sort();
            left.extend(inner.into_iter().rev());
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// The bytes of a file, or of standard input, decompressed.
///
/// # Errors
/// When it cannot be opened or its beginning cannot be read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == STANDARD_INPUT {
        return decompressed(BufReader::with_capacity(BUFFER, io::stdin()));
    }
    opened(File::open(path)?)
}

/// The bytes of a file that is open, decompressed.
///
/// # Errors
/// When its beginning cannot be read.
pub fn opened(file: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    decompressed(BufReader::with_capacity(BUFFER, file))
}

/// Whether a source is of this name: a folder of its path, or the file up to a dot.
pub(crate) fn is_named(source: &str, name: &str) -> bool {
    source.split(['/', '\\']).any(|part| {
        part.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn directories_are_walked_in_order() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.log", "b/x.log.1", "b/x.log", "a.log"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = collect(&[folder.path().to_owned(), PathBuf::from("-")]).unwrap();
        let expected = ["a.log", "b/x.log", "b/x.log.1", "c.log"];
        let expected: Vec<PathBuf> = expected.iter().map(|name| folder.path().join(name)).collect();
        assert_eq!(found[..4], expected);
        assert_eq!(found[4], Path::new("-"));
        let missing = folder.path().join("missing");
        assert_eq!(collect(std::slice::from_ref(&missing)).unwrap_err().0, missing);
    }
}
