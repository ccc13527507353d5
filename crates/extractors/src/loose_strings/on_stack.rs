//! Texts that code puts together on the stack, word by word or byte by byte.
//!
//! How it works: where a call is handed the address of a part of the frame whose bytes are all
//! constants up to a zero, these are a text when they read as one and do not stand in the file. In a
//! program that has several such, what else lies in frames at calls is looked at, too: texts that are
//! handed to nobody because all that use them were inlined.
//!
//! False positives: numbers on the stack whose bytes read as text, beside several long texts. False
//! negatives: texts whose bytes are computed; of those that nobody is handed the short ones, those at
//! odd places, those that are written over before the next call, and those whose function also fills
//! the list of credentials.

use crate::credentials::CredentialList;
use crate::loose_strings::{LooseString, MAX_STRINGS, Source};
use crate::stored;
use crate::subject::Subject;
use crate::xor;
use miyaburi_analysis::{FunctionId, StackByte, Value};
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};

/// Arguments looked at.
const ARGUMENTS: usize = 4;

/// Longest text, in bytes.
const MAX_LENGTH: usize = 512;

/// Shortest text with its end, in bytes.
const MIN_LENGTH: usize = 3;

/// A text from so many bytes on is no number.
const LONG: usize = 7;

/// Fewest long texts of a program that has any.
const MIN_LONG: usize = 6;

/// Most bytes of a frame that are looked at.
const MAX_FRAME: i64 = 4096;

/// Shortest text with its end that nobody is handed, in bytes: what is shorter may be a part of a text
/// that a register held and that was put aside.
const MIN_INLINED: usize = 10;

/// Where arrays begin in a frame, in bytes.
const ALIGNMENT: i64 = 4;

/// A text in a frame.
struct Text {
    bytes: Vec<u8>,
    /// Where it ends in the frame of its function.
    end: i64,
    function: FunctionId,
    site: Address,
}

/// The texts of a program, in the order of the calls before which each was put together first. User
/// names and passwords are left out where the list of credentials is filled.
#[must_use]
pub fn strings(subject: &Subject<'_>, list: Option<&CredentialList>) -> Vec<LooseString> {
    let mut texts: Vec<Text> = Vec::new();
    for site in subject.program.call_sites() {
        let filler = list.filter(|list| fills(subject, list, site.caller));
        let handed = handed(subject, site.caller, site.address);
        texts.extend(
            handed.into_iter().filter(|text| !filler.is_some_and(|list| is_of(list, &text.bytes))),
        );
    }
    let mut texts = not_stored(subject, texts);
    if texts.iter().filter(|text| text.bytes.len() >= LONG).count() < MIN_LONG {
        return Vec::new();
    }
    let mut others = Vec::new();
    for site in subject.program.call_sites() {
        if !list.is_some_and(|list| fills(subject, list, site.caller)) {
            others.extend(in_frame(subject, site.caller, site.address));
        }
    }
    texts.extend(without_rests(not_stored(subject, others)));
    let string = |text: Text| {
        let function = subject.program.function(text.function)?.entry;
        let source = Source::OnStack { site: text.site, function };
        Some(LooseString { address: text.site, decoded: text.bytes, key: 0, source })
    };
    let mut seen: FxHashSet<Vec<u8>> = FxHashSet::default();
    texts.retain(|text| seen.insert(text.bytes.clone()));
    texts.truncate(MAX_STRINGS);
    texts.sort_by_key(|text| text.site);
    texts.into_iter().filter_map(string).collect()
}

/// Whether a function adds pairs to the list.
fn fills(subject: &Subject<'_>, list: &CredentialList, function: FunctionId) -> bool {
    let entry = subject.program.function(function).map(|function| function.entry);
    entry == Some(list.initialiser)
        || list
            .pairs
            .iter()
            .any(|pair| subject.program.function_containing(pair.added_at) == Some(function))
}

/// Whether a text is a user name or a password of the list.
fn is_of(list: &CredentialList, text: &[u8]) -> bool {
    let text = text.strip_suffix(&[0]).unwrap_or(text);
    list.pairs.iter().any(|pair| pair.user == text || pair.password == text)
}

/// Those that do not stand in the file.
fn not_stored(subject: &Subject<'_>, texts: Vec<Text>) -> Vec<Text> {
    let bytes: Vec<&[u8]> = texts.iter().map(|text| text.bytes.as_slice()).collect();
    let stored = stored::standing(subject.image, &bytes);
    let numbered = texts.into_iter().enumerate();
    numbered.filter(|(number, _)| !stored.contains(number)).map(|(_, text)| text).collect()
}

/// The texts on the stack that a call is handed.
fn handed(subject: &Subject<'_>, caller: FunctionId, site: Address) -> Vec<Text> {
    let mut offsets = Vec::new();
    for convention in subject.conventions() {
        for index in 0..ARGUMENTS {
            if let Value::StackOffset(offset) = subject.argument(&convention, caller, site, index)
                && !offsets.contains(&offset)
            {
                offsets.push(offset);
            }
        }
    }
    let texts = offsets.into_iter().filter_map(|offset| {
        let (bytes, end) = text_at(subject, caller, site, offset)?;
        let is_text = bytes.len() >= MIN_LENGTH && xor::is_text(&bytes);
        is_text.then_some(Text { bytes, end, function: caller, site })
    });
    texts.collect()
}

/// The constants around a place in the frame up to the next zero, and where that ends: a register
/// may hold an address in the midst of a text.
pub(crate) fn text_at(
    subject: &Subject<'_>,
    caller: FunctionId,
    site: Address,
    offset: i64,
) -> Option<(Vec<u8>, i64)> {
    let values = subject.program.values(caller)?;
    let behind = known(&values.stack_bytes(site, offset, MAX_LENGTH));
    let end = behind.iter().position(|byte| *byte == 0)? + 1;
    let start = offset.checked_sub(MAX_LENGTH as i64)?;
    let mut before = values.stack_bytes(site, start, MAX_LENGTH);
    before.reverse();
    let mut text = known(&before);
    let own = text.iter().take_while(|byte| (0x20..0x7f).contains(*byte)).count();
    // An array of its own begins where arrays do; what lies before it is another's.
    text.truncate(if offset % ALIGNMENT == 0 { 0 } else { own });
    text.reverse();
    text.extend(behind.get(..end)?);
    Some((text, offset + end as i64))
}

/// The constants that bytes begin with.
fn known(bytes: &[StackByte]) -> Vec<u8> {
    let known = bytes.iter().map_while(|byte| match byte {
        StackByte::Known(byte) => Some(*byte),
        StackByte::Stale(_) | StackByte::Unknown => None,
    });
    known.collect()
}

/// The texts that lie in the frame at a call.
fn in_frame(subject: &Subject<'_>, caller: FunctionId, site: Address) -> Vec<Text> {
    let Some(values) = subject.program.values(caller) else { return Vec::new() };
    let Some(start) = values.stack_pointer(site).filter(|start| *start < 0) else {
        return Vec::new();
    };
    let length = start.unsigned_abs().min(MAX_FRAME as u64) as usize;
    let frame = values.stack_bytes(site, start, length);
    let mut found = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    for (at, byte) in frame.into_iter().enumerate() {
        match byte {
            StackByte::Known(0) if bytes.len() + 1 >= MIN_INLINED => {
                bytes.push(0);
                let end = start + at as i64 + 1;
                let bytes = std::mem::take(&mut bytes);
                if (end - bytes.len() as i64) % ALIGNMENT == 0 {
                    found.push(Text { bytes, end, function: caller, site });
                }
            }
            StackByte::Known(byte) if xor::is_text_byte(byte) => bytes.push(byte),
            _ => bytes.clear(),
        }
    }
    found
}

/// Without what is left of longer texts at the same place when a shorter one is put over their
/// beginning.
fn without_rests(texts: Vec<Text>) -> Vec<Text> {
    let whole: FxHashMap<(FunctionId, i64), usize> =
        texts.iter().fold(FxHashMap::default(), |mut whole, text| {
            let longest = whole.entry((text.function, text.end)).or_default();
            *longest = text.bytes.len().max(*longest);
            whole
        });
    let is_whole = |text: &Text| whole.get(&(text.function, text.end)) == Some(&text.bytes.len());
    texts.into_iter().filter(is_whole).collect()
}
