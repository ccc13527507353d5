//! ChaCha20 of RFC 8439.

/// The key stream from block `counter` on.
pub(super) fn key_stream(
    key: &[u8; 32],
    nonce: &[u8; 12],
    counter: u32,
) -> impl Iterator<Item = u8> {
    let input = input(key, nonce, counter);
    (0..).flat_map(move |block: u32| {
        let mut input = input;
        input[12] = input[12].wrapping_add(block);
        self::block(input)
    })
}

fn input(key: &[u8; 32], nonce: &[u8; 12], counter: u32) -> [u32; 16] {
    let bytes: Vec<u8> = b"expand 32-byte k"
        .iter()
        .chain(key)
        .copied()
        .chain(counter.to_le_bytes())
        .chain(nonce.iter().copied())
        .collect();
    std::array::from_fn(|word| {
        bytes.iter().skip(4 * word).take(4).rev().fold(0, |all, byte| all << 8 | u32::from(*byte))
    })
}

fn block(input: [u32; 16]) -> impl Iterator<Item = u8> {
    const COLUMNS_AND_DIAGONALS: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ];
    let mut state = input;
    for [a, b, c, d] in (0..10).flat_map(|_| COLUMNS_AND_DIAGONALS) {
        for (left, right, changed, rotation) in
            [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]
        {
            state[left] = state[left].wrapping_add(state[right]);
            state[changed] = (state[changed] ^ state[left]).rotate_left(rotation);
        }
    }
    state.into_iter().zip(input).flat_map(|(word, before)| word.wrapping_add(before).to_le_bytes())
}
