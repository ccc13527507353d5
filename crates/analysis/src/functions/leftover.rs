//! Functions that nothing refers to: what lies between known functions and looks like one.
//!
//! False positives: data between functions that decodes as a frame set-up followed by code.
//! False negatives: functions without a frame that do not follow padding or another function's
//! end directly; anything behind the last known function, where read-only data often lies.

use crate::address_index::SlotSet;
use crate::code::ContextId;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::functions::plausibility::Look;
use miyaburi_image::Address;

/// The most starts that are tried.
const MAX_TRIALS: usize = 20_000;

/// The longest function without a frame that is believed, in instructions.
const MAX_FRAMELESS: usize = 24;

impl Discovery<'_> {
    /// Adds functions from the gaps between known ones. `literals` are slots that code loads from.
    pub(crate) fn add_leftovers(&mut self, literals: &SlotSet) {
        let ranges: Vec<(Address, Address)> = self.code.index.ranges().collect();
        let mut trials = 0;
        for (start, end) in ranges {
            let last = self.last_reached(start, end);
            let mut address = self.first_reached(start, end);
            while address < last && trials < MAX_TRIALS {
                address = self.pass_known(address, last, literals);
                if address < last {
                    trials += 1;
                    address = self.try_gap(address);
                }
            }
        }
    }

    /// The first address from `address` on that is neither code nor a literal.
    fn pass_known(&self, mut address: Address, last: Address, literals: &SlotSet) -> Address {
        let step = self.image.arch().instruction_alignment();
        while address < last {
            let Some(slot) = self.code.index.slot(address) else { return last };
            let owned = self.ownership.owner(slot).and_then(|_| self.code.instruction_at(address));
            if let Some(id) = owned {
                address = address.offset(u64::from(self.code.instruction(id).length));
            } else if literals.contains(slot) {
                address = address.offset(step);
            } else {
                return address;
            }
        }
        last
    }

    /// Tries to find a function at the start of a gap; yields where to go on.
    fn try_gap(&mut self, address: Address) -> Address {
        let step = self.image.arch().instruction_alignment();
        let contexts = self.contexts_before(address);
        let Some(&first) = contexts.first() else { return address.offset(step) };
        if let Some(length) = self.padding_length(address, first) {
            return address.offset(length);
        }
        let follows_end = self.is_boundary(address);
        for context in contexts {
            let look = self.look(address, context);
            if let Some(look) = look.filter(|look| is_function(look, follows_end)) {
                self.add(address, context, Origin::Leftover);
                self.explore();
                return address.offset(look.bytes.min(step));
            }
        }
        // Functions start at such addresses at least, whatever the instruction size.
        Address((address.0 | 3) + 1)
    }

    /// The modes a function here can be in: that of what lies before it first.
    fn contexts_before(&mut self, address: Address) -> Vec<ContextId> {
        let mut contexts = Vec::new();
        let slot =
            self.code.index.slot(address).and_then(|slot| self.ownership.starts.last_until(slot));
        let before = slot.and_then(|slot| self.code.index.address(slot));
        if let Some(draft) = before.and_then(|before| self.draft_at(before)) {
            contexts.push(draft.context);
        }
        let mode_bits: &[u64] = if self.abi.mode_switch.is_some() { &[0, 1] } else { &[0] };
        for bit in mode_bits {
            if let Some((_, context)) = self.code_pointer(address.0 | bit)
                && !contexts.contains(&context)
                && contexts.is_empty()
            {
                contexts.push(context);
            }
        }
        contexts
    }

    fn first_reached(&self, start: Address, end: Address) -> Address {
        let slot =
            self.code.index.slot(start).and_then(|slot| self.ownership.starts.next_from(slot));
        slot.and_then(|slot| self.code.index.address(slot)).map_or(end, |first| first.min(end))
    }

    fn last_reached(&self, start: Address, end: Address) -> Address {
        let last = Address(end.0.saturating_sub(1));
        let slot =
            self.code.index.slot(last).and_then(|slot| self.ownership.starts.last_until(slot));
        let address = slot.and_then(|slot| self.code.index.address(slot));
        address.filter(|address| *address >= start).unwrap_or(start)
    }
}

fn is_function(look: &Look, follows_end: bool) -> bool {
    let is_framed = look.has_prologue && (look.ends || look.calls_known || look.length > 8);
    let is_leaf = look.ends && look.length <= MAX_FRAMELESS;
    follows_end && (is_framed || is_leaf)
}
