//! Functions that only pointers refer to: handlers passed as arguments, tables of functions.

use crate::code::ContextId;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use miyaburi_image::{Address, Family};

/// Images that start below this have code addresses that look like everyday numbers.
const LOW_BASE: u64 = 0x1_0000;

/// The most bytes of data that are searched for pointers.
const MAX_DATA: usize = 32 << 20;

impl Discovery<'_> {
    /// Adds the functions that constants in code point to.
    ///
    /// False positives: numbers that happen to be the address of unreached code that decodes;
    /// addresses of labels. False negatives: pointers to code that is reached from elsewhere as
    /// part of another function.
    pub(crate) fn add_constants(&mut self, constants: &[u64]) {
        for &constant in constants {
            if let Some((address, context)) = self.pointed_function(constant, false) {
                self.add(address, context, Origin::Constant);
            }
        }
    }

    /// Adds the functions that aligned words of data point to.
    ///
    /// False positives: as for constants, and the cases of a switch whose table was not
    /// understood. False negatives: pointers stored relative to something, or unaligned.
    pub(crate) fn add_pointers(&mut self) {
        for pointer in self.data_words() {
            if let Some((address, context)) = self.pointed_function(pointer, true) {
                self.add(address, context, Origin::Pointer);
            }
        }
    }

    /// The words of data, and of those parts of executable segments that are no code, that could
    /// be addresses of unreached code.
    fn data_words(&self) -> Vec<u64> {
        let arch = self.image.arch();
        let size = arch.pointer_size() as usize;
        let step = if arch.family == Family::M68k { 2 } else { size };
        let mut words = Vec::new();
        let mut left = MAX_DATA;
        for segment in self.image.segments() {
            let data = segment.data.get(..left).unwrap_or(&segment.data);
            left -= data.len();
            let skew = (segment.address.0 as usize).wrapping_neg() % step;
            for offset in (skew..data.len()).step_by(step) {
                let Some(bytes) = data.get(offset..offset + size) else { break };
                let word = arch.endian.read_uint(bytes);
                let Some(slot) = self.code.index.slot(Address(word)) else { continue };
                let here = self.code.index.slot(segment.address.offset(offset as u64));
                let is_in_code = here.is_some_and(|here| self.ownership.owner(here).is_some());
                if !is_in_code && self.ownership.owner(slot).is_none() {
                    words.push(word);
                }
            }
        }
        words.sort_unstable();
        words.dedup();
        words
    }

    fn pointed_function(&mut self, pointer: u64, is_data: bool) -> Option<(Address, ContextId)> {
        let (address, context) = self.code_pointer(pointer)?;
        let slot = self.code.index.slot(address)?;
        if self.ownership.owner(slot).is_some() || !self.is_boundary(address) {
            return None;
        }
        if self.image.bytes_from(address).iter().take(4).all(|byte| *byte == 0) {
            return None;
        }
        let is_low = self.code.index.ranges().next().is_some_and(|(start, _)| start.0 < LOW_BASE);
        let look = self.look(address, context)?;
        let is_strict = is_low || is_data;
        let is_function = look.has_prologue || look.ends && (!is_strict || look.length <= 32);
        is_function.then_some((address, context))
    }
}
