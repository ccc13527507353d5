//! Plain text, and whether bytes are rather that than encoded text.
//!
//! False positives: encoded text whose code reads about as well as itself. False negatives: plain
//! text that reads far better decoded.

use crate::xor;

/// Fewest bytes of plain text that are believed to be plain.
pub(super) const MIN_PLAIN: usize = 4;

/// Whether bytes are plain text up to their first zero, where that is not the padding behind the
/// encoded text, and no less likely text than what they are decoded to.
pub(super) fn is_plain(bytes: &[u8], decoded: &[u8]) -> bool {
    let Some(zero) = bytes.iter().position(|byte| *byte == 0) else { return false };
    let last = decoded.len() - 1;
    let is_padding = zero == last + 1 && !bytes.get(last).copied().is_some_and(ends_plain_text);
    let is_text = zero >= MIN_PLAIN && bytes.get(..=zero).is_some_and(xor::is_text);
    is_text && !is_padding && !is_likelier(decoded, bytes.get(..last).unwrap_or(bytes))
}

/// Whether bytes, their end left out, are far likelier text than others of the same length.
fn is_likelier(decoded: &[u8], plain: &[u8]) -> bool {
    let decoded = decoded.get(..plain.len()).unwrap_or(decoded);
    let likelihood = |bytes: &[u8]| bytes.iter().map(|byte| likelihood(*byte)).sum::<i64>();
    likelihood(decoded) >= likelihood(plain) + MIN_LEAD + plain.len() as i64
}

/// By how much a text must be likelier than the plain one, beside a point for each character.
const MIN_LEAD: i64 = 4;

/// How usual a character is in messages, names and paths, in either case.
const fn likelihood(byte: u8) -> i64 {
    match byte.to_ascii_lowercase() {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'h' | b'l' | b'd' | b'c' => 3,
        b'a'..=b'z' | b' ' | b'/' | b'.' => 2,
        b'0'..=b'9' | b'-' | b':' => 1,
        _ => 0,
    }
}

/// Whether messages and names often end in this character.
fn ends_plain_text(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"\t\n\r !%),./:;=>?]".contains(&byte)
}
