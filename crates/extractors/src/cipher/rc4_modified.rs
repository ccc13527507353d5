//! Stream ciphers derived from RC4, by how they behave.

use super::rc4::{STATE, sets_up_state};
use super::sample::{KeyStream, Sample};
use super::{Cipher, Coding, Material};

/// Fewest bytes of a text that stands alone.
const MIN_ALONE: usize = 32;

/// `Rc4Modified` when the routine fills a state of 256 bytes with 0 to 255, reads constants, and
/// combines every text with the same key stream by XOR.
///
/// It is tried after all ciphers whose key can be shown. The key is that of which the routine
/// takes 256 bytes in turn, `None` where loads do not show that. False positives: RC4 itself under
/// a key that is not among the constants; another cipher that sets up such a state; any cipher
/// that does when there is but one text. False negatives: states of another size, states set up in
/// another order, combinations other than XOR.
pub(super) fn recognise(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let stream = KeyStream::of(samples)?;
    let is_alone = samples.len() == 1 && stream.bytes.len() >= MIN_ALONE;
    let reads_constants = material.regions().next().is_some();
    if !(stream.is_certain() || is_alone) || !sets_up_state(material) || !reads_constants {
        return None;
    }
    Some(material.loaded_in_turn(STATE).map_or_else(
        || Coding::of(Cipher::Rc4Modified),
        |(address, key)| Coding::keyed(Cipher::Rc4Modified, address, key),
    ))
}
