//! A log that somebody still writes to.
//!
//! A log is over when another file stands in its place, which somebody has begun to write to, and nothing
//! more came for a while (a program may write to the old file until it is told), or when it became shorter
//! than what was read (it was copied and emptied: what was written between the last look and that is lost,
//! as it is to everybody).

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Between two looks for more.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long a file that was replaced has to be silent.
const SILENCE: Duration = Duration::from_millis(500);

/// Bytes of the beginning by which a file is known again, at most.
const BEGINNING: u64 = 256;

/// What tells a file from another that takes its name, or its number later on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
    /// So many bytes of the beginning have this SHA-256.
    beginning: u64,
    sha256: String,
}

impl Identity {
    /// Of a file, of which `length` bytes are known to be there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(file: &File, length: u64) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let beginning = length.min(BEGINNING);
        let sha256 = hash(file, beginning)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), beginning, sha256 })
    }

    /// Whether the file is it, with all that was read until `length`. One that cannot be read is not.
    #[must_use]
    pub fn is(&self, file: &File, length: u64) -> bool {
        let same = || -> io::Result<bool> {
            let metadata = file.metadata()?;
            let is_same = (metadata.dev(), metadata.ino()) == (self.device, self.inode);
            Ok(is_same && metadata.len() >= length && hash(file, self.beginning)? == self.sha256)
        };
        same().unwrap_or(false)
    }
}

/// Of the first bytes. The place up to which others read the file stays.
fn hash(file: &File, length: u64) -> io::Result<String> {
    let mut beginning = vec![0; length as usize];
    file.read_exact_at(&mut beginning, 0)?;
    Ok(hex::encode(Sha256::digest(&beginning)))
}

/// Reads a log until it is over, and waits for more before that.
#[derive(Debug)]
pub struct Growing {
    path: PathBuf,
    file: File,
    /// Bytes that were read.
    read: u64,
    /// Since when nothing came.
    silent: Option<Instant>,
}

impl Growing {
    /// The log that was opened at `path`, from its beginning.
    #[must_use]
    pub fn new(path: &Path, file: File) -> Self {
        Self { path: path.to_owned(), file, read: 0, silent: None }
    }

    fn is_over(&mut self) -> io::Result<bool> {
        let here = self.file.metadata()?;
        if here.len() < self.read {
            return Ok(true);
        }
        let replaced = |there: &Metadata| {
            (there.dev(), there.ino()) != (here.dev(), here.ino()) && there.len() > 0
        };
        // Between moving the old file away and making a new one, there is none.
        if !self.path.metadata().is_ok_and(|there| replaced(&there)) {
            self.silent = None;
            return Ok(false);
        }
        let since = *self.silent.get_or_insert_with(Instant::now);
        Ok(since.elapsed() >= SILENCE)
    }
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.file.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                self.read += count as u64;
                self.silent = None;
                return Ok(count);
            }
            if self.is_over()? {
                // What came between the last look and the answer; nothing of a file that was emptied.
                let is_emptied = self.file.metadata()?.len() < self.read;
                return if is_emptied { Ok(0) } else { self.rest(buffer) };
            }
            sleep(INTERVAL);
        }
    }
}

impl Growing {
    fn rest(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.read))?;
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

/// The files that hold what was written to the log at `path` since `position`: an identity and how many
/// bytes of it are known; the log itself last. Rotated parts stand beside it, their names beginning with
/// its own. None when the file that was read is not there any more.
///
/// # Errors
/// When the folder cannot be read.
pub fn parts_since(path: &Path, position: &(Identity, u64)) -> io::Result<Option<Vec<PathBuf>>> {
    let (identity, length) = position;
    let is_it = |path: &Path| File::open(path).is_ok_and(|file| identity.is(&file, *length));
    if is_it(path) {
        return Ok(Some(vec![path.to_owned()]));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let mut beside = Vec::new();
    for entry in folder.unwrap_or(Path::new(".")).read_dir()? {
        let other = entry?.path();
        let its_name = other.file_name().unwrap_or_default().as_encoded_bytes();
        let is_part =
            its_name.strip_prefix(name).is_some_and(|rest| matches!(rest, [b'.' | b'-', ..]));
        if is_part && let Ok(metadata) = other.metadata() {
            beside.push((metadata.modified()?, other));
        }
    }
    beside.sort();
    let at = beside.iter().position(|(_, other)| is_it(other));
    let Some(later) = at.and_then(|at| beside.get(at..)) else { return Ok(None) };
    let mut parts: Vec<PathBuf> = later.iter().map(|(_, other)| other.clone()).collect();
    parts.push(path.to_owned());
    Ok(Some(parts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::fs::{OpenOptions, rename, write};
    use std::io::Write;

    use super::*;

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_written_before_and_after_a_rotation_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (log, old) = (folder.path().join("x.log"), folder.path().join("x.log.1"));
        write(&log, "one\n").unwrap();
        let mut growing = Growing::new(&log, File::open(&log).unwrap());
        let mut writer = OpenOptions::new().append(true).open(&log).unwrap();
        rename(&log, &old).unwrap();
        append(&log, "three\n");
        // The program has the old file open still.
        writer.write_all(b"two\n").unwrap();
        let mut text = String::new();
        growing.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn a_log_that_was_emptied_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("x.log");
        write(&log, "one\ntwo\n").unwrap();
        let mut growing = Growing::new(&log, File::open(&log).unwrap());
        let mut buffer = [0; 64];
        assert_eq!(growing.read(&mut buffer).unwrap(), 8);
        write(&log, "new\n").unwrap();
        assert_eq!(growing.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn parts_are_found_by_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(at("x.log"), "one\n").unwrap();
        let position = (Identity::of(&File::open(at("x.log")).unwrap(), 4).unwrap(), 4);
        append(&at("x.log"), "two\n");
        let parts = || parts_since(&at("x.log"), &position).unwrap();
        assert_eq!(parts(), Some(vec![at("x.log")]));
        rename(at("x.log"), at("x.log.1")).unwrap();
        write(at("x.log"), "three\n").unwrap();
        write(at("x.login"), "no part\n").unwrap();
        assert_eq!(parts(), Some(vec![at("x.log.1"), at("x.log")]));
        // The same file with something else in it.
        write(at("x.log.1"), "other and longer\n").unwrap();
        assert_eq!(parts(), None);
    }
}
