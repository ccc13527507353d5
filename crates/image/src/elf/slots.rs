//! The words that relocations of a linked program change.

use crate::segment::SegmentMap;
use crate::{Address, Endian, ImageDiagnostic, Permissions};

/// How many, and where the first is.
type Tally = Option<(usize, Address)>;

/// Memory while it is relocated.
///
/// Nobody relocates a static program at fixed addresses: the kernel does not read its dynamic
/// section, and its start-up code fills nothing but the slots of indirect functions. So what a
/// dynamic section in such a file says is not let near code and constants. In any other file
/// changed code is told of.
pub(crate) struct Slots<'m> {
    pub(crate) memory: &'m mut SegmentMap,
    is_static: bool,
    refused: Tally,
    in_code: Tally,
}

fn note(tally: &mut Tally, address: Address) {
    let (count, first) = tally.unwrap_or((0, address));
    *tally = Some((count + 1, first));
}

impl<'m> Slots<'m> {
    /// `is_static` of programs at fixed addresses that no dynamic linker loads.
    pub(crate) const fn new(memory: &'m mut SegmentMap, is_static: bool) -> Self {
        Self { memory, is_static, refused: None, in_code: None }
    }

    /// Changes a word; `None` as for [`SegmentMap::write`]. What is refused counts as done.
    pub(crate) fn write_uint(
        &mut self,
        slot: Address,
        size: u32,
        endian: Endian,
        value: u64,
    ) -> Option<()> {
        let permissions = self.memory.at(slot)?.permissions;
        let is_code = permissions.contains(Permissions::EXECUTE);
        if self.is_static && (is_code || !permissions.contains(Permissions::WRITE)) {
            note(&mut self.refused, slot);
            return Some(());
        }
        self.memory.write_uint(slot, size, endian, value)?;
        if is_code {
            note(&mut self.in_code, slot);
        }
        Some(())
    }

    /// Tells what was refused, and what was done to code.
    pub(crate) fn report(&self, diagnostics: &mut Vec<ImageDiagnostic>) {
        if let Some((count, address)) = self.refused {
            diagnostics.push(ImageDiagnostic::RelocationsRefused { count, address });
        }
        if let Some((count, address)) = self.in_code {
            diagnostics.push(ImageDiagnostic::CodeRelocated { count, address });
        }
    }
}
