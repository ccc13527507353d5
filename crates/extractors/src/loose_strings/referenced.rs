//! Encoded strings that code refers to, for programs whose compiler put the decoding into every
//! function that uses one.
//!
//! How it works: of the keys under which the places that code refers to read as text, to its encoded
//! end, the one under which most do is the key when far more do than by chance.
//!
//! False positives: many pieces of data that make sense under one wrong key; plain text never
//! counts. False negatives: fewer strings than [`MIN_AGREEING`], keys that differ, and strings in
//! which the key's own character stands twice behind what looks like plain text.

use crate::loose_strings::encoded_text::{Encoding, MIN_TELLING, keys_at};
use crate::loose_strings::{LooseString, MAX_STRINGS, Source};
use crate::subject::Subject;
use miyaburi_image::Address;
use rustc_hash::FxHashSet;

/// Fewest strings that must agree on a key.
const MIN_AGREEING: usize = 8;

/// The key must have this many times the strings of the second.
const LEAD: usize = 4;

/// With so many strings a smaller lead is enough: in a large program a few dozen places make sense
/// by chance, spread over all keys.
const MANY_AGREEING: usize = 24;

/// The lead with so many.
const LEAD_OF_MANY: usize = 3;

/// Strings begin this near to another, in bytes.
const MAX_DISTANCE: u64 = 512;

/// Fewest strings near each other where no other is known.
const MIN_GROUP: usize = 3;

/// The places that code refers to and where text begins, by the key under which it does.
pub(super) struct Agreeing {
    places: Vec<Vec<Address>>,
}

impl Agreeing {
    /// Those of a program.
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        let mut agreeing: Vec<Vec<Address>> = vec![Vec::new(); 256];
        for (place, _) in places(subject) {
            let keys = keys_at(subject.image, place);
            if keys.is_empty() || is_code(subject, place) {
                continue;
            }
            for key in keys {
                let encoding = Encoding::of(key, std::iter::once(place));
                let begins = encoding.start_of(subject.image, place) == Some(place);
                if let Some(places) = agreeing.get_mut(usize::from(key)).filter(|_| begins) {
                    places.push(place);
                }
            }
        }
        Self { places: agreeing }
    }

    /// How the strings are encoded under the key that makes sense of what code refers to.
    pub(super) fn encoding(&self) -> Option<Encoding> {
        let [(count, key), (second, _)] = *self.ranked().get(..2)? else { return None };
        is_clear(count, second).then(|| Encoding::of(key, self.under(key)))
    }

    /// Places that most agree on a key, by the `keys` keys that most do, `min` at least.
    pub(super) fn likely(&self, keys: usize, min: usize) -> impl Iterator<Item = Address> + '_ {
        let ranked = self.ranked().into_iter().take(keys);
        ranked.filter(move |(count, _)| *count >= min).flat_map(|(_, key)| self.under(key))
    }

    fn under(&self, key: u8) -> impl Iterator<Item = Address> + '_ {
        self.places.get(usize::from(key)).into_iter().flatten().copied()
    }

    /// The keys with how many places speak for each, most first.
    fn ranked(&self) -> Vec<(usize, u8)> {
        let mut ranked: Vec<(usize, u8)> = self.places.iter().map(Vec::len).zip(0..=255).collect();
        ranked.sort_unstable_by(|one, other| other.cmp(one));
        ranked
    }
}

/// Whether the key of `count` strings is the right one when the next has `second`.
const fn is_clear(count: usize, second: usize) -> bool {
    count >= MIN_AGREEING && count >= second * LEAD
        || count >= MANY_AGREEING && count >= second * LEAD_OF_MANY
}

/// The strings that code refers to, in groups of several near each other or near `known` ones,
/// which are in ascending order.
pub(super) fn strings(
    subject: &Subject<'_>,
    encoding: Encoding,
    known: &[Address],
) -> Vec<LooseString> {
    let mut strings: Vec<LooseString> = places(subject)
        .into_iter()
        .filter_map(|(place, site)| string_at(subject, encoding, place, site))
        .take(MAX_STRINGS)
        .collect();
    strings.sort_by_key(|string| string.address);
    let is_near = |one: Address, other: Address| one.0.abs_diff(other.0) <= MAX_DISTANCE;
    let known_near = |address: Address| {
        let behind = known.partition_point(|known| *known < address);
        let neighbours = known.get(behind.saturating_sub(1)..).into_iter().flatten().take(2);
        neighbours.into_iter().any(|known| is_near(*known, address))
    };
    let groups = strings.chunk_by(|one, next| is_near(one.address, next.address));
    let believed = groups.filter(|group| {
        group.len() >= MIN_GROUP || group.iter().any(|string| known_near(string.address))
    });
    believed.flatten().cloned().collect()
}

fn string_at(
    subject: &Subject<'_>,
    encoding: Encoding,
    address: Address,
    site: Address,
) -> Option<LooseString> {
    if encoding.start_of(subject.image, address) != Some(address) {
        return None;
    }
    let decoded = encoding.text_at(subject.image, address)?;
    let raw = subject.image.bytes_from(address);
    if decoded.len() < MIN_TELLING || is_code(subject, address) || is_padded_text(raw) {
        return None;
    }
    let function = subject.program.function_containing(site);
    let function = function.and_then(|id| subject.program.function(id));
    let source = Source::Referenced { site, function: function.map(|function| function.entry) };
    Some(LooseString { address, decoded, key: encoding.key, source })
}

/// Whether plain text with the padding behind it stands there: what follows is another thing.
fn is_padded_text(bytes: &[u8]) -> bool {
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let length = bytes.iter().take_while(|byte| is_plain(byte)).count();
    length > 0 && bytes.get(length..length + 2) == Some(&[0, 0])
}

/// Places that code refers to, with the first reference.
fn places(subject: &Subject<'_>) -> Vec<(Address, Address)> {
    let references = subject.program.references().all().iter();
    let mut seen: FxHashSet<Address> = FxHashSet::default();
    references
        .filter(|reference| seen.insert(reference.to))
        .map(|reference| (reference.to, reference.from))
        .collect()
}

fn is_code(subject: &Subject<'_>, address: Address) -> bool {
    subject.program.function_containing(address).is_some()
}

#[cfg(test)]
mod tests {
    use super::{is_clear, is_padded_text};

    #[test]
    fn a_key_must_have_a_lead() {
        assert!(is_clear(8, 2) && !is_clear(7, 0) && !is_clear(8, 3) && !is_clear(23, 6));
        // As in a static program with glibc.
        assert!(is_clear(30, 10) && !is_clear(29, 10));
    }

    #[test]
    fn padding_ends_plain_text() {
        assert!(is_padded_text(b"\r\n\0\0\x19\x3b\x2e"));
        assert!(is_padded_text(b"GET\0\0"));
        // One zero alone is a character equal to the key, as are two behind bytes of no text.
        assert!(!is_padded_text(b"! 1\0\x31\x54"));
        assert!(!is_padded_text(b"\x07\0\0"));
        assert!(!is_padded_text(b"\0\0"));
        assert!(!is_padded_text(b"plain"));
    }
}
