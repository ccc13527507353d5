//! The weights beside pairs of texts.
//!
//! How it works: the numbers at every place around the pointers to the texts are looked at for all
//! pairs together. As in the leak, two places may hold where a pair's share of the whole begins
//! and ends: each begins where the one before ended. Where an array has both in each record, one may
//! begin further on: the pair between was lost. Otherwise one place may hold the weight itself: small
//! numbers that are neither length.
//!
//! False positives: another small number beside each pair, when the weight is not kept there; where
//! records hold nothing but the end of each share, a pair behind one that was lost has the weight of
//! both. False negatives: weights that all equal the lengths; several places that could be the
//! weight and do not agree.

use crate::credentials::MAX_WEIGHT;
use miyaburi_emulator::Memory;
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// How far before and behind the pointers the numbers may stand, in bytes.
pub const AROUND: i64 = 16;

/// A pair as it was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the pointer to the user name is.
    pub cell: Address,
    /// Lengths of user name and password.
    pub lengths: [u64; 2],
}

/// Where numbers may stand around the two pointers of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How far apart the pointers are, in bytes.
    pub distance: u64,
    /// Bytes of a pointer.
    pub pointer: u32,
    /// How far before the first the numbers may stand, in bytes.
    pub before: i64,
    /// How far apart records of an array are, in bytes.
    pub stride: Option<u64>,
}

/// The weights of pairs, and how many pairs were lost between them, at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// As many as there are pairs.
    pub weights: Vec<u32>,
    /// Places at which others must have been.
    pub lost: usize,
}

/// The numbers at one place of every record, seen from the first pointer.
struct Column {
    offset: i64,
    numbers: Vec<u64>,
}

/// The weights of pairs.
pub fn of(memory: &mut Memory<'_>, places: &[Place], layout: &Layout) -> Option<Weights> {
    let size = i64::from(layout.pointer);
    let distance = layout.distance as i64;
    let pointers = [0, distance].map(|start| start..start + size);
    let mut columns: Vec<Column> = Vec::new();
    for width in [1, 2, 4] {
        for offset in -layout.before..distance + size + AROUND {
            let end = offset + i64::from(width);
            if pointers.iter().any(|pointer| offset < pointer.end && pointer.start < end) {
                continue;
            }
            let numbers: Option<Vec<u64>> = places
                .iter()
                .map(|place| {
                    memory.load(Address(place.cell.0.wrapping_add_signed(offset)), width).ok()
                })
                .collect();
            columns.extend(numbers.map(|numbers| Column { offset, numbers }));
        }
    }
    let of_records = layout.stride.and_then(|stride| shares_of_records(&columns, stride as i64));
    of_records.or_else(|| {
        let columns: Vec<Vec<u64>> = columns.into_iter().map(|column| column.numbers).collect();
        let weights = shares(&columns).or_else(|| single(&columns, places))?;
        Some(Weights { weights, lost: 0 })
    })
}

/// The differences between two columns of the same records of which one goes on where the other ended,
/// or, at a tenth of the records, further on.
fn shares_of_records(columns: &[Column], stride: i64) -> Option<Weights> {
    let begins = columns.iter().filter(|begins| begins.numbers.first() == Some(&0));
    let found = begins.flat_map(|begins| {
        columns.iter().filter_map(move |ends| {
            // The end in the record before is where this one begins, whatever was lost.
            if (begins.offset - ends.offset).abs() >= stride {
                return None;
            }
            let each = begins.numbers.iter().zip(&ends.numbers);
            let weights: Vec<u64> =
                each.map(|(begin, end)| end.checked_sub(*begin)).collect::<Option<_>>()?;
            let next = begins.numbers.iter().skip(1).zip(&ends.numbers);
            let lost = next.clone().filter(|(begin, end)| begin > end).count();
            let goes_on = next.clone().all(|(begin, end)| begin >= end);
            let is_rare = lost * 10 <= weights.len();
            (goes_on && is_rare && are_weights(&weights))
                .then(|| (begins.offset < 0, Weights { weights: narrow(&weights), lost }))
        })
    });
    // What lies before the first pointer may be of the record before.
    found.min_by_key(|(is_before, found)| (found.lost, *is_before)).map(|(_, found)| found)
}

/// The differences between two columns of which one goes on where the other ended.
fn shares(columns: &[Vec<u64>]) -> Option<Vec<u32>> {
    columns.iter().filter(|begins| begins.first() == Some(&0)).find_map(|begins| {
        columns.iter().find_map(|ends| {
            let goes_on = begins.iter().skip(1).zip(ends).all(|(begin, end)| begin == end);
            let weights = begins.iter().zip(ends).map(|(begin, end)| end.checked_sub(*begin));
            let weights: Vec<u64> = weights.collect::<Option<_>>()?;
            (goes_on && are_weights(&weights)).then(|| narrow(&weights))
        })
    })
}

/// The only column of small numbers that is no column of lengths. One that only grows is the sum
/// of weights.
fn single(columns: &[Vec<u64>], places: &[Place]) -> Option<Vec<u32>> {
    let are_lengths = |column: &[u64]| {
        (0..2).any(|text| {
            (0..2).any(|end| {
                places
                    .iter()
                    .zip(column)
                    .all(|(place, number)| place.lengths[text] + end == *number)
            })
        })
    };
    let only_grows = |column: &[u64]| column.windows(2).all(|pair| pair.first() < pair.last());
    let found: BTreeSet<&Vec<u64>> = columns
        .iter()
        .filter(|column| are_weights(column) && !are_lengths(column) && !only_grows(column))
        .collect();
    let mut found = found.into_iter();
    found.next().filter(|_| found.next().is_none()).map(|weights| narrow(weights))
}

fn are_weights(column: &[u64]) -> bool {
    column.iter().all(|number| (1..=MAX_WEIGHT).contains(number))
}

fn narrow(weights: &[u64]) -> Vec<u32> {
    weights.iter().map(|weight| *weight as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(lengths: &[[u64; 2]]) -> Vec<Place> {
        lengths.iter().map(|lengths| Place { cell: Address(0), lengths: *lengths }).collect()
    }

    #[test]
    fn shares_of_the_whole_give_weights() {
        let columns = [vec![4, 4, 5], vec![0, 3, 10], vec![3, 10, 11]];
        assert_eq!(shares(&columns), Some(vec![3, 7, 1]));
        assert_eq!(shares(&[vec![0, 3, 10], vec![3, 9, 11]]), None);
        assert_eq!(shares(&[vec![0, 0, 0], vec![0, 0, 0]]), None);
    }

    #[test]
    fn a_record_that_begins_further_on_follows_one_that_was_lost() {
        let column = |offset, numbers: Vec<u64>| Column { offset, numbers };
        // Ten pairs, of which the third begins 6 further on.
        let ends = vec![3, 19, 20, 21, 22, 23, 24, 25, 26, 27];
        let begins = vec![0, 9, 19, 20, 21, 22, 23, 24, 25, 26];
        let before = vec![0, 3, 19, 20, 21, 22, 23, 24, 25, 26];
        let columns = [column(8, begins), column(10, ends.clone()), column(-6, before.clone())];
        let found = shares_of_records(&columns, 16);
        let weights = vec![3, 10, 1, 1, 1, 1, 1, 1, 1, 1];
        assert_eq!(found, Some(Weights { weights, lost: 1 }));
        // The end in the record before says nothing of what was lost.
        assert_eq!(shares_of_records(&[column(10, ends), column(-6, before)], 16), None);
        // One of three is too many.
        let few = [column(8, vec![0, 9, 19]), column(10, vec![3, 19, 20])];
        assert_eq!(shares_of_records(&few, 16), None);
    }

    #[test]
    fn lengths_are_no_weights_and_two_candidates_are_none() {
        let places = places(&[[4, 6], [5, 4], [4, 0]]);
        let lengths = vec![vec![4, 5, 4], vec![6, 4, 0], vec![7, 5, 1]];
        assert_eq!(single(&lengths, &places), None);
        let with_weights = [lengths.clone(), vec![vec![2, 2, 9]]].concat();
        assert_eq!(single(&with_weights, &places), Some(vec![2, 2, 9]));
        assert_eq!(single(&[vec![1, 4, 9]], &places), None);
        let doubtful = [with_weights, vec![vec![1, 1, 1]]].concat();
        assert_eq!(single(&doubtful, &places), None);
    }
}
