//! What the scanner looks for and what it exploits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Evidence, FieldDescriptor, HexBytes};

/// What the scanner does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// Ports it probes.
    #[serde(default)]
    pub probes: Vec<Probe>,
    /// Networks that it draws no addresses from, as the fewest prefixes (`10.0.0.0/8`), in order; absent
    /// when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Vec<String>>,
    /// Fields of its SYN packet by name, such as `tcp.seq`; absent when none is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub syn: BTreeMap<String, FieldDescriptor>,
    /// Requests it sends to exploit devices.
    #[serde(default)]
    pub exploits: Vec<Exploit>,
    /// Where ports and packet were seen.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// A port and how often it is probed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// The port.
    pub port: u16,
    /// Relative weight, null when it could not be determined.
    pub weight: Option<u32>,
}

/// A request that exploits a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exploit {
    /// Port it is sent to, null when unknown.
    pub port: Option<u16>,
    /// HTTP method, null when it is no HTTP.
    pub method: Option<String>,
    /// Request path.
    pub path: Option<String>,
    /// Request body.
    #[serde(default)]
    pub body_hex: HexBytes,
    /// URL of the binary it makes the device fetch.
    pub loader: Option<String>,
    /// Where the request was read.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}
