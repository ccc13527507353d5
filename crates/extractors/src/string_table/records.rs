//! Finds the table in the memory that an initialising routine left behind.
//!
//! Works on effects, not on instructions: whatever the compiler inlined, the routine leaves
//! records in writable memory, each with a pointer to bytes it has written and the number of
//! those bytes, at a constant distance from each other.
//!
//! False positives: any other array of `{pointer, length}` records that a routine fills with five
//! or more different buffers, such as a benign program's string vector; that alone is therefore
//! never reported as a configuration. False negatives: tables of fewer than five entries, records
//! that hold no length, and records within 64 bytes of their buffers.

use crate::written::WrittenRanges;
use miyaburi_emulator::{Layout, Memory};
use miyaburi_image::{Address, Arch};
use rustc_hash::{FxHashMap, FxHashSet};

/// Fewest entries that make a table.
const MIN_ENTRIES: usize = 5;

/// Widest record considered, in bytes.
const MAX_STRIDE: u64 = 64;

/// Most ids a table may span.
const MAX_SPAN: u64 = 4096;

/// Longest entry considered, in bytes.
const MAX_LENGTH: u64 = 4096;

/// One record of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where the record's pointer is stored.
    pub cell: Address,
    /// Where its bytes are.
    pub buffer: Address,
    /// How many there are.
    pub length: u64,
    /// Index of the write that stored the pointer, among the run's writes.
    pub stored_by: usize,
}

/// The table as it lies in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// Distance from record to record, in bytes.
    pub stride: u64,
    /// Where in a record its pointer stands, in bytes.
    pub pointer_offset: u64,
    /// In the order in which the code stored the pointers.
    pub records: Vec<Record>,
}

/// A pointer that the run stored, and how many bytes were written where it points.
#[derive(Clone, Copy)]
struct Cell {
    stored_by: usize,
    address: u64,
    buffer: u64,
    written: u64,
}

/// Finds the largest family of records among what a run wrote.
///
/// `writes` are the run's writes in order; `memory` is as the run left it; records are looked for
/// where `may_hold_records` allows.
pub fn find(
    arch: Arch,
    layout: &Layout,
    memory: &mut Memory<'_>,
    writes: &[(Address, u32)],
    may_hold_records: &dyn Fn(Address) -> bool,
) -> Option<Records> {
    let ranges = WrittenRanges::new(writes.iter().copied());
    let mut cells = pointer_cells(arch, layout, memory, writes, &ranges);
    cells.retain(|cell| may_hold_records(Address(cell.address)));
    let pointer = u64::from(arch.pointer_size());
    let mut fitting: FxHashMap<(i64, u32), Vec<Record>> = FxHashMap::default();
    let mut best: Option<(Records, (usize, usize))> = None;
    for stride in (pointer + 1..=MAX_STRIDE).filter(|stride| stride % 2 == 0) {
        for offset in length_offsets(stride, pointer) {
            for size in [2, 4, 8, 1] {
                let fitting = fitting
                    .entry((offset, size))
                    .or_insert_with(|| with_length(memory, &cells, offset, size));
                // Too few to be a larger family, or any.
                let fewest = best.as_ref().map_or(MIN_ENTRIES, |(_, rank)| rank.0);
                if fitting.len() < fewest {
                    continue;
                }
                let Some(found) = largest_family(fitting, stride) else { continue };
                // A length that says exactly how much was written is no coincidence.
                let exact = found
                    .iter()
                    .filter(|record| ranges.length_from(record.buffer) == record.length)
                    .count();
                let rank = (found.len(), exact);
                if best.as_ref().is_none_or(|(_, best)| rank > *best) {
                    best = Some((Records { stride, pointer_offset: 0, records: found }, rank));
                }
            }
        }
    }
    let mut records = with_widest_stride(best?.0);
    let written = writes.iter().map(|(address, _)| address.0).collect();
    records.pointer_offset = pointer_offset(&records, &written, pointer);
    Some(records)
}

/// How far before their pointers records begin: where the run has written a member before each of
/// them, and none as far before the pointer that would come next. In a row of records that begin
/// with their pointers, the last member of one stands as far before the next one's pointer.
///
/// False negatives: members that the run does not write.
fn pointer_offset(records: &Records, written: &FxHashSet<u64>, pointer: u64) -> u64 {
    let all_written = |distance: u64, ahead: u64| {
        let before = |record: &Record| record.cell.0.checked_add(ahead)?.checked_sub(distance);
        records.records.iter().all(|it| before(it).is_some_and(|at| written.contains(&at)))
    };
    (1..=records.stride.saturating_sub(pointer))
        .rev()
        .find(|distance| all_written(*distance, 0) && !all_written(*distance, records.stride))
        .unwrap_or(0)
}

/// The same records, as far apart as they can be: what fits at a distance of 6 bytes fits at 12,
/// too, when no record lies between.
///
/// A table all of whose ids are multiples of one number would be given ids divided by it; the
/// routines that use it then do not agree with its records.
fn with_widest_stride(mut records: Records) -> Records {
    let Some(first) = records.records.first().map(|record| record.cell) else { return records };
    let distances = records.records.iter().map(|record| record.cell.0.abs_diff(first.0));
    let widest = distances.fold(0, greatest_common_divisor);
    if (records.stride..=MAX_STRIDE).contains(&widest) {
        records.stride = widest;
    }
    records
}

const fn greatest_common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Where a length may stand relative to the pointer: behind it, or before it.
fn length_offsets(stride: u64, pointer: u64) -> impl Iterator<Item = i64> {
    let behind = (pointer as i64..stride as i64).take(8);
    let before = [-2_i64, -4, -6, -8]
        .into_iter()
        .filter(move |offset| -offset + pointer as i64 <= stride as i64);
    behind.chain(before)
}

/// Pointers stored outside the stack that lead to written bytes, in the order of the last store to
/// each place: memory that was freed is given out again. Those to their own surroundings are links
/// of lists, such as the empty bins of an allocator.
fn pointer_cells(
    arch: Arch,
    layout: &Layout,
    memory: &mut Memory<'_>,
    writes: &[(Address, u32)],
    ranges: &WrittenRanges,
) -> Vec<Cell> {
    let pointer = arch.pointer_size();
    let mut seen = FxHashSet::default();
    let mut cells = Vec::new();
    for (stored_by, (address, size)) in writes.iter().enumerate().rev() {
        if *size != pointer || layout.is_stack(*address) || !seen.insert(address.0) {
            continue;
        }
        let Ok(buffer) = memory.load(*address, pointer) else { continue };
        let written = ranges.length_from(Address(buffer));
        let is_link = buffer.abs_diff(address.0) < MAX_STRIDE;
        if written > 0 && !is_link && !layout.is_stack(Address(buffer)) {
            cells.push(Cell { stored_by, address: address.0, buffer, written });
        }
    }
    cells.reverse();
    cells
}

/// The cells beside which a plausible length is stored: no more than was written.
fn with_length(memory: &mut Memory<'_>, cells: &[Cell], offset: i64, size: u32) -> Vec<Record> {
    cells
        .iter()
        .filter_map(|cell| {
            let at = Address(cell.address.wrapping_add_signed(offset));
            let length = memory.load(at, size).ok()?;
            let plausible = length > 0 && length <= cell.written.min(MAX_LENGTH);
            plausible.then_some(Record {
                cell: Address(cell.address),
                buffer: Address(cell.buffer),
                length,
                stored_by: cell.stored_by,
            })
        })
        .collect()
}

/// The largest set of records whose cells lie whole strides apart, with a buffer each.
fn largest_family(records: &[Record], stride: u64) -> Option<Vec<Record>> {
    let mut best: Vec<Record> = Vec::new();
    let mut residues: Vec<u64> = records.iter().map(|record| record.cell.0 % stride).collect();
    residues.sort_unstable();
    residues.dedup();
    for residue in residues {
        let family: Vec<Record> =
            records.iter().filter(|record| record.cell.0 % stride == residue).cloned().collect();
        let family = densest_run(family, stride);
        if family.len() > best.len() && have_own_buffers(&family) {
            best = family;
        }
    }
    (best.len() >= MIN_ENTRIES).then_some(best)
}

/// Drops records that lie too far from the others to be of the same array.
fn densest_run(family: Vec<Record>, stride: u64) -> Vec<Record> {
    let mut addresses: Vec<u64> = family.iter().map(|record| record.cell.0).collect();
    addresses.sort_unstable();
    let mut best = (0, 0);
    let mut first = 0;
    for last in 0..addresses.len() {
        let gap_too_wide = last > first && addresses[last] - addresses[last - 1] > stride * 256;
        if gap_too_wide {
            first = last;
        }
        while addresses[last] - addresses[first] > stride * MAX_SPAN {
            first += 1;
        }
        if last + 1 - first > best.1 - best.0 {
            best = (first, last + 1);
        }
    }
    let Some(run) = addresses.get(best.0..best.1) else { return Vec::new() };
    let (Some(low), Some(high)) = (run.first(), run.last()) else { return Vec::new() };
    family.into_iter().filter(|record| (*low..=*high).contains(&record.cell.0)).collect()
}

/// Entries do not share buffers, and buffers do not overlap.
fn have_own_buffers(family: &[Record]) -> bool {
    let mut spans: Vec<(u64, u64)> =
        family.iter().map(|record| (record.buffer.0, record.buffer.0 + record.length)).collect();
    spans.sort_unstable();
    spans.windows(2).all(|pair| match pair {
        [first, second] => first.1 <= second.0,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(stride: u64, cells: &[u64]) -> Records {
        let record = |cell: &u64| Record {
            cell: Address(*cell),
            buffer: Address(0),
            length: 1,
            stored_by: 0,
        };
        Records { stride, pointer_offset: 0, records: cells.iter().map(record).collect() }
    }

    #[test]
    fn records_are_as_far_apart_as_they_can_be() {
        assert_eq!(with_widest_stride(records(6, &[112, 100, 136])).stride, 12);
        assert_eq!(with_widest_stride(records(8, &[100, 108, 132])).stride, 8);
    }

    #[test]
    fn a_stride_wider_than_any_record_is_not_taken() {
        assert_eq!(with_widest_stride(records(8, &[0, 800, 1600])).stride, 8);
    }

    #[test]
    fn records_begin_with_the_member_that_is_written_before_each_pointer() {
        let rows = records(8, &[0x104, 0x10c, 0x114]);
        let leading: FxHashSet<u64> = [0x100, 0x108, 0x110].into_iter().collect();
        assert_eq!(pointer_offset(&rows, &leading, 4), 4);
        let trailing: FxHashSet<u64> = [0x108, 0x110, 0x118].into_iter().collect();
        assert_eq!(pointer_offset(&rows, &trailing, 4), 0);
        // Another variable, written right before the first record.
        let beside: FxHashSet<u64> = [0x100, 0x108, 0x110, 0x118].into_iter().collect();
        assert_eq!(pointer_offset(&rows, &beside, 4), 0);
    }
}
