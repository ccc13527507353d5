//! Credentials that are added by one call each.
//!
//! How it works: a routine that is called again and again with two constant strings and a small
//! number is run with the arguments of every such call, and the strings it makes of them are read
//! back. Arguments that are no constants, such as the list that is added to, are scratch memory. The
//! order of the calls is the order of the entries; where several routines call the same one, the
//! order in which these are called.
//!
//! False positives: another routine that decodes pairs of strings. False negatives: credentials
//! kept in a table without such a routine, and a routine inlined at every call; of several routines
//! that add, those with fewer than three calls.

use crate::cipher::{Coding, Sample};
use crate::credentials::argument_weights;
use crate::credentials::{CredentialList, MAX_TEXT, MAX_WEIGHT, MIN_PAIRS, Pair};
use crate::material;
use crate::recognition::{self, Seen};
use crate::subject::{Convention, RepeatedCall, Subject};
use crate::trace::{Policy, SystemCalls};
use crate::written::WrittenRanges;
use crate::xor;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// A routine that makes nothing of this many first pairs is not asked about the rest.
const MAX_UNREAD_AT_START: usize = 4;

/// Arguments looked at.
pub(super) const ARGUMENTS: usize = 6;

/// Bytes that ciphers work on at a time, at most.
const BLOCK: usize = 16;

/// Pairs of which it is looked at what is read for them.
const LOOKED_AT: usize = 4;

/// How far apart the two pointers of a pair may be, in bytes.
const MAX_RECORD: u64 = 32;

/// Which arguments of a call mean what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Roles {
    user: usize,
    password: usize,
    /// Those that may be the weight.
    weights: Vec<usize>,
}

/// Looks for the largest list.
pub fn largest<'a>(subject: &mut Subject<'a>) -> Option<CredentialList> {
    let mut lists: Vec<CredentialList> = Vec::new();
    let conventions = subject.conventions();
    let groups = subject.repeated_calls(MIN_PAIRS);
    for (repeated, convention) in groups
        .iter()
        .flat_map(|group| conventions.iter().map(move |convention| (group, convention)))
    {
        let is_known = |list: &CredentialList| {
            let of_same = list.adder == Some(repeated.callee);
            of_same && list.initialiser == repeated.function
                || !of_same && list.pairs.len() >= repeated.sites.len()
        };
        if lists.iter().any(is_known) {
            continue;
        }
        lists.extend(list_of(subject, repeated, convention));
    }
    let mut joined: Vec<CredentialList> = Vec::new();
    for list in lists {
        let same = |other: &&mut CredentialList| {
            other.adder == list.adder && other.coding.cipher == list.coding.cipher
        };
        match joined.iter_mut().find(same) {
            Some(other) => join(subject, other, list),
            None => joined.push(list),
        }
    }
    // Of lists of one length, the one of the first group.
    joined.into_iter().rev().max_by_key(|list| list.pairs.len())
}

/// Adds what another routine adds to the same list, in the order in which the two are called. The
/// routine that calls both is the one that fills the list.
fn join(subject: &Subject<'_>, list: &mut CredentialList, other: CredentialList) {
    let calls_of = |entry: Address| {
        let callers = subject.program.function_at(entry).into_iter();
        let sites = callers.flat_map(|callee| subject.program.callers(callee));
        sites.map(|site| (site.caller, site.address)).collect::<Vec<_>>()
    };
    let later = calls_of(other.initialiser);
    // The list may have grown by others already: its place is that of its first routine.
    let first = list.pairs.first().map_or(list.initialiser, |pair| {
        let function = subject.program.function_containing(pair.added_at);
        let function = function.and_then(|function| subject.program.function(function));
        function.map_or(list.initialiser, |function| function.entry)
    });
    let common = calls_of(first).into_iter().find_map(|(caller, site)| {
        let (_, other) = later.iter().find(|(other, _)| *other == caller)?;
        Some((caller, site, *other))
    });
    let is_before = match common {
        Some((_, site, other)) => other < site,
        None => other.initialiser < first,
    };
    // Two functions may share the code that makes the calls.
    let sites = |list: &CredentialList| -> BTreeSet<Address> {
        list.pairs.iter().map(|pair| pair.added_at).chain(list.unread.iter().copied()).collect()
    };
    let known = sites(list);
    let pairs = other.pairs.into_iter().filter(|pair| !known.contains(&pair.added_at));
    if is_before {
        list.pairs.splice(0..0, pairs);
    } else {
        list.pairs.extend(pairs);
    }
    list.unread.extend(other.unread.into_iter().filter(|site| !known.contains(site)));
    let caller = common.and_then(|(caller, ..)| subject.program.function(caller));
    if let Some(caller) = caller {
        list.initialiser = caller.entry;
    }
}

fn list_of<'a>(
    subject: &mut Subject<'a>,
    repeated: &RepeatedCall,
    convention: &Convention,
) -> Option<CredentialList> {
    let calls: Vec<(Address, [Option<u64>; ARGUMENTS])> =
        subject.constant_arguments::<ARGUMENTS>(convention, repeated.function, &repeated.sites);
    let roles = roles(subject, &calls)?;
    // Registers that are no arguments at all come before the arguments of another convention.
    if !convention.registers.is_empty() && roles.user != 0 {
        return None;
    }
    let mut state = subject.bare_state();
    let scratch = subject.emulator.layout().fresh_block(&mut state);
    let never_known = |index: usize| calls.iter().all(|(_, arguments)| arguments[index].is_none());
    let missing: [u64; ARGUMENTS] =
        std::array::from_fn(|index| if never_known(index) { scratch.0 } else { 0 });
    let mut pairs = Vec::new();
    let mut unread = Vec::new();
    let mut cut_off = Vec::new();
    let mut samples = Vec::new();
    let mut numbers = Vec::new();
    let mut logs = Vec::new();
    let mut fills_permutation = false;
    for (site, known) in calls.clone() {
        let arguments = known;
        let site = &site;
        if pairs.is_empty() && unread.len() >= MAX_UNREAD_AT_START {
            return None;
        }
        let (Some(user), Some(password)) = (arguments[roles.user], arguments[roles.password])
        else {
            unread.push(*site);
            continue;
        };
        if subject.is_cut_string(user) || subject.is_cut_string(password) {
            cut_off.push(*site);
            continue;
        }
        let adder = (repeated.callee, convention);
        let arguments: [u64; ARGUMENTS] =
            std::array::from_fn(|index| arguments[index].unwrap_or(missing[index]));
        let added = add(subject, state, adder, &arguments, [user, password]);
        state = added.state;
        let Some(texts) = added.decoded else {
            unread.push(*site);
            continue;
        };
        for (source, text) in [user, password].into_iter().zip(&texts) {
            let encoded = encoded(subject, source, text.len());
            samples.push(Sample { encoded, decoded: text.clone() });
        }
        numbers.push(known);
        fills_permutation |= added.fills_permutation;
        if logs.len() < LOOKED_AT {
            logs.push(added.reads);
        }
        let [user, password] = texts;
        pairs.push(Pair { user, password, weight: 0, added_at: *site });
    }
    let weight = argument_weights::weight_among(&roles.weights, &numbers, &pairs, &samples)?;
    for (pair, arguments) in pairs.iter_mut().zip(&numbers) {
        pair.weight = arguments.get(weight).copied().flatten()? as u32;
    }
    let is_plain = |sample: &&Sample| sample.encoded.starts_with(&sample.decoded);
    let told = samples.iter().filter(|sample| !sample.decoded.is_empty());
    let has_user = pairs.iter().filter(|pair| !pair.user.is_empty()).count();
    if told.clone().filter(is_plain).count() * 2 > told.count() || has_user * 10 < pairs.len() * 9 {
        return None;
    }
    let readable = calls.len() - cut_off.len();
    unread.append(&mut cut_off);
    let is_list = pairs.len() >= MIN_PAIRS && pairs.len() * 2 > readable;
    is_list.then(|| CredentialList {
        initialiser: repeated.function,
        adder: Some(repeated.callee),
        scanner: repeated.function,
        coding: coding(subject, repeated.callee, &samples, &logs, fills_permutation),
        pairs,
        unread,
    })
}

/// Bytes of the file behind a text of so many.
fn encoded(subject: &Subject<'_>, source: u64, length: usize) -> Vec<u8> {
    let stored = subject.image.bytes_from(Address(source));
    let length = (2 * length).next_multiple_of(BLOCK).min(stored.len());
    stored.get(..length).unwrap_or(&[]).to_vec()
}

fn coding(
    subject: &Subject<'_>,
    adder: Address,
    samples: &[Sample],
    logs: &[Vec<(Address, u32)>],
    writes_identity: bool,
) -> Coding {
    let seen = Seen { routine: adder, samples, logs, fills_permutation: writes_identity };
    recognition::recognise(subject, &seen)
}

/// The first two arguments that point to strings in every call, and the first that is a small
/// number in every call.
fn roles(subject: &Subject<'_>, calls: &[(Address, [Option<u64>; ARGUMENTS])]) -> Option<Roles> {
    let always = |index: usize, holds: &dyn Fn(u64) -> bool| {
        let fitting = calls.iter().filter(|(_, arguments)| arguments[index].is_some_and(holds));
        fitting.count() * 10 >= calls.len() * 9
    };
    let is_string = |value| subject.string_at(value).is_some() || subject.is_cut_string(value);
    let mut strings = (0..ARGUMENTS).filter(|index| always(*index, &is_string));
    let (user, password) = (strings.next()?, strings.next()?);
    let weights: Vec<usize> = (0..ARGUMENTS)
        .filter(|index| *index != user && *index != password)
        .filter(|index| always(*index, &|value| (0..=MAX_WEIGHT).contains(&value)))
        .collect();
    (!weights.is_empty()).then_some(Roles { user, password, weights })
}

/// What one call did.
struct Call<'a> {
    state: State<'a>,
    decoded: Option<[Vec<u8>; 2]>,
    /// What it read, in order.
    reads: Vec<(Address, u32)>,
    /// Whether it began with a permutation that changes nothing.
    fills_permutation: bool,
}

/// Runs the adding routine and reads back what it made of the two strings: with more instructions
/// when it has not come to its end.
fn add<'a>(
    subject: &mut Subject<'a>,
    state: State<'a>,
    adder: (Address, &Convention),
    arguments: &[u64; ARGUMENTS],
    sources: [u64; 2],
) -> Call<'a> {
    let first = Limits { instructions: 100_000, call_instructions: 20_000, ..Limits::default() };
    let (call, is_unfinished) = subject
        .attempt(|subject| add_within(subject, state.clone(), adder, arguments, sources, first));
    if call.decoded.is_some() || !is_unfinished || !subject.may_be_laborious() {
        return call;
    }
    let more =
        Limits { instructions: 2_000_000, call_instructions: 1_000_000, ..Limits::default() };
    let (mut call, is_unfinished) =
        subject.attempt(|subject| add_within(subject, state, adder, arguments, sources, more));
    call.decoded = call.decoded.filter(|_| !is_unfinished);
    subject.laborious += u32::from(call.decoded.is_some());
    call
}

fn add_within<'a>(
    subject: &mut Subject<'a>,
    state: State<'a>,
    (adder, convention): (Address, &Convention),
    arguments: &[u64; ARGUMENTS],
    sources: [u64; 2],
    limits: Limits,
) -> (Call<'a>, bool) {
    let policy = Policy { system_calls: SystemCalls::Undo, limits };
    let mut state = state;
    state.memory.start_read_log();
    let mut trace = subject.run_by(convention, state, adder, arguments, &policy);
    let reads = trace.state.memory.take_read_log();
    let fills_permutation = material::fills_permutation(&mut trace);
    let is_unfinished = trace.is_spent();
    let pointer = subject.emulator.arch().pointer_size();
    let layout = *subject.emulator.layout();
    let ranges = WrittenRanges::new(trace.writes());
    let stored: Vec<Address> = trace
        .writes()
        .filter(|(address, size)| *size == pointer && !layout.is_stack(*address))
        .map(|(address, _)| address)
        .collect();
    let mut state = trace.state;
    let texts: Vec<Text> = stored
        .into_iter()
        .filter_map(|cell| {
            let at = Address(state.memory.load(cell, pointer).ok()?);
            let is_own = ranges.contains(at) && !layout.is_stack(at);
            Some(Text { cell, at, is_own, bytes: state.memory.bytes(at, MAX_TEXT)? })
        })
        .collect();
    // One key for both is no chance; other texts of a call that was not done may be half decoded.
    let decoded = under_one_key(subject, &texts, sources)
        .or_else(|| (!is_unfinished).then(|| two_texts(&texts)).flatten());
    (Call { state, decoded, reads, fills_permutation }, is_unfinished)
}

/// What a pointer leads to that a call has stored.
struct Text {
    cell: Address,
    at: Address,
    /// Whether the call wrote what is there.
    is_own: bool,
    bytes: Vec<u8>,
}

/// The two sources as the routine left them under one key.
fn under_one_key(subject: &Subject<'_>, texts: &[Text], sources: [u64; 2]) -> Option<[Vec<u8>; 2]> {
    let mut key = None;
    let mut decoded: [Vec<u8>; 2] = Default::default();
    for (slot, source) in sources.into_iter().enumerate() {
        let source = subject.string_at(source)?;
        if source.is_empty() {
            // A text that begins with the key's own character looks empty, too.
            let made = two_texts(texts);
            if made.is_some_and(|made| made.get(slot).is_some_and(|text| !text.is_empty())) {
                return None;
            }
            continue;
        }
        let (text, found) = texts.iter().find_map(|text| {
            let text = text.bytes.get(..=source.len())?;
            let (end, text) = text.split_last()?;
            let found = xor::key_between(source, text)?;
            let sensible = *end == 0 && text.iter().all(|byte| (0x20..0x7f).contains(byte));
            (sensible && key.is_none_or(|key| key == found)).then(|| (text.to_vec(), found))
        })?;
        decoded[slot] = text;
        key = Some(found);
    }
    Some(decoded)
}

/// The two texts that the call has made and stored pointers to in one record, whose user stands
/// first.
fn two_texts(texts: &[Text]) -> Option<[Vec<u8>; 2]> {
    let mut made: Vec<(Address, Address, Vec<u8>)> = Vec::new();
    // What holds the pointers is no text.
    let holds_cell = |text: &Text| {
        let length = text.bytes.iter().position(|byte| *byte == 0).unwrap_or(0) as u64;
        let is_within =
            |other: &Text| other.cell.distance_from(text.at).is_some_and(|it| it <= length);
        texts.iter().any(is_within)
    };
    for text in texts.iter().filter(|text| text.is_own && !holds_cell(text)) {
        let Some(end) = text.bytes.iter().position(|byte| *byte == 0) else { continue };
        let bytes = text.bytes.get(..end).unwrap_or(&[]);
        if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
            made.retain(|(cell, ..)| *cell != text.cell);
            made.push((text.cell, text.at, bytes.to_vec()));
        }
    }
    made.sort();
    // An allocator's own pointers lead to texts, too: they lie by themselves, or both to the same.
    made.windows(2).rev().find_map(|pair| {
        let [(first, one, user), (second, other, password)] = pair else { return None };
        let is_near = second.distance_from(*first).is_some_and(|it| it <= MAX_RECORD);
        let is_record = is_near && one != other;
        (is_record && !user.is_empty()).then(|| [user.clone(), password.clone()])
    })
}
