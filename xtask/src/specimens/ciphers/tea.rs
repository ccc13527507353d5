//! XTEA and XXTEA (Wheeler and Needham, 1997 and 1998), words least significant byte first.

/// The delta that the authors give, the golden ratio's.
pub(super) const DELTA: u32 = 0x9e37_79b9;

/// A 16-byte key as words.
fn words_of(key: &[u8; 16]) -> [u32; 4] {
    std::array::from_fn(|word| load(&key[4 * word..4 * word + 4]))
}

fn load(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte))
}

/// XTEA of 32 rounds over every 8 bytes of `text`, which are a multiple of 8.
pub(super) fn xtea(text: &[u8], key: &[u8; 16], delta: u32) -> Vec<u8> {
    let key = words_of(key);
    text.chunks_exact(8)
        .flat_map(|block| {
            let [left, right] = xtea_block([load(&block[..4]), load(&block[4..])], &key, delta);
            left.to_le_bytes().into_iter().chain(right.to_le_bytes())
        })
        .collect()
}

/// One block of XTEA.
pub(super) fn xtea_block([mut left, mut right]: [u32; 2], key: &[u32; 4], delta: u32) -> [u32; 2] {
    let mixed = |half: u32| ((half << 4) ^ (half >> 5)).wrapping_add(half);
    let mut sum = 0u32;
    for _ in 0..32 {
        left = left.wrapping_add(mixed(right) ^ sum.wrapping_add(key[(sum & 3) as usize]));
        sum = sum.wrapping_add(delta);
        right = right.wrapping_add(mixed(left) ^ sum.wrapping_add(key[(sum >> 11 & 3) as usize]));
    }
    [left, right]
}

/// XXTEA over the whole of `text`: a multiple of 4 bytes, 8 at least.
pub(super) fn xxtea(text: &[u8], key: &[u8; 16]) -> Vec<u8> {
    let key = words_of(key);
    let mut words: Vec<u32> = text.chunks_exact(4).map(load).collect();
    let count = words.len();
    let (mut sum, mut before) = (0u32, words[count - 1]);
    for _ in 0..6 + 52 / count {
        sum = sum.wrapping_add(DELTA);
        let part = (sum >> 2 & 3) as usize;
        for at in 0..count {
            let after = words[(at + 1) % count];
            let shifted = ((before >> 5) ^ (after << 2)).wrapping_add((after >> 3) ^ (before << 4));
            let keyed = (sum ^ after).wrapping_add(key[at & 3 ^ part] ^ before);
            words[at] = words[at].wrapping_add(shifted ^ keyed);
            before = words[at];
        }
    }
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}
