//! Encoded texts as they lie in the file.
//!
//! A report holds what texts decode to. Where every byte was combined with the key's bytes in turn, that
//! and the key give the bytes in the file; of other ciphers they cannot be told, and texts that are
//! not encoded are found in harmless files as well.

use miyaburi_model::{
    Cipher, EntryRole, EntryValue, Key, LooseString, Report, StringTable, TableEntry,
};

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
    let table = report.string_table.iter();
    let entries = table.flat_map(|table| table.entries.iter().filter_map(|it| of_entry(table, it)));
    entries.chain(report.strings.iter().filter_map(of_string))
}

/// The bytes of an entry, none of one that the running code would not read as the report does.
fn of_entry(table: &StringTable, entry: &TableEntry) -> Option<Encoded> {
    let is_text = matches!(entry.value, EntryValue::Text { .. });
    let key = entry.effective_key.as_ref().or(table.effective_key.as_ref());
    let cipher = entry.cipher.unwrap_or(table.cipher);
    let is_server = matches!(entry.role, EntryRole::C2Host | EntryRole::ScanReceiverHost);
    let bytes = encode(cipher, key?, &entry.hex.0).filter(|_| is_text && !entry.stale)?;
    Some(Encoded { is_server, bytes })
}

fn of_string(string: &LooseString) -> Option<Encoded> {
    let bytes = encode(string.cipher, string.effective_key.as_ref()?, &string.hex.0)?;
    let is_server = matches!(string.role, Some(EntryRole::C2Host | EntryRole::ScanReceiverHost));
    Some(Encoded { is_server, bytes })
}

/// What decodes to these bytes, none when that does not follow or is the same.
fn encode(cipher: Cipher, key: &Key, decoded: &[u8]) -> Option<Vec<u8>> {
    let is_known = matches!(cipher, Cipher::Xor | Cipher::XorCyclic);
    let decoded = decoded.strip_suffix(&[0]).unwrap_or(decoded);
    (is_known && key.0.iter().any(|byte| *byte != 0))
        .then(|| decoded.iter().zip(key.0.iter().cycle()).map(|(byte, key)| byte ^ key).collect())
}
