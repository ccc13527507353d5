//! Encoded texts as they lie in the file.
//!
//! Texts that are not encoded are found in harmless files as well, so they are none of these.

use miyaburi_model::{EntryRole, EntryValue, HexBytes, LooseString, Report, TableEntry};

/// An encoded text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Encoded {
    /// Whether it is a host of the attackers.
    pub is_server: bool,
    /// The bytes, without the encoded zero at the end: not every fork has one.
    pub bytes: Vec<u8>,
}

/// The encoded texts of a report, those of its table and those outside of it.
pub(super) fn encoded(report: &Report) -> impl Iterator<Item = Encoded> {
    let entries = report.string_table.iter().flat_map(|table| &table.entries);
    entries.filter_map(of_entry).chain(report.strings.iter().filter_map(of_string))
}

fn of_entry(entry: &TableEntry) -> Option<Encoded> {
    let is_text = matches!(entry.value, EntryValue::Text { .. });
    of(entry.stored.as_ref().filter(|_| is_text)?, &entry.hex, Some(entry.role))
}

fn of_string(string: &LooseString) -> Option<Encoded> {
    of(string.stored.as_ref()?, &string.hex, string.role)
}

fn of(stored: &HexBytes, decoded: &HexBytes, role: Option<EntryRole>) -> Option<Encoded> {
    let is_server = matches!(role, Some(EntryRole::C2Host | EntryRole::ScanReceiverHost));
    let length = decoded.0.strip_suffix(&[0]).unwrap_or(&decoded.0).len();
    let bytes = stored.0.get(..length)?.to_vec();
    (stored != decoded).then_some(Encoded { is_server, bytes })
}
