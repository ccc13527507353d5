//! How instructions seen before were decoded.
//!
//! Which constructors an instruction consists of follows from some of its bits alone: what
//! displacements, immediates and most register numbers are matters only for what it means. So what
//! was decoded once holds for all instructions that agree in those bits, wherever they stand.

use super::parse::{DECISIVE_BYTES, Node, Parse, PendingCommit};
use crate::lifter::CONTEXT_WORDS;

/// Shapes remembered; a newer one takes the place of an older one.
const PLACES: usize = 1 << PLACE_BITS;
const PLACE_BITS: u32 = 12;

/// Sets of decisive bits that are tried for one value of the byte that is looked at first.
const MAX_MASKS: usize = 24;

/// One way to decode an instruction.
struct Shape {
    /// The bits that it follows from.
    mask: u128,
    bits: u128,
    context: [u32; CONTEXT_WORDS],
    nodes: Vec<Node>,
    /// The context as the constructors changed it.
    changed_context: [u32; CONTEXT_WORDS],
    commits: Vec<PendingCommit>,
    delay_bytes: u32,
    reach: u32,
}

/// The most recent ways to decode instructions.
pub(super) struct Shapes {
    /// The number of the shape in each place plus one, `0` for none.
    places: Vec<u16>,
    known: Vec<Shape>,
    /// The bytes that instructions of this CPU are told apart by first: a few.
    selectors: Vec<Selector>,
}

/// A byte that decoding looked at first.
struct Selector {
    /// Its place in the instruction.
    place: u32,
    /// By its value, the sets of bits that were decisive then.
    masks: Vec<Vec<u128>>,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { places: vec![0; PLACES], known: Vec::new(), selectors: Vec::new() }
    }
}

impl Shapes {
    /// Decodes the instruction that `parse` was reset to as one of its shape was; false when there
    /// was none.
    pub(super) fn find(&self, parse: &mut Parse) -> bool {
        let bytes = parse.leading_bytes();
        let found = self.selectors.iter().find_map(|selector| {
            let masks = selector.masks.get(byte(bytes, selector.place))?;
            masks.iter().find_map(|mask| {
                let number = *self.places.get(place(bytes & mask, *mask, &parse.context))?;
                let shape = self.known.get(usize::from(number.checked_sub(1)?))?;
                let is_same = shape.mask == *mask
                    && shape.bits == bytes & mask
                    && shape.context == parse.context;
                is_same.then_some(shape)
            })
        });
        let Some(shape) = found else { return false };
        parse.nodes.clone_from(&shape.nodes);
        parse.context = shape.changed_context;
        parse.commits.clone_from(&shape.commits);
        parse.delay_bytes = shape.delay_bytes;
        parse.note_reach(shape.reach);
        true
    }

    /// Remembers how an instruction was decoded in a context.
    pub(super) fn add(&mut self, parse: &Parse, context: [u32; CONTEXT_WORDS]) {
        let Some((mask, reach)) = parse.decisive_bits() else { return };
        let bytes = parse.leading_bytes();
        let first = parse.first_byte();
        let known = self.selectors.iter().position(|selector| selector.place == first);
        let selector = known.unwrap_or_else(|| {
            self.selectors.push(Selector { place: first, masks: vec![Vec::new(); 256] });
            self.selectors.len() - 1
        });
        let masks = self.selectors.get_mut(selector);
        let masks = masks.and_then(|selector| selector.masks.get_mut(byte(bytes, first)));
        let (Some(masks), Some(place)) =
            (masks, self.places.get_mut(place(bytes & mask, mask, &context)))
        else {
            return;
        };
        if !masks.contains(&mask) {
            if masks.len() >= MAX_MASKS {
                return;
            }
            masks.push(mask);
        }
        let shape = Shape {
            mask,
            bits: bytes & mask,
            context,
            nodes: parse.nodes.clone(),
            changed_context: parse.context,
            commits: parse.commits.clone(),
            delay_bytes: parse.delay_bytes,
            reach,
        };
        match place.checked_sub(1).and_then(|number| self.known.get_mut(usize::from(number))) {
            Some(known) => *known = shape,
            None => {
                self.known.push(shape);
                *place = self.known.len() as u16;
            }
        }
    }
}

/// The value of a byte of an instruction; the first is the most significant.
fn byte(bytes: u128, place: u32) -> usize {
    let above = (DECISIVE_BYTES - 1).saturating_sub(place);
    usize::from((bytes >> (8 * above)) as u8)
}

fn place(bits: u128, mask: u128, context: &[u32; CONTEXT_WORDS]) -> usize {
    // An odd number without structure: that of a multiplicative hash.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |value: u128| (value >> 64) as u64 ^ (value as u64).rotate_left(29);
    let [a, b, c, d] = context.map(u64::from);
    let context = (a | b << 32) ^ (c | d << 32).rotate_left(13);
    let mixed = (fold(bits) ^ context).wrapping_mul(SPREAD) ^ fold(mask);
    (mixed.wrapping_mul(SPREAD) >> (u64::BITS - PLACE_BITS)) as usize
}
