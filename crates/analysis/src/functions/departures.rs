//! Jumps that leave a function for another, with the frame gone.

use crate::code::ContextId;
use crate::flow::Flow;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use miyaburi_image::Address;

/// Within how many instructions a function that is jumped to makes room on the stack.
const EARLY_PROLOGUE: usize = 12;

impl Discovery<'_> {
    /// Whether a jump is conditional: compilers do not leave functions that way.
    pub(crate) fn can_fall_through(&self, site: Address) -> bool {
        let id = self.code.instruction_at(site);
        id.is_some_and(|id| self.code.instruction(id).flow.contains(Flow::NEXT))
    }

    /// Takes the target of a jump made with the frame gone as a function when either side has set
    /// up a frame of its own and the target does not follow the jumping function's code; or,
    /// wherever it lies, when the jump follows the release of a frame and the target makes one.
    ///
    /// False positives: a block of a function whose frame is set up on some paths alone, when it
    /// was moved away from what jumps to it. False negatives: tail calls between functions without
    /// frames when nothing else refers to the callee; it counts as part of the caller.
    pub(crate) fn add_departure(&mut self, from: Address, target: Address, is_released: bool) {
        let Some(slot) = self.code.index.slot(target) else { return };
        let is_candidate = !self.ownership.starts.contains(slot)
            && !self.can_fall_through(from)
            && self.is_boundary(target)
            && !self.is_amid_unwound(target);
        let Some(id) = self.code.instruction_at(target).filter(|_| is_candidate) else { return };
        let context = self.code.id_context(id);
        let has_frame = self.has_early_frame(target, context);
        let departs = || !self.is_inside(from, target);
        if is_released && has_frame || departs() && (has_frame || self.jumper_has_frame(from)) {
            self.add(target, context, Origin::TailCall);
        }
    }

    fn has_early_frame(&mut self, start: Address, context: ContextId) -> bool {
        let opening = self.opening_of_known(start, context);
        opening.is_some_and(|opening| opening.prologue.is_some_and(|after| after <= EARLY_PROLOGUE))
    }

    /// Whether the function of the jump at `from` had a frame before.
    fn jumper_has_frame(&mut self, from: Address) -> bool {
        let owner = self.code.index.slot(from).and_then(|slot| self.ownership.owner(slot));
        let draft = owner.and_then(|owner| self.drafts.get(owner as usize));
        let Some((entry, context)) = draft.map(|draft| (draft.entry, draft.context)) else {
            return false;
        };
        self.has_early_frame(entry, context)
    }

    /// Whether the code directly before `target` belongs to the function of the jump at `from`
    /// and is not that jump.
    fn is_inside(&self, from: Address, target: Address) -> bool {
        let owner = |address: Address| {
            self.code.index.slot(address).and_then(|slot| self.ownership.owner(slot))
        };
        let step = self.image.arch().instruction_alignment();
        let last = (step..=16)
            .step_by(step as usize)
            .map(|distance| Address(target.0.wrapping_sub(distance)));
        let before = last.into_iter().find(|before| {
            let id = self.code.instruction_at(*before).filter(|_| owner(*before).is_some());
            id.is_some_and(|id| {
                before.offset(u64::from(self.code.instruction(id).length)) == target
            })
        });
        before.is_some_and(|before| before != from && owner(before) == owner(from))
    }
}
