//! The operations of lifted instructions, in blocks that never move.

use crate::values::relevance::Relevance;
use crate::work::Meter;
use miyaburi_pcode::Op;

/// Bits of a place that count within a block.
const OFFSET_BITS: u32 = 16;

/// A block has fewer operations, an instruction fewer still.
const BLOCK_OPS: usize = 1 << OFFSET_BITS;

/// Lists of operations, kept one behind the other. What is kept is never copied into a larger
/// table, which would need room for both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    blocks: Vec<Block>,
}

#[derive(Clone, Debug, Default)]
struct Block {
    ops: Vec<Op>,
    /// For each operation, whether the value analysis has to look at it.
    matters: Vec<bool>,
}

impl Operations {
    /// Keeps the operations of an instruction, fewer than [`BLOCK_OPS`]; its place, or `None` when `work` has no
    /// memory for it.
    pub(crate) fn add(&mut self, ops: &[Op], relevance: &Relevance, work: &Meter) -> Option<u32> {
        let has_room = |block: &Block| block.ops.len() + ops.len() < BLOCK_OPS;
        if !self.blocks.last().is_some_and(has_room) {
            work.reserve(&mut self.blocks, 1).then_some(())?;
            self.blocks.push(Block::default());
        }
        let number = u32::try_from(self.blocks.len() - 1).ok()?;
        let block = self.blocks.last_mut()?;
        let offset = block.ops.len() as u32;
        let is_affordable =
            work.reserve(&mut block.ops, ops.len()) && work.reserve(&mut block.matters, ops.len());
        is_affordable.then_some(())?;
        block.ops.extend_from_slice(ops);
        relevance.mark(ops, &mut block.matters);
        Some(number << OFFSET_BITS | offset)
    }

    /// The `count` operations kept at `place`, and which of them matter.
    pub(crate) fn get(&self, place: u32, count: u16) -> (&[Op], &[bool]) {
        let Some(block) = self.blocks.get((place >> OFFSET_BITS) as usize) else {
            return (&[], &[]);
        };
        let first = place as usize % BLOCK_OPS;
        let range = first..first + usize::from(count);
        (
            block.ops.get(range.clone()).unwrap_or_default(),
            block.matters.get(range).unwrap_or_default(),
        )
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::{BLOCK_OPS, Operations};
    use crate::values::registers::RegisterCells;
    use crate::values::relevance::Relevance;
    use crate::work::{Limits, Meter};
    use miyaburi_emulator::Abi;
    use miyaburi_image::Arch;
    use miyaburi_pcode::{Op, Opcode, Varnode, language_for};
    use std::sync::Arc;

    fn relevance() -> Relevance {
        let arch = Arch::ALL.into_iter().next().expect("a CPU");
        let language = language_for(arch).expect("a specification");
        let abi = Abi::new(arch, language.as_ref()).expect("its registers");
        Relevance::new(Arc::new(RegisterCells::new(arch, language.as_ref(), &abi)), &abi)
    }

    /// `count` operations that differ from those of every other `number`.
    fn ops(number: u64, count: usize) -> Vec<Op> {
        vec![Op::new(Opcode::BRANCH, None, &[Varnode::constant(number, 8)]); count]
    }

    #[test]
    fn operations_are_found_across_blocks() {
        let relevance = relevance();
        let meter = Meter::new(Limits { steps: 0, bytes: 1 << 30, deadline: None });
        let counts = [1, 0, 3, BLOCK_OPS - 10, 5, 6, BLOCK_OPS - 1, 0, 2];
        let mut kept = Operations::default();
        let add = |(number, count): (u64, &usize)| {
            kept.add(&ops(number, *count), &relevance, &meter).expect("memory")
        };
        let places: Vec<u32> = (0..).zip(&counts).map(add).collect();
        for ((number, count), place) in (0..).zip(counts).zip(places) {
            let (found, matters) = kept.get(place, count as u16);
            assert_eq!((found, matters.len()), (ops(number, count).as_slice(), count));
        }
    }

    #[test]
    fn nothing_is_kept_beyond_the_memory() {
        let relevance = relevance();
        let meter = Meter::new(Limits { steps: 0, bytes: 4096, deadline: None });
        let mut kept = Operations::default();
        assert!(kept.add(&ops(0, 1), &relevance, &meter).is_some());
        assert_eq!(kept.add(&ops(1, 1000), &relevance, &meter), None);
        assert!(meter.is_cut());
        assert_eq!(kept.get(7 << 16, 1), (&[][..], &[][..]));
    }
}
