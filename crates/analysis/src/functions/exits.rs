//! Where control can go from the instructions of a function.

use crate::code::{ContextId, InstructionId};
use crate::flow::{Flow, absolute_target};
use crate::functions::Origin;
use crate::functions::discovery::{Discovery, crosses_start};
use crate::functions::draft::{Crossing, Waiting};
use crate::functions::learnt::ComputedJump;
use crate::values::engine::Scratch;
use crate::values::observer::Silent;
use miyaburi_emulator::ReturnAddress;
use miyaburi_image::Address;
use miyaburi_pcode::Opcode;

/// Within how many instructions before a jump its return address is set.
const LINK_DISTANCE: usize = 4;

impl Discovery<'_> {
    /// Notes the exits of an instruction; true when the walk goes on behind it.
    pub(super) fn follow(
        &mut self,
        number: u32,
        address: Address,
        id: InstructionId,
        next: Address,
    ) -> bool {
        let view = self.code.instruction(id);
        let flow = view.flow;
        let mut jumps: Vec<Address> = Vec::new();
        let mut call = None;
        let mut is_conditional = false;
        for op in view.ops {
            match (op.opcode, absolute_target(op)) {
                (Opcode::BRANCH | Opcode::CBRANCH, Some(target)) if target != next => {
                    jumps.push(target);
                }
                (Opcode::CALL, Some(target)) if target != next => call = Some(target),
                _ => {}
            }
            is_conditional |= op.opcode == Opcode::CBRANCH && call.is_none();
        }
        let mut goes_on = flow.contains(Flow::NEXT);
        let calls_by_jump =
            flow.contains(Flow::INDIRECT_JUMP) && self.follow_computed_jump(number, address, next);
        goes_on |= calls_by_jump;
        if flow.contains(Flow::RETURN) {
            self.note_return(number);
        }
        let mut callee = call.map(|target| (target, self.code.context_after(id, target)));
        if flow.contains(Flow::INDIRECT_CALL) || calls_by_jump {
            callee = self.learnt.calls.get(&address).copied();
            if let (None, Some(draft)) = (callee, self.draft_mut(number)) {
                draft.unknown_calls.push(address);
            }
        }
        for target in jumps {
            let context = self.code.context_after(id, target);
            self.jump(number, address, target, context);
        }
        if let Some((target, context)) = callee {
            let returns = self.call(number, address, target, context) || is_conditional;
            if goes_on && !returns {
                let context = self.code.context_after(id, next);
                self.wait(number, Waiting { site: address, callee: target, next, context });
                return false;
            }
        }
        if goes_on
            && (flow.ends_block())
            && let Some(draft) = self.draft_mut(number)
        {
            draft.leaders.push(next);
        }
        goes_on
    }

    /// A computed jump is a call when the link register was just given the address behind it;
    /// true when it is.
    fn follow_computed_jump(&mut self, number: u32, address: Address, next: Address) -> bool {
        let is_call = self.links_to(number, address, next);
        let Some(draft) = self.drafts.get_mut(number as usize) else { return false };
        if is_call {
            draft.jumps_that_call.push(address);
            return true;
        }
        match self.learnt.jumps.get(&address).cloned() {
            None => draft.unknown_jumps.push(address),
            Some(ComputedJump::Switch(targets)) => {
                let found = draft.visited.last().map(|(_, id)| *id);
                for (target, id) in targets.into_iter().zip(std::iter::repeat(found)) {
                    let context = id.map(|id| self.code.context_after(id, target));
                    if let Some(context) = context {
                        self.enter(number, target, context);
                    }
                }
            }
            Some(ComputedJump::To(target, context)) => {
                draft.constant_jumps.push(address);
                self.jump(number, address, target, context);
            }
            Some(ComputedJump::Return | ComputedJump::TailCall) => {
                let slot = self.learnt.slots.get(&address);
                if !slot.is_some_and(|slot| self.is_final_import(*slot)) {
                    self.note_return(number);
                }
            }
        }
        false
    }

    /// Whether the instruction at `address` or the one before it sets the link register to the
    /// address behind it (`mov lr, pc; bx r3`).
    fn links_to(&self, number: u32, address: Address, next: Address) -> bool {
        let ReturnAddress::Register(link, skipped) = self.abi.return_address else { return false };
        let Some(draft) = self.drafts.get(number as usize) else { return false };
        let first = draft.visited.len().saturating_sub(LINK_DISTANCE);
        let recent = draft.visited.get(first..).unwrap_or(&[]);
        let engine = self.engine();
        let mut state = engine.entry_state(draft.entry);
        let mut scratch = Scratch::default();
        let near = recent.iter().filter(|(at, _)| address.0.wrapping_sub(at.0) <= 4 * 4);
        for (at, id) in near {
            engine.step(&mut state, &mut scratch, *at, *id, &mut Silent);
        }
        let mode_bit = u64::from(self.abi.mode_switch.is_some());
        engine
            .register(&state, &link)
            .constant()
            .is_some_and(|value| value.wrapping_add(skipped) & !mode_bit == next.0)
    }

    /// A direct jump: inside the function, to another one, over another one's start, or out of the
    /// code of this file.
    fn jump(&mut self, number: u32, from: Address, target: Address, context: ContextId) {
        let Some(slot) = self.code.index.slot(target) else {
            self.note_tail_call(number, from, target);
            return;
        };
        let Some(draft) = self.drafts.get_mut(number as usize) else { return };
        if target == draft.entry {
            draft.leaders.push(target);
            return;
        }
        if self.ownership.starts.contains(slot) {
            self.add(target, context, Origin::TailCall);
            self.note_tail_call(number, from, target);
            return;
        }
        let is_known_inside = self.learnt.inner_jumps.contains(&(from, target));
        if !is_known_inside && crosses_start(&self.ownership, &self.code, draft.entry, target) {
            draft.crossings.push(Crossing { from, target, context });
            return;
        }
        draft.leaders.push(target);
        draft.open.push((target, context));
    }

    /// Takes a jump target into the function.
    pub(crate) fn enter(&mut self, number: u32, target: Address, context: ContextId) {
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.leaders.push(target);
            draft.open.push((target, context));
            self.queue.push(number);
        }
    }

    /// Notes a call; true when the callee is known to return.
    pub(crate) fn call(
        &mut self,
        number: u32,
        site: Address,
        target: Address,
        context: ContextId,
    ) -> bool {
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.calls.push((site, target, context));
        }
        self.add(target, context, Origin::Call);
        self.returns_from(target)
    }
}
