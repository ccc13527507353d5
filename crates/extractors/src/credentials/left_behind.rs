//! Credentials as a routine leaves them in memory, however it comes to them: in a loop over
//! constant records, from one packed block, from several routines.
//!
//! How it works: the routines with a loop are run for a short while each, as they are and once more
//! on the child's side of `fork`. Where one stores two pointers to decoded texts again and again,
//! always the same distance apart, it is run to its end. All texts must stand in the file near each
//! other under one key, which is not 0; the numbers beside the pointers give the weights
//! ([`weights`]). The order of the array, or of the stores, is the order of the entries.
//!
//! False positives: another routine that decodes pairs of texts and gives each pair a small number.
//! False negatives: pairs that are decoded only when they are used, that lie in one buffer, or
//! whose weights are not told by the numbers beside them; fewer than five pairs; routines that a
//! bare machine does not lead to the loop.

use crate::cipher::{Cipher, Coding};
use crate::credentials::weights::{self, Place};
use crate::credentials::{CredentialList, MAX_TEXT, Pair};
use crate::material;
use crate::subject::Subject;
use crate::trace::{Policy, SystemCalls, Trace};
use crate::written::WrittenRanges;
use crate::xor;
use miyaburi_emulator::{Layout, Limits, Memory};
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// Fewest pairs that make a list.
const MIN_PAIRS: usize = 5;

/// Pairs after which a routine is run to its end.
const FIRST_PAIRS: usize = 2;

/// Most routines that call one other again and again.
const MAX_REPETITIVE: usize = 16;

/// Most routines that are run.
const MAX_CANDIDATES: usize = 96;

/// Most routines that are run to their end.
const MAX_WHOLE: usize = 4;

/// Farthest that the two pointers of a pair may be apart, in bytes.
const MAX_DISTANCE: u64 = 32;

/// Widest record, in bytes.
const MAX_STRIDE: u64 = 64;

/// Pointers stand at multiples of this, in bytes: on m68k of no more.
const ALIGNMENT: u64 = 2;

/// How far from each other the encoded texts may stand in the file, in bytes.
const NEARBY: usize = 0x4000;

/// Places in the file that are looked at because the longest text may stand there.
const MAX_PLACES: usize = 256;

/// Pointers to texts among which an array is looked for, for every shape of its records: dozens of
/// times what lists have.
const MAX_HELD: usize = 4096;

/// A text of this length or more is looked for first.
const LONG: usize = 5;

/// What a routine may spend until its first pairs.
const FIRST: Limits = Limits { instructions: 30_000, call_instructions: 20_000, ..Limits::DEFAULT };

/// What it may spend once it has stored some: an array that grows is copied for every pair.
const WHOLE: Limits =
    Limits { instructions: 2_500_000, call_instructions: 500_000, ..Limits::DEFAULT };

/// A pointer that a run has stored, and the text it leads to.
#[derive(Clone, Debug)]
struct Text {
    cell: Address,
    target: Address,
    stored_by: usize,
    text: Vec<u8>,
}

/// Looks for the largest list.
pub fn largest(subject: &mut Subject<'_>) -> Option<CredentialList> {
    let mut functions = subject.repetitive_functions(MIN_PAIRS);
    functions.truncate(MAX_REPETITIVE);
    for function in subject.functions_with_loop() {
        if !functions.contains(&function) {
            functions.push(function);
        }
    }
    let mut best: Option<CredentialList> = None;
    let mut whole = 0;
    for system_calls in [SystemCalls::Undo, SystemCalls::Child] {
        for function in functions.iter().take(MAX_CANDIDATES) {
            if whole >= MAX_WHOLE || !stores_pairs(subject, *function, system_calls) {
                continue;
            }
            whole += 1;
            let Some(list) = list_of(subject, *function, system_calls) else { continue };
            if best.as_ref().is_none_or(|best| list.pairs.len() > best.pairs.len()) {
                best = Some(list);
            }
        }
        if best.is_some() {
            break;
        }
    }
    best
}

/// Whether a short run of the routine stores some pairs.
fn stores_pairs(subject: &mut Subject<'_>, function: Address, system_calls: SystemCalls) -> bool {
    let state = subject.bare_state();
    let policy = Policy { system_calls, limits: FIRST };
    let mut first = subject.attempt(|subject| subject.run(state, function, &[], &policy));
    Pairs::stored(subject, &mut first).texts.len() >= FIRST_PAIRS
}

fn list_of(
    subject: &mut Subject<'_>,
    function: Address,
    system_calls: SystemCalls,
) -> Option<CredentialList> {
    let mut state = subject.bare_state();
    state.memory.start_read_log();
    let policy = Policy { system_calls, limits: WHOLE };
    let mut trace = subject.attempt(|subject| subject.run(state, function, &[], &policy));
    let stored = Pairs::stored(subject, &mut trace);
    if stored.texts.len() < MIN_PAIRS || !stored.is_whole(&trace) {
        return None;
    }
    let array = Pairs::array(subject, &mut trace);
    let different = stored.different();
    let is_array = array.texts.len() >= different;
    if !is_array && different < stored.texts.len() {
        // Copies of an array that no longer is there.
        return None;
    }
    let found = if is_array { array } else { stored };
    let (coding, sources) = encoded(subject, &found.texts)
        .map(|(key, sources)| {
            let coding = Coding { effective_key: Some(key), ..Coding::of(Cipher::Xor) };
            (coding, sources)
        })
        .or_else(|| otherwise_encoded(subject, &trace, function, &found.texts))?;
    let places: Vec<Place> = found
        .texts
        .iter()
        .map(|[user, password]| Place {
            cell: user.cell,
            lengths: [user.text.len() as u64, password.text.len() as u64],
        })
        .collect();
    let pointer = subject.emulator.arch().pointer_size();
    // Before what was stored may lie a record that has been lost; an array begins with its first.
    let before = if is_array { weights::AROUND } else { 0 };
    let stride = found.stride;
    let layout = weights::Layout { distance: found.distance, pointer, before, stride };
    let weights = weights::of(&mut trace.state.memory, &places, &layout)?;
    let mut unread: Vec<Address> = trace.lost_to_missing_bytes().collect();
    unread.extend(std::iter::repeat_n(function, weights.lost));
    let pairs = found
        .texts
        .into_iter()
        .zip(weights.weights.into_iter().zip(sources))
        .map(|([user, password], (weight, source))| Pair {
            user: user.text,
            password: password.text,
            weight,
            added_at: source,
        })
        .collect();
    Some(CredentialList {
        initialiser: function,
        adder: None,
        scanner: function,
        coding,
        pairs,
        unread,
    })
}

/// Pairs of texts in the order in which they were stored.
#[derive(Clone, Debug, Default)]
struct Pairs {
    /// How far apart their pointers are, in bytes.
    distance: u64,
    /// How far apart their records are, in bytes, where they lie in an array.
    stride: Option<u64>,
    texts: Vec<[Text; 2]>,
}

impl Pairs {
    /// The pairs whose pointers were stored one behind the other, of the commonest distance. Of
    /// an array that was moved when it grew, the pointers are where they were first; memory that
    /// was used again since has lost them.
    fn stored(subject: &Subject<'_>, trace: &mut Trace<'_>) -> Self {
        let texts = stored_texts(subject, trace);
        let distance = |one: &Text, other: &Text| one.cell.0.abs_diff(other.cell.0);
        let pointer = u64::from(subject.emulator.arch().pointer_size());
        let mut counts: FxHashMap<u64, usize> = FxHashMap::default();
        for pair in texts.windows(2) {
            if let [one, other] = pair {
                *counts.entry(distance(one, other)).or_default() += 1;
            }
        }
        counts.retain(|distance, _| (pointer..=MAX_DISTANCE).contains(distance));
        let Some((common, _)) =
            counts.into_iter().max_by_key(|(it, count)| (*count, u64::MAX - it))
        else {
            return Self::default();
        };
        let mut pairs = Vec::new();
        let mut rest = texts.into_iter().peekable();
        while let Some(one) = rest.next() {
            let second = rest.next_if(|other| distance(&one, other) == common);
            pairs.extend(second.map(|other| {
                // A record names the user first, whichever is stored first.
                if one.cell < other.cell { [one, other] } else { [other, one] }
            }));
        }
        Self { distance: common, stride: None, texts: pairs }
    }

    /// The longest array of records with two pointers to texts, as memory holds it at last.
    fn array(subject: &Subject<'_>, trace: &mut Trace<'_>) -> Self {
        let texts = held_texts(subject, trace);
        if texts.len() > MAX_HELD {
            return Self::default();
        }
        let cells: FxHashSet<u64> = texts.keys().copied().collect();
        let pointer = u64::from(subject.emulator.arch().pointer_size());
        let step = ALIGNMENT as usize;
        let mut best: (usize, u64, u64, u64) = Default::default();
        for distance in (pointer..=MAX_DISTANCE).step_by(step) {
            for stride in (distance + pointer..=MAX_STRIDE).step_by(step) {
                let is_record =
                    |at: u64| cells.contains(&at) && cells.contains(&at.wrapping_add(distance));
                for start in texts.keys().copied() {
                    if !is_record(start) || is_record(start.wrapping_sub(stride)) {
                        continue;
                    }
                    let records = (0..).map(|number| start.wrapping_add(number * stride));
                    let count = records.take_while(|at| is_record(*at)).count();
                    if count > best.0 {
                        best = (count, start, distance, stride);
                    }
                }
            }
        }
        let (count, start, distance, stride) = best;
        let text = |at: u64| {
            let (target, text) = texts.get(&at).cloned().unwrap_or_default();
            Text { cell: Address(at), target, stored_by: 0, text }
        };
        let records = (0..count as u64).map(|number| start.wrapping_add(number * stride));
        let texts = records.map(|at| [text(at), text(at.wrapping_add(distance))]).collect();
        Self { distance, stride: Some(stride), texts }
    }

    /// How many have user names of their own; the others are copies.
    fn different(&self) -> usize {
        self.texts.iter().map(|[user, _]| user.target).collect::<FxHashSet<_>>().len()
    }

    /// Whether the run went on long enough after the last pair that another would have come.
    fn is_whole(&self, trace: &Trace<'_>) -> bool {
        let stores: Vec<usize> = self.texts.iter().map(|[user, _]| user.stored_by).collect();
        let gaps = stores.windows(2).map(|pair| match pair {
            [one, next] => next.abs_diff(*one),
            _ => 0,
        });
        let widest = gaps.max().unwrap_or_default();
        let after = trace.writes().count() - stores.last().copied().unwrap_or_default();
        trace.completed() || after > 2 * widest
    }
}

/// The texts that the memory which a run has written holds pointers to, with their addresses, by the
/// place of the pointer.
fn held_texts(subject: &Subject<'_>, trace: &mut Trace<'_>) -> BTreeMap<u64, (Address, Vec<u8>)> {
    let pointer = subject.emulator.arch().pointer_size();
    let layout = *subject.emulator.layout();
    let ranges = WrittenRanges::new(trace.writes());
    let memory = &mut trace.state.memory;
    let mut texts = BTreeMap::new();
    for (start, end) in ranges.iter().filter(|(start, _)| !layout.is_stack(*start)) {
        for at in cells(start, end, pointer) {
            texts.extend(
                text_behind(memory, &layout, &ranges, Address(at), pointer).map(|it| (at, it)),
            );
        }
    }
    texts
}

/// Where pointers of so many bytes may stand from `start` to `end`.
fn cells(start: Address, end: Address, pointer: u32) -> impl Iterator<Item = u64> {
    let first = start.0.checked_next_multiple_of(ALIGNMENT);
    let last = end.0.checked_sub(u64::from(pointer));
    let cells = first.zip(last).map(|(first, last)| (first..=last).step_by(ALIGNMENT as usize));
    cells.into_iter().flatten()
}

/// The text that the pointer at `cell` leads to, and where, when the run has written it.
fn text_behind(
    memory: &mut Memory<'_>,
    layout: &Layout,
    ranges: &WrittenRanges,
    cell: Address,
    pointer: u32,
) -> Option<(Address, Vec<u8>)> {
    let target = Address(memory.load(cell, pointer).ok()?);
    let written = ranges.length_from(target).min(MAX_TEXT as u64 + 1);
    if written == 0 || layout.is_stack(target) {
        return None;
    }
    let mut text = memory.bytes(target, written as usize)?;
    let end = text.iter().position(|byte| *byte == 0)?;
    text.truncate(end);
    text.iter().all(|byte| (0x20..0x7f).contains(byte)).then_some((target, text))
}

/// The texts that a run has written and stored a pointer to, in the order of the last store to each
/// place.
fn stored_texts(subject: &Subject<'_>, trace: &mut Trace<'_>) -> Vec<Text> {
    let pointer = subject.emulator.arch().pointer_size();
    let layout = *subject.emulator.layout();
    let writes: Vec<(Address, u32)> = trace.writes().collect();
    let ranges = WrittenRanges::new(writes.iter().copied());
    let memory = &mut trace.state.memory;
    let mut seen = FxHashSet::default();
    let mut texts = Vec::new();
    for (stored_by, (cell, size)) in writes.into_iter().enumerate().rev() {
        if size != pointer || layout.is_stack(cell) || !seen.insert(cell) {
            continue;
        }
        let text = text_behind(memory, &layout, &ranges, cell, pointer);
        texts.extend(text.map(|(target, text)| Text { cell, target, stored_by, text }));
    }
    texts.reverse();
    texts
}

/// Of texts that do not stand in the file: how they came about, as far as that shows, and the routine
/// that makes them.
fn otherwise_encoded(
    subject: &Subject<'_>,
    trace: &Trace<'_>,
    function: Address,
    pairs: &[[Text; 2]],
) -> Option<(Coding, Vec<Address>)> {
    let texts: BTreeSet<&[u8]> = pairs
        .iter()
        .flatten()
        .map(|text| text.text.as_slice())
        .filter(|text| text.len() >= LONG)
        .collect();
    let stands = |text: &&&[u8]| {
        let segments = subject.image.segments().iter();
        let mut data = segments.map(|segment| &segment.data);
        data.any(|data| data.windows(text.len()).any(|window| window == **text))
    };
    if texts.len() < MIN_PAIRS || texts.iter().filter(stands).count() * 4 > texts.len() {
        return None;
    }
    let length: usize = pairs.iter().flatten().map(|text| text.text.len()).sum();
    let cipher = match material::data_read(subject, trace) * 4 < length {
        true => Cipher::StackString,
        false => Cipher::Unknown,
    };
    Some((Coding::of(cipher), vec![function; pairs.len()]))
}

/// The key under which all texts stand near each other in the file, and where the user names do.
fn encoded(subject: &Subject<'_>, pairs: &[[Text; 2]]) -> Option<(u8, Vec<Address>)> {
    let texts: BTreeSet<&[u8]> = pairs
        .iter()
        .flatten()
        .map(|text| text.text.as_slice())
        .filter(|text| !text.is_empty())
        .collect();
    // One character alone is everywhere.
    let is_telling = |text: &&&[u8]| text.iter().collect::<BTreeSet<_>>().len() >= LONG / 2;
    let telling = texts.iter().filter(is_telling);
    let longest = telling.max_by_key(|text| text.len()).filter(|text| text.len() >= LONG)?;
    let mut places_left = MAX_PLACES;
    for segment in subject.image.segments() {
        for (at, window) in segment.data.windows(longest.len()).enumerate() {
            let Some(key) = xor::key_between(window, longest).filter(|key| *key != 0) else {
                continue;
            };
            places_left = places_left.checked_sub(1)?;
            let start = at.saturating_sub(NEARBY);
            let end = (at + NEARBY).min(segment.data.len());
            let Some(nearby) = segment.data.get(start..end) else { continue };
            let places: Option<FxHashMap<&[u8], usize>> = texts
                .iter()
                .map(|text| {
                    let wanted = xor::apply(text, key);
                    let place = nearby.windows(wanted.len()).position(|window| window == wanted);
                    Some((*text, place?))
                })
                .collect();
            let Some(places) = places else { continue };
            let source = |pair: &[Text; 2]| {
                let offset = places.get(pair[0].text.as_slice()).copied().unwrap_or_default();
                segment.address.offset((start + offset) as u64)
            };
            return Some((key, pairs.iter().map(source).collect()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::cells;
    use miyaburi_image::Address;

    #[test]
    fn memory_that_ends_with_the_address_space_is_searched_once() {
        let found: Vec<u64> = cells(Address(u64::MAX - 9), Address(u64::MAX), 8).collect();
        assert_eq!(found, [u64::MAX - 9]);
        assert_eq!(cells(Address(u64::MAX), Address(u64::MAX), 4).count(), 0);
        assert_eq!(cells(Address(0), Address(3), 4).count(), 0);
        assert_eq!(cells(Address(1), Address(8), 4).collect::<Vec<_>>(), [2, 4]);
    }
}
