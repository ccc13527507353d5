//! The encoded string table and encoded strings outside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Evidence, HexBytes, Key, VirtualAddress};

/// The encoded string table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StringTable {
    /// The key as the source had it, null when the file no longer holds it.
    pub key: Option<Key>,
    /// The key as it acts on each byte.
    pub effective_key: Option<Key>,
    /// How the running code decodes entries.
    pub cipher: Cipher,
    /// Nonce of ciphers that have one.
    pub nonce: Option<Key>,
    /// Entries in the order in which the code adds them.
    #[serde(default)]
    pub entries: Vec<TableEntry>,
    /// Comparison hash, see [`crate::string_table_sha256`].
    pub sha256: Option<HexBytes>,
}

/// Ciphers and encodings.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cipher {
    /// Every byte with the same key byte.
    Xor,
    /// Bytes with the key's bytes in turn.
    XorCyclic,
    /// RC4.
    Rc4,
    /// A stream cipher derived from RC4.
    Rc4Modified,
    /// ChaCha20.
    Chacha20,
    /// XTEA, whatever its delta.
    Xtea,
    /// XXTEA.
    Xxtea,
    /// AES-128 in CBC mode.
    #[serde(rename = "aes_128_cbc")]
    Aes128Cbc,
    /// A substitution alphabet.
    Substitution,
    /// A rotation of letters, then XOR.
    RotXor,
    /// Hexadecimal digits.
    Hex,
    /// Built byte by byte on the stack.
    StackString,
    /// Not encoded.
    Plain,
    /// Decoded by running the routine; the cipher was not recognised.
    Unknown,
}

/// One entry of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableEntry {
    /// Index in the table.
    pub id: u32,
    /// Kind and decoded value.
    #[serde(flatten)]
    pub value: EntryValue,
    /// The decoded bytes, terminating zero included.
    #[serde(default)]
    pub hex: HexBytes,
    /// What it is for, which follows from who reads it.
    pub role: EntryRole,
    /// Its cipher, when it differs from the table's.
    #[serde(default)]
    pub cipher: Option<Cipher>,
    /// Its key, when it differs from the table's.
    #[serde(default)]
    pub effective_key: Option<Key>,
    /// It makes sense only under another key than the code uses.
    #[serde(default)]
    pub stale: bool,
    /// What the running code sees, when that is not `hex`: the bytes of a stale entry under
    /// the key the code uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_hex: Option<HexBytes>,
    /// Its bytes as they lie in the file in a row, as far as it is long; null when it is not encoded, or
    /// they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<HexBytes>,
    /// Where its record lies in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<VirtualAddress>,
    /// Who reads it.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// Where it was read.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// The decoded value of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryValue {
    /// Text, without its terminating zero; bytes outside printable ASCII as `\xNN`.
    Text {
        /// The text.
        text: String,
    },
    /// A port.
    Port {
        /// The port.
        port: u16,
    },
    /// Neither; the value is `hex`.
    Bytes,
}

/// What an entry is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EntryRole {
    /// Host of the C2.
    C2Host,
    /// Port of the C2.
    C2Port,
    /// Host that takes the scanner's hits.
    ScanReceiverHost,
    /// Port that takes the scanner's hits.
    ScanReceiverPort,
    /// Finding or asking a DNS resolver.
    Resolver,
    /// Said to or expected from a scanned device.
    ScannerDialogue,
    /// Finding processes to kill.
    Killer,
    /// Reaching the watchdog.
    Watchdog,
    /// Payload of an attack.
    AttackPayload,
    /// Part of an HTTP request.
    HttpFragment,
    /// User agent of an HTTP request.
    UserAgent,
    /// Printed at start.
    ExecutionMessage,
    /// Not known.
    Unknown,
}

/// A place that reads an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The call or load.
    pub address: VirtualAddress,
    /// Entry of the function around it.
    pub function: Option<VirtualAddress>,
}

/// An encoded string outside the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LooseString {
    /// Where the encoded bytes lie, or where the code builds them.
    pub address: VirtualAddress,
    /// The text, without its terminating zero; bytes outside printable ASCII as `\xNN`.
    pub text: String,
    /// The decoded bytes.
    #[serde(default)]
    pub hex: HexBytes,
    /// How it is encoded.
    pub cipher: Cipher,
    /// The key as it acts on each byte, null for encodings without one.
    pub effective_key: Option<Key>,
    /// Its bytes as they lie in the file, null for one that code puts together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<HexBytes>,
    /// What it is for, null when nobody was seen reading it.
    pub role: Option<EntryRole>,
    /// Where it was read.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}
