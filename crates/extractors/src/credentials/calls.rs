//! The scanner's credentials.
//!
//! How it works: a routine that is called again and again with two constant strings and a small
//! number is run with the arguments of every such call, and the strings it makes of them are read
//! back. The order of the calls is the order of the entries.
//!
//! False positives: another routine that decodes pairs of strings; text that was not encoded is
//! left out, so option lists and plain word lists do not count. False negatives: credentials kept
//! in a table without such a routine, and a routine inlined at every call.

use crate::found::{Diagnostic, Found};
use crate::subject::{Convention, RepeatedCall, Subject};
use crate::trace::{Policy, SystemCalls};
use crate::xor;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;

/// Fewest pairs that make a list.
const MIN_PAIRS: usize = 3;

/// A routine that makes nothing of this many first pairs is not asked about the rest.
const MAX_UNREAD_AT_START: usize = 4;

/// Longest user name or password, in bytes.
const MAX_TEXT: usize = 64;

/// Arguments looked at.
const ARGUMENTS: usize = 6;

/// One pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The user name.
    pub user: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
    /// How often it is tried relative to the others.
    pub weight: u32,
    /// The call that adds it.
    pub added_at: Address,
}

/// The list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialList {
    /// The routine that adds the pairs.
    pub initialiser: Address,
    /// The routine that takes one pair.
    pub adder: Address,
    /// The key as one byte.
    pub effective_key: u8,
    /// In the order in which the code adds them.
    pub pairs: Vec<Pair>,
    /// Calls that add a pair which could not be read.
    pub unread: Vec<Address>,
}

/// Which arguments of a call mean what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Roles {
    user: usize,
    password: usize,
    weight: usize,
}

/// Looks for the largest list.
pub fn extract<'a>(subject: &mut Subject<'a>) -> Found<Option<CredentialList>> {
    let list = largest(subject);
    let unread = list.iter().flat_map(|list| &list.unread);
    let diagnostics = unread
        .map(|site| Diagnostic {
            stage: "credentials",
            message: "the pair that this call adds could not be read".to_owned(),
            at: Some(*site),
        })
        .collect();
    Found { finding: list, diagnostics }
}

fn largest<'a>(subject: &mut Subject<'a>) -> Option<CredentialList> {
    let mut best: Option<CredentialList> = None;
    let conventions = subject.conventions();
    let groups = subject.repeated_calls(MIN_PAIRS);
    for (repeated, convention) in groups
        .iter()
        .flat_map(|group| conventions.iter().map(move |convention| (group, convention)))
    {
        if best.as_ref().is_some_and(|best| best.pairs.len() >= repeated.sites.len()) {
            continue;
        }
        let Some(list) = list_of(subject, repeated, convention) else { continue };
        if best.as_ref().is_none_or(|best| list.pairs.len() > best.pairs.len()) {
            best = Some(list);
        }
    }
    best
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
    let mut pairs = Vec::new();
    let mut unread = Vec::new();
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
        let adder = (repeated.callee, convention);
        let added = add(subject, state, adder, arguments, [user, password]);
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
    (agreed && pairs.len() >= MIN_PAIRS && pairs.len() * 2 > calls.len()).then_some(
        CredentialList {
            initialiser: repeated.function,
            adder: repeated.callee,
            effective_key: key,
            pairs,
            unread,
        },
    )
}

/// The first two arguments that point to strings in every call, and the first that is a small
/// number in every call.
fn roles(subject: &Subject<'_>, calls: &[(Address, [Option<u64>; ARGUMENTS])]) -> Option<Roles> {
    let always = |index: usize, holds: &dyn Fn(u64) -> bool| {
        let fitting = calls.iter().filter(|(_, arguments)| arguments[index].is_some_and(holds));
        fitting.count() * 10 >= calls.len() * 9
    };
    let mut strings =
        (0..ARGUMENTS).filter(|index| always(*index, &|value| subject.string_at(value).is_some()));
    let (user, password) = (strings.next()?, strings.next()?);
    let weight = (0..ARGUMENTS)
        .filter(|index| *index != user && *index != password)
        .find(|index| always(*index, &|value| (1..=1000).contains(&value)))?;
    Some(Roles { user, password, weight })
}

/// What one call did.
struct Added<'a> {
    state: State<'a>,
    decoded: Option<([Vec<u8>; 2], Option<u8>)>,
}

/// Runs the adding routine and reads back what it made of the two strings.
fn add<'a>(
    subject: &mut Subject<'a>,
    state: State<'a>,
    (adder, convention): (Address, &Convention),
    arguments: &[Option<u64>; ARGUMENTS],
    sources: [u64; 2],
) -> Added<'a> {
    let policy = Policy {
        system_calls: SystemCalls::Undo,
        limits: Limits { instructions: 100_000, call_instructions: 20_000, ..Limits::default() },
    };
    let arguments: Vec<u64> = arguments.iter().map(|argument| argument.unwrap_or(0)).collect();
    let trace = subject.run_by(convention, state, adder, &arguments, &policy);
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
    Added { state, decoded }
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
