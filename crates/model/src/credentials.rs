//! The scanner's credentials.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cipher, Evidence, HexBytes, Key};

/// The scanner's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credentials {
    /// The key as it acts on each byte.
    pub effective_key: Option<Key>,
    /// How they are encoded.
    pub cipher: Cipher,
    /// Credentials in the order in which the code adds them.
    #[serde(default)]
    pub entries: Vec<Credential>,
    /// Comparison hash, see [`crate::credentials_sha256`].
    pub sha256: Option<HexBytes>,
}

/// One pair and how often it is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credential {
    /// User name; bytes outside printable ASCII as `\xNN`.
    pub user: String,
    /// Password; bytes outside printable ASCII as `\xNN`.
    pub password: String,
    /// Relative weight.
    pub weight: u32,
    /// Where it was read.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}
