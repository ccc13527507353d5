//! Maps between words of 32 bits that are affine over bits: of each bit of the word in, a column is
//! added (exclusive or) or not, and a constant always. So are the steps of xorshift generators
//! (Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8, 2003) and of shift registers.

/// Words from which the bits are turned one by one. More than one, as an outcome can be another
/// number's: that of a draw after one that was refused.
const BASES: [u32; 5] = [0x3d1f_5a27, 0x5b8e_6c41, 0x1793_2fb5, 0x6ac4_91de, 0x42f7_0d38];

/// How many bases have to agree on a column.
const AGREED: usize = 2;

/// Bits of a word.
const BITS: u32 = 32;

/// A map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Affine {
    columns: [u32; BITS as usize],
    constant: u32,
}

/// The words whose outcomes [`Affine::of`] asks for, in this order.
pub(super) fn samples() -> Vec<u32> {
    let around = |base: u32| {
        let turned = (0..BITS).map(move |bit| base ^ (1 << bit));
        core::iter::once(base).chain(turned)
    };
    BASES.into_iter().flat_map(around).collect()
}

impl Affine {
    /// The map that gave these outcomes of [`samples`], in their order; `None` when there is none
    /// on which enough of them agree.
    pub(super) fn of(outcomes: &[u32]) -> Option<Self> {
        let groups: Vec<&[u32]> = outcomes.chunks_exact(BITS as usize + 1).collect();
        let mut columns = [0; BITS as usize];
        for (bit, column) in columns.iter_mut().enumerate() {
            let differences = groups.iter().filter_map(|group| match group {
                [base, turned @ ..] => Some(base ^ turned.get(bit)?),
                [] => None,
            });
            *column = most_common(differences)?;
        }
        let map = Self { columns, constant: 0 };
        let constant = most_common(
            samples().into_iter().zip(outcomes).map(|(word, out)| map.apply(word) ^ out),
        )?;
        Some(Self { constant, ..map })
    }

    /// The outcome of a word.
    pub(super) fn apply(&self, word: u32) -> u32 {
        let turned = (0..BITS).zip(self.columns).filter(|(bit, _)| word >> bit & 1 == 1);
        turned.fold(self.constant, |sum, (_, column)| sum ^ column)
    }

    /// The map back; `None` when several words have the same outcome.
    pub(super) fn inverse(&self) -> Option<Self> {
        // Gauss and Jordan: each row is a sum of columns, with the bits that were added up.
        let mut rows: Vec<(u32, u32)> =
            self.columns.iter().zip(0..BITS).map(|(column, bit)| (*column, 1 << bit)).collect();
        let mut columns = [0; BITS as usize];
        for bit in 0..BITS {
            let has_bit = |row: &(u32, u32)| row.0 >> bit & 1 == 1;
            let pivot = rows.iter().skip(bit as usize).position(has_bit)? + bit as usize;
            rows.swap(bit as usize, pivot);
            let (sum, of) = *rows.get(bit as usize)?;
            for (place, row) in rows.iter_mut().enumerate() {
                if place != bit as usize && has_bit(row) {
                    *row = (row.0 ^ sum, row.1 ^ of);
                }
            }
        }
        for (column, (_, of)) in columns.iter_mut().zip(&rows) {
            *column = *of;
        }
        let linear = Self { columns, constant: 0 };
        Some(Self { constant: linear.apply(self.constant), ..linear })
    }
}

/// The value that occurs most often, when [`AGREED`] agree.
fn most_common(values: impl Iterator<Item = u32>) -> Option<u32> {
    let mut values: Vec<u32> = values.collect();
    values.sort_unstable();
    let group = values.chunk_by(|one, next| one == next).max_by_key(|group| group.len())?;
    group.first().filter(|_| group.len() >= AGREED).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// The first word's part of Marsaglia's xor128.
    fn xorshift(word: u32) -> u32 {
        let mixed = word ^ (word << 11);
        mixed ^ (mixed >> 8) ^ 0x1234_5678
    }

    #[test]
    fn a_step_of_xorshift_is_learnt_and_turned_round() {
        let outcomes: Vec<u32> = samples().into_iter().map(xorshift).collect();
        let map = Affine::of(&outcomes).unwrap();
        let back = map.inverse().unwrap();
        for word in [0, 1, 0xffff_ffff, 0x8000_0001, 0xc0a8_0607] {
            assert_eq!(map.apply(word), xorshift(word));
            assert_eq!(back.apply(xorshift(word)), word);
        }
    }

    #[test]
    fn outcomes_of_later_draws_do_not_matter() {
        let outcome = |(place, word): (usize, u32)| match place % 5 {
            0 => word.wrapping_mul(0x9e37_79b9),
            _ => xorshift(word),
        };
        let outcomes: Vec<u32> = samples().into_iter().enumerate().map(outcome).collect();
        let map = Affine::of(&outcomes).unwrap();
        assert_eq!(map.apply(7), xorshift(7));
    }

    #[test]
    fn what_is_not_affine_is_not_learnt() {
        let multiplied = |word: u32| word.wrapping_mul(1_103_515_245).wrapping_add(12345);
        let outcomes: Vec<u32> = samples().into_iter().map(multiplied).collect();
        let learnt = Affine::of(&outcomes);
        assert!(learnt.is_none_or(|map| map.apply(99) != multiplied(99)));
        assert_eq!(Affine::of(&[]), None);
    }

    #[test]
    fn what_loses_bits_has_no_way_back() {
        let outcomes: Vec<u32> = samples().into_iter().map(|word| word & 0xffff).collect();
        assert_eq!(Affine::of(&outcomes).unwrap().inverse(), None);
    }
}
