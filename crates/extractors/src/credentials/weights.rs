//! The weights beside pairs of texts.
//!
//! How it works: the numbers at every place around the pointers to the texts are looked at for all
//! pairs together. As in the leak, two places may hold where a pair's share of the whole begins
//! and ends: each begins where the one before ended. Otherwise one place may hold the weight itself:
//! small numbers that are neither length.
//!
//! False positives: another small number beside each pair, when the weight is not kept there.
//! False negatives: weights that all equal the lengths; several places that could be the
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
}

/// The weights of pairs.
pub fn of(memory: &mut Memory<'_>, places: &[Place], layout: &Layout) -> Option<Vec<u32>> {
    let size = i64::from(layout.pointer);
    let distance = layout.distance as i64;
    let pointers = [0, distance].map(|start| start..start + size);
    let mut columns: Vec<Vec<u64>> = Vec::new();
    for width in [1, 2, 4] {
        for offset in -layout.before..distance + size + AROUND {
            let end = offset + i64::from(width);
            if pointers.iter().any(|pointer| offset < pointer.end && pointer.start < end) {
                continue;
            }
            let column: Option<Vec<u64>> = places
                .iter()
                .map(|place| {
                    memory.load(Address(place.cell.0.wrapping_add_signed(offset)), width).ok()
                })
                .collect();
            columns.extend(column);
        }
    }
    shares(&columns).or_else(|| single(&columns, places))
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
