//! Entries that are decoded where they are used, for tables whose decoding was inlined.
//!
//! How it works: the functions that refer to the table are run with the table filled. Where one hands
//! an entry to another routine that leaves text there, that routine is given every entry
//! ([`templates`]). Otherwise what stands in an entry's memory once all of it was written over is
//! looked at: text is the entry decoded, as it is until it is encoded again. From entries that were
//! seen this way the cipher follows, or a key byte in each record, and from these the other entries.
//!
//! False positives: a function that writes another text of the same length over an entry, with a
//! cipher between the two on all entries seen. False negatives: functions that use entries behind
//! conditions that do not hold here, when fewer than three entries are used elsewhere; block ciphers
//! (these are not their own inverse, so such entries are not decoded in place).

use crate::cipher::{self, Cipher, Coding, Material, Sample};
use crate::initialisers::Initialiser;
use crate::material;
use crate::string_table::decoding::{Decoded, Outcome};
use crate::string_table::records::{Record, Records};
use crate::string_table::templates;
use crate::subject::Subject;
use crate::trace::{Policy, SystemCalls, Trace};
use crate::xor;
use miyaburi_emulator::{Limits, State};
use miyaburi_image::Address;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// Fewest entries that must be seen decoded before the others follow.
const MIN_SEEN: usize = 3;

/// Most functions that are run.
const MAX_USERS: usize = 32;

/// Arguments that functions are given.
const ARGUMENTS: usize = 4;

/// What a function may spend.
const LIMITS: Limits =
    Limits { instructions: 400_000, call_instructions: 100_000, ..Limits::DEFAULT };

/// What was seen so far: the texts by number of their record, and what was read on the way.
#[derive(Default)]
struct Seen {
    texts: BTreeMap<usize, Vec<u8>>,
    regions: Vec<(Address, Vec<u8>)>,
    users: Vec<Address>,
    fills_permutation: bool,
}

/// Decodes the entries by those that users of the table were seen to decode.
pub(super) fn decode<'a>(
    subject: &mut Subject<'a>,
    run: &Initialiser<'a>,
    records: &Records,
    encoded: &[Vec<u8>],
) -> Option<Outcome> {
    let mut filled = run.trace.state.clone();
    filled.memory.stop_journal();
    let mut seen = Seen::default();
    for user in users(subject, records, run.function) {
        if seen.texts.len() == encoded.len() || subject.budget.is_late() {
            break;
        }
        let (mut trace, reads) = run_user(subject, &filled, user);
        if let Some(template) = templates::find(subject, &mut trace, records, encoded)
            && let Some(outcome) = templates::decode(subject, &filled, &template, records, encoded)
        {
            return Some(outcome);
        }
        let texts = decoded_in(&mut trace, records, encoded);
        if texts.is_empty() {
            continue;
        }
        seen.fills_permutation |= material::fills_permutation(&mut trace);
        seen.users.push(user);
        seen.regions.extend(material::common_regions(subject.image, &[reads]));
        for (number, text) in texts {
            seen.texts.entry(number).or_insert(text);
        }
    }
    if seen.texts.len() < MIN_SEEN {
        return None;
    }
    outcome(subject, &mut filled, records, encoded, seen)
}

/// The functions that refer to records, the small ones first, without the one that fills them.
fn users(subject: &Subject<'_>, records: &Records, filler: Address) -> Vec<Address> {
    let cells = || records.records.iter().map(|record| record.cell);
    let (Some(first), Some(last)) = (cells().min(), cells().max()) else { return Vec::new() };
    let start = Address(first.0.saturating_sub(records.pointer_offset));
    let references = subject.program.references().to(start, last.offset(records.stride));
    let mut seen = FxHashSet::default();
    let functions = references
        .iter()
        .filter_map(|reference| subject.program.function_containing(reference.from))
        .filter(|function| seen.insert(*function))
        .filter_map(|function| subject.program.function(function));
    let mut functions: Vec<_> = functions.filter(|function| function.entry != filler).collect();
    functions.sort_by_key(|function| (function.instruction_count(), function.entry));
    functions.into_iter().take(MAX_USERS).map(|function| function.entry).collect()
}

/// Runs a function with the table filled: with its trace, what it read.
fn run_user<'a>(
    subject: &mut Subject<'a>,
    filled: &State<'a>,
    user: Address,
) -> (Trace<'a>, Vec<(Address, u32)>) {
    let layout = *subject.emulator.layout();
    let mut state = filled.clone();
    state.memory.start_read_log();
    let arguments: Vec<u64> = (0..ARGUMENTS).map(|_| layout.fresh_block(&mut state).0).collect();
    let policy = Policy { system_calls: SystemCalls::ReturnZero, limits: LIMITS };
    let mut trace = subject.attempt(|subject| subject.run(state, user, &arguments, &policy));
    let reads = trace.state.memory.take_read_log();
    (trace, reads)
}

/// The texts that stood in entries' memory once all of it had been written over.
fn decoded_in(
    trace: &mut Trace<'_>,
    records: &Records,
    encoded: &[Vec<u8>],
) -> Vec<(usize, Vec<u8>)> {
    let mut moments: Vec<(usize, usize)> = written_over(trace, records)
        .into_iter()
        .enumerate()
        .filter_map(|(number, moment)| Some((moment?, number)))
        .collect();
    moments.sort_unstable();
    let mut memory = trace.state.memory.clone();
    let mut found = Vec::new();
    // Memory only goes back.
    for (moment, number) in moments.into_iter().rev() {
        memory.roll_back(trace.start.behind(moment));
        let Some(record) = records.records.get(number) else { continue };
        let text = memory.bytes(record.buffer, record.length as usize);
        let is_other = |text: &Vec<u8>| encoded.get(number) != Some(text);
        found.extend(text.filter(is_other).filter(|it| xor::is_text(it)).map(|it| (number, it)));
    }
    found
}

/// For each record, after how many writes every byte of its entry had been written for the first
/// time, before one was written again.
fn written_over(trace: &Trace<'_>, records: &Records) -> Vec<Option<usize>> {
    let by_buffer: BTreeMap<Address, usize> =
        (0..).zip(&records.records).map(|(number, record)| (record.buffer, number)).collect();
    let mut passes: Vec<Pass> = records.records.iter().map(Pass::over).collect();
    for (moment, (address, size)) in trace.writes().enumerate() {
        let Some((_, number)) = by_buffer.range(..=address).next_back() else { continue };
        if let Some(pass) = passes.get_mut(*number) {
            pass.write(moment, address, size);
        }
    }
    passes.into_iter().map(|pass| pass.whole).collect()
}

/// How far an entry's memory was written over.
struct Pass {
    buffer: Address,
    is_written: Vec<bool>,
    left: usize,
    last: Option<Address>,
    /// After how many writes the first pass was over; the last bytes may be written several times.
    whole: Option<usize>,
    is_over: bool,
}

impl Pass {
    fn over(record: &Record) -> Self {
        let length = record.length as usize;
        Self {
            buffer: record.buffer,
            is_written: vec![false; length],
            left: length,
            last: None,
            whole: None,
            is_over: false,
        }
    }

    fn write(&mut self, moment: usize, address: Address, size: u32) {
        let offset = address.0.wrapping_sub(self.buffer.0) as usize;
        if self.is_over || offset >= self.is_written.len() {
            return;
        }
        let is_again = self.is_written.get(offset) == Some(&true) && self.last != Some(address);
        if is_again && self.left == 0 {
            self.is_over = true;
            return;
        }
        if is_again {
            self.is_written.fill(false);
            self.left = self.is_written.len();
        }
        for written in self.is_written.iter_mut().skip(offset).take(size as usize) {
            self.left -= usize::from(!*written);
            *written = true;
        }
        self.last = Some(address);
        if self.left == 0 {
            self.whole = Some(moment + 1);
        }
    }
}

/// All entries: those seen, and the others by the cipher between stored bytes and texts.
fn outcome(
    subject: &Subject<'_>,
    filled: &mut State<'_>,
    records: &Records,
    encoded: &[Vec<u8>],
    seen: Seen,
) -> Option<Outcome> {
    let samples: Vec<Sample> = seen
        .texts
        .iter()
        .filter_map(|(number, text)| {
            Some(Sample { encoded: encoded.get(*number)?.clone(), decoded: text.clone() })
        })
        .collect();
    let mut regions = seen.regions;
    let mut constants = Vec::new();
    for user in &seen.users {
        regions.extend(material::read_below(subject, *user));
        constants.extend(material::constants(subject, *user));
    }
    let material = Material {
        regions: &regions,
        reads: &[],
        constants: &constants,
        writes_identity: seen.fills_permutation,
        endian: subject.emulator.arch().endian,
    };
    let coding = cipher::recognise(&samples, &material);
    let key_field = own_key_field(filled, records, encoded, &seen.texts, &coding);
    let mut text_of = |number: usize, stored: &Vec<u8>| {
        if let Some(text) = seen.texts.get(&number) {
            return Some(text.clone());
        }
        match key_field {
            Some(field) => {
                let record = records.records.get(number)?;
                Some(xor::apply(stored, field.of(filled, record)?))
            }
            None => cipher::decode(&coding, &samples, stored),
        }
    };
    let entries =
        encoded.iter().enumerate().map(|(number, stored)| text_of(number, stored).map(Decoded::of));
    let entries = entries.collect();
    Some(Outcome { entries, coding, is_observed: true })
}

/// Where in a record its own key byte stands, relative to the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeyField(i64);

impl KeyField {
    fn of(self, filled: &mut State<'_>, record: &Record) -> Option<u8> {
        let at = Address(record.cell.0.wrapping_add_signed(self.0));
        filled.memory.load(at, 1).ok().map(|key| key as u8)
    }
}

/// The place in each record of the byte with which its entry is decoded, when entries differ in it.
fn own_key_field(
    filled: &mut State<'_>,
    records: &Records,
    encoded: &[Vec<u8>],
    texts: &BTreeMap<usize, Vec<u8>>,
    coding: &Coding,
) -> Option<KeyField> {
    if coding.cipher != Cipher::Xor || coding.effective_key.is_some() {
        return None;
    }
    let keys: Option<Vec<(&Record, u8)>> = texts
        .iter()
        .map(|(number, text)| {
            let key = xor::key_between(encoded.get(*number)?, text)?;
            Some((records.records.get(*number)?, key))
        })
        .collect();
    let keys = keys?;
    let stride = records.stride as i64;
    let mut fields = (1 - stride..stride)
        .map(KeyField)
        .filter(|field| keys.iter().all(|(record, key)| field.of(filled, record) == Some(*key)));
    fields.next()
}

#[cfg(test)]
mod tests {
    use super::Pass;
    use crate::string_table::records::Record;
    use miyaburi_image::Address;

    fn pass(writes: &[(u64, u32)]) -> Option<usize> {
        let record = Record { cell: Address(0), buffer: Address(0x100), length: 4, stored_by: 0 };
        let mut pass = Pass::over(&record);
        for (moment, (offset, size)) in writes.iter().enumerate() {
            pass.write(moment, Address(0x100 + offset), *size);
        }
        pass.whole
    }

    #[test]
    fn an_entry_is_decoded_between_two_passes() {
        assert_eq!(pass(&[(0, 1), (1, 1), (2, 1)]), None);
        assert_eq!(pass(&[(0, 1), (1, 1), (2, 1), (3, 1), (0, 1)]), Some(4));
        // Four bytes of a key, one after the other on each byte of the text.
        assert_eq!(pass(&[(0, 2), (0, 2), (2, 2), (2, 2), (0, 2), (2, 2)]), Some(4));
        assert_eq!(pass(&[(3, 1), (2, 1), (1, 1), (0, 1), (3, 1)]), Some(4));
        // The memory was begun anew.
        assert_eq!(pass(&[(0, 2), (0, 2), (1, 1), (0, 4)]), Some(4));
    }
}
