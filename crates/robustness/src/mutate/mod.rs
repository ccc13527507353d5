//! Damaged specimens: well-formed files with a few things wrong, so that the damage is met deep in
//! the analysis and not at its door.

mod bytes;
mod code;
mod fields;
mod layout;
mod tables;
mod values;

use crate::specimens::Specimen;
use layout::Layout;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// The most kinds of damage tried on one file.
const MAX_DAMAGE: usize = 8;

/// A file that is being damaged.
struct Victim<'a> {
    bytes: Vec<u8>,
    /// Where its structures are, or were before the damage.
    layout: Layout,
    /// Other files, to take bytes from.
    others: &'a [Specimen],
}

/// A kind of damage.
type Damage = fn(&mut Victim<'_>, &mut ChaCha8Rng);

/// All kinds, the likelier ones several times. Damage to code and pointers comes most often: it
/// leaves a file that is analysed to the end.
const KINDS: [Damage; 31] = [
    bytes::flip_bits,
    bytes::flip_bits,
    bytes::overwrite_range,
    bytes::splice,
    bytes::splice,
    bytes::cut_off,
    bytes::repeat_or_remove,
    fields::attack_file_header,
    fields::change_cpu,
    fields::attack_program_headers,
    fields::attack_program_headers,
    fields::attack_program_headers,
    fields::attack_section_headers,
    fields::attack_dynamic_section,
    fields::attack_dynamic_section,
    tables::false_symbols,
    tables::false_symbols,
    tables::heavy_symbols,
    tables::overlapping_relocations,
    tables::filler,
    fields::redirect_pointers,
    fields::redirect_pointers,
    fields::break_strings,
    code::randomise_words,
    code::randomise_words,
    code::flip_in_words,
    code::flip_in_words,
    code::shuffle_words,
    code::shuffle_words,
    code::repeat_word,
    code::move_blocks,
];

/// A file to damage, and those it comes from. Nine of ten come from files up to `mostly_below`
/// bytes, as far as there are any.
fn choose<'a>(
    specimens: &'a [Specimen],
    mostly_below: usize,
    random: &mut ChaCha8Rng,
) -> Option<(&'a Specimen, &'a [Specimen])> {
    let small = specimens.partition_point(|specimen| specimen.bytes.len() <= mostly_below);
    let pool = if small > 0 && random.random_range(0..10) < 9 {
        specimens.get(..small).unwrap_or(specimens)
    } else {
        specimens
    };
    Some((pool.get(random.random_range(0..pool.len()))?, pool))
}

/// A specimen with false symbols and nothing else wrong, and the specimen itself.
pub(crate) fn with_false_symbols<'a>(
    specimens: &'a [Specimen],
    mostly_below: usize,
    random: &mut ChaCha8Rng,
) -> Option<(Vec<u8>, &'a Specimen)> {
    let (specimen, others) = choose(specimens, mostly_below, random)?;
    let layout = Layout::of(&specimen.bytes);
    let mut victim = Victim { bytes: specimen.bytes.clone(), layout, others };
    tables::false_symbols(&mut victim, random);
    Some((victim.bytes, specimen))
}

/// A damaged file.
pub(crate) fn file(
    specimens: &[Specimen],
    mostly_below: usize,
    random: &mut ChaCha8Rng,
) -> Vec<u8> {
    let Some((specimen, pool)) = choose(specimens, mostly_below, random) else {
        return Vec::new();
    };
    let layout = Layout::of(&specimen.bytes);
    let mut victim = Victim { bytes: specimen.bytes.clone(), layout, others: pool };
    for _ in 0..MAX_DAMAGE {
        let kind = random.random_range(0..KINDS.len());
        if let Some(damage) = KINDS.get(kind) {
            damage(&mut victim, random);
        }
        // Not every kind finds something to damage in every file.
        if victim.bytes != specimen.bytes && random.random_range(0..5) < 3 {
            break;
        }
    }
    victim.bytes
}

/// A length that is mostly short and now and then anything up to `most`.
fn length(most: usize, random: &mut impl Rng) -> usize {
    let shift = random.random_range(0..usize::BITS - most.leading_zeros().min(usize::BITS - 1));
    random.random_range(0..=most >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn specimens() -> Vec<Specimen> {
        let mut bytes = b"\x7fELF\x01\x01\x01".to_vec();
        bytes.resize(300, 7);
        vec![Specimen { name: "one".to_owned(), bytes }]
    }

    #[test]
    fn the_same_numbers_do_the_same_damage() {
        let damaged = |seed| file(&specimens(), 1000, &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(damaged(1), damaged(1));
        let different = (0..50).filter(|seed| damaged(*seed) != specimens()[0].bytes).count();
        assert!(different > 40, "{different}");
    }

    /// Files that are too short for what their headers name: whatever is done to them, there is
    /// something to do, and it stays small.
    #[test]
    fn no_file_is_too_short_to_be_damaged() {
        for length in 0..64 {
            let bytes = specimens()[0].bytes[..length].to_vec();
            let short = vec![Specimen { name: String::new(), bytes: bytes.clone() }];
            let damaged: Vec<Vec<u8>> = (0..100)
                .map(|seed| file(&short, 0, &mut ChaCha8Rng::seed_from_u64(seed)))
                .collect();
            // There is something to change wherever there is anything, if not for every kind.
            let changed = damaged.iter().filter(|damaged| **damaged != bytes).count();
            assert!((changed > 50) == (length > 0), "{length}: {changed}");
            // One range at most is repeated, once.
            let longest = damaged.iter().map(Vec::len).max();
            assert!(longest <= Some(2 * length), "{length}: {longest:?}");
        }
    }
}
