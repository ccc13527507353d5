//! Constant arrays of records that hold a pointer to stored bytes and how many these are.
//!
//! How it works: pointers into the file's data that stand whole records apart, with nothing but
//! zeros where one is left out, are an array; of the numbers beside them the one is the length under
//! which no stretch of bytes reaches into the next.
//!
//! False positives: any other array of pointers with such numbers, such as a program's options; what
//! is done with the bytes decides. False negatives: arrays of fewer than eight records, or with other
//! pointers in them; records that are wider than four pointers.

use crate::subject::Subject;
use miyaburi_image::Address;

/// Fewest records.
const MIN_RECORDS: usize = 8;

/// Most records.
const MAX_RECORDS: usize = 4096;

/// Most records that may be left out one after the other.
const MAX_LEFT_OUT: u64 = 16;

/// Most bytes of one entry.
const MAX_LENGTH: u64 = 1024;

/// Pointers stand at multiples of this, in bytes: on m68k of no more.
const ALIGNMENT: u64 = 2;

/// Most arrays that are given.
const MAX_ARRAYS: usize = 3;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Its number in the array.
    pub(super) id: u64,
    /// Where its pointer stands.
    pub(super) cell: Address,
    /// Where its bytes are, and how many.
    pub(super) source: Address,
    pub(super) length: u64,
}

/// An array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Array {
    /// Where the pointer of the record with id 0 stands.
    pub(super) base: Address,
    /// Whether code refers to that record.
    pub(super) base_is_certain: bool,
    /// Distance between records, in bytes.
    pub(super) stride: u64,
    /// Where in a record its pointer stands, in bytes.
    pub(super) pointer_offset: u64,
    /// In the order of ids.
    pub(super) records: Vec<Record>,
}

/// The largest arrays of the file, largest first.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Array> {
    let pointers = pointers(subject);
    let size = u64::from(subject.emulator.arch().pointer_size());
    let mut found: Vec<Array> = Vec::new();
    for stride in [size + size / 2, 2 * size, 3 * size, 4 * size] {
        for row in rows(subject, &pointers, stride) {
            found.extend(array(subject, &row, stride, size));
        }
    }
    found.sort_by_key(|array| (std::cmp::Reverse(array.records.len()), array.stride));
    found.truncate(MAX_ARRAYS);
    found
}

/// Where a pointer stands, and what it points to.
pub(super) type Pointer = (u64, Address);

/// Pointers to data of the file, by place.
pub(super) fn pointers(subject: &Subject<'_>) -> Vec<Pointer> {
    let size = subject.emulator.arch().pointer_size();
    let mut found = Vec::new();
    for segment in subject.image.segments() {
        let first = segment.address.0.next_multiple_of(ALIGNMENT);
        let end = segment.address.0 + segment.data.len() as u64;
        for at in (first..end).step_by(ALIGNMENT as usize) {
            let Some(value) = subject.image.read_uint(Address(at), size) else { continue };
            let is_data = value >= 0x100 && !subject.image.bytes_from(Address(value)).is_empty();
            if is_data {
                found.push((at, Address(value)));
            }
        }
    }
    found
}

/// Rows of pointers that stand whole strides apart.
pub(super) fn rows(subject: &Subject<'_>, pointers: &[Pointer], stride: u64) -> Vec<Vec<Pointer>> {
    let mut open: Vec<Vec<Pointer>> = Vec::new();
    let mut found = Vec::new();
    for (at, target) in pointers.iter().copied() {
        let (mut over, mut going): (Vec<_>, Vec<_>) = open.into_iter().partition(|row| {
            row.last().is_none_or(|(last, _)| at - last > stride * (MAX_LEFT_OUT + 1))
        });
        found.append(&mut over);
        let next = going.iter_mut().find(|row| {
            row.last().is_some_and(|(last, _)| {
                (at - last).is_multiple_of(stride)
                    && is_zero(subject, last + stride, at.saturating_sub(stride) + 1, stride)
            })
        });
        match next {
            Some(row) => row.push((at, target)),
            None => going.push(vec![(at, target)]),
        }
        open = going;
    }
    found.append(&mut open);
    found.retain(|row| (MIN_RECORDS..=MAX_RECORDS).contains(&row.len()));
    found
}

/// Whether the pointers between are zero.
fn is_zero(subject: &Subject<'_>, from: u64, to: u64, stride: u64) -> bool {
    let size = subject.emulator.arch().pointer_size();
    (from..to)
        .step_by(stride as usize)
        .all(|at| subject.image.read_uint(Address(at), size) == Some(0))
}

/// The array that a row of pointers is, when lengths stand beside them.
fn array(subject: &Subject<'_>, row: &[Pointer], stride: u64, size: u64) -> Option<Array> {
    if row.iter().any(|(_, target)| subject.program.function_at(*target).is_some()) {
        return None;
    }
    let widths = [2, 4, 1].into_iter();
    let fields = widths.flat_map(|width| {
        let before = -(stride as i64 - size as i64)..=-i64::from(width);
        let behind = size as i64..=(stride as i64 - i64::from(width));
        before.chain(behind).map(move |offset| (offset, width))
    });
    let (offset, lengths) = fields
        .filter(|(offset, width)| offset.unsigned_abs().is_multiple_of(u64::from(*width).min(2)))
        .filter_map(|(offset, width)| Some((offset, lengths(subject, row, offset, width)?)))
        .max_by_key(|(offset, lengths)| (lengths.iter().sum::<u64>(), -offset))?;
    let pointer_offset = if offset < 0 { offset.unsigned_abs() } else { 0 };
    let (base, base_is_certain) = base(subject, row.first()?.0, stride, pointer_offset);
    let record = |((at, source), length): (&Pointer, u64)| Record {
        id: (at - base.0) / stride,
        cell: Address(*at),
        source: *source,
        length,
    };
    let records = row.iter().zip(lengths).map(record).collect();
    Some(Array { base, base_is_certain, stride, pointer_offset, records })
}

/// The numbers of a field, when each may be the length of what its pointer leads to.
fn lengths(subject: &Subject<'_>, row: &[Pointer], offset: i64, width: u32) -> Option<Vec<u64>> {
    let number = |at: u64| subject.image.read_uint(Address(at.wrapping_add_signed(offset)), width);
    let lengths: Vec<u64> = row
        .iter()
        .map(|(at, _)| number(*at).filter(|length| (1..=MAX_LENGTH).contains(length)))
        .collect::<Option<_>>()?;
    let mut spans: Vec<(u64, u64)> =
        row.iter().zip(&lengths).map(|((_, source), length)| (source.0, *length)).collect();
    spans.sort_unstable();
    spans.dedup();
    let is_apart = |pair: &[(u64, u64)]| match pair {
        [(one, length), (other, _)] => one + length <= *other,
        _ => true,
    };
    let different = lengths.iter().collect::<std::collections::BTreeSet<_>>().len();
    (different > 3 && spans.windows(2).all(is_apart)).then_some(lengths)
}

/// Where the pointer of the record with id 0 stands: code that looks records up by number refers to
/// that record, or there is no other place for it.
pub(super) fn base(
    subject: &Subject<'_>,
    first: u64,
    stride: u64,
    pointer_offset: u64,
) -> (Address, bool) {
    let references = subject.program.references();
    let is_empty = |back: &u64| {
        let start = first.saturating_sub(pointer_offset + back * stride);
        (start..first - pointer_offset).all(|at| subject.image.read_uint(Address(at), 1) == Some(0))
    };
    let refers = |back: &u64| {
        let cell = first - back * stride;
        [cell, cell - pointer_offset]
            .into_iter()
            .any(|at| !references.to(Address(at), Address(at + 1)).is_empty())
    };
    let possible: Vec<u64> =
        (0..=MAX_LEFT_OUT).take_while(|back| back * stride < first && is_empty(back)).collect();
    match possible.iter().rev().find(|back| refers(back)) {
        Some(back) => (Address(first - back * stride), true),
        None => (Address(first - possible.last().copied().unwrap_or(0) * stride), false),
    }
}
