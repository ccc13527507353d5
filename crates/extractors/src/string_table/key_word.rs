//! The key as the program keeps it: four bytes, of which decoding sees only their XOR.
//!
//! How it works: what the decoding routine reads from the file's own data while it decodes one
//! entry is looked through for a word, or four neighbouring bytes, that fold to the key observed.
//!
//! False positives: another word that the routine reads and that folds to the same byte (one in
//! 256 for an unrelated word). False negatives: a key that the compiler turned into constants; the
//! file then no longer holds it; a key that is also an address of the program.

use crate::string_table::accessors::Accessor;
use crate::subject::Subject;
use crate::xor;
use miyaburi_analysis::{FunctionId, ReferenceKind, Value};
use miyaburi_emulator::State;
use miyaburi_image::Address;
use std::collections::{BTreeMap, BTreeSet};

/// The key word that `toggle` reads when it decodes the entry with this id, whose bytes are
/// `encoded`: where it begins and how long it is.
pub fn find<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    toggle: &Accessor,
    id: u64,
    encoded: (Address, u64),
    effective_key: u8,
) -> Option<u32> {
    let mut state = filled.clone();
    state.memory.start_read_log();
    let mut trace = toggle.routine.call(subject, state, id);
    let reads = trace.state.memory.take_read_log();
    let of_file = |address: Address| {
        let is_encoded = address.distance_from(encoded.0).is_some_and(|it| it < encoded.1);
        subject.image.is_mapped(address) && !is_encoded
    };
    let word = reads.iter().filter(|(address, size)| *size == 4 && of_file(*address)).find_map(
        |(address, _)| {
            let word = subject.image.read_uint(*address, 4)? as u32;
            may_be_key(subject, word, effective_key).then_some(word)
        },
    );
    word.or_else(|| {
        let mut bytes: Vec<Address> = reads
            .iter()
            .filter(|(address, size)| *size == 1 && of_file(*address))
            .map(|(address, _)| *address)
            .collect();
        bytes.sort_unstable();
        bytes.dedup();
        let mut words = bytes.windows(4).filter_map(|window| {
            let [first, .., last] = window else { return None };
            // Neighbours, the least significant first, as the word's own bytes are taken.
            let neighbours = last.distance_from(*first) == Some(3);
            let bytes = subject.image.read(*first, 4).filter(|_| neighbours)?;
            let word = u32::from_le_bytes(bytes.as_ref().try_into().ok()?);
            (xor::fold(word) == effective_key).then_some(word)
        });
        // Of two, nobody knows which.
        words.next().filter(|_| words.next().is_none())
    })
}

/// Whether a word folds to the key and is no address of the program.
fn may_be_key(subject: &Subject<'_>, word: u32, effective_key: u8) -> bool {
    let is_address = subject.image.is_mapped(Address(u64::from(word)));
    word != 0 && !is_address && xor::fold(word) == effective_key
}

/// The word that all calls of `toggle` hand it beside the id, loaded from the program's data or as
/// a constant, when it folds to the key.
///
/// False positives: another number that every call hands on and that folds to the same byte, such
/// as a register's content that is no argument (one in 256). Small numbers and addresses are no
/// keys. False negatives: calls of which too little is known; one in ten may lack it.
pub fn handed_to(subject: &Subject<'_>, toggle: &Accessor, effective_key: u8) -> Option<u32> {
    let routine = &toggle.routine;
    let callee = subject.program.function_at(routine.function)?;
    let sites: Vec<_> = subject.program.callers(callee).collect();
    let indices = (0..routine.arguments.len()).filter(|index| *index != routine.id_argument);
    indices.into_iter().find_map(|index| {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for site in &sites {
            let value = subject.argument(&routine.convention, site.caller, site.address, index);
            let word = match value {
                Value::Constant(value) if !subject.image.is_mapped(Address(value)) => Some(value),
                Value::Loaded { from, offset: 0 } => subject.image.read_uint(from, 4),
                _ => None,
            };
            let word = word.and_then(|word| u32::try_from(word).ok());
            if let Some(word) = word.filter(|word| *word > 0xffff) {
                *counts.entry(word).or_default() += 1;
            }
        }
        let (word, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let is_key = xor::fold(word) == effective_key && count * 10 >= sites.len() * 9;
        is_key.then_some(word)
    })
}

/// A word that folds to the key and that functions refer to which also refer to the table, which
/// lies in `start..end`: where decoding was inlined into those who use entries.
///
/// False positives: another word of such functions (one in 256 for each unrelated one), so one
/// word must do alone. False negatives: as above.
pub fn beside(
    subject: &Subject<'_>,
    start: Address,
    end: Address,
    effective_key: u8,
) -> Option<u32> {
    let program = subject.program;
    let references = program.references();
    let users = references.to(start, end).iter();
    let users: BTreeSet<FunctionId> =
        users.filter_map(|reference| program.function_containing(reference.from)).collect();
    let mut places = BTreeSet::new();
    for user in users {
        for block in program.function(user).map(|user| user.blocks()).unwrap_or(&[]) {
            let read = references.from(block.start, block.end).iter();
            let read = read.filter(|reference| reference.kind == ReferenceKind::Read);
            places.extend(read.map(|reference| reference.to));
        }
    }
    let mut words = places
        .into_iter()
        .filter(|place| !(start..end).contains(place) && subject.image.is_writable(*place))
        .filter_map(|place| subject.image.read_uint(place, 4))
        .map(|word| word as u32)
        .filter(|word| *word > 0xffff && may_be_key(subject, *word, effective_key));
    words.next().filter(|_| words.next().is_none())
}
