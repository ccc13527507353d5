//! The result of a comparison, as it is written.

use miyaburi_model::{
    Attack, Cipher, Credential, Endpoint, Exploit, ExternalSource, FieldDescriptor, HexBytes, Key,
    LooseString, Probe, TableEntry, Verdict,
};
use schemars::JsonSchema;
use serde::Serialize;

/// Version of [`Comparison`]; it grows when a name or meaning changes, not when a member is added.
pub const DIFF_SCHEMA_VERSION: u32 = 1;

/// Two reports compared, or one that has no counterpart.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// [`DIFF_SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// What came of it.
    pub result: Outcome,
    /// What made the two a pair, null without a counterpart.
    pub paired_by: Option<PairedBy>,
    /// The report of the first set, null when it is only in the second.
    pub a: Option<Side>,
    /// The report of the second set, null when it is only in the first.
    pub b: Option<Side>,
    /// What changed from `a` to `b`; null when nothing was compared.
    pub changes: Option<Changes>,
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Both say the same, or are about the same bytes and neither analysed them.
    Same,
    /// Something changed.
    Different,
    /// Neither of two different files was analysed.
    NotCompared,
    /// No counterpart in the second set.
    OnlyInA,
    /// No counterpart in the first set.
    OnlyInB,
}

/// What made two reports a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairedBy {
    /// Each is the only one of its set.
    OnlyOnes,
    /// `sample.sha256` is equal: the same file.
    Sha256,
    /// The report file has the same name below the directory given, or `sample.path` is equal, as
    /// it stands or below the directory that all samples of the set share.
    Name,
    /// `string_table.sha256` and `credentials.sha256` are equal.
    Hashes,
    /// `string_table.sha256` is equal.
    StringTableHash,
    /// `credentials.sha256` is equal.
    CredentialsHash,
}

/// What one of two reports is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Side {
    /// The file that the report stands in.
    pub report_file: String,
    /// `sample.path` of the report.
    pub path: String,
    /// `sample.sha256` of the report.
    pub sha256: Option<HexBytes>,
    /// `sample.cpu` of the report.
    pub cpu: Option<String>,
    /// `verdict` of the report.
    pub verdict: Verdict,
}

/// A value that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change<T> {
    /// In the first report.
    pub a: T,
    /// In the second report.
    pub b: T,
}

/// Items of a list that are not the same on both sides, sorted by what identifies them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ItemChanges<T> {
    /// Only in the second report.
    pub added: Vec<T>,
    /// Only in the first report.
    pub removed: Vec<T>,
    /// In both, with something about them changed.
    pub changed: Vec<ChangedItem<T>>,
}

/// An item that is on both sides and not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangedItem<T> {
    /// The members that changed.
    pub members: Vec<&'static str>,
    /// In the first report.
    pub a: T,
    /// In the second report.
    pub b: T,
}

impl<T> Default for ItemChanges<T> {
    fn default() -> Self {
        Self { added: Vec::new(), removed: Vec::new(), changed: Vec::new() }
    }
}

/// What changed from one report to another; null is unchanged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Changes {
    /// What came of the analysis.
    pub verdict: Option<Change<Verdict>>,
    /// Name of the family.
    pub family: Option<Change<Option<String>>>,
    /// Endpoints, identified by host and port.
    pub endpoints: ItemChanges<Endpoint>,
    /// Sources of a C2 outside the file, identified by kind and name.
    pub external: ItemChanges<ExternalSource>,
    /// The string table.
    pub string_table: TableChanges,
    /// Encoded strings outside the table, identified by their text.
    pub strings: ItemChanges<LooseString>,
    /// The scanner's credentials.
    pub credentials: CredentialsChanges,
    /// Attack vectors, identified by number.
    pub attacks: ItemChanges<Attack>,
    /// The scanner.
    pub scan: ScanChanges,
}

/// What changed in the string table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct TableChanges {
    /// Whether there is one.
    pub found: Option<Change<bool>>,
    /// The key as the source had it.
    pub key: Option<Change<Option<Key>>>,
    /// The key as it acts on each byte.
    pub effective_key: Option<Change<Option<Key>>>,
    /// How entries are decoded.
    pub cipher: Option<Change<Option<Cipher>>>,
    /// Nonce of ciphers that have one.
    pub nonce: Option<Change<Option<Key>>>,
    /// Comparison hash; it changes with the order of entries, too.
    pub sha256: Option<Change<Option<HexBytes>>>,
    /// Entries, identified by id and value; what is left by value, then by id.
    pub entries: ItemChanges<TableEntry>,
}

/// What changed in the credentials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct CredentialsChanges {
    /// Whether there are any.
    pub found: Option<Change<bool>>,
    /// The key as it acts on each byte.
    pub effective_key: Option<Change<Option<Key>>>,
    /// How they are encoded.
    pub cipher: Option<Change<Option<Cipher>>>,
    /// Comparison hash; it changes with the order of pairs, too.
    pub sha256: Option<Change<Option<HexBytes>>>,
    /// Pairs, identified by user and password.
    pub entries: ItemChanges<Credential>,
}

/// What changed in the scanner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ScanChanges {
    /// Whether there is one.
    pub found: Option<Change<bool>>,
    /// Ports it probes.
    pub probes: ItemChanges<Probe>,
    /// Fields of its SYN packet, identified by name.
    pub syn: ItemChanges<SynField>,
    /// Requests that exploit devices, identified by port, method and path.
    pub exploits: ItemChanges<Exploit>,
}

/// A field of the scanner's SYN packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SynField {
    /// Name, such as `tcp.seq`.
    pub field: String,
    /// Where it gets its value.
    pub value: FieldDescriptor,
}
