//! Each byte stands for another, wherever it stands.

use super::sample::{Sample, all_bytes};
use super::{Cipher, Coding, Material};

/// Fewest different coded bytes.
const MIN_DISTINCT: usize = 8;

/// Fewest bytes that were seen before at a place that differs by more than whole steps, where no
/// table is known.
const MIN_REPEATED: usize = 8;

/// Ciphers that work on blocks give the same for the same only in steps of so many bytes, or of a
/// multiple.
const STEP: usize = 8;

/// Entries of a table.
const TABLE: usize = 256;

/// What each coded byte stands for, as far as it was seen.
struct Alphabet {
    plain: [Option<u8>; TABLE],
    distinct: usize,
    repeated: usize,
}

impl Alphabet {
    /// The alphabet that explains all samples, when there is one in which no two bytes stand for
    /// the same.
    fn of(samples: &[Sample]) -> Option<Self> {
        let mut alphabet = Self { plain: [None; TABLE], distinct: 0, repeated: 0 };
        let mut first_place = [0_usize; TABLE];
        let mut is_taken = [false; TABLE];
        for (encoded, text) in all_bytes(samples)? {
            for (place, (coded, plain)) in encoded.iter().zip(text).enumerate() {
                let known = alphabet.plain.get_mut(usize::from(*coded))?;
                let first_place = first_place.get_mut(usize::from(*coded))?;
                match known {
                    Some(known) if known != plain => return None,
                    // In step, stream ciphers and repeated blocks would give the same, too.
                    Some(_) => {
                        alphabet.repeated += usize::from(*first_place % STEP != place % STEP);
                    }
                    None => {
                        let is_taken = is_taken.get_mut(usize::from(*plain))?;
                        if std::mem::replace(is_taken, true) {
                            return None;
                        }
                        (*known, *first_place) = (Some(*plain), place);
                        alphabet.distinct += 1;
                    }
                }
            }
        }
        (alphabet.distinct >= MIN_DISTINCT).then_some(alphabet)
    }

    /// Whether a table of 256 bytes agrees.
    fn agrees(&self, table: &[u8]) -> bool {
        self.plain.iter().zip(table).all(|(plain, entry)| plain.is_none_or(|plain| plain == *entry))
    }
}

/// `Substitution` when a table of 256 constant bytes gives every decoded byte.
///
/// False positives: none is known, as eight different bytes must agree. False negatives: tables
/// from plain to coded bytes, tables of which only the entries that were read are known, and
/// tables in which two coded bytes seen stand for the same.
pub(super) fn by_table(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let alphabet = Alphabet::of(samples)?;
    let (address, table) = material.find_run(TABLE, |run| alphabet.agrees(run))?;
    Some(Coding::keyed(Cipher::Substitution, address, table))
}

/// `Substitution` when coded bytes that come again at other places always stand for the same, and
/// no two for the same.
///
/// False positives: none is known. False negatives: texts in which too little comes again; two
/// coded bytes that stand for the same.
pub(super) fn by_consistency(samples: &[Sample], _: &Material<'_>) -> Option<Coding> {
    let alphabet = Alphabet::of(samples)?;
    (alphabet.repeated >= MIN_REPEATED).then(|| Coding::of(Cipher::Substitution))
}
