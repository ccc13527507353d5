//! The search for functions.
//!
//! Control flow is followed from every known start. What follows a call is explored only once the
//! callee is known to return, so that data and other functions behind calls of `exit` and `abort`
//! are not taken for code. When nothing direct is left, the value analysis is asked where computed
//! jumps and calls go, and what it finds is explored in turn.

use crate::blocks::Body;
use crate::code::{Code, ContextId, InstructionId};
use crate::flow::{Flow, absolute_target};
use crate::functions::Origin;
use crate::functions::draft::{Crossing, Draft, Ownership, Waiting};
use crate::functions::learnt::{ComputedJump, Learnt};
use crate::functions::pointers::PointerCandidate;
use crate::functions::unwind_tables::Range;
use crate::values::engine::Scratch;
use crate::values::memory::WrittenMemory;
use crate::values::observer::Silent;
use crate::values::registers::RegisterCells;
use crate::values::relevance::Relevance;
use crate::values::solve::Solution;
use crate::work::{Cut, Meter, reserve};
use miyaburi_emulator::{Abi, ReturnAddress};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{Instruction, Language, Lifter, Opcode};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The most functions of one file.
const MAX_FUNCTIONS: usize = 1 << 17;

/// Drafts that are looked through in the time of a step.
pub(crate) const DRAFTS_PER_STEP: u64 = 8;

/// Bytes of a function in the tables by entry.
const ENTRY_BYTES: usize = 64;

/// Waiting calls that are looked through in the time of a step.
const WAITS_PER_STEP: u64 = 16;

/// Within how many instructions before a jump its return address is set.
const LINK_DISTANCE: usize = 4;

/// The state of the search.
pub(crate) struct Discovery<'a> {
    pub(crate) image: &'a Image,
    pub(crate) language: &'a dyn Language,
    pub(crate) abi: Arc<Abi>,
    pub(crate) cells: Arc<RegisterCells>,
    pub(crate) code: Code,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) written: WrittenMemory,
    pub(crate) global_pointer: Option<u64>,
    pub(crate) ownership: Ownership,
    pub(crate) learnt: Learnt,
    /// What unwind tables say, in address order.
    pub(crate) unwound: Vec<Range>,
    lifter: Box<dyn Lifter + Send + 'a>,
    scratch: Instruction,
    pub(crate) solution: Solution,
    /// The function that `solution` is of.
    pub(crate) solved: Option<Arc<Body>>,
    /// Where the first instructions, up to what is known or no code, make no room on the stack:
    /// with more known there are fewer of them.
    pub(crate) frameless: FxHashSet<(Address, ContextId)>,
    pub(crate) pointer_candidates: Option<Arc<Vec<PointerCandidate>>>,
    by_entry: FxHashMap<Address, u32>,
    /// The contexts in which functions start.
    pub(crate) modes: FxHashSet<ContextId>,
    /// Drafts with something to explore.
    queue: Vec<u32>,
    /// Drafts that were explored since the value analysis last had nothing to say, in any order.
    pub(crate) unsettled: Vec<u32>,
    /// Calls that wait for a callee, by its entry: drafts.
    waiting_on: FxHashMap<Address, Vec<u32>>,
    /// Drafts that end in a jump to a function, by its entry.
    tail_callers: FxHashMap<Address, Vec<u32>>,
}

impl<'a> Discovery<'a> {
    pub(crate) fn new(
        image: &'a Image,
        language: &'a dyn Language,
        abi: Arc<Abi>,
        cells: Arc<RegisterCells>,
        work: Arc<Meter>,
    ) -> Self {
        let code = Code::new(image, Relevance::new(cells.clone(), &abi), work);
        Self {
            ownership: Ownership::new(code.index.slots()),
            learnt: Learnt::default(),
            unwound: Vec::new(),
            written: WrittenMemory::new(image),
            global_pointer: image.global_pointer().map(|address| address.0),
            lifter: language.lifter(),
            scratch: Instruction::default(),
            solution: Solution::default(),
            solved: None,
            frameless: FxHashSet::default(),
            pointer_candidates: None,
            drafts: Vec::new(),
            by_entry: FxHashMap::default(),
            modes: FxHashSet::default(),
            queue: Vec::new(),
            unsettled: Vec::new(),
            waiting_on: FxHashMap::default(),
            tail_callers: FxHashMap::default(),
            image,
            language,
            abi,
            cells,
            code,
        }
    }

    /// The draft of the function at `entry`.
    pub(crate) fn draft_at(&self, entry: Address) -> Option<&Draft> {
        self.drafts.get(*self.by_entry.get(&entry)? as usize)
    }

    /// The number of the function at `entry`.
    pub(crate) fn number_at(&self, entry: Address) -> Option<u32> {
        self.by_entry.get(&entry).copied()
    }

    /// The start address and context of a code pointer, mode bit and all, when code can lie there.
    pub(crate) fn code_pointer(&mut self, pointer: u64) -> Option<(Address, ContextId)> {
        let pointer = pointer & self.image.arch().address_mask();
        let initial = self.language.initial_context();
        let (address, context) = match &self.abi.mode_switch {
            Some(switch) => {
                let mode = pointer & 1;
                let context = self.language.with_context_field(initial, switch.field, mode as u32);
                // Outside of the compressed mode instructions are words.
                let is_aligned = mode == 1 || pointer.is_multiple_of(4);
                (Address(pointer & !1), context.filter(|_| is_aligned)?)
            }
            None => (Address(pointer), initial),
        };
        let is_code = self.code.index.is_code_address(address);
        is_code.then(|| (address, self.code.intern(context)))
    }

    /// Lifts an instruction.
    pub(crate) fn lift(&mut self, address: Address, context: ContextId) -> Option<InstructionId> {
        self.code.lift(self.image, &mut *self.lifter, &mut self.scratch, address, context).ok()
    }

    /// Adds a function; one that was explored through its start without knowing of it is explored
    /// anew.
    pub(crate) fn add(&mut self, entry: Address, context: ContextId, origin: Origin) {
        let Some(slot) = self.code.index.slot(entry) else { return };
        if let Some(number) = self.by_entry.get(&entry) {
            if let Some(draft) = self.drafts.get_mut(*number as usize) {
                draft.origin = draft.origin.min(origin);
            }
            return;
        }
        if self.drafts.len() >= MAX_FUNCTIONS {
            self.code.work.end(Cut::Size);
        }
        let work = &self.code.work;
        let is_affordable =
            work.spend(1) && work.keep(ENTRY_BYTES) && work.reserve(&mut self.drafts, 1);
        if !is_affordable || self.lift(entry, context).is_none() {
            return;
        }
        let number = self.drafts.len() as u32;
        self.by_entry.insert(entry, number);
        self.ownership.starts.insert(slot);
        let trespassers = self.ownership.visitors(slot);
        self.modes.insert(context);
        self.drafts.push(Draft::new(entry, context, origin, &self.code.work));
        for trespasser in trespassers {
            self.restart(trespasser);
        }
        self.queue.push(number);
    }

    /// Takes the steps of looking through all drafts; false once nothing more may be done.
    pub(crate) fn charge_drafts(&self) -> bool {
        self.code.work.spend(1 + self.drafts.len() as u64 / DRAFTS_PER_STEP)
    }

    /// Forgets what is known of a draft and explores it again.
    pub(crate) fn restart(&mut self, number: u32) {
        let Some(draft) = self.drafts.get_mut(number as usize) else { return };
        self.code.work.spend(draft.visited.len() as u64);
        for (address, _) in &draft.visited {
            if let Some(slot) = self.code.index.slot(*address) {
                self.ownership.release(slot, number);
            }
        }
        self.ownership.stop_sharing(number, &draft.shared);
        let (returned, was_undone) = (draft.returns, draft.was_undone);
        *draft = Draft::new(draft.entry, draft.context, draft.origin, &self.code.work);
        // Others have relied on it.
        draft.returns = returned;
        draft.was_undone = was_undone;
        self.queue.push(number);
    }

    /// Explores until only computed jumps and calls are left.
    pub(crate) fn drain(&mut self) {
        while let Some(number) = self.queue.pop().filter(|_| !self.code.work.is_cut()) {
            let Some(draft) = self.drafts.get_mut(number as usize) else { continue };
            let Some((address, context)) = draft.open.pop() else { continue };
            draft.is_dirty = true;
            draft.is_swept = false;
            draft.forget_body();
            self.queue.push(number);
            if self.unsettled.last() != Some(&number) {
                self.unsettled.push(number);
            }
            self.walk(number, address, context);
        }
    }

    fn draft_mut(&mut self, number: u32) -> Option<&mut Draft> {
        self.drafts.get_mut(number as usize)
    }

    /// Follows straight-line code, noting where else control can go.
    fn walk(&mut self, number: u32, mut address: Address, mut context: ContextId) {
        loop {
            let Some(slot) = self.code.index.slot(address) else { return };
            let Some(draft) = self.drafts.get_mut(number as usize) else { return };
            let entry = draft.entry;
            if address != entry && self.ownership.starts.contains(slot) {
                let from = draft.visited.last().map_or(entry, |(address, _)| *address);
                self.add(address, context, Origin::TailCall);
                self.note_tail_call(number, from, address);
                return;
            }
            let Some(id) = self.lift(address, context) else { return };
            let Some(draft) = self.drafts.get_mut(number as usize) else { return };
            if !self.ownership.visit(slot, number, draft) {
                draft.leaders.push(address);
                return;
            }
            let is_full = draft.visited.len() == draft.visited.capacity();
            reserve(&mut draft.visited, 1);
            draft.visited.push((address, id));
            if is_full && !draft.account() || !self.code.work.spend(1) {
                return;
            }
            let view = self.code.instruction(id);
            let next = address.offset(u64::from(view.length));
            if !view.flow.is_plain() {
                let goes_on = self.follow(number, address, id, next);
                let is_affordable = self.draft_mut(number).is_some_and(Draft::account);
                if !goes_on || !is_affordable {
                    return;
                }
            }
            context = self.code.context_after(id, next);
            address = next;
        }
    }

    /// Notes the exits of an instruction; true when the walk goes on behind it.
    fn follow(&mut self, number: u32, address: Address, id: InstructionId, next: Address) -> bool {
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
                self.note_return(number);
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

    /// A direct jump: inside the function, to another one, or over another one's start.
    fn jump(&mut self, number: u32, from: Address, target: Address, context: ContextId) {
        let Some(slot) = self.code.index.slot(target) else { return };
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
        // What is not code of this file returns, as far as anyone knows.
        self.draft_at(target).is_none_or(|callee| callee.returns)
    }

    fn wait(&mut self, number: u32, waiting: Waiting) {
        self.waiting_on.entry(waiting.callee).or_default().push(number);
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.waiting.push(waiting);
        }
    }

    pub(crate) fn note_tail_call(&mut self, number: u32, site: Address, target: Address) {
        if let Some(draft) = self.drafts.get_mut(number as usize)
            && draft.tail_calls.insert((site, target))
        {
            draft.forget_body();
            self.tail_callers.entry(target).or_default().push(number);
        }
        if self.draft_at(target).is_none_or(|callee| callee.returns) {
            self.note_return(number);
        }
    }

    /// Notes that a function returns, and goes on behind the calls that waited for that.
    pub(crate) fn note_return(&mut self, number: u32) {
        let mut open = vec![number];
        while let Some(number) = open.pop() {
            let Some(draft) = self.drafts.get_mut(number as usize) else { continue };
            if std::mem::replace(&mut draft.returns, true) {
                continue;
            }
            let entry = draft.entry;
            open.extend(self.tail_callers.remove(&entry).unwrap_or_default());
            let mut waiters = self.waiting_on.remove(&entry).unwrap_or_default();
            waiters.sort_unstable();
            waiters.dedup();
            for waiter in waiters {
                let Some(draft) = self.drafts.get_mut(waiter as usize) else { continue };
                self.code.work.spend(draft.waiting.len() as u64 / WAITS_PER_STEP);
                let (resumed, waiting) =
                    draft.waiting.iter().partition(|waiting| waiting.callee == entry);
                draft.waiting = waiting;
                let resumed: Vec<Waiting> = resumed;
                draft.open.extend(resumed.iter().map(|waiting| (waiting.next, waiting.context)));
                self.queue.push(waiter);
            }
        }
    }
}

/// Whether the start of another function lies between a function's entry and `target`, or
/// `target` lies before the entry.
pub(crate) fn crosses_start(
    ownership: &Ownership,
    code: &Code,
    entry: Address,
    target: Address,
) -> bool {
    let (Some(own), Some(there)) = (code.index.slot(entry), code.index.slot(target)) else {
        return true;
    };
    target < entry || ownership.starts.next_from(own + 1).is_some_and(|start| start <= there)
}
