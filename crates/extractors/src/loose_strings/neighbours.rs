//! Strings that lie beside those seen decoded: the ones that nobody was seen using.

use crate::loose_strings::encoded_text::Encoding;
use crate::loose_strings::{LooseString, MAX_STRINGS, Source};
use miyaburi_image::{Address, Image};
use std::collections::BTreeMap;

/// Most bytes between two strings that others may fill.
const MAX_GAP: u64 = 1024;

/// Adds the strings before and behind known ones, as long as one follows the other.
///
/// False positives: other data that directly follows and reads as text up to an encoded zero.
/// False negatives: what something else separates from all known strings, and the first string when
/// what lies before it is neither padding nor another string's end.
pub(super) fn add(image: &Image, encoding: Encoding, strings: &mut BTreeMap<Address, LooseString>) {
    let mut known: Vec<(Address, u64)> =
        strings.values().map(|string| (string.address, string.decoded.len() as u64)).collect();
    while let Some((neighbour, length)) = known.pop() {
        let add = |strings: &mut BTreeMap<Address, LooseString>, address, decoded: Vec<u8>| {
            let is_free = is_free(strings, (address, address.offset(decoded.len() as u64)));
            let has_room = strings.len() < MAX_STRINGS;
            if is_free && has_room {
                let source = Source::Beside { neighbour };
                let string = LooseString { address, decoded, key: encoding.key, source };
                strings.insert(address, string);
            }
            is_free && has_room
        };
        let mut end = neighbour.offset(length);
        let next = |strings: &BTreeMap<Address, LooseString>, end: Address| {
            strings.range(end..).next().map(|(address, _)| *address)
        };
        while let Some((address, decoded)) = encoding.text_behind(image, end, next(strings, end)) {
            end = address.offset(decoded.len() as u64);
            if !add(strings, address, decoded) {
                break;
            }
        }
        let mut start = neighbour;
        while let Some((address, decoded)) = encoding.text_before(image, start) {
            start = address;
            if !add(strings, address, decoded) {
                break;
            }
        }
        if let Some((address, decoded)) = encoding.text_beyond(image, end) {
            let length = decoded.len() as u64;
            if add(strings, address, decoded) {
                known.push((address, length));
            }
        }
    }
    add_between(image, encoding, strings);
}

/// Adds the strings that fill the space between two known ones, which are in ascending order.
fn add_between(image: &Image, encoding: Encoding, strings: &mut BTreeMap<Address, LooseString>) {
    let known: Vec<(Address, u64)> =
        strings.values().map(|string| (string.address, string.decoded.len() as u64)).collect();
    for pair in known.windows(2) {
        let [(neighbour, length), (next, _)] = *pair else { continue };
        let end = neighbour.offset(length);
        let is_near = next.0.checked_sub(end.0).is_some_and(|gap| gap <= MAX_GAP);
        let texts = is_near.then(|| encoding.texts_between(image, end, next)).flatten();
        for (address, decoded) in texts.into_iter().flatten() {
            let source = Source::Beside { neighbour };
            let string = LooseString { address, decoded, key: encoding.key, source };
            strings.insert(address, string);
        }
    }
}

/// Whether no known string lies in the span from the first address to the second.
fn is_free(strings: &BTreeMap<Address, LooseString>, (start, end): (Address, Address)) -> bool {
    let last = strings.range(..end).next_back();
    last.is_none_or(|(address, string)| address.offset(string.decoded.len() as u64) <= start)
}
