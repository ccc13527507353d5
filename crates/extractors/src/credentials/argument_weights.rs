//! Which argument of the calls that add credentials is their weight.

use crate::cipher::Sample;
use crate::credentials::calls::ARGUMENTS;
use crate::credentials::{MAX_WEIGHT, Pair};
use crate::xor;

/// The argument that is the weight: of several that may be, the first that differs from pair to pair.
///
/// False positives: another small number, such as a port, where all weights are equal and it stands
/// before them, or where it differs, too.
pub(super) fn weight_among(
    possible: &[usize],
    numbers: &[[Option<u64>; ARGUMENTS]],
    pairs: &[Pair],
    samples: &[Sample],
) -> Option<usize> {
    let may_be = |index: &&usize| is_weight(**index, numbers, pairs, samples);
    let differs = |index: &&usize| {
        let mut values = numbers.iter().map(|it| it.get(**index).copied().flatten());
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let mut weights = possible.iter().filter(may_be);
    weights.clone().find(differs).or_else(|| weights.next()).copied()
}

/// Whether an argument may be the weight: a number from 1 on, and neither how long a text is nor the
/// byte that one is decoded with.
fn is_weight(
    index: usize,
    numbers: &[[Option<u64>; ARGUMENTS]],
    pairs: &[Pair],
    samples: &[Sample],
) -> bool {
    let values: Option<Vec<u64>> =
        numbers.iter().map(|it| it.get(index).copied().flatten()).collect();
    let Some(values) = values else { return false };
    let is_length = |text: &dyn Fn(&Pair) -> usize| {
        let lengths = pairs.iter().map(|pair| text(pair) as u64);
        let is_it = |(value, length): &(&u64, u64)| **value == *length || **value == *length + 1;
        values.iter().zip(lengths).filter(is_it).count() * 10 >= values.len() * 9
    };
    let keys = samples.chunks(2).map(|pair| {
        let first = pair.first()?;
        let length = first.decoded.len();
        xor::key_between(first.encoded.get(..length)?, &first.decoded)
    });
    let is_key =
        values.iter().zip(keys).all(|(value, key)| key.is_some_and(|it| u64::from(it) == *value));
    values.iter().all(|value| (1..=MAX_WEIGHT).contains(value))
        && !is_length(&|pair| pair.user.len())
        && !is_length(&|pair| pair.password.len())
        && !is_key
}

#[cfg(test)]
mod tests {
    use super::{ARGUMENTS, Pair, Sample, weight_among};
    use crate::xor;
    use miyaburi_image::Address;

    fn pairs(count: usize) -> Vec<Pair> {
        let text = |length: usize| vec![b'a'; length];
        (0..count)
            .map(|at| Pair {
                user: text(40 + at),
                password: text(80),
                weight: 0,
                added_at: Address(0),
            })
            .collect()
    }

    fn calls(columns: [[u64; 3]; 2]) -> Vec<[Option<u64>; ARGUMENTS]> {
        let call = |at: usize| {
            let mut arguments = [None; ARGUMENTS];
            for (argument, column) in arguments.iter_mut().skip(2).zip(columns) {
                *argument = column.get(at).copied();
            }
            arguments
        };
        (0..3).map(call).collect()
    }

    #[test]
    fn of_two_small_numbers_the_one_that_differs_is_the_weight() {
        let sample = || Sample { encoded: xor::apply(b"root", 7), decoded: b"root".to_vec() };
        let samples: Vec<Sample> = (0..6).map(|_| sample()).collect();
        let weight = |columns| weight_among(&[2, 3], &calls(columns), &pairs(3), &samples);
        assert_eq!(weight([[23, 23, 23], [10, 5, 1]]), Some(3));
        assert_eq!(weight([[10, 5, 1], [23, 23, 23]]), Some(2));
        assert_eq!(weight([[1, 1, 1], [0, 0, 0]]), Some(2));
        assert_eq!(weight([[0, 0, 0], [0, 0, 0]]), None);
        assert_eq!(weight([[40, 41, 42], [80, 80, 80]]), None, "how long the texts are");
    }
}
