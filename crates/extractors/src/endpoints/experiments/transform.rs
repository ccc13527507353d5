//! What a program does to an answer before it uses it, told from answers and what was connected to.
//!
//! False positives: none known; two answers that nothing but the transform relates to what was
//! connected to agree on it. False negatives: every transform that is not listed here.

use core::net::Ipv4Addr;
use std::fmt;

/// What becomes of an address, or of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// The first two bytes of the address change places with the last two.
    HalvesSwapped,
    /// The bytes of the address stand in the opposite order.
    BytesReversed,
    /// The address is XORed, as a number in network order.
    Xor(u32),
    /// The text is Base64 (RFC 4648).
    Base64,
    /// The text is hexadecimal digits.
    Hex,
    /// Every byte of the text is XORed.
    XorText(u8),
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HalvesSwapped => f.write_str("halves swapped"),
            Self::BytesReversed => f.write_str("bytes reversed"),
            Self::Xor(key) => write!(f, "xor {key:#010x}"),
            Self::Base64 => f.write_str("base64"),
            Self::Hex => f.write_str("hex"),
            Self::XorText(key) => write!(f, "xor {key:#04x}"),
        }
    }
}

impl Transform {
    /// The one that made connections of answers: at least two of them, and of no other is that true.
    pub(super) fn between(pairs: &[(Ipv4Addr, Ipv4Addr)]) -> Option<Self> {
        let agreeing = |transform: Self| {
            pairs
                .iter()
                .filter(|(answer, used)| transform.of_address(*answer) == Some(*used))
                .count()
        };
        let keys = pairs.iter().map(|(answer, used)| answer.to_bits() ^ used.to_bits());
        let keys = keys.filter(|key| *key != 0).map(Self::Xor);
        let mut candidates = vec![Self::HalvesSwapped, Self::BytesReversed];
        candidates.extend(keys);
        let best = candidates.into_iter().max_by_key(|one| agreeing(*one))?;
        (agreeing(best) >= 2).then_some(best)
    }

    /// What it makes of an address.
    fn of_address(self, address: Ipv4Addr) -> Option<Ipv4Addr> {
        let [a, b, c, d] = address.octets();
        Some(match self {
            Self::HalvesSwapped => Ipv4Addr::new(c, d, a, b),
            Self::BytesReversed => Ipv4Addr::new(d, c, b, a),
            Self::Xor(key) => Ipv4Addr::from_bits(address.to_bits() ^ key),
            Self::Base64 | Self::Hex | Self::XorText(_) => return None,
        })
    }

    /// The text that it makes `plain` of.
    pub(super) fn encoded(self, plain: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => Some(base64(plain)),
            Self::Hex => {
                Some(plain.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect())
            }
            Self::XorText(key) => Some(plain.iter().map(|byte| byte ^ key).collect()),
            Self::HalvesSwapped | Self::BytesReversed | Self::Xor(_) => None,
        }
    }
}

fn base64(plain: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for group in plain.chunks(3) {
        let bits = (0..3)
            .fold(0, |bits: u32, index| bits << 8 | group.get(index).copied().map_or(0, u32::from));
        for index in 0..4 {
            let digit = (bits >> (18 - 6 * index) & 63) as usize;
            let digit = DIGITS.get(digit).filter(|_| index <= group.len());
            text.push(digit.copied().unwrap_or(b'='));
        }
    }
    text
}

/// The keys other than 0 under which bytes hold `text`, each once: neighbours differ as those of the
/// text do.
pub(super) fn xor_keys(text: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut keys = Vec::new();
    let Some(first) = text.first() else { return keys };
    for window in bytes.windows(text.len()) {
        let key = window.first().map_or(0, |byte| byte ^ first);
        let is_same = || window.iter().zip(text).all(|(byte, plain)| byte ^ plain == key);
        if key != 0 && !keys.contains(&key) && is_same() {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::{Transform, xor_keys};
    use core::net::Ipv4Addr;

    fn pair(answer: [u8; 4], used: [u8; 4]) -> (Ipv4Addr, Ipv4Addr) {
        (answer.into(), used.into())
    }

    #[test]
    fn transforms_of_addresses_are_told_apart() {
        let swapped = [
            pair([192, 0, 2, 7], [192, 0, 2, 0]),
            pair([2, 7, 192, 0], [192, 0, 2, 7]),
            pair([100, 9, 198, 51], [198, 51, 100, 9]),
        ];
        assert_eq!(Transform::between(&swapped), Some(Transform::HalvesSwapped));
        let reversed = [pair([1, 2, 3, 4], [4, 3, 2, 1]), pair([9, 8, 7, 6], [6, 7, 8, 9])];
        assert_eq!(Transform::between(&reversed), Some(Transform::BytesReversed));
        let mixed = [
            pair([192, 0, 2, 7], [203, 0, 113, 202]),
            pair([198, 51, 100, 7], [192, 0, 2, 202]),
            pair([203, 0, 113, 7], [192, 0, 2, 202]),
        ];
        let found = Transform::between(&mixed);
        assert_eq!(found, Some(Transform::Xor(0x0b00_73cd)));
        assert_eq!(found.map(|it| it.to_string()).as_deref(), Some("xor 0x0b0073cd"));
    }

    #[test]
    fn what_is_used_as_it_is_or_by_chance_has_no_transform() {
        let same =
            [pair([192, 0, 2, 7], [192, 0, 2, 7]), pair([198, 51, 100, 7], [198, 51, 100, 7])];
        assert_eq!(Transform::between(&same), None);
        let constant =
            [pair([192, 0, 2, 7], [203, 0, 113, 1]), pair([198, 51, 100, 7], [203, 0, 113, 1])];
        assert_eq!(Transform::between(&constant), None);
        assert_eq!(Transform::between(&[pair([1, 2, 3, 4], [3, 4, 1, 2])]), None);
        assert_eq!(Transform::between(&[]), None);
    }

    #[test]
    fn texts_are_encoded_as_programs_decode_them() {
        let encoded = |transform: Transform| transform.encoded(b"192.0.2.7");
        assert_eq!(encoded(Transform::Base64).as_deref(), Some(&b"MTkyLjAuMi43"[..]));
        assert_eq!(Transform::Base64.encoded(b"a").as_deref(), Some(&b"YQ=="[..]));
        assert_eq!(encoded(Transform::Hex).as_deref(), Some(&b"3139322e302e322e37"[..]));
        assert_eq!(Transform::XorText(1).encoded(b"09").as_deref(), Some(&b"18"[..]));
        assert_eq!(encoded(Transform::HalvesSwapped), None);
        assert_eq!(Transform::XorText(0xca).to_string(), "xor 0xca");
    }

    #[test]
    fn the_key_of_a_text_is_read_where_it_lies() {
        let mut memory = vec![0; 7];
        memory.extend(b"192.0.2.7".iter().map(|byte| byte ^ 0xca));
        memory.extend(b"192.0.2.7");
        assert_eq!(xor_keys(b"192.0.2.7", &memory), [0xca]);
        assert_eq!(xor_keys(b"192.0.2.8", &memory), []);
        assert_eq!(xor_keys(b"", &memory), []);
    }
}
