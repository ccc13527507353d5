//! How far logs were followed, kept so that a process that is killed at any moment leaves a state to go on
//! from.
//!
//! Two places of the file are written in turns, each with its checksum: what was half written is not
//! believed, and the state before it stands. The state says how long the output was, so what was written
//! to it afterwards is taken off again before the same is found again. Against a loss of power, which may
//! keep some writes and lose others, it does not help.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use miyaburi_hunting::sources::Identity;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a place.
const PLACE: usize = 1 << 18;

/// Bytes of a checksum.
const CHECKSUM: usize = 32;

/// Why a checkpoint cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    State(#[from] serde_json::Error),
    #[error("no checkpoint: what is in the file is something else")]
    Other,
    #[error("too many logs for one checkpoint")]
    TooLong,
}

/// How far a log was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The file, by what it is.
    pub(crate) identity: Identity,
    /// Bytes of it that are known to be there.
    pub(crate) length: u64,
    /// The last event that was told of: the first byte of its line, and which of the line it is.
    pub(crate) told: Option<(u64, u64)>,
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Counts the states.
    number: u64,
    /// Bytes of the output.
    pub(crate) output: u64,
    /// By the path of the log.
    pub(crate) logs: BTreeMap<String, Position>,
}

/// The file with the state.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    file: File,
    pub(crate) state: State,
}

impl Checkpoint {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        (&file).take(2 * PLACE as u64).read_to_end(&mut bytes)?;
        let states = bytes.chunks(PLACE).filter_map(read);
        let state = states.max_by_key(|state| state.number);
        // A process that ended before its first state was whole leaves nothing but that.
        if state.is_none() && !bytes.is_empty() {
            return Err(CheckpointError::Other);
        }
        Ok(Self { file, state: state.unwrap_or_default() })
    }

    /// Keeps the state as it is now.
    pub(crate) fn keep(&mut self) -> Result<(), CheckpointError> {
        self.state.number += 1;
        let text = serde_json::to_vec(&self.state)?;
        let mut place = Sha256::digest(&text).to_vec();
        place.extend((text.len() as u64).to_le_bytes());
        place.extend(text);
        if place.len() > PLACE {
            return Err(CheckpointError::TooLong);
        }
        self.file.seek(SeekFrom::Start(self.state.number % 2 * PLACE as u64))?;
        self.file.write_all(&place)?;
        Ok(())
    }
}

/// The state in a place; none where it is not whole.
fn read(place: &[u8]) -> Option<State> {
    let (checksum, rest) = place.split_at_checked(CHECKSUM)?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let text = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    (Sha256::digest(text).as_slice() == checksum).then(|| serde_json::from_slice(text).ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_state_that_was_half_written_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(checkpoint.state, State::default());
        for output in [10, 20] {
            checkpoint.state.output = output;
            checkpoint.keep().unwrap();
        }
        assert_eq!(Checkpoint::open(&path).unwrap().state.output, 20);
        // The second state is in the first place.
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(50)).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(Checkpoint::open(&path).unwrap().state.output, 10);
    }
}
