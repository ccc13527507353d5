//! Functions and data whose role is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::VirtualAddress;

/// A function and its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Function {
    /// Entry.
    pub address: VirtualAddress,
    /// Extent in bytes, null when unknown.
    pub size: Option<u64>,
    /// Role under the name the leaked source gave it, such as `resolve_cnc_addr`.
    pub role: String,
}

/// A datum and its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataItem {
    /// First byte.
    pub address: VirtualAddress,
    /// Extent in bytes, null when unknown.
    pub size: Option<u64>,
    /// Role, such as `string_table`.
    pub role: String,
}
