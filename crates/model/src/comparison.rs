//! Hashes that are equal for equal configurations, whatever the CPU they were built for.
//!
//! The rules are those of mirai-toushi (Internet Initiative Japan, 2024), so that hashes can be
//! compared with those its users hold.

use sha2::{Digest, Sha256};

use crate::{Credential, EntryValue, HexBytes, TableEntry};

/// The text of `bytes`: zero bytes dropped, printable ASCII as it is, any other byte as `\xNN`
/// with lower-case digits. A backslash stays one, so the text of such a text is the same.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            0 => {}
            0x20..=0x7e => text.push(char::from(byte)),
            _ => {
                text.push_str("\\x");
                text.push_str(&hex::encode([byte]));
            }
        }
    }
    text
}

/// A table entry as the comparison hash takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComparedValue {
    /// A port.
    Int(u16),
    /// Anything else, as [`printable`] text.
    Str(String),
}

/// What the running code sees of `entry`, in the terms of the comparison hash.
#[must_use]
pub fn compared_value(entry: &TableEntry) -> ComparedValue {
    let seen = entry.code_hex.as_ref().unwrap_or(&entry.hex).0.as_slice();
    match (&entry.value, seen) {
        (EntryValue::Port { .. }, &[high, low]) => {
            ComparedValue::Int(u16::from_be_bytes([high, low]))
        }
        (EntryValue::Port { port }, _) => ComparedValue::Int(*port),
        (EntryValue::Text { .. } | EntryValue::Bytes, _) => ComparedValue::Str(printable(seen)),
    }
}

/// SHA-256 over the entries in their order: `"int"` and the decimal port, or `"str"` and the
/// [`printable`] text the running code would see.
#[must_use]
pub fn string_table_sha256(entries: &[TableEntry]) -> HexBytes {
    let mut hash = Sha256::new();
    for entry in entries {
        match compared_value(entry) {
            ComparedValue::Int(port) => hash.update(format!("int{port}")),
            ComparedValue::Str(text) => hash.update(format!("str{text}")),
        }
    }
    HexBytes(hash.finalize().to_vec())
}

/// SHA-256 over the credentials in their order: user, password, decimal weight.
#[must_use]
pub fn credentials_sha256(credentials: &[Credential]) -> HexBytes {
    let mut hash = Sha256::new();
    for credential in credentials {
        hash.update(printable(credential.user.as_bytes()));
        hash.update(printable(credential.password.as_bytes()));
        hash.update(credential.weight.to_string());
    }
    HexBytes(hash.finalize().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_drops_zeros_and_escapes_the_rest() {
        assert_eq!(printable(b"a\0b\x7f\xff\n~ \\x0A"), "ab\\x7f\\xff\\x0a~ \\x0A");
        assert_eq!(printable(printable(b"\x01\\").as_bytes()), "\\x01\\");
    }
}
