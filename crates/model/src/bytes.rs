//! Newtypes for what JSON carries as hexadecimal text.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that should have been hexadecimal and was not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct HexError {
    text: String,
    expected: &'static str,
}

/// Implements text conversion, serialisation and schema of a newtype from its `Display`,
/// `FromStr` and a regular expression.
macro_rules! as_text {
    ($type:ident, $pattern:literal, $meaning:literal) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $meaning })
            }
        }
    };
}

/// A virtual address of the analysed ELF: a PIE counts as loaded at 0, the Thumb bit is cleared.
/// Spelled `"0x8056000"`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualAddress(pub u64);

impl From<u64> for VirtualAddress {
    fn from(address: u64) -> Self {
        Self(address)
    }
}

impl fmt::Display for VirtualAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for VirtualAddress {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        text.strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| HexError {
                text: text.to_owned(),
                expected: "an address like 0x8056000",
            })
    }
}

as_text!(VirtualAddress, "^0x[0-9a-fA-F]{1,16}$", "A virtual address of the ELF file");

/// A key or nonce, most significant byte first. Spelled `"0xdeadbeef"`, two digits a byte.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Vec<u8>);

impl From<u8> for Key {
    fn from(byte: u8) -> Self {
        Self(vec![byte])
    }
}

impl From<u32> for Key {
    fn from(word: u32) -> Self {
        Self(word.to_be_bytes().to_vec())
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

impl FromStr for Key {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        text.strip_prefix("0x")
            .filter(|digits| !digits.is_empty())
            .and_then(|digits| hex::decode(digits).ok())
            .map(Self)
            .ok_or_else(|| HexError { text: text.to_owned(), expected: "a key like 0xdeadbeef" })
    }
}

as_text!(Key, "^0x([0-9a-fA-F]{2})+$", "A key or nonce, most significant byte first");

/// Bytes of the file or of a decoded value. Spelled `"0017"`, lower case, two digits a byte.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexBytes(pub Vec<u8>);

impl From<&[u8]> for HexBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Vec<u8>> for HexBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl FromStr for HexBytes {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text)
            .map(Self)
            .map_err(|_| HexError { text: text.to_owned(), expected: "hexadecimal bytes" })
    }
}

as_text!(HexBytes, "^([0-9a-fA-F]{2})*$", "Bytes in hexadecimal");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_newtype_keeps_its_spelling() {
        let address: VirtualAddress = serde_json::from_str("\"0x8056000\"").unwrap();
        assert_eq!(address, VirtualAddress(0x805_6000));
        assert_eq!(serde_json::to_string(&address).unwrap(), "\"0x8056000\"");
        assert_eq!(Key::from(0xdead_beef_u32).to_string(), "0xdeadbeef");
        assert_eq!(Key::from(3_u8).to_string(), "0x03");
        assert_eq!("0x03".parse(), Ok(Key(vec![3])));
        assert_eq!("0017".parse(), Ok(HexBytes(vec![0, 0x17])));
        assert_eq!("".parse(), Ok(HexBytes(vec![])));
    }

    #[test]
    fn text_that_is_not_hexadecimal_is_refused() {
        for wrong in ["8056000", "0x", "0xg", "0x12345678123456781"] {
            assert!(wrong.parse::<VirtualAddress>().is_err(), "{wrong}");
        }
        for wrong in ["22", "0x", "0x2", "0xzz"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
        assert!("0".parse::<HexBytes>().is_err());
        assert!(serde_json::from_str::<HexBytes>("12").is_err());
    }
}
