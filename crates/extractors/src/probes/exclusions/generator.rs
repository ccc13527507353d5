//! What draws the addresses, and how a number becomes an address.

use super::affine::{Affine, samples};
use super::scanner::Scanner;
use super::words::Words;
use miyaburi_image::Address;

/// Addresses that nobody spares, of eight different octets.
const PLAIN: [[u8; 4]; 2] = [[61, 71, 81, 91], [62, 72, 82, 92]];

/// Packets that each of them is to give.
const ROUNDS: usize = 4;

/// What the other words are made by when they are to be others.
const OTHERWISE: u32 = 0x2c5d_91e3;

/// What is decided, so that a number is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// This call returns it.
    Call(Address),
    /// It follows from words of memory.
    Words {
        words: Words,
        /// Which of them holds the number afterwards.
        output: usize,
        /// What the word that is decided has to be for a number.
        back: Affine,
    },
}

/// What draws the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Generator {
    source: Source,
    /// The code: the call, or what uses the words first.
    pub(super) site: Address,
    /// Which byte of a number each octet is, from the lowest.
    order: [usize; 4],
}

impl Generator {
    /// The call at `site`, when it draws addresses.
    pub(super) fn of_call(scanner: &mut Scanner<'_, '_, '_>, site: Address) -> Option<Self> {
        Self::with_order(scanner, Source::Call(site), site)
    }

    /// Words of which one decides what another one is afterwards, when that is the address.
    pub(super) fn of_words(
        scanner: &mut Scanner<'_, '_, '_>,
        words: &Words,
        is_right: impl Fn(&mut Scanner<'_, '_, '_>, &Self) -> bool,
    ) -> Option<Self> {
        for input in 0..words.places.len() {
            let words = Words { input, ..words.clone() };
            for generator in Self::by_word(scanner, &words)? {
                if is_right(scanner, &generator) && generator.is_by_itself(scanner, &words) {
                    return Some(generator);
                }
            }
        }
        None
    }

    /// Whether the number becomes the address in the same way where the other words are others.
    ///
    /// A number drawn before it can share an octet with the address, by chance of the other words.
    fn is_by_itself(&self, scanner: &mut Scanner<'_, '_, '_>, words: &Words) -> bool {
        let before = words.before.iter().map(|word| word.rotate_left(7) ^ OTHERWISE).collect();
        let words = Words { before, ..words.clone() };
        let there = Self::by_word(scanner, &words).unwrap_or_default();
        there.iter().any(|other| self.output() == other.output() && self.order == other.order)
    }

    /// The generators that are decided by the word that is, one for each word that may be the address
    /// afterwards. `None` when nothing used the words.
    fn by_word(scanner: &mut Scanner<'_, '_, '_>, words: &Words) -> Option<Vec<Self>> {
        let answered = scanner.decide(words, &samples())?;
        let site = answered.site?;
        let mut found = Vec::new();
        for output in 0..words.places.len() {
            let of_one = |words: &Vec<u32>| words.get(output).copied();
            let outcomes: Vec<u32> = answered.outcomes.iter().filter_map(of_one).collect();
            let Some(back) = Affine::of(&outcomes).and_then(|map| map.inverse()) else { continue };
            let source = Source::Words { words: words.clone(), output, back };
            found.extend(Self::with_order(scanner, source, site));
        }
        Some(found)
    }

    /// The word that is the address.
    const fn output(&self) -> Option<usize> {
        match &self.source {
            Source::Call(_) => None,
            Source::Words { output, .. } => Some(*output),
        }
    }

    /// The source with the way in which its numbers become octets, when they do.
    fn with_order(
        scanner: &mut Scanner<'_, '_, '_>,
        source: Source,
        site: Address,
    ) -> Option<Self> {
        let mut destination_of = |octets: [u8; 4]| {
            let numbers = [u32::from_le_bytes(octets); ROUNDS];
            let (taken, destination) = source.take(scanner, &numbers)?;
            destination.filter(|_| taken.iter().all(|it| *it))
        };
        let [one, other] = PLAIN;
        let order = order_of([destination_of(one)?, destination_of(other)?])?;
        Some(Self { source, site, order })
    }

    /// Whether each of these addresses is probed.
    pub(super) fn ask(
        &self,
        scanner: &mut Scanner<'_, '_, '_>,
        addresses: &[[u8; 4]],
    ) -> Option<Vec<bool>> {
        let numbers: Vec<u32> =
            addresses.iter().map(|octets| number(self.order, *octets)).collect();
        self.source.take(scanner, &numbers).map(|(taken, _)| taken)
    }
}

impl Source {
    /// Whether each of the numbers is taken once it is drawn, and where the packets went if to one
    /// place.
    fn take(
        &self,
        scanner: &mut Scanner<'_, '_, '_>,
        numbers: &[u32],
    ) -> Option<(Vec<bool>, Option<[u8; 4]>)> {
        match self {
            Self::Call(site) => {
                let answered = scanner.answer(*site, numbers)?;
                Some((answered.outcomes, answered.destination))
            }
            Self::Words { words, output, back } => {
                let values: Vec<u32> = numbers.iter().map(|number| back.apply(*number)).collect();
                let answered = scanner.decide(words, &values)?;
                let drawn_last = answered.outcomes.iter().map(|words| words.get(*output));
                let taken = drawn_last.zip(numbers).map(|(last, number)| last == Some(number));
                Some((taken.collect(), answered.destination))
            }
        }
    }
}

/// The number of which an address is made.
fn number(order: [usize; 4], octets: [u8; 4]) -> u32 {
    let byte = |(octet, place): (u8, usize)| u32::from(octet) << (8 * place);
    octets.into_iter().zip(order).map(byte).sum()
}

/// The order of the bytes by which two numbers, made of [`PLAIN`] from the lowest byte on, became these
/// destinations.
///
/// Octets that are the same in both are masked; the others decide for one of the two byte orders.
fn order_of(destinations: [[u8; 4]; 2]) -> Option<[usize; 4]> {
    let [one, other] = destinations;
    let fits = |order: &[usize; 4]| {
        order.iter().enumerate().all(|(octet, place)| {
            let pair = (one[octet], other[octet]);
            pair.0 == pair.1 || pair == (PLAIN[0][*place], PLAIN[1][*place])
        })
    };
    let differ = one != other;
    [[0, 1, 2, 3], [3, 2, 1, 0]].into_iter().find(|order| differ && fits(order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_come_from_either_end_of_a_number() {
        let [one, other] = PLAIN;
        assert_eq!(order_of([one, other]), Some([0, 1, 2, 3]));
        let reversed = |mut octets: [u8; 4]| {
            octets.reverse();
            octets
        };
        assert_eq!(order_of([reversed(one), reversed(other)]), Some([3, 2, 1, 0]));
        // Masked but for the last octet.
        assert_eq!(order_of([[192, 0, 2, 91], [192, 0, 2, 92]]), Some([0, 1, 2, 3]));
        assert_eq!(order_of([[192, 0, 2, 61], [192, 0, 2, 62]]), Some([3, 2, 1, 0]));
        // Nothing follows the number, or not as it is.
        assert_eq!(order_of([[192, 0, 2, 1], [192, 0, 2, 1]]), None);
        assert_eq!(order_of([[192, 0, 2, 62], [192, 0, 2, 63]]), None);
    }

    #[test]
    fn a_number_is_made_in_that_order() {
        assert_eq!(number([0, 1, 2, 3], [10, 0, 0, 0x81]), 0x8100_000a);
        assert_eq!(number([3, 2, 1, 0], [10, 0, 0, 0x81]), 0x0a00_0081);
    }
}
