//! Many encoded strings in a row, whoever refers to them: compilers that reach all of them from one
//! address leave no reference to each.
//!
//! How it works: under the right key, text follows text, each to its encoded end. The few keys under
//! which most bytes look like the end of a text are tried on the whole file.
//!
//! False positives: data that reads as [`MIN_TEXTS`] longer texts in a row under a wrong key; plain text
//! never counts. False negatives: fewer strings in a row, more than one key, and strings without
//! padding under a key that makes other printable characters of theirs; what lies behind the first
//! [`MAX_BYTES`] of a segment, or behind so many strings that no program has.

use crate::loose_strings::encoded_text::{Encoding, MIN_TELLING};
use crate::loose_strings::{LooseString, MAX_STRINGS, Source};
use crate::xor;
use miyaburi_image::{Image, Segment};

/// Fewest texts in a row.
const MIN_TEXTS: usize = 12;

/// Fewest bytes of all of them together.
const MIN_BYTES: usize = 96;

/// So many times as many texts as under any other key.
const LEAD: usize = 3;

/// Keys tried.
const KEYS: usize = 24;

/// Bytes of a segment that are looked through: dozens of times those of the largest samples.
const MAX_BYTES: u64 = 4 << 20;

/// Bytes before an end that must be text for it to speak for a key.
const TELLING: usize = 8;

/// The longest row of texts under one key, without the first, which may begin earlier or later; of
/// two rows of different keys one must be far longer.
pub(super) fn strings(image: &Image) -> Vec<LooseString> {
    let mut rows: Vec<Vec<LooseString>> = Vec::new();
    for key in likely_keys(image) {
        for alignment in [1, 4] {
            let encoding = Encoding { alignment, ..Encoding::unaligned(key) };
            // Without padding, a zero before a text may be its first character.
            let is_aligned = |string: &LooseString| string.address.0.is_multiple_of(alignment);
            let segments = image.segments().iter();
            let found = segments.map(|segment| longest_row(image, segment, encoding));
            rows.extend(found.filter(|row| row.iter().all(is_aligned)));
        }
    }
    // Texts of a character or two are everywhere.
    let telling = |row: &Vec<LooseString>| {
        row.iter().filter(|string| string.decoded.len() >= MIN_TELLING).count()
    };
    rows.retain(|row| {
        let bytes: usize = row.iter().map(|string| string.decoded.len()).sum();
        telling(row) >= MIN_TEXTS && bytes >= MIN_BYTES
    });
    rows.sort_by_key(|row| std::cmp::Reverse(telling(row)));
    let key = |row: &Vec<LooseString>| row.first().map(|string| string.key);
    let (first, longest) = (rows.first().and_then(key), rows.first().map_or(0, telling));
    if rows.iter().any(|row| key(row) != first && telling(row) * LEAD > longest) {
        return Vec::new();
    }
    rows.into_iter().next().map(|row| row.into_iter().skip(1).collect()).unwrap_or_default()
}

/// The keys that most bytes are which text under them is before.
fn likely_keys(image: &Image) -> Vec<u8> {
    let mut ends = [0_usize; 256];
    for segment in image.segments() {
        let bytes = segment.bytes_from(segment.address);
        let looked_at = bytes.len().min(MAX_BYTES as usize);
        for window in bytes[..looked_at].windows(TELLING + 1) {
            let Some((key, text)) = window.split_last() else { continue };
            let is_text = |byte: &u8| xor::is_text_byte(byte ^ key);
            if *key != 0 && text.iter().all(is_text) {
                ends[usize::from(*key)] += 1;
            }
        }
    }
    let mut ranked: Vec<(usize, u8)> = ends.into_iter().zip(0..=255).collect();
    ranked.sort_unstable();
    ranked.into_iter().rev().take(KEYS).map(|(_, key)| key).collect()
}

fn longest_row(image: &Image, segment: &Segment, encoding: Encoding) -> Vec<LooseString> {
    let mut best: Vec<LooseString> = Vec::new();
    let mut row: Vec<LooseString> = Vec::new();
    let mut at = segment.address;
    let end = segment.address.offset(MAX_BYTES);
    while at < end && row.len() < MAX_STRINGS {
        if let Some((address, decoded)) = encoding.text_behind(image, at, None) {
            at = address.offset(decoded.len() as u64);
            let source = Source::InRow { before: row.last().map(|string| string.address) };
            row.push(LooseString { address, decoded, key: encoding.key, source });
            continue;
        }
        if row.len() > best.len() {
            best = std::mem::take(&mut row);
        }
        row.clear();
        let rest = segment.bytes_from(at);
        let Some(next) = rest.iter().position(|byte| *byte == encoding.key) else { return best };
        at = at.offset(next as u64 + 1);
    }
    if row.len() > best.len() { row } else { best }
}
