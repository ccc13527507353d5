//! Where registers are kept: packed, since specifications scatter them over gigabytes.

use miyaburi_pcode::{Language, Space};

/// Maps offsets of the register space to bytes of the machine state.
#[derive(Debug)]
pub(crate) struct RegisterMap {
    /// Start and end in the register space, and the packed offset; ascending and disjoint.
    ranges: Vec<(u64, u64, u32)>,
    size: u32,
}

impl RegisterMap {
    /// Packs the registers of `language`, overlapping ones together.
    pub(crate) fn new(language: &dyn Language) -> Self {
        let mut spans: Vec<(u64, u64)> = language
            .registers()
            .into_iter()
            .filter(|(_, varnode)| varnode.space == Space::Register)
            .map(|(_, varnode)| {
                (varnode.offset, varnode.offset.saturating_add(u64::from(varnode.size)))
            })
            .collect();
        spans.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (start, end) in spans {
            match merged.last_mut() {
                // Neighbours stay neighbours: a register pair is addressed as one.
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        let mut size = 0_u32;
        let ranges = merged
            .into_iter()
            .map(|(start, end)| {
                let packed = size;
                size += (end - start).next_multiple_of(8) as u32;
                (start, end, packed)
            })
            .collect();
        Self { ranges, size }
    }

    /// Bytes that all registers take.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Where the `size` bytes at `offset` of the register space are kept; `None` unless all belong
    /// to registers that lie side by side.
    pub(crate) fn place(&self, offset: u64, size: u32) -> Option<u32> {
        let after = self.ranges.partition_point(|(start, ..)| *start <= offset);
        let (start, end, packed) = self.ranges.get(after.checked_sub(1)?)?;
        let last = offset.checked_add(u64::from(size.max(1)))?;
        (last <= *end).then(|| packed + (offset - start) as u32)
    }
}
