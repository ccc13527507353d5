//! Entries that the routine which adds them decodes.
//!
//! How it works: they are text where they are kept, and not in the file. What they were made of is
//! what the adding calls were handed, or, where adding was inlined, what the routine reads for the
//! first time before it stores each record ([`in_turn`]): stretches as long as the texts, in the same
//! order. These tell the cipher; the texts count without it.
//!
//! False positives: a table of texts that a routine puts together from pieces. False negatives:
//! tables of which a quarter of the texts stand in the file for another reason.

use crate::cipher::{self, Cipher, Coding, Material, Sample};
use crate::initialisers::{self, Initialiser};
use crate::material;
use crate::string_table::decoding::{Decoded, MAX_PADDING, Outcome};
use crate::string_table::records::Records;
use crate::string_table::{SENSIBLE_PERCENT, base};
use crate::subject::Subject;
use crate::trace::CallRecord;
use crate::{stored, xor};
use miyaburi_image::Address;
use std::collections::BTreeMap;

/// Fewest entries whose sources show.
const MIN_SOURCES: usize = 5;

/// Shortest text that is looked for by its length.
const MIN_LENGTH: usize = 5;

/// Most stretches of bytes that were read, and most texts, that are looked at.
const MAX_STRETCHES: usize = 2048;
const MAX_TEXTS: usize = 128;

/// Shortest texts whose sources are told by their lengths, tried in this order: of shorter ones some
/// are as long as other things that are read.
const SHORTEST: [usize; 3] = [MIN_LENGTH, 12, 24];

/// Bytes of a box that may not be read, one behind the other.
const MAX_HOLE: usize = 32;

/// Bytes that make a box, holes included.
const MIN_BOX: usize = 160;

/// A stretch of bytes that were read one behind the other.
type Stretch = (Address, usize);

/// Entries as they are kept, when they were decoded for that.
pub(super) fn when_added(
    subject: &mut Subject<'_>,
    run: &mut Initialiser<'_>,
    records: &Records,
    kept: &[Vec<u8>],
) -> Option<Outcome> {
    if !are_made(subject, kept) {
        return None;
    }
    let (coding, sources) = match handed(subject, run, records, kept) {
        Some((handed, routine)) => {
            let samples: Vec<Sample> = handed.values().cloned().collect();
            let is_plain = |sample: &&Sample| sample.encoded.starts_with(&sample.decoded);
            if samples.iter().filter(is_plain).count() * 2 > samples.len() {
                return None;
            }
            let fills_permutation = material::fills_permutation(&mut run.trace);
            let shown = Shown { routine, samples: &samples, fills_permutation };
            let coding = recognise(subject, &shown, Vec::new(), &[]);
            let coding = match coding.key {
                Some(_) => coding,
                None => {
                    let (_, stretches, reads) = read_by(subject, run.function);
                    let regions = regions(subject, &stretches, &samples);
                    let other = recognise(subject, &shown, regions, &reads);
                    if other.cipher == Cipher::Unknown { coding } else { other }
                }
            };
            (coding, handed)
        }
        None => by_reading(subject, run.function, kept),
    };
    let entry = |(number, text): (usize, &Vec<u8>)| {
        let source = sources.get(&number).and_then(|source| source.encoded.get(..text.len()));
        Some(Decoded { made_of: source.map(<[u8]>::to_vec), ..Decoded::of(text.clone()) })
    };
    let entries = kept.iter().enumerate().map(entry).collect();
    Some(Outcome { entries, coding, is_observed: true })
}

/// Whether what is kept makes sense, and does not stand in the file.
pub(super) fn are_made(subject: &Subject<'_>, kept: &[Vec<u8>]) -> bool {
    let sensible = kept.iter().filter(|text| xor::is_text(text)).count();
    if sensible * 100 < kept.len() * SENSIBLE_PERCENT {
        return false;
    }
    let texts = kept.iter().map(|text| text.strip_suffix(&[0]).unwrap_or(text));
    let told: Vec<&[u8]> = texts.filter(|text| text.len() >= MIN_LENGTH).collect();
    let plain = stored::standing(subject.image, &told).len();
    !told.is_empty() && plain * 4 < told.len()
}

/// What is known of the decoding.
struct Shown<'s> {
    /// The routine that does it.
    routine: Address,
    samples: &'s [Sample],
    fills_permutation: bool,
}

fn recognise(
    subject: &Subject<'_>,
    shown: &Shown<'_>,
    mut regions: Vec<(Address, Vec<u8>)>,
    reads: &[(Address, u32)],
) -> Coding {
    regions.extend(material::read_below(subject, shown.routine));
    let constants = material::constants(subject, shown.routine);
    let material = Material {
        regions: &regions,
        reads,
        constants: &constants,
        writes_identity: shown.fills_permutation,
        endian: subject.emulator.arch().endian,
    };
    cipher::recognise(shown.samples, &material)
}

/// The bytes of the file from which each entry was made, by its number: those whose address a call was handed that
/// wrote the entry or its record, with the routine that most of these call. `None` when too few calls
/// tell.
fn handed(
    subject: &Subject<'_>,
    run: &Initialiser<'_>,
    records: &Records,
    kept: &[Vec<u8>],
) -> Option<(BTreeMap<usize, Sample>, Address)> {
    let mut samples = BTreeMap::new();
    let mut routines: BTreeMap<Address, usize> = BTreeMap::new();
    for (number, (record, text)) in records.records.iter().zip(kept).enumerate() {
        let calls = run.trace.calls.iter();
        let hands = |call: &&CallRecord| call.possible_arguments().any(|it| it == record.buffer.0);
        let call = base::call_that_wrote(&run.trace, record.stored_by);
        let source = call.into_iter().chain(calls.filter(hands)).find_map(|call| {
            call.possible_arguments().find_map(|argument| {
                let at = Address(argument);
                let is_data = subject.image.is_mapped(at)
                    && !subject.image.is_writable(at)
                    && subject.program.function_at(at).is_none();
                let length = text.len().next_multiple_of(MAX_PADDING as usize) as u64;
                let read = |length| subject.image.read(at, length).map(|it| it.into_owned());
                let encoded = is_data.then(|| read(length).or_else(|| read(text.len() as u64)));
                Some((encoded.flatten()?, call.call.callee))
            })
        });
        if let Some((encoded, routine)) = source {
            *routines.entry(routine).or_default() += 1;
            samples.insert(number, Sample { encoded, decoded: text.clone() });
        }
    }
    let (routine, _) = routines.into_iter().max_by_key(|(_, count)| *count)?;
    (samples.len() * 100 >= kept.len() * SENSIBLE_PERCENT).then_some((samples, routine))
}

/// The cipher, by what the routine reads before it stores each entry, and where it is recognised, the
/// bytes that entries were made of, by their numbers.
fn by_reading(
    subject: &mut Subject<'_>,
    function: Address,
    kept: &[Vec<u8>],
) -> (Coding, BTreeMap<usize, Sample>) {
    let (mut run, stretches, reads) = read_by(subject, function);
    let fills_permutation = material::fills_permutation(&mut run.trace);
    for shortest in SHORTEST {
        let texts: Vec<&[u8]> =
            kept.iter().map(Vec::as_slice).filter(|text| text.len() >= shortest).collect();
        let sources = in_turn(&stretches, &texts);
        if sources.len() < MIN_SOURCES {
            continue;
        }
        let samples: Vec<Sample> = sources
            .iter()
            .filter_map(|((start, length), text)| {
                let encoded = subject.image.read(*start, *length as u64)?.into_owned();
                Some(Sample { encoded, decoded: text.to_vec() })
            })
            .collect();
        let regions = regions(subject, &stretches, &samples);
        let shown = Shown { routine: function, samples: &samples, fills_permutation };
        let coding = recognise(subject, &shown, regions, &reads);
        if coding.cipher != Cipher::Unknown {
            let number = |sample: &Sample| kept.iter().position(|text| *text == sample.decoded);
            let sources = samples.into_iter().filter_map(|it| Some((number(&it)?, it))).collect();
            return (coding, sources);
        }
    }
    (Coding::of(Cipher::Unknown), BTreeMap::new())
}

/// Runs a routine once more, with the stretches of data that it reads, and what it reads in order.
fn read_by<'a>(
    subject: &mut Subject<'a>,
    function: Address,
) -> (Initialiser<'a>, Vec<Stretch>, Vec<(Address, u32)>) {
    let (run, reads) = initialisers::run_reading(subject, function);
    let reads: Vec<(Address, u32)> = reads
        .into_iter()
        .filter(|(at, _)| subject.image.is_mapped(*at))
        .filter(|(at, _)| subject.program.function_containing(*at).is_none())
        .collect();
    (run, stretches(&reads), reads)
}

/// What stretches hold that are no samples' encoded bytes; then the whole of what was read here and
/// there, as boxes are.
fn regions(
    subject: &Subject<'_>,
    stretches: &[Stretch],
    samples: &[Sample],
) -> Vec<(Address, Vec<u8>)> {
    let bytes = |(start, length): Stretch| {
        Some((start, subject.image.read(start, length as u64)?.into_owned()))
    };
    let is_source = |bytes: &[u8]| samples.iter().any(|sample| sample.encoded.starts_with(bytes));
    let mut sorted = stretches.to_vec();
    sorted.sort_unstable();
    let mut joined: Vec<Stretch> = Vec::new();
    for (start, length) in sorted {
        match joined.last_mut() {
            Some((first, whole)) if start.0 - first.0 <= (*whole + MAX_HOLE) as u64 => {
                *whole = (start.0 - first.0) as usize + length;
            }
            _ => joined.push((start, length)),
        }
    }
    let boxes = joined.into_iter().filter(|(_, length)| *length >= MIN_BOX);
    let widened = boxes.map(|(start, length)| {
        (Address(start.0.saturating_sub(MAX_HOLE as u64)), length + 2 * MAX_HOLE)
    });
    let exact = stretches.iter().copied().filter_map(bytes).filter(|(_, it)| !is_source(it));
    exact.chain(widened.filter_map(bytes)).collect()
}

/// The stretches of bytes that are read, in the order in which each was read first.
fn stretches(reads: &[(Address, u32)]) -> Vec<Stretch> {
    let mut first: BTreeMap<Address, usize> = BTreeMap::new();
    for (time, (at, size)) in reads.iter().enumerate() {
        for byte in (0..u64::from(*size)).map(|it| at.offset(it)) {
            first.entry(byte).or_insert(time);
        }
    }
    let mut found: Vec<(usize, Stretch)> = Vec::new();
    for (byte, time) in first {
        match found.last_mut() {
            Some((first, (start, length))) if start.offset(*length as u64) == byte => {
                *length += 1;
                *first = time.min(*first);
            }
            _ => found.push((time, (byte, 1))),
        }
    }
    found.sort_unstable();
    found.truncate(MAX_STRETCHES);
    found.into_iter().map(|(_, stretch)| stretch).collect()
}

/// How long the encoded form of a text may be.
const LENGTHS: [fn(usize) -> usize; 6] = [
    |length| length,
    |length| length - 1,
    |length| length.next_multiple_of(8),
    |length| length.next_multiple_of(16),
    |length| 2 * length,
    |length| 2 * (length - 1),
];

/// Most texts in the same order as stretches that are as long as their encoded forms.
fn in_turn<'t>(stretches: &[Stretch], texts: &[&'t [u8]]) -> Vec<(Stretch, &'t [u8])> {
    let texts = texts.get(..MAX_TEXTS).unwrap_or(texts);
    let found = LENGTHS.iter().map(|encoded| {
        let wanted: Vec<usize> = texts.iter().map(|text| encoded(text.len().max(1))).collect();
        let lengths: Vec<usize> = stretches.iter().map(|(_, length)| *length).collect();
        longest_common(&wanted, &lengths)
    });
    // Of several ways, the first.
    let found = found.rev().max_by_key(Vec::len).unwrap_or_default();
    let pair =
        |(text, stretch): (usize, usize)| Some((*stretches.get(stretch)?, *texts.get(text)?));
    found.into_iter().filter_map(pair).collect()
}

/// The places of the longest sequence of numbers that both have in this order.
fn longest_common(one: &[usize], other: &[usize]) -> Vec<(usize, usize)> {
    let width = other.len() + 1;
    let mut longest = vec![0_u32; (one.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    for row in (0..one.len()).rev() {
        for column in (0..other.len()).rev() {
            longest[at(row, column)] = match one[row] == other[column] {
                true => longest[at(row + 1, column + 1)] + 1,
                false => longest[at(row + 1, column)].max(longest[at(row, column + 1)]),
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut found = Vec::new();
    while row < one.len() && column < other.len() {
        if one[row] == other[column] {
            found.push((row, column));
            (row, column) = (row + 1, column + 1);
        } else if longest[at(row + 1, column)] >= longest[at(row, column + 1)] {
            row += 1;
        } else {
            column += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{in_turn, longest_common, stretches};
    use miyaburi_image::Address;

    #[test]
    fn stretches_are_told_apart_whatever_is_read_in_between() {
        let text = |at: u64| (Address(0x100 + (at ^ 1)), 1);
        let key = |at: u64| (Address(0x200 + at % 3), 1);
        let reads: Vec<(Address, u32)> = (0..8).flat_map(|at| [text(at), key(at)]).collect();
        assert_eq!(stretches(&reads), [(Address(0x100), 8), (Address(0x200), 3)]);
    }

    #[test]
    fn texts_are_made_of_stretches_of_their_length_in_their_order() {
        let stretch = |number: u64, length| (Address(0x100 * number), length);
        let read = [stretch(1, 6), stretch(2, 99), stretch(3, 9), stretch(4, 7)];
        let texts: [&[u8]; 4] = [b"abcde\0", b"other", b"abcdefgh\0", b"abcdef\0"];
        let found: Vec<_> = in_turn(&read, &texts).into_iter().map(|(it, _)| it.0.0).collect();
        assert_eq!(found, [0x100, 0x300, 0x400]);
        assert_eq!(longest_common(&[1, 2, 3], &[3, 2, 1]).len(), 1);
        assert_eq!(longest_common(&[], &[3]), []);
    }
}
