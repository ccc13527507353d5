//! What counts as one configuration.

use std::collections::BTreeMap;

use miyaburi_model::{HexBytes, Report};
use roaring::RoaringBitmap;

/// A configuration, however many files were built with it: files with equal comparison hashes of
/// string table and credentials are one, a file with neither is one of its own.
///
/// False positives: operators that share everything these hashes cover and differ in what they do
/// not, such as a C2 that is an immediate. False negatives: one operator who changed a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Configuration {
    table: Option<HexBytes>,
    credentials: Option<HexBytes>,
    file: Option<FileName>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum FileName {
    Sha256(HexBytes),
    Path(String),
}

/// Numbers of configurations, in the order in which they were met. Memory grows with configurations,
/// not with reports.
#[derive(Default)]
pub(crate) struct Numbers(BTreeMap<Configuration, u32>);

impl Numbers {
    /// The number of the configuration that `report` is of.
    pub(crate) fn of(&mut self, report: &Report) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(configuration(report)).or_insert(next)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// How many numbers a set holds.
pub(crate) fn count(numbers: &RoaringBitmap) -> usize {
    usize::try_from(numbers.len()).unwrap_or(usize::MAX)
}

/// The configuration that `report` is of.
#[must_use]
pub fn configuration(report: &Report) -> Configuration {
    let table = report.string_table.as_ref().and_then(|table| table.sha256.clone());
    let credentials = report.credentials.as_ref().and_then(|list| list.sha256.clone());
    let file = (table.is_none() && credentials.is_none()).then(|| {
        let sample = &report.sample;
        let path = || FileName::Path(sample.path.clone());
        sample.sha256.clone().map_or_else(path, FileName::Sha256)
    });
    Configuration { table, credentials, file }
}
