//! AES-128 in CBC mode (FIPS 197, NIST SP 800-38A), encryption. The S-box is computed, so that it is
//! not the table of the C sources.

/// Encrypts `text`, a multiple of 16 bytes.
pub(super) fn encrypt_cbc(text: &[u8], key: &[u8; 16], vector: &[u8; 16]) -> Vec<u8> {
    let (s_box, keys) = (s_box(), round_keys(key));
    let mut before = *vector;
    let mut coded = Vec::new();
    for block in text.chunks_exact(16) {
        for (byte, plain) in before.iter_mut().zip(block) {
            *byte ^= plain;
        }
        before = encrypt_block(before, &keys, &s_box);
        coded.extend(before);
    }
    coded
}

/// Product in the field of 256 elements.
fn product(left: u8, right: u8) -> u8 {
    (0..8)
        .fold((0, left), |(sum, left), bit| {
            let sum = if right >> bit & 1 == 1 { sum ^ left } else { sum };
            (sum, left << 1 ^ if left & 0x80 == 0 { 0 } else { 0x1b })
        })
        .0
}

fn s_box() -> [u8; 256] {
    std::array::from_fn(|index| {
        let value = index as u8;
        // The inverse is the 254th power; that of zero is zero.
        let inverse = (0..254).fold(1, |power, _| product(power, value));
        (0..5).fold(0x63, |all, turn| all ^ inverse.rotate_left(turn))
    })
}

fn round_keys(key: &[u8; 16]) -> Vec<u8> {
    let s_box = s_box();
    let mut keys = key.to_vec();
    let mut constant = 1;
    while keys.len() < 176 {
        let mut word: [u8; 4] = std::array::from_fn(|index| keys[keys.len() - 4 + index]);
        if keys.len().is_multiple_of(16) {
            word.rotate_left(1);
            word = word.map(|byte| s_box[usize::from(byte)]);
            word[0] ^= constant;
            constant = product(constant, 2);
        }
        for byte in word {
            keys.push(byte ^ keys[keys.len() - 16]);
        }
    }
    keys
}

fn encrypt_block(block: [u8; 16], keys: &[u8], s_box: &[u8; 256]) -> [u8; 16] {
    let with_key = |state: [u8; 16], round: usize| -> [u8; 16] {
        std::array::from_fn(|index| state[index] ^ keys[16 * round + index])
    };
    let mut state = with_key(block, 0);
    for round in 1..=10 {
        // Bytes substituted, and row r rotated by r columns.
        let moved: [u8; 16] =
            std::array::from_fn(|at| s_box[usize::from(state[(at + 4 * (at % 4)) % 16])]);
        state = if round == 10 { moved } else { mix_columns(&moved) };
        state = with_key(state, round);
    }
    state
}

fn mix_columns(state: &[u8; 16]) -> [u8; 16] {
    std::array::from_fn(|at| {
        let column = at / 4 * 4;
        let byte = |step: usize| state[column + (at + step) % 4];
        product(byte(0), 2) ^ product(byte(1), 3) ^ byte(2) ^ byte(3)
    })
}
