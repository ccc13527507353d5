//! Finds where the table begins, so that a record's place gives its id.

use crate::string_table::records::Records;
use crate::subject::{Convention, Subject};
use crate::trace::{ARGUMENTS, CallRecord, Trace};
use miyaburi_image::Address;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest calls that must agree on the base.
const MIN_AGREEING: usize = 3;

/// The bits of an argument that may be an id: ids are 16 bits wide at most.
const MAX_ARGUMENT: u64 = 0xffff;

/// Ids are below this.
const MAX_ID: u64 = 4096;

/// The address of the record with id 0 according to the calls that stored the records: the
/// argument that grows with the record's place is the id.
///
/// `None` when the adding routine was inlined. False positives would need another argument that
/// is in step with the record's address for every entry; the encoded strings' addresses are not,
/// because their lengths differ.
pub fn from_arguments(trace: &Trace<'_>, records: &Records) -> Option<Address> {
    let calls: Vec<(Address, &CallRecord)> = records
        .records
        .iter()
        .filter_map(|record| {
            let call = call_that_wrote(trace, record.stored_by)?;
            Some((record.cell, call))
        })
        .collect();
    if calls.len() < MIN_AGREEING || calls.len() < records.records.len() {
        return None;
    }
    let possible: Vec<(Address, Vec<u64>)> =
        calls.iter().map(|(cell, call)| (*cell, call.possible_arguments().collect())).collect();
    let places = possible.iter().map(|(_, arguments)| arguments.len()).min()?;
    let mut bases = (0..places).filter_map(|index| {
        let mut bases = possible.iter().map(|(cell, arguments)| {
            let id = arguments.get(index)? & MAX_ARGUMENT;
            cell.0.checked_sub(id.checked_mul(records.stride)?)
        });
        let first = bases.next()??;
        let distinct = possible.windows(2).any(|pair| match pair {
            [(_, one), (_, other)] => one.get(index) != other.get(index),
            _ => false,
        });
        (distinct && bases.all(|base| base == Some(first))).then_some(Address(first))
    });
    // A number that counts the calls may be in step with the id.
    let first = bases.next()?;
    bases.all(|base| base == first).then_some(first)
}

/// Most places in the file that hold the bytes of entries: dozens of times those of any table seen.
const MAX_PLACES: usize = 1 << 14;

/// Shortest entry whose bytes are looked for in the file.
const MIN_LENGTH: usize = 4;

/// Entries that must agree on the base.
const MIN_VOTES: usize = 5;

/// Share of the entries whose bytes are found that must agree, in percent.
const AGREEING_PERCENT: usize = 80;

/// How far from the pointer to an entry's bytes its id may stand in a constant record, in bytes.
const FIELDS_AROUND: i64 = 16;

/// Where a number stands that may be an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Column {
    /// It is this argument of a call that is handed the entry's bytes.
    Argument(usize),
    /// It is a number of so many bytes, so far from a constant pointer to the entry's bytes.
    Field(i64, u32),
}

/// The address of the record with id 0 according to what stands beside the addresses of the
/// entries' encoded bytes: in the arguments of calls, wherever they are made, or in constant
/// records. The number that is in step with the record's place for nearly all entries is the id.
///
/// False positives: a number that counts the entries in the order of their ids. False negatives:
/// records without ids, whose place alone is the id; tables of texts shorter than four bytes.
pub fn from_sources(
    subject: &Subject<'_>,
    records: &Records,
    encoded: &[Vec<u8>],
) -> Option<Address> {
    let sources = sources(subject, encoded);
    let mut votes: BTreeMap<(Column, u64), BTreeSet<usize>> = BTreeMap::new();
    let mut vote = |entry: usize, column: Column, number: u64| {
        let cell = records.records.get(entry).map(|record| record.cell.0);
        let base = cell.and_then(|cell| cell.checked_sub(number.checked_mul(records.stride)?));
        if let Some(base) = base {
            votes.entry((column, base)).or_default().insert(entry);
        }
    };
    let platform = Convention::default();
    for site in subject.program.call_sites() {
        let arguments: [Option<u64>; ARGUMENTS] = std::array::from_fn(|index| {
            subject.constant_argument(&platform, site.caller, site.address, index)
        });
        let entry = arguments.iter().flatten().find_map(|argument| sources.get(argument));
        let Some(entry) = entry else { continue };
        for (index, number) in arguments.iter().enumerate() {
            if let Some(number) = number.filter(|number| *number < MAX_ID) {
                vote(*entry, Column::Argument(index), number);
            }
        }
    }
    let pointer = subject.emulator.arch().pointer_size();
    for segment in subject.image.segments() {
        for offset in (0..segment.data.len() as u64).step_by(2) {
            let cell = segment.address.offset(offset);
            let Some(target) = subject.image.read_uint(cell, pointer) else { continue };
            let Some(entry) = sources.get(&target) else { continue };
            for width in [1, 2, 4] {
                for distance in -FIELDS_AROUND..FIELDS_AROUND {
                    let at = Address(cell.0.wrapping_add_signed(distance));
                    let number = subject.image.read_uint(at, width);
                    if let Some(number) = number.filter(|number| *number < MAX_ID) {
                        vote(*entry, Column::Field(distance, width), number);
                    }
                }
            }
        }
    }
    let found: BTreeSet<usize> = sources.values().copied().collect();
    let most = votes.values().map(BTreeSet::len).max()?;
    let mut leading = votes.into_iter().filter(|(_, voters)| voters.len() == most);
    let ((_, base), voters) = leading.next()?;
    if leading.any(|((_, other), _)| other != base) {
        return None;
    }
    let agreed = voters.len() >= MIN_VOTES && voters.len() * 100 >= found.len() * AGREEING_PERCENT;
    agreed.then_some(Address(base))
}

/// Where in the file the entries' encoded bytes stand, each place with the entry's number.
fn sources(subject: &Subject<'_>, encoded: &[Vec<u8>]) -> FxHashMap<u64, usize> {
    let mut by_start: FxHashMap<&[u8], Vec<usize>> = FxHashMap::default();
    for (number, bytes) in encoded.iter().enumerate() {
        // A byte that repeats is padding, too.
        let is_telling = |start: &&[u8]| start.windows(2).any(|pair| pair.first() != pair.last());
        if let Some(start) = bytes.get(..MIN_LENGTH).filter(is_telling) {
            by_start.entry(start).or_default().push(number);
        }
    }
    let mut sources = FxHashMap::default();
    for segment in subject.image.segments() {
        for (at, start) in segment.data.windows(MIN_LENGTH).enumerate() {
            let rest = segment.data.get(at..).unwrap_or(&[]);
            let numbers = by_start.get(start).into_iter().flatten();
            // Of entries that begin alike, the longest that fits.
            let number = numbers
                .filter(|number| encoded.get(**number).is_some_and(|it| rest.starts_with(it)))
                .max_by_key(|number| encoded.get(**number).map(Vec::len));
            sources.extend(number.map(|number| (segment.address.offset(at as u64).0, *number)));
            if sources.len() >= MAX_PLACES {
                return sources;
            }
        }
    }
    sources
}

/// The routine's own call during which write number `write` happened.
pub fn call_that_wrote<'t>(trace: &'t Trace<'_>, write: usize) -> Option<&'t CallRecord> {
    let after =
        trace.calls.partition_point(|record| record.before.writes_since(trace.start) <= write);
    let record = trace.calls.get(after.checked_sub(1)?)?;
    (write < record.after.writes_since(trace.start)).then_some(record)
}
