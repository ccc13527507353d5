//! A SHA-256 as hexadecimal text.

use miyaburi_model::HexBytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(
    digest: &[u8; 32],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    HexBytes::from(digest.as_slice()).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; 32], D::Error> {
    let bytes = HexBytes::deserialize(deserializer)?;
    bytes.0.try_into().map_err(|_| D::Error::custom("no SHA-256"))
}
