//! Instructions seen before.
//!
//! Compiled code repeats itself: half of its instructions have been there already, bit for bit.
//! What such an instruction means is the same wherever it stands, unless its address is part of it.

use crate::lifter::{Context, Instruction};
use crate::op::Op;

/// Instructions remembered; a newer one takes the place of an older one.
const PLACES: usize = 1 << PLACE_BITS;
const PLACE_BITS: u32 = 14;

/// Bytes that an instruction may depend on.
const MAX_BYTES: usize = 16;

/// Operations of an instruction that is remembered.
const MAX_OPS: usize = 64;

/// Operations kept for all of them: three times what as many instructions have on average. Beyond
/// that all are forgotten.
const MAX_KEPT_OPS: usize = PLACES * 16;

/// The most recent instructions that do not depend on their address.
pub(super) struct Repeats {
    /// The number of the instruction in each place plus one, `0` for none.
    places: Vec<u16>,
    known: Vec<Repeat>,
    /// The operations of all of them: an allocation for each would cost as much as decoding it.
    ops: Vec<Op>,
    /// By first byte: bit `n` when an instruction of `n` bytes was remembered.
    lengths: [u32; 256],
    /// How many forms have been given numbers.
    forms: u32,
}

/// One instruction.
#[derive(Clone, Default)]
struct Repeat {
    /// The bytes that it depends on, followed by zeros.
    bytes: u128,
    /// How many those are.
    count: usize,
    context: Context,
    length: u32,
    successor_context: Context,
    form: u32,
    /// Where its operations start in [`Repeats::ops`], and how many there are.
    ops: (usize, usize),
}

impl Default for Repeats {
    fn default() -> Self {
        let (places, lengths) = (vec![0; PLACES], [0; 256]);
        Self { places, known: Vec::new(), ops: Vec::new(), lengths, forms: 0 }
    }
}

impl Repeats {
    /// Fills `into` with the instruction that `code` starts with; false when it is not remembered.
    pub(super) fn find(&self, code: &[u8], context: Context, into: &mut Instruction) -> bool {
        let Some(first) = code.first() else { return false };
        let mut lengths = self.lengths.get(usize::from(*first)).copied().unwrap_or_default();
        let bytes = leading_bytes(code);
        while lengths != 0 {
            let count = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            if count > code.len() {
                return false;
            }
            let bytes = bytes & mask(count);
            let place = self.places.get(place(bytes, count, context)).copied().unwrap_or_default();
            let number = usize::from(place).checked_sub(1);
            let Some(known) = number.and_then(|number| self.known.get(number)) else { continue };
            if known.count == count && known.bytes == bytes && known.context == context {
                let (start, count) = known.ops;
                into.ops.extend_from_slice(self.ops.get(start..start + count).unwrap_or_default());
                into.length = known.length;
                into.own_length = known.length;
                into.successor_context = known.successor_context;
                into.form = Some(known.form);
                return true;
            }
        }
        false
    }

    /// Remembers an instruction that was decoded from the first `count` bytes of `code` and does
    /// not depend on its address, and numbers its form.
    pub(super) fn add(
        &mut self,
        code: &[u8],
        count: usize,
        context: Context,
        instruction: &mut Instruction,
    ) {
        let is_small = count <= MAX_BYTES.min(code.len()) && instruction.ops.len() <= MAX_OPS;
        let Some(first) = code.first().filter(|_| is_small) else { return };
        if self.ops.len() + instruction.ops.len() > MAX_KEPT_OPS {
            self.forget();
        }
        let bytes = leading_bytes(code) & mask(count);
        let place = self.places.get_mut(place(bytes, count, context));
        let lengths = self.lengths.get_mut(usize::from(*first));
        let (Some(place), Some(lengths)) = (place, lengths) else { return };
        *lengths |= 1 << count;
        if *place == 0 {
            self.known.push(Repeat::default());
            *place = self.known.len() as u16;
        }
        let Some(known) = self.known.get_mut(usize::from(*place - 1)) else { return };
        known.bytes = bytes;
        known.count = count;
        known.context = context;
        known.length = instruction.length;
        known.successor_context = instruction.successor_context;
        known.form = self.forms;
        known.ops = (self.ops.len(), instruction.ops.len());
        self.ops.extend_from_slice(&instruction.ops);
        instruction.form = Some(self.forms);
        self.forms += 1;
    }

    fn forget(&mut self) {
        self.places.fill(0);
        self.known.clear();
        self.ops.clear();
        self.lengths = [0; 256];
    }
}

/// Up to [`MAX_BYTES`] bytes, the first lowest.
fn leading_bytes(code: &[u8]) -> u128 {
    if let Some(bytes) = code.first_chunk() {
        return u128::from_le_bytes(*bytes);
    }
    code.iter().rev().fold(0, |bytes, byte| bytes << 8 | u128::from(*byte))
}

/// The low `count` bytes.
const fn mask(count: usize) -> u128 {
    if count >= MAX_BYTES { u128::MAX } else { (1 << (count * 8)) - 1 }
}

fn place(bytes: u128, count: usize, context: Context) -> usize {
    // Odd numbers without structure: those of a multiplicative hash.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let [a, b, c, d] = context.0.map(u64::from);
    let mixed = (bytes as u64).wrapping_mul(SPREAD)
        ^ ((bytes >> 64) as u64).rotate_left(29)
        ^ (a ^ b.rotate_left(13) ^ c.rotate_left(27) ^ d.rotate_left(41)).wrapping_mul(SPREAD >> 7)
        ^ (count as u64) << 57;
    (mixed.wrapping_mul(SPREAD) >> (u64::BITS - PLACE_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MAX_KEPT_OPS, MAX_OPS, Repeats};
    use crate::lifter::{Context, Instruction};
    use crate::op::{Op, Opcode};

    fn instruction(length: u32) -> Instruction {
        let ops = vec![Op::new(Opcode::RETURN, None, &[])];
        Instruction { ops, length, own_length: length, ..Instruction::default() }
    }

    fn found(repeats: &Repeats, code: &[u8], context: Context) -> Option<u32> {
        let mut into = Instruction::default();
        repeats.find(code, context, &mut into).then_some(into.length)
    }

    #[test]
    fn what_was_remembered_is_found_by_all_it_depends_on() {
        let (plain, other) = (Context::default(), Context([1, 0, 0, 0]));
        let mut repeats = Repeats::default();
        // One byte long, but only as long as no 2 follows.
        repeats.add(&[7, 1, 9], 2, plain, &mut instruction(1));
        assert_eq!(found(&repeats, &[7, 1], plain), Some(1));
        assert_eq!(found(&repeats, &[7, 1, 8, 8], plain), Some(1));
        assert_eq!(found(&repeats, &[7, 2], plain), None);
        assert_eq!(found(&repeats, &[7], plain), None);
        assert_eq!(found(&repeats, &[7, 1], other), None);
        repeats.add(&[7, 2, 3, 4, 5], 5, plain, &mut instruction(5));
        assert_eq!(found(&repeats, &[7, 2, 3, 4, 5, 6], plain), Some(5));
        assert_eq!(found(&repeats, &[7, 1, 3, 4, 5, 6], plain), Some(1));
    }

    #[test]
    fn a_form_keeps_its_number_until_its_place_is_taken() {
        let mut repeats = Repeats::default();
        let mut lifted = instruction(1);
        let number = |repeats: &Repeats, code: &[u8]| {
            let mut into = Instruction::default();
            repeats.find(code, Context::default(), &mut into);
            into.form
        };
        repeats.add(&[7], 1, Context::default(), &mut lifted);
        let first = lifted.form;
        repeats.add(&[8], 1, Context::default(), &mut lifted);
        assert!(first.is_some() && first != lifted.form);
        assert_eq!((number(&repeats, &[7]), number(&repeats, &[8])), (first, lifted.form));
        repeats.add(&[7], 1, Context::default(), &mut lifted);
        assert_ne!(number(&repeats, &[7]), first);
    }

    #[test]
    fn when_there_is_no_room_for_operations_all_is_forgotten() {
        let mut repeats = Repeats::default();
        let ops = vec![Op::new(Opcode::RETURN, None, &[]); MAX_OPS];
        let mut lifted = Instruction { ops, length: 2, ..Instruction::default() };
        let count = MAX_KEPT_OPS / MAX_OPS + 1;
        for number in 0..count {
            let code = [(number % 255) as u8, (number / 255) as u8, 7];
            repeats.add(&code, 3, Context::default(), &mut lifted);
        }
        let last = count - 1;
        let last = [(last % 255) as u8, (last / 255) as u8, 7];
        assert_eq!(found(&repeats, &[0, 0, 7], Context::default()), None);
        assert_eq!(found(&repeats, &last, Context::default()), Some(2));
        assert_eq!(repeats.ops.len(), MAX_OPS);
    }

    #[test]
    fn what_depends_on_more_bytes_than_there_are_is_not_remembered() {
        let mut repeats = Repeats::default();
        repeats.add(&[1, 2], 3, Context::default(), &mut instruction(2));
        repeats.add(&[1; 20], MAX_BYTES + 1, Context::default(), &mut instruction(17));
        assert_eq!(found(&repeats, &[1, 2, 0], Context::default()), None);
        assert_eq!(found(&repeats, &[1; 20], Context::default()), None);
    }
}
