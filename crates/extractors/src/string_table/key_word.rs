//! The key as the program keeps it: four bytes, of which decoding sees only their XOR.
//!
//! How it works: what the decoding routine reads from the file's own data while it decodes one
//! entry is looked through for a word, or four neighbouring bytes, that fold to the key observed.
//!
//! False positives: another word that the routine reads and that folds to the same byte (one in
//! 256 for an unrelated word). False negatives: a key that the compiler turned into constants; the
//! file then no longer holds it.

use crate::string_table::accessors::Accessor;
use crate::subject::Subject;
use crate::xor;
use miyaburi_analysis::ReferenceKind;
use miyaburi_emulator::State;
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// The key word that `toggle` reads when it decodes the entry with this id.
pub fn find<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    toggle: &Accessor,
    id: u64,
    effective_key: u8,
) -> Option<u32> {
    let mut state = filled.clone();
    state.memory.start_read_log();
    let mut trace = toggle.routine.call(subject, state, id);
    let reads = trace.state.memory.take_read_log();
    let of_file = |address: Address| subject.image.is_mapped(address);
    let word = reads.iter().filter(|(address, size)| *size == 4 && of_file(*address)).find_map(
        |(address, _)| {
            let word = subject.image.read_uint(*address, 4)? as u32;
            (word != 0 && xor::fold(word) == effective_key).then_some(word)
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
        bytes.windows(4).find_map(|window| {
            let [first, .., last] = window else { return None };
            // Neighbours, the least significant first, as the word's own bytes are taken.
            let neighbours = last.distance_from(*first) == Some(3);
            let bytes = subject.image.read(*first, 4).filter(|_| neighbours)?;
            let word = u32::from_le_bytes(bytes.as_ref().try_into().ok()?);
            (xor::fold(word) == effective_key).then_some(word)
        })
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
    let mut places = BTreeSet::new();
    for reference in references.to(start, end) {
        let function = program
            .function_containing(reference.from)
            .and_then(|function| program.function(function));
        for block in function.map(|function| function.blocks()).unwrap_or(&[]) {
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
        .filter(|word| *word > 0xffff && xor::fold(*word) == effective_key);
    words.next().filter(|_| words.next().is_none())
}
