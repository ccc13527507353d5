//! The documents as they are written. Members stand in the order of the published sample output;
//! what is `None` is left out.

use serde::Serialize;

/// `parse_main.json`: main routine, C2 and attack vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParseMain {
    /// Always `parse_main.py`.
    pub script_name: &'static str,
    /// The file.
    pub ghidra_current_program: Program,
    /// The main routine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub main_func: Option<Function>,
    /// The C2, and the function it was found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve_cnc_addr_func: Option<ResolveCncAddr>,
    /// The attack vectors, and the function that registers them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack_init_func: Option<AttackInit>,
}

/// `xor_scanner.json`: the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct XorScanner {
    /// Always `xor_scanner.py`.
    pub script_name: &'static str,
    /// The file.
    pub ghidra_current_program: Program,
    /// The key of the credentials, and the function that decodes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_auth_entry_func: Option<AddAuthEntry>,
    /// The credentials, and the function that adds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanner_init_func: Option<ScannerInit>,
}

/// `xor_table.json`: the string table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct XorTable {
    /// Always `xor_table.py`.
    pub script_name: &'static str,
    /// The file.
    pub ghidra_current_program: Program,
    /// The keys of the table, and the function that encodes its entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_lock_val_func: Option<TableLockVal>,
    /// The entries, and the function that adds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_init_func: Option<TableInit>,
}

/// The analysed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Its name without directories.
    pub name: String,
    /// Its path as given.
    pub path: String,
    /// Its SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Ghidra's name for its CPU, such as `x86:LE:32:default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_id: Option<&'static str>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its address: at least eight hexadecimal digits, no prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
}

/// The C2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResolveCncAddr {
    /// The function.
    #[serde(flatten)]
    pub function: Function,
    /// Domain name or address of the C2.
    pub cnc: String,
}

/// The attack vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttackInit {
    /// The function.
    #[serde(flatten)]
    pub function: Function,
    /// How many there are.
    pub attacks_count: usize,
    /// The vectors in the order in which they are registered.
    pub attacks: Vec<Attack>,
}

/// An attack vector and its handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attack {
    /// The number by which the C2 orders it.
    pub vector: u32,
    /// Name of its handler.
    pub name: String,
    /// Address of its handler.
    pub entrypoint: String,
}

/// The key of the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddAuthEntry {
    /// The function.
    #[serde(flatten)]
    pub function: Function,
    /// The key, one byte such as `0x22`.
    pub scanner_key: String,
}

/// The credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScannerInit {
    /// The function.
    #[serde(flatten)]
    pub function: Function,
    /// Comparison hash, see [`miyaburi_model::credentials_sha256`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_tables_sha256: Option<String>,
    /// How many there are.
    pub auth_tables_count: usize,
    /// The pairs in the order in which they are added.
    pub auth_tables: Vec<AuthEntry>,
}

/// A pair of credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthEntry {
    /// User name.
    pub user: String,
    /// Password.
    pub pass: String,
    /// Relative weight.
    pub weight: u32,
}

/// The keys of the string table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableLockVal {
    /// The function.
    #[serde(flatten)]
    pub function: Function,
    /// The key as it acts on each byte, such as `0x22`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_key: Option<String>,
    /// The key as the source had it, four bytes such as `0xdeadbeef`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_original_key: Option<String>,
}

/// The entries of the string table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableInit {
    /// The function.
    #[serde(flatten)]
    pub function: Function,
    /// Comparison hash, see [`miyaburi_model::string_table_sha256`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables_sha256: Option<String>,
    /// How many there are.
    pub tables_count: usize,
    /// How many are ports.
    pub tables_int_count: usize,
    /// How many are text.
    pub tables_str_count: usize,
    /// The entries in the order in which they are added.
    pub tables: Vec<TableValue>,
}

/// An entry of the string table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableValue {
    /// Its index.
    pub id: u32,
    /// `int` for a port, else `str`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub int_data: Option<u16>,
    /// The text as the running code sees it; other bytes than printable ASCII as `\xNN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub str_data: Option<String>,
    /// Address of its record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_addr: Option<String>,
    /// Who reads it.
    pub refs: Vec<EntryReference>,
}

/// A place that reads an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryReference {
    /// Name of the function around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub func: Option<String>,
    /// Its address.
    pub addr: String,
}
