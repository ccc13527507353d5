//! Where the temporaries of an instruction lie.

use miyaburi_pcode::{Op, Space, Varnode};

/// Packs the temporaries of one instruction, whose offsets in the unique space are sparse, into a
/// dense run; overlapping ones keep their overlap.
pub(super) struct TemporaryLayout {
    /// Start and end in the unique space, and the packed offset; ascending and disjoint.
    ranges: Vec<(u64, u64, u32)>,
    pub(super) size: u32,
}

impl TemporaryLayout {
    pub(super) fn new(ops: &[Op]) -> Self {
        let mut spans: Vec<(u64, u64)> = ops
            .iter()
            .flat_map(|op| op.inputs().iter().chain(op.output.iter()))
            .filter(|varnode| varnode.space == Space::Unique)
            .map(|varnode| (varnode.offset, varnode.offset.saturating_add(u64::from(varnode.size))))
            .collect();
        spans.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::with_capacity(spans.len());
        for (start, end) in spans {
            match merged.last_mut() {
                Some(last) if start < last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        let mut size = 0;
        let ranges = merged
            .into_iter()
            .map(|(start, end)| {
                let packed = size;
                size += ((end - start) as u32).next_multiple_of(8);
                (start, end, packed)
            })
            .collect();
        Self { ranges, size }
    }

    pub(super) fn offset(&self, varnode: &Varnode) -> u32 {
        let after = self.ranges.partition_point(|(start, ..)| *start <= varnode.offset);
        after
            .checked_sub(1)
            .and_then(|index| self.ranges.get(index))
            .map_or(0, |(start, _, packed)| packed + (varnode.offset - start) as u32)
    }
}
