//! Attack vectors: who handles them, what operators can set, what they send.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Evidence, HexBytes, VirtualAddress};

/// One attack vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attack {
    /// The number by which the C2 orders it, null when it orders by a text.
    pub vector: Option<u32>,
    /// The text by which the C2 orders it, when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Entry of the handler.
    pub handler: VirtualAddress,
    /// What it is by what it sends, such as `udp` or `syn`; null when not known.
    pub kind: Option<String>,
    /// What the kind follows from.
    pub kind_method: Option<KindMethod>,
    /// Other vectors with the same handler or the same packets.
    #[serde(default)]
    pub same_as: Vec<u32>,
    /// What operators can set.
    #[serde(default)]
    pub options: Vec<AttackOption>,
    /// What it sends.
    #[serde(default)]
    pub packets: Vec<Packet>,
    /// Where that was seen.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// What an attack's kind follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindMethod {
    /// From packets its own code built.
    Observed,
    /// From its options and constants.
    Inferred,
}

/// A parameter of an attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttackOption {
    /// Key by which the C2 sets it.
    pub key: u32,
    /// Usual name of the key, null for one nobody described.
    pub name: Option<String>,
    /// How its text is read.
    #[serde(rename = "type")]
    pub value_type: OptionType,
    /// The compiled-in default, null when it could not be determined or there is none.
    pub default: Option<Constant>,
}

/// How an option's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptionType {
    /// As a number.
    Int,
    /// As an address.
    Ip,
    /// As it is.
    Str,
}

/// A number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Constant {
    /// A number.
    Number(i64),
    /// A text; addresses in their usual notation.
    Text(String),
}

/// One kind of packet an attack sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Packet {
    /// Protocols from the outside in, such as `ip`, `udp`.
    pub layers: Vec<String>,
    /// Whether the source address can be forged.
    pub spoofable: bool,
    /// Packets of this kind in one turn of the sending loop.
    pub per_loop: Option<u32>,
    /// Fields by name, such as `ip.ttl` or `udp.payload`.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldDescriptor>,
}

/// Where a header field or payload gets its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldDescriptor {
    /// The value when no option is given.
    #[serde(flatten)]
    pub value: FieldValue,
    /// Key of the option that overrides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<u32>,
}

impl From<FieldValue> for FieldDescriptor {
    fn from(value: FieldValue) -> Self {
        Self { value, option: None }
    }
}

/// The value of a header field or payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// Bytes of a payload.
    Payload {
        /// Length in bytes.
        length: u64,
        /// What it always starts with.
        prefix_hex: HexBytes,
        /// Whether the rest is random.
        random: bool,
    },
    /// Always the same.
    Constant {
        /// The value.
        constant: Constant,
    },
    /// Taken from somewhere else, such as `target` or `ip.dst`.
    From {
        /// Where from.
        from: String,
    },
    /// Drawn for each packet.
    Random {
        /// Smallest and largest value.
        random: [u64; 2],
    },
}
