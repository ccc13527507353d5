//! RC4, by its key.

use super::effort::Effort;
use super::sample::{KeyStream, Sample};
use super::{Cipher, Coding, Material};
use ::rc4::{KeyInit, Rc4, StreamCipher};
use miyaburi_image::Address;

/// The longest key.
const MAX_KEY: usize = 256;

/// Bytes of the state, each of which is swapped once before the first byte comes out.
pub(super) const STATE: usize = 256;

/// Fewest bytes of the stream that a key must give.
const MIN_BYTES: usize = 6;

/// Lengths that keys commonly have: those of RFC 6229 and powers of two.
const COMMON_LENGTHS: [usize; 9] = [16, 32, 8, 24, 64, 5, 4, 128, 256];

/// Steps that may be spent when the state was seen to be set up under an unknown key, and
/// otherwise.
const STEPS: [usize; 2] = [1 << 24, 1 << 21];

/// Bytes of the stream that are compared first.
const PROBE: usize = 16;

/// `Rc4` when a run of 1 to 256 constant bytes is a key that gives the key stream.
///
/// Tried are first the bytes that the routine was seen to take in turn, then runs that begin or
/// end with a region, texts, common lengths anywhere, and all others until the effort is spent
/// (some 60,000 keys; some 8,000 when the state was not seen to be set up, or what is taken in turn
/// is no key). False positives: none is known. False negatives: keys that stand in instructions or
/// are put together; keys of unusual length in the middle of a region of more than some 250 bytes;
/// dropped beginnings of the stream.
pub(super) fn recognise(samples: &[Sample], material: &Material<'_>) -> Option<Coding> {
    let stream = KeyStream::of(samples)?.bytes;
    if stream.len() < MIN_BYTES {
        return None;
    }
    let in_turn = material.loaded_in_turn(STATE);
    let [most, least] = STEPS;
    let is_promising = in_turn.is_none() && sets_up_state(material);
    let mut effort = Effort::of(if is_promising { most } else { least });
    for (address, key) in in_turn.into_iter().chain(keys(material)) {
        effort.spend(STATE)?;
        if is_key(key, &stream) {
            return Some(Coding::keyed(Cipher::Rc4, address, key));
        }
    }
    None
}

/// Whether the routine was seen to write 0 to 255, or reads them.
pub(super) fn sets_up_state(material: &Material<'_>) -> bool {
    let is_identity =
        |run: &[u8]| run.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at);
    material.writes_identity || material.find_run(STATE, is_identity).is_some()
}

/// Runs that may be the key, the likeliest first; some come twice.
fn keys<'a>(material: &Material<'a>) -> impl Iterator<Item = (Address, &'a [u8])> + use<'a> {
    let material = *material;
    let at_edges = material.regions().flat_map(|(address, region)| {
        (1..=region.len().min(MAX_KEY)).flat_map(move |length| {
            let before = region.len() - length;
            let ends = region.get(before..).map(|key| (address.offset(before as u64), key));
            [region.get(..length).map(|key| (address, key)), ends].into_iter().flatten()
        })
    });
    let common = COMMON_LENGTHS
        .into_iter()
        .flat_map(move |length| material.places(length))
        .map(|place| (place.address, place.bytes));
    let any = (1..=MAX_KEY)
        .flat_map(move |length| material.places(length))
        .map(|place| (place.address, place.bytes));
    texts(&material).chain(at_edges).chain(common).chain(any)
}

/// Runs of printable characters, as long as they are.
fn texts<'a>(material: &Material<'a>) -> impl Iterator<Item = (Address, &'a [u8])> + use<'a> {
    material.regions().flat_map(|(address, region)| {
        region
            .split(|byte| !byte.is_ascii_graphic())
            .scan(address, |next, text| {
                let start = *next;
                *next = start.offset(text.len() as u64 + 1);
                Some((start, text))
            })
            .filter(|(_, text)| (1..=MAX_KEY).contains(&text.len()))
    })
}

/// Whether a key gives the stream.
fn is_key(key: &[u8], stream: &[u8]) -> bool {
    let Ok(mut cipher) = Rc4::new_from_slice(key) else { return false };
    let (probe, rest) = stream.split_at(stream.len().min(PROBE));
    gives(&mut cipher, probe) && gives(&mut cipher, rest)
}

/// Whether these bytes come out next.
fn gives(cipher: &mut Rc4, bytes: &[u8]) -> bool {
    let mut decoded = bytes.to_vec();
    cipher.apply_keystream(&mut decoded);
    decoded.iter().all(|byte| *byte == 0)
}
