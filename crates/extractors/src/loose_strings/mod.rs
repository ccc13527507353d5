//! Encoded strings outside a table: each decoded where it is used, by a routine that is handed it.
//!
//! How it works: routines that are handed constant addresses of the file's data are run with the
//! arguments of each call, and memory is read afterwards ([`decoders`]). Text that lies where other
//! bytes lay, or that appears elsewhere as those bytes under one key, is a string. Where the compiler
//! left no such routine, the key is the one under which most of what code refers to makes sense
//! ([`referenced`]), or under which many texts lie in a row ([`chains`]). What lies beside such
//! strings and reads as text under the same key, to its encoded end, is one too, whoever uses it
//! ([`neighbours`]). Strings that are never stored, but put together on the stack, are found where they
//! are handed on ([`on_stack`]).
//!
//! False positives: another routine that is handed data of the file and changes all its bytes, the
//! terminating zero included, by one key into text. False negatives: strings whose terminating zero
//! is not encoded (such as credentials), and a few strings whose decoding was inlined everywhere;
//! what is behind the first [`MAX_STRINGS`] strings.

mod chains;
mod decoders;
mod encoded_text;
mod neighbours;
pub mod on_stack;
mod plain_text;
mod referenced;

use crate::subject::Subject;
use encoded_text::Encoding;
pub(crate) use encoded_text::keys_at;
use miyaburi_image::{Address, Image};
use referenced::Agreeing;
use std::collections::BTreeMap;

/// Most strings of a program: forty times those of the largest samples seen.
const MAX_STRINGS: usize = 4096;

/// One string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseString {
    /// Where its encoded bytes lie.
    pub address: Address,
    /// Its decoded bytes, terminating zero included.
    pub decoded: Vec<u8>,
    /// The key as one byte; 0 for what was put together on the stack.
    pub key: u8,
    /// Who was seen decoding it.
    pub source: Source,
}

/// How a string was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A call hands it to the routine that decodes it.
    Decoded {
        /// The routine.
        decoder: Address,
        /// The first call, and the function it is in.
        site: Address,
        /// The function around the call.
        function: Address,
    },
    /// Code puts it together on the stack.
    OnStack {
        /// The first call that is handed it.
        site: Address,
        /// The function around the call.
        function: Address,
    },
    /// Code refers to it, and under the key of all strings it makes sense.
    Referenced {
        /// The first reference.
        site: Address,
        /// The function around it.
        function: Option<Address>,
    },
    /// It is one of many texts in a row.
    InRow {
        /// The text before it.
        before: Option<Address>,
    },
    /// It lies beside such strings.
    Beside {
        /// One of them.
        neighbour: Address,
    },
}

/// The text under `key` that begins at `start`, decoded, its terminating zero included.
pub(crate) fn text_at(image: &Image, start: Address, key: u8) -> Option<Vec<u8>> {
    Encoding::unaligned(key).text_at(image, start)
}

/// The strings of a program, by address.
///
/// Beside a table only those that were seen decoded count: the encoded strings that the table is
/// filled with lie in the file, too.
pub fn extract(subject: &mut Subject<'_>, has_table: bool) -> Vec<LooseString> {
    let mut strings: BTreeMap<Address, LooseString> = BTreeMap::new();
    let agreeing = Agreeing::of(subject);
    for string in decoders::strings(subject, &agreeing) {
        strings.entry(string.address).or_insert(string);
    }
    if has_table {
        return strings.into_values().collect();
    }
    let voted = if strings.is_empty() { agreeing.encoding() } else { None };
    if strings.is_empty() && voted.is_none() {
        let row = chains::strings(subject.image);
        strings.extend(row.into_iter().map(|string| (string.address, string)));
    }
    let known: Vec<Address> = strings.keys().copied().collect();
    let found = strings.values().next();
    let found = found.map(|string| Encoding::of(string.key, known.iter().copied()));
    let Some(encoding) = found.or(voted) else { return Vec::new() };
    for string in referenced::strings(subject, encoding, &known) {
        strings.entry(string.address).or_insert(string);
    }
    let texts: Vec<(Address, u64)> =
        strings.values().map(|string| (string.address, string.decoded.len() as u64)).collect();
    let encoding = Encoding::of_texts(encoding.key, subject.image, &texts);
    neighbours::add(subject.image, encoding, &mut strings);
    strings.into_values().collect()
}
