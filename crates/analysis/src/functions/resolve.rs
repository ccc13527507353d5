//! Asks the value analysis where computed jumps and calls go.

use crate::blocks::Body;
use crate::code::ContextId;
use crate::functions::Origin;
use crate::functions::discovery::{Discovery, crosses_start};
use crate::functions::draft::{Crossing, Draft};
use crate::functions::learnt::ComputedJump;
use crate::functions::reading::{JumpFact, Reading};
use crate::jump_tables;
use crate::values::Value;
use crate::values::engine::Engine;
use crate::values::observer::{Silent, State};
use miyaburi_emulator::ReturnAddress;
use miyaburi_image::Address;
use std::sync::Arc;

/// Bytes of something learnt about a jump or call, those of the table around it included.
const LEARNT_BYTES: usize = 96;

/// Waiting calls that are looked through in the time of a step.
const WAITING_PER_STEP: u64 = 16;

/// The most rounds in which computed jumps and calls are resolved and explored.
const MAX_ROUNDS: usize = 16;

/// Whether the stack pointer and the link register are what they were at entry.
pub(crate) fn is_frame_gone(engine: &Engine<'_>, state: &State) -> bool {
    let stack_pointer = engine.register(state, &engine.abi.stack_pointer);
    let holds_link = match &engine.abi.return_address {
        ReturnAddress::Register(link, _) => {
            is_entry_link(engine.register(state, link), link.offset)
        }
        ReturnAddress::Stack => true,
    };
    stack_pointer == Value::StackOffset(0) && holds_link
}

/// Whether the stack pointer lies below where it was at entry.
pub(crate) fn has_frame(engine: &Engine<'_>, state: &State) -> bool {
    let top = engine.register(state, &engine.abi.stack_pointer);
    top.stack_offset().is_some_and(|offset| offset < 0)
}

fn is_entry_link(value: Value, link: u64) -> bool {
    matches!(value, Value::AtEntry { register, .. } if u64::from(register) == link)
}

impl Discovery<'_> {
    pub(crate) fn engine(&self) -> Engine<'_> {
        Engine {
            image: self.image,
            language: self.language,
            code: &self.code,
            abi: &self.abi,
            cells: &self.cells,
            written: &self.written,
            global_pointer: self.global_pointer,
            effects: &self.effects,
        }
    }

    /// The blocks of a draft.
    pub(crate) fn body(&mut self, number: u32) -> Arc<Body> {
        let Some(draft) = self.drafts.get_mut(number as usize) else { return Arc::default() };
        if draft.body.is_none() {
            self.code.work.spend(draft.visited.len() as u64);
            draft.body = Some(Arc::new(draft.build(&self.code, &self.learnt)));
        }
        draft.body.clone().unwrap_or_default()
    }

    /// What the values of a draft tell, given what is known of memory by now.
    pub(crate) fn read(&mut self, number: u32) -> Arc<Reading> {
        let body = self.body(number);
        let Some(draft) = self.drafts.get(number as usize) else { return Arc::default() };
        if let Some(known) = &draft.reading
            && known.holds(&self.engine())
        {
            return known.clone();
        }
        let entry = draft.entry;
        let mut solution = std::mem::take(&mut self.solution);
        let (engine, starts) = (self.engine(), &self.ownership.starts);
        let is_low = self.is_low();
        let reading = Reading::new(&engine, &body, entry, starts, is_low, &mut solution);
        let reading = Arc::new(reading);
        self.solution = solution;
        self.solved = Some(body);
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.reading = Some(reading.clone());
        }
        reading
    }

    /// Solves a function unless it was the last to be solved.
    fn solve(&mut self, body: &Arc<Body>, entry: Address) {
        if self.solved.as_ref().is_some_and(|solved| Arc::ptr_eq(solved, body)) {
            return;
        }
        let mut solution = std::mem::take(&mut self.solution);
        solution.solve(&self.engine(), body, entry, &mut Silent);
        self.solution = solution;
        self.solved = Some(body.clone());
    }

    /// Explores everything that can be reached from the queued functions, computed jumps and
    /// calls included.
    ///
    /// What is learnt in one round can take back what another assumed, so rounds are limited:
    /// hostile code could keep them going for ever.
    pub(crate) fn explore(&mut self) {
        for _ in 0..MAX_ROUNDS {
            self.drain();
            if !self.code.work.spend(1 + self.unsettled.len() as u64) {
                return;
            }
            self.unsettled.sort_unstable();
            self.unsettled.dedup();
            let mut is_progress = false;
            for number in self.unsettled.clone() {
                let needs =
                    self.drafts.get(number as usize).is_some_and(|draft| draft.needs_values());
                if needs {
                    self.resolve(number);
                    is_progress = true;
                }
            }
            if is_progress {
                continue;
            }
            if !self.give_up_on_jumps() && !self.undo_overruns() {
                self.unsettled.clear();
                return;
            }
        }
    }

    /// Explores functions anew, once, that went on behind computed calls which turned out never to
    /// return; true when there are any.
    fn undo_overruns(&mut self) -> bool {
        let overruns = |draft: &Draft| {
            let stops = |(site, target, _): &(Address, Address, ContextId)| {
                self.learnt.calls.contains_key(site)
                    && self.draft_at(*target).is_some_and(|callee| !callee.returns)
                    && self.code.work.spend(draft.waiting.len() as u64 / WAITING_PER_STEP)
                    && !draft.waits_at(*site)
            };
            !draft.was_undone && draft.calls.iter().any(stops)
        };
        let numbers = self.unsettled_that(overruns);
        for number in &numbers {
            self.restart(*number);
            if let Some(draft) = self.drafts.get_mut(*number as usize) {
                draft.was_undone = true;
                // It may have seemed to return only because of what it ran into.
                draft.returns = false;
            }
        }
        if !numbers.is_empty() {
            // Whoever calls them may have run on, too.
            self.unsettled = (0..self.drafts.len() as u32).collect();
        }
        !numbers.is_empty()
    }

    /// The unsettled drafts for which a condition holds, in order.
    fn unsettled_that(&self, holds: impl Fn(&Draft) -> bool) -> Vec<u32> {
        let draft = |number: u32| self.drafts.get(number as usize);
        let unsettled = self.unsettled.iter().copied();
        unsettled.filter(|number| draft(*number).is_some_and(&holds)).collect()
    }

    /// Lets functions whose computed jumps stay unknown count as returning; true when that opens
    /// new code.
    fn give_up_on_jumps(&mut self) -> bool {
        let stuck = |draft: &Draft| !draft.returns && !draft.unknown_jumps.is_empty();
        let numbers = self.unsettled_that(stuck);
        for number in &numbers {
            self.note_return(*number);
        }
        !numbers.is_empty()
    }

    fn resolve(&mut self, number: u32) {
        let body = self.body(number);
        let Some(draft) = self.drafts.get_mut(number as usize) else { return };
        draft.is_dirty = false;
        let entry = draft.entry;
        let unknown_calls = std::mem::take(&mut draft.unknown_calls);
        let mut unknown_jumps = std::mem::take(&mut draft.unknown_jumps);
        unknown_jumps.append(&mut draft.constant_jumps);
        let crossings = std::mem::take(&mut draft.crossings);
        let reading = self.read(number);
        let switches = self.switches(&body, entry, &unknown_jumps, &reading);
        let mut left = Vec::new();
        for site in unknown_calls {
            let called = reading.site(site).map(|site| site.target);
            // A call by jump is a jump to the engine.
            let jumped = || reading.last_jump(site).map(|fact| fact.target);
            let target = called.or_else(jumped);
            if !self.resolve_call(number, site, target.unwrap_or_default()) {
                left.push(site);
            }
        }
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.unknown_calls.extend(left);
        }
        for crossing in crossings {
            let fact = reading.first_jump(crossing.from);
            self.resolve_crossing(number, crossing, fact.is_some_and(|fact| fact.is_frame_gone));
        }
        for (site, switch) in unknown_jumps.into_iter().zip(switches) {
            let fact = reading.last_jump(site).copied();
            self.resolve_jump(number, site, fact, switch);
        }
    }

    fn resolve_call(&mut self, number: u32, site: Address, target: Value) -> bool {
        let pointer = target.constant().and_then(|pointer| self.code_pointer(pointer));
        let Some((target, context)) = pointer else { return false };
        self.code.work.keep(LEARNT_BYTES);
        self.learnt.calls.insert(site, (target, context));
        self.call(number, site, target, context);
        true
    }

    fn resolve_crossing(&mut self, number: u32, crossing: Crossing, is_frame_gone: bool) {
        let Crossing { from, target, context } = crossing;
        let Some(entry) = self.drafts.get(number as usize).map(|draft| draft.entry) else { return };
        let still_crosses = crosses_start(&self.ownership, &self.code, entry, target);
        if is_frame_gone
            && still_crosses
            && !self.can_fall_through(from)
            && self.is_boundary(target)
            && !self.is_amid_unwound(target)
        {
            self.add(target, context, Origin::TailCall);
            self.note_tail_call(number, from, target);
        } else {
            self.code.work.keep(LEARNT_BYTES);
            self.learnt.inner_jumps.insert((from, target));
            self.enter(number, target, context);
        }
    }

    /// Switch targets of each unknown jump that is no jump to a known value.
    fn switches(
        &mut self,
        body: &Arc<Body>,
        entry: Address,
        sites: &[Address],
        reading: &Reading,
    ) -> Vec<Option<Vec<Address>>> {
        let is_open = |site: &Address| {
            reading.last_jump(*site).is_some_and(|fact| fact.target == Value::Unknown)
        };
        if !sites.iter().any(is_open) {
            return vec![None; sites.len()];
        }
        self.solve(body, entry);
        let engine = self.engine();
        // The cases of a switch lie in its function.
        let is_target = |address: Address| {
            self.code.index.is_code_address(address)
                && !crosses_start(&self.ownership, &self.code, entry, address)
        };
        let find = |site: &Address| {
            if !is_open(site) {
                return None;
            }
            let block = body.block_ending_with(*site)?;
            jump_tables::targets(&engine, body, &self.solution, block, is_target)
        };
        sites.iter().map(find).collect()
    }

    fn resolve_jump(
        &mut self,
        number: u32,
        site: Address,
        fact: Option<JumpFact>,
        switch: Option<Vec<Address>>,
    ) {
        let Some(JumpFact { target, is_frame_gone, .. }) = fact else {
            self.keep_unknown(number, site);
            return;
        };
        if let Some(targets) = switch {
            self.enter_cases(number, site, targets);
            return;
        }
        let believed = target.constant().filter(|_| !self.learnt.retracted.contains(&site));
        let known = believed.and_then(|pointer| {
            self.code_pointer(pointer).or_else(|| self.import_pointer(pointer))
        });
        let Some((target, context)) = known else {
            self.leave_by_jump(number, site, target, is_frame_gone);
            return;
        };
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.constant_jumps.push(site);
        }
        let learnt = ComputedJump::To(target, context);
        self.code.work.keep(LEARNT_BYTES);
        if self.learnt.jumps.insert(site, learnt.clone()) != Some(learnt) {
            self.jump_to_constant(number, site, target, context, is_frame_gone);
        }
    }

    fn enter_cases(&mut self, number: u32, site: Address, targets: Vec<Address>) {
        self.code.work.keep(LEARNT_BYTES + size_of_val(targets.as_slice()));
        self.learnt.jumps.insert(site, ComputedJump::Switch(targets.clone()));
        let Some(id) = self.code.instruction_at(site) else { return };
        for target in targets {
            let context = self.code.context_after(id, target);
            self.enter(number, target, context);
        }
    }

    /// A jump to an unknown target: a return, a call of another function as the last thing, or
    /// neither, as far as its value and the stack tell.
    fn leave_by_jump(&mut self, number: u32, site: Address, target: Value, is_frame_gone: bool) {
        let is_return = match &self.abi.return_address {
            ReturnAddress::Register(link, _) => is_entry_link(target, link.offset),
            ReturnAddress::Stack => false,
        };
        self.code.work.keep(LEARNT_BYTES);
        if let Value::Loaded { from, .. } = target {
            self.learnt.slots.insert(site, from);
        }
        let is_elsewhere = matches!(
            target,
            Value::Loaded { .. } | Value::Argument { .. } | Value::CallResult { .. }
        );
        let kind = if is_return {
            ComputedJump::Return
        } else if is_elsewhere || is_frame_gone {
            ComputedJump::TailCall
        } else {
            self.keep_unknown(number, site);
            return;
        };
        self.learnt.jumps.insert(site, kind);
        let is_final = matches!(target, Value::Loaded { from, .. } if self.is_final_import(from));
        if !is_final {
            self.note_return(number);
        }
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.forget_body();
        }
    }

    fn keep_unknown(&mut self, number: u32, site: Address) {
        if self.learnt.jumps.remove(&site).is_some() {
            self.learnt.retracted.insert(site);
        }
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.unknown_jumps.push(site);
        }
    }

    /// A jump whose target the values know: a veneer's, or a far jump inside the function.
    fn jump_to_constant(
        &mut self,
        number: u32,
        site: Address,
        target: Address,
        context: ContextId,
        is_frame_gone: bool,
    ) {
        let Some(entry) = self.drafts.get(number as usize).map(|draft| draft.entry) else { return };
        let crosses = crosses_start(&self.ownership, &self.code, entry, target);
        if self.code.index.slot(target).is_none() {
            self.note_tail_call(number, site, target);
        } else if is_frame_gone
            && (crosses
                || self.drafts.get(number as usize).is_some_and(|draft| draft.visited.len() <= 4))
        {
            self.add(target, context, Origin::TailCall);
            self.note_tail_call(number, site, target);
        } else {
            self.enter(number, target, context);
        }
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.forget_body();
        }
    }
}
