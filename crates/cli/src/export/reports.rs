//! Reports one after the other, so that memory does not grow with their number.

use std::io::Read;
use std::path::Path;

use miyaburi_corpus::ReportsProblem;
use miyaburi_corpus::reports::{each_report, open};
use miyaburi_model::Report;
use sha2::{Digest, Sha256};

use crate::reports::FolderError;

/// Why a file of reports could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadProblem {
    #[error("{0}")]
    Reports(#[from] ReportsProblem),
    #[error("{0}")]
    Document(#[from] FolderError),
}

/// Hands on every report of a file, there need not be any; the bytes read are added to `digest`.
pub(crate) fn for_each_report(
    path: &Path,
    digest: &mut Sha256,
    mut take: impl FnMut(Report) -> Result<(), FolderError>,
) -> Result<(), ReadProblem> {
    let reader = open(path).map_err(ReportsProblem::from)?;
    each_report(DigestingReader { reader, digest }, |report| Ok(take(report)?))
}

/// A reader that digests what is read.
struct DigestingReader<'a> {
    reader: Box<dyn Read>,
    digest: &'a mut Sha256,
}

impl Read for DigestingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
