//! What the records of a table hold, decoded as the program decodes it.
//!
//! How it works: the sample's own accessor is run for every entry. Where none changes entries, they
//! were decoded when they were added, or the terminators tell a one-byte key. The pairs of bytes
//! before and after name the cipher ([`crate::cipher`]).
//!
//! False positives: a table of texts that its own routine makes from something else than encoded
//! bytes; that alone is therefore never reported as a configuration. False negatives: entries that
//! are decoded behind a condition, or by more code than one run may take.

use crate::cipher::{Cipher, Coding, Sample};
use crate::initialisers::Initialiser;
use crate::material;
use crate::recognition::{self, Seen};
use crate::string_table::gaps::{self, Gap};
use crate::string_table::records::{Record, Records};
use crate::string_table::{
    Entry, Placed, SENSIBLE_PERCENT, Table, base, in_use, key_word, made, place,
};
use crate::subject::Subject;
use crate::trace::Trace;
use crate::xor;
use miyaburi_emulator::State;
use miyaburi_image::Address;

/// Bytes beyond its length that a cipher may have filled an entry up to.
pub(super) const MAX_PADDING: u64 = 16;

/// Entries whose decoding is looked at for what a routine reads each time.
pub(super) const LOOKED_AT: usize = 6;

/// An entry before and after.
pub(super) struct Decoded {
    /// As stored, as far as decoding changed it.
    pub(super) sample: Option<Sample>,
    /// As the program sees it.
    pub(super) text: Vec<u8>,
    /// What it is made of, for one that is decoded before it is stored.
    pub(super) made_of: Option<Vec<u8>>,
}

impl Decoded {
    /// An entry of which only this is known.
    pub(super) const fn of(text: Vec<u8>) -> Self {
        Self { sample: None, text, made_of: None }
    }
}

/// All entries, and how they were decoded.
pub(super) struct Outcome {
    pub(super) entries: Vec<Option<Decoded>>,
    pub(super) coding: Coding,
    pub(super) is_observed: bool,
}

/// The table that `records` are, when decoding them makes sense.
pub(super) fn decode<'a>(
    subject: &mut Subject<'a>,
    run: &mut Initialiser<'a>,
    records: &Records,
) -> Option<Table<'a>> {
    let mut filled = run.trace.state.clone();
    // Every run begins with a copy.
    filled.memory.stop_journal();
    let bytes_of = |record: &Record| {
        let bytes = filled.memory.bytes(record.buffer, record.length as usize);
        (record.clone(), bytes.unwrap_or_default())
    };
    let (found, encoded): (Vec<Record>, Vec<Vec<u8>>) =
        records.records.iter().map(bytes_of).unzip();
    let mut records = Records { records: found, ..records.clone() };
    let mut encoded = encoded;
    let inferred_key = xor::infer_key(encoded.iter().map(Vec::as_slice)).map(|(key, _)| key);
    drop_strays(&mut records, &mut encoded, inferred_key);
    let records = &records;
    let placed = place(subject, run, records, &encoded)?;
    // What lies before the record with id 0 is none.
    let (found, encoded): (Vec<Record>, Vec<Vec<u8>>) = records
        .records
        .iter()
        .cloned()
        .zip(encoded)
        .filter(|(record, _)| record.cell >= placed.base)
        .unzip();
    let records = &Records { records: found, ..records.clone() };
    let outcome = by_toggle(subject, run, records, &placed)
        .or_else(|| made::when_added(subject, run, records, &encoded))
        .or_else(|| by_terminators(&encoded, inferred_key?))
        .or_else(|| in_use::decode(subject, run, records, &encoded))?;
    let mut gaps = gaps::of(&run.trace, subject.emulator.layout(), records);
    let one_key = outcome.coding.effective_key.filter(|_| outcome.coding.cipher == Cipher::Xor);
    let mut entries = Vec::new();
    for ((record, encoded), decoded) in records.records.iter().zip(encoded).zip(&outcome.entries) {
        let text = match (decoded, one_key) {
            (Some(decoded), _) => decoded.text.clone(),
            (None, Some(key)) => xor::apply(&encoded, key),
            (None, None) => {
                let what = "this entry could not be decoded".to_owned();
                gaps.push(Gap { at: record.cell, what });
                continue;
            }
        };
        let own_key = decoded.as_ref().filter(|_| one_key.is_none()).and_then(|decoded| {
            let is_xor = outcome.coding.cipher == Cipher::Xor;
            is_xor.then(|| xor::key_between(&encoded, &decoded.text)).flatten()
        });
        entries.push(Entry {
            id: placed.id_of(records, record) as u32,
            stale_key: one_key.and_then(|_| stale_key(&encoded, &text)),
            own_key,
            made_of: decoded.as_ref().and_then(|decoded| decoded.made_of.clone()),
            decoded: text,
            encoded,
            cell: record.cell,
            buffer: record.buffer,
            added_at: base::call_that_wrote(&run.trace, record.stored_by)
                .map(|call| call.call.site),
        });
    }
    let sensible = entries.iter().filter(|entry| xor::is_text(&entry.decoded)).count();
    if sensible * 100 < records.records.len() * SENSIBLE_PERCENT {
        return None;
    }
    let mut coding = outcome.coding;
    if let Some(key) = one_key.filter(|_| coding.key.is_none()) {
        coding.key = key_word_of(subject, run, records, &placed, key);
    }
    Some(Table {
        initialiser: run.function,
        is_filled: true,
        is_allocated: placed.is_allocated,
        base: placed.base,
        base_is_certain: placed.is_certain,
        stride: records.stride,
        pointer_offset: records.pointer_offset,
        coding,
        is_observed: outcome.is_observed,
        inferred_key,
        accessors: placed.accessors,
        entries,
        gaps,
        filled,
    })
}

/// Records that lie this many strides from the others are looked at twice.
const FAR: u64 = 16;

/// Leaves out records at either end that lie far from the others and make no sense under the key
/// for which nearly all others speak: other variables with a pointer and a number.
///
/// False positives: a binary entry whose id is far from all others. False negatives: strays near the
/// table, and beside tables under other ciphers than one byte.
fn drop_strays(records: &mut Records, encoded: &mut Vec<Vec<u8>>, key: Option<u8>) {
    let Some(key) = key else { return };
    let is_sensible = |bytes: &[u8]| bytes.len() == 2 || xor::is_text(&xor::apply(bytes, key));
    let sensible = encoded.iter().filter(|bytes| is_sensible(bytes)).count();
    if sensible * 10 < encoded.len() * 9 {
        return;
    }
    let far = records.stride * FAR;
    loop {
        let mut cells: Vec<(Address, usize)> =
            records.records.iter().enumerate().map(|(at, record)| (record.cell, at)).collect();
        cells.sort_unstable();
        let ends = match cells.as_slice() {
            [first, second, .., before, last] => [(first, second), (last, before)],
            _ => return,
        };
        let stray = ends.into_iter().find(|((cell, at), (next, _))| {
            let makes_sense = encoded.get(*at).is_some_and(|bytes| is_sensible(bytes));
            cell.0.abs_diff(next.0) >= far && !makes_sense
        });
        let Some(((_, at), _)) = stray else { return };
        records.records.remove(*at);
        encoded.remove(*at);
    }
}

/// The key word of one-byte XOR, most significant byte first.
fn key_word_of<'a>(
    subject: &mut Subject<'a>,
    run: &Initialiser<'a>,
    records: &Records,
    placed: &Placed,
    key: u8,
) -> Option<Vec<u8>> {
    let word = placed.toggle().zip(records.records.first()).and_then(|(toggle, record)| {
        let id = placed.id_of(records, record);
        let encoded = (record.buffer, record.length);
        let read = key_word::find(subject, &run.trace.state, toggle, id, encoded, key);
        read.or_else(|| key_word::handed_to(subject, toggle, key))
    });
    let word = word.or_else(|| key_word::beside(subject, placed.base, placed.end, key));
    word.map(|word| word.to_be_bytes().to_vec())
}

/// Decodes every entry with the sample's own routine.
fn by_toggle<'a>(
    subject: &mut Subject<'a>,
    run: &Initialiser<'a>,
    records: &Records,
    placed: &Placed,
) -> Option<Outcome> {
    let toggle = placed.toggle()?.clone();
    let mut logs = Vec::new();
    let mut fills_permutation = false;
    let mut entries = Vec::new();
    for record in &records.records {
        let mut state = run.trace.state.clone();
        state.memory.start_read_log();
        let mut trace = toggle.routine.call(subject, state, placed.id_of(records, record));
        let reads = trace.state.memory.take_read_log();
        if logs.len() < LOOKED_AT {
            fills_permutation |= material::fills_permutation(&mut trace);
            logs.push(reads);
        }
        let mut before = run.trace.state.clone();
        entries.push(
            (trace.completed() && !trace.is_spent())
                .then(|| changed(&mut before, &mut trace, record))
                .flatten(),
        );
    }
    let samples: Vec<Sample> =
        entries.iter().flatten().filter_map(|decoded| decoded.sample.clone()).collect();
    if samples.is_empty() {
        return None;
    }
    let coding = recognise(subject, toggle.routine.function, &samples, &logs, fills_permutation);
    Some(Outcome { entries, coding, is_observed: true })
}

/// What a run made of an entry; `None` when it changed nothing: it may give up on a long text.
fn changed<'a>(before: &mut State<'a>, trace: &mut Trace<'a>, record: &Record) -> Option<Decoded> {
    let length = (record.length + MAX_PADDING) as usize;
    let bytes = |state: &mut State<'a>| state.memory.bytes(record.buffer, length);
    let (old, new) = (bytes(before)?, bytes(&mut trace.state)?);
    let extent = old.iter().zip(&new).rposition(|(old, new)| old != new)? + 1;
    let extent = extent.max(record.length as usize);
    let sample =
        Sample { encoded: old.get(..extent)?.to_vec(), decoded: new.get(..extent)?.to_vec() };
    let text = new.get(..record.length as usize)?.to_vec();
    Some(Decoded { sample: Some(sample), ..Decoded::of(text) })
}

/// The cipher of a routine that was run for several entries; `logs` are what it read for some.
pub(super) fn recognise(
    subject: &Subject<'_>,
    routine: Address,
    samples: &[Sample],
    logs: &[Vec<(Address, u32)>],
    writes_identity: bool,
) -> Coding {
    let seen = Seen { routine, samples, logs, fills_permutation: writes_identity };
    recognition::recognise(subject, &seen)
}

/// Entries under the one-byte key that their terminators speak for, where most make sense.
fn by_terminators(encoded: &[Vec<u8>], key: u8) -> Option<Outcome> {
    let texts: Vec<Vec<u8>> = encoded.iter().map(|bytes| xor::apply(bytes, key)).collect();
    let sensible = texts.iter().filter(|text| xor::is_text(text)).count();
    let is_it = key != 0 && sensible * 100 >= texts.len() * SENSIBLE_PERCENT;
    is_it.then(|| Outcome {
        entries: texts.into_iter().map(|text| Some(Decoded::of(text))).collect(),
        coding: Coding { effective_key: Some(key), ..Coding::of(Cipher::Xor) },
        is_observed: false,
    })
}

/// Shortest entry that is believed to be stored under another key, in bytes with its end: of shorter
/// ones that are no text, such as addresses, too many read as text under some key.
const MIN_STALE: usize = 6;

/// The other key under which an entry makes sense, when under the code's key it does not.
///
/// False positives: binary entries of that length or more that end in a byte under which all others
/// are text (one in 500 at random). False negatives: shorter texts.
fn stale_key(encoded: &[u8], decoded: &[u8]) -> Option<u8> {
    if encoded.len() < MIN_STALE || xor::is_text(decoded) {
        return None;
    }
    let key = *encoded.last()?;
    xor::is_text(&xor::apply(encoded, key)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::{FAR, drop_strays, stale_key};
    use crate::string_table::records::{Record, Records};
    use crate::xor;
    use miyaburi_image::Address;

    /// Records at these multiples of a stride of 8, with what they lead to.
    fn records(ids: &[u64]) -> Records {
        let record = |id: &u64| Record {
            cell: Address(0x1000 + 8 * id),
            buffer: Address(0),
            length: 6,
            stored_by: 0,
        };
        Records { stride: 8, pointer_offset: 0, records: ids.iter().map(record).collect() }
    }

    #[test]
    fn what_makes_no_sense_far_from_the_table_is_no_entry() {
        let ids: Vec<u64> = (FAR..FAR + 10).chain([0, 3 * FAR]).collect();
        let mut encoded = vec![xor::apply(b"shell\0", 0x22); 11];
        encoded.push(vec![1, 2, 3, 4, 5, 6]);
        let (mut found, mut left) = (records(&ids), encoded.clone());
        drop_strays(&mut found, &mut left, Some(0x22));
        assert_eq!(found.records.len(), 11, "the one that makes sense stays");
        assert_eq!(left.len(), 11);
        assert!(!found.records.iter().any(|record| record.cell == Address(0x1000 + 24 * FAR)));
        // The same among the others stays.
        let near: Vec<u64> = (0..12).collect();
        let mut found = records(&near);
        drop_strays(&mut found, &mut encoded, Some(0x22));
        assert_eq!(found.records.len(), 12);
    }

    #[test]
    fn an_entry_that_makes_sense_under_another_key_is_stale() {
        let encoded = xor::apply(b"Mozilla/5.0\0", 0x04);
        assert_eq!(stale_key(&encoded, &xor::apply(&encoded, 0x22)), Some(0x04));
        assert_eq!(stale_key(&encoded, &xor::apply(&encoded, 0x04)), None);
        // An address that reads as `@CB` under its last byte.
        let address = [65, 66, 67, 1];
        assert_eq!(stale_key(&address, &xor::apply(&address, 0x22)), None);
    }
}
