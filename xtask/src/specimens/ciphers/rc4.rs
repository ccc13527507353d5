//! RC4 and the two changes of it that specimens have (`specimens/src/bot/ciphers/rc4.c`).

use std::num::Wrapping;

/// Which RC4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it was published.
    Plain,
    /// `j` keeps its value between key schedule and output.
    Carried,
    /// Five further passes over the state, drawn from a linear congruential generator with this
    /// seed.
    Passes(u32),
}

/// Multiplier and increment of Numerical Recipes.
const LCG: (Wrapping<u32>, Wrapping<u32>) = (Wrapping(1_664_525), Wrapping(1_013_904_223));

/// The key stream, which is XORed with the text.
pub(super) struct KeyStream {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl KeyStream {
    /// The stream of `key`, which is not empty.
    pub(super) fn new(key: &[u8], form: Form) -> KeyStream {
        let mut state: [u8; 256] = std::array::from_fn(|index| index as u8);
        let mut j = 0u8;
        for (i, key) in (0..256).zip(key.iter().cycle()) {
            j = j.wrapping_add(state[i]).wrapping_add(*key);
            state.swap(i, usize::from(j));
        }
        if let Form::Passes(seed) = form {
            let mut drawn = Wrapping(seed);
            for i in (0..5).flat_map(|_| 0..256) {
                drawn = drawn * LCG.0 + LCG.1;
                j = j.wrapping_add(state[i]).wrapping_add((drawn.0 >> 24) as u8);
                state.swap(i, usize::from(j));
            }
        }
        KeyStream { state, i: 0, j: if form == Form::Carried { j } else { 0 } }
    }
}

impl Iterator for KeyStream {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.i = self.i.wrapping_add(1);
        let (i, at) = (usize::from(self.i), self.state[usize::from(self.i)]);
        self.j = self.j.wrapping_add(at);
        self.state.swap(i, usize::from(self.j));
        let sum = self.state[i].wrapping_add(at);
        Some(self.state[usize::from(sum)])
    }
}
