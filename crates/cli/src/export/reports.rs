//! Reports one after the other, so that memory does not grow with their number.

use std::fs::File;
use std::io::{self, BufReader, Read, stdin};
use std::path::Path;

use miyaburi_model::Report;
use serde_json::{Deserializer, Value};
use sha2::{Digest, Sha256};

use crate::reports::FolderError;

/// Why a file of reports could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportsProblem {
    #[error("{0}")]
    Open(#[from] io::Error),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Document(#[from] FolderError),
}

/// Hands on every report of a file, JSON values one after the other or arrays of them, or of
/// standard input for `-`; the bytes read are added to `digest`.
pub(crate) fn for_each_report(
    path: &Path,
    digest: &mut Sha256,
    mut take: impl FnMut(Report) -> Result<(), FolderError>,
) -> Result<(), ReportsProblem> {
    let reader: Box<dyn Read> =
        if path == Path::new("-") { Box::new(stdin().lock()) } else { Box::new(File::open(path)?) };
    let reader = BufReader::new(DigestingReader { reader, digest });
    for value in Deserializer::from_reader(reader).into_iter::<Value>() {
        match value? {
            Value::Array(reports) => {
                for report in reports {
                    take(serde_json::from_value(report)?)?;
                }
            }
            report => take(serde_json::from_value(report)?)?,
        }
    }
    Ok(())
}

/// A reader that digests what is read.
struct DigestingReader<'a> {
    reader: Box<dyn Read>,
    digest: &'a mut Sha256,
}

impl Read for DigestingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
