//! One file of a configuration.

use miyaburi_model::{Confidence, HexBytes, Report, Verdict};

use crate::indicators::Span;

/// What is told of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// SHA-1 of the file as it lies on disk, 20 bytes.
    pub sha1: Option<HexBytes>,
    /// MD5 of the same bytes, 16 bytes.
    pub md5: Option<HexBytes>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// CPU family, as in reports.
    pub arch: Option<String>,
    /// Name of the packer that was undone.
    pub packer: Option<String>,
    /// Whether the analysis was whole.
    pub is_complete: bool,
    /// The highest of the family.
    pub confidence: Option<Confidence>,
    /// When it was seen.
    pub seen: Option<Span>,
}

impl File {
    pub(super) fn new(report: &Report, seen: Option<Span>) -> Self {
        let sample = &report.sample;
        Self {
            sha1: digest(sample.sha1.as_ref(), 20),
            md5: digest(sample.md5.as_ref(), 16),
            size: sample.size,
            arch: sample.arch.clone(),
            packer: sample.packer.as_ref().map(|packer| packer.name.clone()),
            is_complete: report.verdict != Verdict::Partial,
            confidence: report.family.as_ref().map(|family| family.confidence),
            seen,
        }
    }
}

/// The digest, none when it has another length: a report is a file like any other.
fn digest(digest: Option<&HexBytes>, length: usize) -> Option<HexBytes> {
    digest.filter(|digest| digest.0.len() == length).cloned()
}
