//! What passed the gate, and where formats write it.

use std::io::{self, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::gate::Reason;
use crate::indicators::{InForce, Indicator, Sightings, Timestamp};

/// An indicator that may be blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What to block.
    pub indicator: Indicator,
    /// What that rests on.
    pub sightings: Sightings,
    /// When it no longer holds.
    pub expires: Timestamp,
    /// Its state before this export, none when it is new.
    pub in_force: Option<InForce>,
    /// A list that says something of it, such as that its zone is a dynamic DNS provider's.
    pub note: Option<Arc<str>>,
}

/// An indicator that earlier exports have in force and this one has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// What is no longer blocked.
    pub indicator: Indicator,
    /// Since when and until when it was to be.
    pub in_force: InForce,
    /// Why.
    pub reason: Reason,
}

/// How far a consumer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It counts.
    Report,
    /// It counts and logs.
    Log,
    /// It counts, logs and blocks.
    Enforce,
}

impl Stage {
    /// A word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Log => "log",
            Self::Enforce => "enforce",
        }
    }
}

/// Where a list comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The time of the export.
    pub now: Timestamp,
    /// Reports that were read.
    pub reports: u64,
    /// SHA-256 of the reports as read, one file after the other, in hexadecimal.
    pub input_sha256: String,
    /// A number that grows from export to export, modulo 2^32 as serials of zones count (RFC 1982).
    pub serial: u32,
}

impl Stamp {
    /// A serial for an export at `now` after one with the serial `before`: the time, unless that has not
    /// moved on.
    #[must_use]
    pub fn serial(now: Timestamp, before: Option<u32>) -> u32 {
        // The remainder fits.
        let time = u32::try_from(now.unix().rem_euclid(1 << 32)).unwrap_or_default();
        match before {
            // Greater in the arithmetic of serials: less than half of all numbers ahead.
            Some(before) if !(1..1 << 31).contains(&time.wrapping_sub(before)) => {
                before.wrapping_add(1)
            }
            _ => time,
        }
    }
}

/// The version of this crate, which is the program's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What passed the gate, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// Where it comes from.
    pub stamp: Stamp,
    /// How far consumers go.
    pub stage: Stage,
    /// The entries.
    pub blocks: Vec<Block>,
    /// What earlier exports withdrew since the formats of this one were last written, and is not blocked
    /// again.
    pub overdue: Vec<Withdrawal>,
    /// What was in force before and no longer is, in order; none when that is not known, and no file
    /// that withdraws is written.
    pub withdrawn: Option<Vec<Withdrawal>>,
}

impl BlockList {
    /// What the files of formats are to withdraw.
    pub(crate) fn to_withdraw(&self) -> impl Iterator<Item = &Withdrawal> {
        self.withdrawn.iter().flatten().chain(&self.overdue)
    }

    /// Lines that say where a file comes from, for a comment at its head.
    pub(crate) fn head(&self) -> [String; 3] {
        let Stamp { now, reports, input_sha256, .. } = &self.stamp;
        [
            format!("miyaburi {VERSION}, {now}, stage {}", self.stage.name()),
            format!("from {reports} reports, SHA-256 {input_sha256}"),
            format!("{} indicators passed the gate", self.blocks.len()),
        ]
    }
}

/// What came of writing one format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Entries in its files.
    pub entries: usize,
    /// Indicators that the format cannot express.
    pub left_out: usize,
}

/// Where the files of an export go.
pub trait Folder {
    /// Begins a file. Names are those of the formats, never of an input; a name may have one folder
    /// before it, as `folder/name`.
    ///
    /// # Errors
    /// When it cannot be made.
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>>;

    /// Says that an earlier export's file of that name would be wrong beside the others.
    fn remove(&mut self, name: &str);

    /// What an earlier export has under that name, if it is there.
    ///
    /// # Errors
    /// When it cannot be read.
    fn earlier(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
}

/// What keeps a file from being written.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {error}")]
pub struct ExportError {
    /// Name of the file.
    pub file: String,
    /// What went wrong.
    pub error: io::Error,
}

/// Writes one file of a format.
pub(crate) fn file<T>(
    folder: &mut dyn Folder,
    file: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, ExportError> {
    let written = folder.create(file).and_then(|mut writer| {
        let result = write(&mut writer)?;
        writer.flush()?;
        Ok(result)
    });
    written.map_err(|error| ExportError { file: file.to_owned(), error })
}
