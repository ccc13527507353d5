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

use crate::credentials::{CredentialList, MAX_TEXT, MAX_WEIGHT, MIN_PAIRS, Pair};
use crate::subject::{Convention, RepeatedCall, Subject};
use crate::trace::{Policy, SystemCalls};
use crate::xor;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

/// A routine that makes nothing of this many first pairs is not asked about the rest.
const MAX_UNREAD_AT_START: usize = 4;

/// Arguments looked at.
const ARGUMENTS: usize = 6;

/// Which arguments of a call mean what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Roles {
    user: usize,
    password: usize,
    weight: usize,
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
            other.adder == list.adder && other.effective_key == list.effective_key
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
    if is_before {
        list.pairs.splice(0..0, other.pairs);
    } else {
        list.pairs.extend(other.pairs);
    }
    list.unread.extend(other.unread);
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
    let mut keys = Vec::new();
    for (site, arguments) in &calls {
        if pairs.is_empty() && unread.len() >= MAX_UNREAD_AT_START {
            return None;
        }
        let (Some(user), Some(password), Some(weight)) =
            (arguments[roles.user], arguments[roles.password], arguments[roles.weight])
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
        let Some((texts, key)) = added.decoded else {
            unread.push(*site);
            continue;
        };
        keys.extend(key);
        let [user, password] = texts;
        pairs.push(Pair { user, password, weight: weight as u32, added_at: *site });
    }
    let key = *keys.first()?;
    let agreed = key != 0 && keys.iter().all(|other| *other == key);
    let readable = calls.len() - cut_off.len();
    unread.append(&mut cut_off);
    (agreed && pairs.len() >= MIN_PAIRS && pairs.len() * 2 > readable).then_some(CredentialList {
        initialiser: repeated.function,
        adder: Some(repeated.callee),
        scanner: repeated.function,
        effective_key: key,
        pairs,
        unread,
    })
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
    let weight = (0..ARGUMENTS)
        .filter(|index| *index != user && *index != password)
        .find(|index| always(*index, &|value| (1..=MAX_WEIGHT).contains(&value)))?;
    Some(Roles { user, password, weight })
}

/// What one call did.
struct Call<'a> {
    state: State<'a>,
    decoded: Option<([Vec<u8>; 2], Option<u8>)>,
}

/// Runs the adding routine and reads back what it made of the two strings.
fn add<'a>(
    subject: &mut Subject<'a>,
    state: State<'a>,
    (adder, convention): (Address, &Convention),
    arguments: &[u64; ARGUMENTS],
    sources: [u64; 2],
) -> Call<'a> {
    let policy = Policy {
        system_calls: SystemCalls::Undo,
        limits: Limits { instructions: 100_000, call_instructions: 20_000, ..Limits::default() },
    };
    let trace = subject.run_by(convention, state, adder, arguments, &policy);
    let pointer = subject.emulator.arch().pointer_size();
    let layout = *subject.emulator.layout();
    let stored: Vec<Address> = trace
        .writes()
        .filter(|(address, size)| *size == pointer && !layout.is_stack(*address))
        .map(|(address, _)| address)
        .collect();
    let mut state = trace.state;
    let texts: Vec<Vec<u8>> = stored
        .into_iter()
        .filter_map(|cell| {
            let text = Address(state.memory.load(cell, pointer).ok()?);
            state.memory.bytes(text, MAX_TEXT)
        })
        .collect();
    let decoded = decode(subject, &texts, sources);
    Call { state, decoded }
}

/// The two sources as the routine left them, and the key between.
fn decode(
    subject: &Subject<'_>,
    texts: &[Vec<u8>],
    sources: [u64; 2],
) -> Option<([Vec<u8>; 2], Option<u8>)> {
    let mut key = None;
    let mut decoded: [Vec<u8>; 2] = Default::default();
    for (slot, source) in sources.into_iter().enumerate() {
        let source = subject.string_at(source)?;
        if source.is_empty() {
            continue;
        }
        let (text, found) = texts.iter().find_map(|text| {
            let text = text.get(..=source.len())?;
            let (end, text) = text.split_last()?;
            let found = xor::key_between(source, text)?;
            let sensible = *end == 0 && text.iter().all(|byte| (0x20..0x7f).contains(byte));
            (sensible && key.is_none_or(|key| key == found)).then(|| (text.to_vec(), found))
        })?;
        decoded[slot] = text;
        key = Some(found);
    }
    Some((decoded, key))
}
