//! Routines that decode a string they are handed, found by running them.

use crate::loose_strings::encoded_text::keys_at;
use crate::loose_strings::referenced::Agreeing;
use crate::loose_strings::{LooseString, Source};
use crate::subject::{Convention, Subject};
use crate::trace::{Policy, SystemCalls, Trace};
use crate::written::WrittenRanges;
use crate::xor;
use miyaburi_analysis::{CallSite, FunctionId};
use miyaburi_emulator::Limits;
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};

/// Arguments looked at.
const ARGUMENTS: usize = 4;

/// Fewest strings that a routine must decode under one key before it is believed.
const MIN_STRINGS: usize = 3;

/// A routine that decodes none of this many first calls is not asked about the rest.
const TRIALS: usize = 3;

/// Instructions that decoding one string may take.
const INSTRUCTIONS: u64 = 40_000;

/// Keys under which encoded strings are looked for.
const MAX_KEYS: usize = 4;

/// Most routines that are tried.
const MAX_CANDIDATES: usize = 24;

/// Longest string, in bytes.
const MAX_LENGTH: usize = 1024;

/// A call with the arguments that are constants.
struct Call {
    site: Address,
    caller: Address,
    arguments: [Option<u64>; ARGUMENTS],
}

/// What the routines decode that decode most, call by call.
pub(super) fn strings(subject: &mut Subject<'_>, agreeing: &Agreeing) -> Vec<LooseString> {
    let users = users(subject, agreeing);
    let mut strings = Vec::new();
    let mut believed: FxHashSet<Address> = FxHashSet::default();
    for convention in subject.conventions() {
        for (routine, calls) in candidates(subject, &convention, &users) {
            if believed.contains(&routine) {
                continue;
            }
            if decoded_by(subject, routine, &convention, &calls).is_empty() {
                continue;
            }
            believed.insert(routine);
            let sites = subject.program.call_sites().iter();
            let calls = sites.filter(|site| site.target == Some(routine));
            let calls: Vec<Call> =
                calls.filter_map(|site| call_at(subject, &convention, site)).collect();
            strings.extend(decoded_by(subject, routine, &convention, &calls));
        }
    }
    strings
}

/// Functions that refer to what looks like encoded strings.
fn users(subject: &Subject<'_>, agreeing: &Agreeing) -> FxHashSet<FunctionId> {
    let program = subject.program;
    let references = agreeing
        .likely(MAX_KEYS, MIN_STRINGS)
        .flat_map(|place| program.references().to(place, place.offset(1)));
    references.filter_map(|reference| program.function_containing(reference.from)).collect()
}

/// Routines that are handed the places of enough encoded strings, with the calls that hand them
/// data; the most often called first.
fn candidates(
    subject: &Subject<'_>,
    convention: &Convention,
    users: &FxHashSet<FunctionId>,
) -> Vec<(Address, Vec<Call>)> {
    let mut calls: FxHashMap<Address, Vec<Call>> = FxHashMap::default();
    let sites = subject.program.call_sites().iter();
    for site in sites.filter(|site| users.contains(&site.caller)) {
        let Some(routine) = site.target else { continue };
        if let Some(call) = call_at(subject, convention, site) {
            calls.entry(routine).or_default().push(call);
        }
    }
    let mut candidates: Vec<(Address, Vec<Call>)> =
        calls.into_iter().filter(|(_, calls)| agree_on_a_key(subject, calls)).collect();
    candidates.sort_by_key(|(routine, calls)| (std::cmp::Reverse(calls.len()), *routine));
    candidates.truncate(MAX_CANDIDATES);
    candidates
}

/// A call that hands over a place in the file.
fn call_at(subject: &Subject<'_>, convention: &Convention, site: &CallSite) -> Option<Call> {
    let caller = subject.program.function(site.caller)?.entry;
    let argument = |index| subject.constant_argument(convention, site.caller, site.address, index);
    let arguments = std::array::from_fn(argument);
    let hands_place = places(subject, &arguments).next().is_some();
    hands_place.then_some(Call { site: site.address, caller, arguments })
}

/// Whether enough of what a routine is handed reads as text under the same key. This says which
/// routines are worth running, no more.
fn agree_on_a_key(subject: &Subject<'_>, calls: &[Call]) -> bool {
    let handed: FxHashSet<Address> =
        calls.iter().flat_map(|call| places(subject, &call.arguments)).collect();
    let mut agreeing = [0_usize; 256];
    for place in handed {
        for key in keys_at(subject.image, place) {
            agreeing[usize::from(key)] += 1;
        }
    }
    agreeing.into_iter().any(|places| places >= MIN_STRINGS)
}

/// Arguments that lead to bytes of the file.
fn places<'s>(
    subject: &'s Subject<'_>,
    arguments: &'s [Option<u64>; ARGUMENTS],
) -> impl Iterator<Item = Address> + 's {
    arguments.iter().flatten().map(|value| Address(*value)).filter(|address| {
        // Places in low memory are numbers more often.
        let is_low = address.0 < 0x100;
        !is_low && subject.image.bytes_from(*address).len() >= 2
    })
}

/// What a routine decodes; nothing unless most of what it is handed is decoded under one key.
fn decoded_by(
    subject: &mut Subject<'_>,
    routine: Address,
    convention: &Convention,
    calls: &[Call],
) -> Vec<LooseString> {
    let mut strings: Vec<LooseString> = Vec::new();
    let mut tried: FxHashSet<[Option<u64>; ARGUMENTS]> = FxHashSet::default();
    let mut undecoded = 0;
    for call in calls {
        if !tried.insert(call.arguments) {
            continue;
        }
        match decoded_at(subject, routine, convention, call) {
            Some(string) => strings.push(string),
            None => undecoded += 1,
        }
        if strings.is_empty() && undecoded >= TRIALS {
            return Vec::new();
        }
    }
    let key = strings.first().map(|string| string.key);
    let is_one_key = strings.iter().all(|string| Some(string.key) == key);
    if is_one_key && strings.len() >= MIN_STRINGS && strings.len() > undecoded {
        strings
    } else {
        Vec::new()
    }
}

/// The string that one call decodes.
fn decoded_at(
    subject: &mut Subject<'_>,
    routine: Address,
    convention: &Convention,
    call: &Call,
) -> Option<LooseString> {
    let places: Vec<Address> = places(subject, &call.arguments).collect();
    let arguments = call.arguments.map(|argument| argument.unwrap_or(0));
    let policy = Policy {
        system_calls: SystemCalls::Undo,
        limits: Limits {
            instructions: INSTRUCTIONS,
            call_instructions: INSTRUCTIONS / 2,
            ..Limits::default()
        },
    };
    let state = subject.bare_state();
    let mut trace = subject.run_by(convention, state, routine, &arguments, &policy);
    if !trace.completed() || trace.outcome.summarised > 0 {
        return None;
    }
    places.into_iter().find_map(|address| {
        let (decoded, key) = text_made_of(subject, &mut trace, address)?;
        let (site, function) = (call.site, call.caller);
        let source = Source::Decoded { decoder: routine, site, function };
        Some(LooseString { address, decoded, key, source })
    })
}

/// The text that a run made of the bytes at `source`, in place or elsewhere, and the key between.
fn text_made_of(
    subject: &Subject<'_>,
    trace: &mut Trace<'_>,
    source: Address,
) -> Option<(Vec<u8>, u8)> {
    let layout = *subject.emulator.layout();
    let writes: Vec<(Address, u32)> =
        trace.writes().filter(|(address, _)| !layout.is_stack(*address)).collect();
    let ranges = WrittenRanges::new(writes.iter().copied());
    let encoded = subject.image.bytes_from(source);
    let encoded = encoded.get(..MAX_LENGTH).unwrap_or(encoded);
    let mut seen: FxHashSet<Address> = FxHashSet::default();
    let places = std::iter::once(source).chain(writes.iter().map(|(address, _)| *address));
    places.filter(|place| seen.insert(*place)).find_map(|place| {
        let length = usize::try_from(ranges.length_from(place)).ok()?.min(encoded.len());
        let made = trace.state.memory.bytes(place, length)?;
        let end = made.iter().position(|byte| *byte == 0)?;
        let text = made.get(..=end)?;
        let key = xor::key_between(encoded.get(..=end)?, text)?;
        (key != 0 && xor::is_text(text)).then(|| (text.to_vec(), key))
    })
}
