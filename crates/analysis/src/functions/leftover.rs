//! Functions that nothing refers to: what lies between known functions and looks like one.
//!
//! False positives: data between functions that decodes as a frame set-up followed by code.
//! False negatives: functions without a frame that do not follow padding or another function's
//! end directly; functions behind one with a computed jump whose targets are not known; anything
//! behind the last known function, where read-only data often lies.

use crate::address_index::SlotSet;
use crate::code::ContextId;
use crate::diagnostic::AnalysisDiagnostic;
use crate::flow::Flow;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::functions::plausibility::Look;
use crate::functions::run::Harvest;
use miyaburi_image::Address;

/// The most starts that are tried.
pub(super) const MAX_TRIALS: usize = 200_000;

/// The alignment of functions that do not directly follow others, in bytes.
pub(super) const FUNCTION_ALIGNMENT: u64 = 4;

/// The most instructions of a function before those that give it away.
const MAX_LEAD: usize = 8;

/// The most slots of padding and literals between functions.
const MAX_PADDING: usize = 64;

impl Discovery<'_> {
    /// Adds functions from the gaps between known ones.
    pub(crate) fn add_leftovers(&mut self, harvest: &mut Harvest) {
        let ranges: Vec<(Address, Address)> = self.code.index.ranges().collect();
        let mut trials = 0;
        for (start, end) in ranges {
            let last = self.last_reached(start, end);
            let mut address = self.first_reached(start, end);
            let mut is_first = true;
            let mut boundary = address;
            while address < last && self.code.work.spend(1) {
                if trials >= MAX_TRIALS {
                    self.diagnostics.push(AnalysisDiagnostic::GapsLeftOut { from: address });
                    return;
                }
                let free = self.pass_known(address, last, &harvest.literals);
                is_first |= free > address;
                address = free;
                if address >= last {
                    break;
                }
                let Some(context) = self.context_before(address) else { break };
                if let Some(length) = self.padding_length(address, context) {
                    address = address.offset(length);
                    is_first = true;
                    continue;
                }
                trials += 1;
                if is_first {
                    boundary = address;
                }
                is_first = self.try_start(address, context, boundary, harvest);
                if !is_first || !self.is_reached(address) {
                    address = Address((address.0 | (FUNCTION_ALIGNMENT - 1)) + 1);
                }
            }
        }
    }

    /// Tries whether a function starts here. What directly follows known code or padding, at the
    /// last `boundary`, is believed more easily than what lies behind something else; and what runs
    /// on from there to here starts there.
    fn try_start(
        &mut self,
        address: Address,
        context: ContextId,
        boundary: Address,
        harvest: &mut Harvest,
    ) -> bool {
        // Behind a jump nobody understands lie its targets rather than other functions.
        if self.is_amid_unwound(address) || self.has_unknown_jump_before(address) {
            return false;
        }
        let Some(look) = self.look(address, context) else { return false };
        // A lone return behind a jump is what some macros leave; compilers align empty functions.
        let is_debris =
            look.is_lone_return && (!address.0.is_multiple_of(16) || self.follows_jump(address));
        let is_aligned = address.0.is_multiple_of(FUNCTION_ALIGNMENT);
        let is_first = address == boundary;
        if is_debris || !self.is_boundary(address) || !is_function(&look, is_first, is_aligned) {
            return false;
        }
        let start = if self.runs_on(boundary, address, context) { boundary } else { address };
        self.add(start, context, Origin::Leftover);
        self.explore();
        // Its literals lie in the gap, too.
        self.sweep(harvest);
        true
    }

    /// The first address from `address` on that is neither code nor a literal.
    pub(super) fn pass_known(
        &self,
        mut address: Address,
        last: Address,
        literals: &SlotSet,
    ) -> Address {
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

    /// Whether the instructions from one address on lead to another, a few behind it.
    fn runs_on(&mut self, from: Address, to: Address, context: ContextId) -> bool {
        let (mut address, mut context) = (from, context);
        for _ in 0..MAX_LEAD {
            if address >= to || !self.is_boundary(from) {
                break;
            }
            let Some(id) = self.lift(address, context) else { return false };
            let view = self.code.instruction(id);
            if !view.flow.contains(Flow::NEXT) {
                return false;
            }
            let next = address.offset(u64::from(view.length));
            context = self.code.context_after(id, next);
            address = next;
        }
        address == to
    }

    /// Whether the last function before `address` has a computed jump without known targets.
    fn has_unknown_jump_before(&self, address: Address) -> bool {
        let slot = self.code.index.slot(address);
        let start = slot.and_then(|slot| self.ownership.starts.last_until(slot));
        let start = start.and_then(|start| self.code.index.address(start));
        let draft = start.and_then(|start| self.draft_at(start));
        draft.is_some_and(|draft| !draft.unknown_jumps.is_empty())
    }

    /// Whether a known jump ends at `address`.
    fn follows_jump(&self, address: Address) -> bool {
        let step = self.image.arch().instruction_alignment();
        let ids = (step..=8).step_by(step as usize).filter_map(|distance| {
            let before = Address(address.0.wrapping_sub(distance));
            let id = self.code.instruction_at(before).filter(|_| self.is_reached(before))?;
            let view = self.code.instruction(id);
            (before.offset(u64::from(view.length)) == address).then_some(view.flow)
        });
        ids.into_iter().next().is_some_and(|flow| flow.contains(Flow::JUMP))
    }

    /// Whether known code, or padding after it, ends at `address`.
    pub(crate) fn follows_known(&self, address: Address) -> bool {
        let step = self.image.arch().instruction_alignment();
        let mut before = address.0;
        for _ in 0..MAX_PADDING {
            before = before.wrapping_sub(step);
            let Some(slot) = self.code.index.slot(Address(before)) else { return false };
            if self.ownership.owner(slot).is_some() {
                return true;
            }
        }
        false
    }

    /// The mode a function here can be in: that of what lies before it.
    fn context_before(&self, address: Address) -> Option<ContextId> {
        let slot = self.ownership.starts.last_until(self.code.index.slot(address)?)?;
        let before = self.code.index.address(slot)?;
        self.draft_at(before).map(|draft| draft.context)
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

fn is_function(look: &Look, is_first: bool, is_aligned: bool) -> bool {
    if look.opening.trusts_strangers {
        return false;
    }
    let is_leaf = look.leaves_properly && !look.intrudes;
    let is_strict = look.opening.prologue.is_some_and(|after| after <= 2) && is_aligned;
    if is_first { look.opening.prologue.is_some() || is_leaf } else { is_strict }
}
