//! One-byte XOR: the cipher of the leak, whose four key bytes act as one.

/// The key that turns `before` into `after`, when one byte does for all. `Some(0)` means that
/// nothing changed.
#[must_use]
pub fn key_between(before: &[u8], after: &[u8]) -> Option<u8> {
    let key = before.first()? ^ after.first()?;
    let same = before.len() == after.len() && before.iter().zip(after).all(|(a, b)| a ^ b == key);
    same.then_some(key)
}

/// `bytes` under `key`.
#[must_use]
pub fn apply(bytes: &[u8], key: u8) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ key).collect()
}

/// The four bytes of a key word folded into the one they act as.
#[must_use]
pub fn fold(word: u32) -> u8 {
    word.to_le_bytes().into_iter().fold(0, |key, byte| key ^ byte)
}

/// Whether bytes are text as programs keep it: something printable, ended by the only NUL.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    bytes.split_last().is_some_and(|(last, text)| {
        *last == 0 && !text.is_empty() && text.iter().all(|byte| is_text_byte(*byte))
    })
}

/// Whether a byte is a character of text.
#[must_use]
pub const fn is_text_byte(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e | b'\t' | b'\n' | b'\r')
}

/// The key under which encoded strings make sense, and how many of them do: strings keep their
/// NUL, so the last byte of each is the key.
///
/// False positives: plain text under key 0 (reported as such) and runs of short entries that end
/// in the same byte by chance; a caller asks for a share of sensible entries. False negatives:
/// strings stored without their NUL.
#[must_use]
pub fn infer_key<'a>(buffers: impl Iterator<Item = &'a [u8]> + Clone) -> Option<(u8, usize)> {
    let mut votes = [0_usize; 256];
    for last in buffers.clone().filter(|buffer| buffer.len() > 2).filter_map(|buffer| buffer.last())
    {
        votes[usize::from(*last)] += 1;
    }
    let (key, count) = votes.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
    if *count == 0 {
        return None;
    }
    let key = key as u8;
    let sensible = buffers.filter(|buffer| is_text(&apply(buffer, key))).count();
    Some((key, sensible))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn four_key_bytes_act_as_one() {
        assert_eq!(fold(0xdead_beef), 0x22);
        assert_eq!(fold(0xbaad_f00d), 0xea);
    }

    #[test]
    fn key_is_read_from_the_encoded_terminators() {
        let encoded: Vec<Vec<u8>> = ["/bin/busybox\0", "shell\0", "ncorrect\0"]
            .iter()
            .map(|text| apply(text.as_bytes(), 0x54))
            .collect();
        assert_eq!(infer_key(encoded.iter().map(Vec::as_slice)), Some((0x54, 3)));
    }

    #[test]
    fn a_change_that_is_no_single_key_is_refused() {
        assert_eq!(key_between(b"ab", b"cd"), None);
        assert_eq!(key_between(b"ab", b"AB"), Some(0x20));
        assert_eq!(key_between(b"", b""), None);
    }

    #[test]
    fn text_needs_its_terminator_and_something_before_it() {
        assert!(is_text(b"sh\0"));
        assert!(!is_text(b"sh"));
        assert!(!is_text(b"\0"));
        assert!(!is_text(b"a\x01b\0"));
        assert!(!is_text(b"a\0b\0"));
    }
}
