//! Reading an input without letting it take all memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::{Input, Origin};

/// Size beyond which a file is not read: a thousand times that of a usual sample.
pub const MAX_INPUT_BYTES: u64 = 256 << 20;

/// The path that stands for standard input where the user named it.
const STANDARD_INPUT: &str = "-";

/// Why an input gave no bytes.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Collecting already failed on it.
    #[error("{0}")]
    Unreachable(String),
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The user named a directory that appeared after collecting, or a device.
    #[error("is not a regular file")]
    NotRegular,
    /// Larger than [`MAX_INPUT_BYTES`].
    #[error("is larger than {MAX_INPUT_BYTES} bytes")]
    TooLarge,
    /// An archive did not give it.
    #[error("{0}")]
    Member(miyaburi_archives::MemberError),
    /// The reader of an archive panicked; members before that were read.
    #[error("contained a crash: the rest of the archive could not be read")]
    Crash,
}

/// The bytes of `input`; `-` is standard input. Pipes are read when the user named them; inside a directory they would
/// block the batch, so there only regular files are.
pub(crate) fn read(input: &Input) -> Result<Vec<u8>, ReadError> {
    if let Some(reason) = &input.unreachable {
        return Err(ReadError::Unreachable(reason.clone()));
    }
    if input.origin == Origin::Named && input.path == Path::new(STANDARD_INPUT) {
        return at_most(io::stdin().lock(), MAX_INPUT_BYTES);
    }
    let is_regular = std::fs::metadata(&input.path)?.is_file();
    if !is_regular && input.origin == Origin::Met {
        return Err(ReadError::NotRegular);
    }
    read_file(&input.path)
}

/// The bytes of the file, or of the pipe, at `path`.
///
/// # Errors
/// [`ReadError::Io`] and [`ReadError::TooLarge`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, ReadError> {
    let file = File::open(path)?;
    if file.metadata()?.len() > MAX_INPUT_BYTES {
        return Err(ReadError::TooLarge);
    }
    at_most(file, MAX_INPUT_BYTES)
}

fn at_most(source: impl Read, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let read = source.take(limit + 1).read_to_end(&mut bytes)?;
    if read as u64 > limit { Err(ReadError::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_limit_is_inclusive() {
        let source = [1, 2, 3].as_slice();
        assert_eq!(at_most(source, 3).unwrap(), [1, 2, 3]);
        assert!(matches!(at_most(source, 2), Err(ReadError::TooLarge)));
    }
}
