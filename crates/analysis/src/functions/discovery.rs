//! The search for functions.
//!
//! Control flow is followed from every known start. What follows a call is explored only once the
//! callee is known to return, so that data and other functions behind calls of `exit` and `abort`
//! are not taken for code. When nothing direct is left, the value analysis is asked where computed
//! jumps and calls go, and what it finds is explored in turn.

use crate::blocks::Body;
use crate::code::{Code, ContextId, InstructionId};
use crate::diagnostic::AnalysisDiagnostic;
use crate::final_traps::FinalTrap;
use crate::functions::Origin;
use crate::functions::draft::{Draft, Ownership};
use crate::functions::learnt::Learnt;
use crate::functions::pointers::PointerCandidate;
use crate::functions::unwind_tables::Range;
use crate::values::effects::CalleeEffects;
use crate::values::memory::WrittenMemory;
use crate::values::registers::RegisterCells;
use crate::values::relevance::Relevance;
use crate::values::solve::Solution;
use crate::work::{Cut, Meter, reserve};
use miyaburi_emulator::Abi;
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{Instruction, Language, Lifter};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The most functions of one file.
const MAX_FUNCTIONS: usize = 1 << 17;

/// Drafts that are looked through in the time of a step.
pub(crate) const DRAFTS_PER_STEP: u64 = 8;

/// Bytes of a function in the tables by entry.
const ENTRY_BYTES: usize = 64;

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
    /// Nothing until all functions are found.
    pub(crate) effects: CalleeEffects,
    pub(crate) ownership: Ownership,
    pub(crate) learnt: Learnt,
    /// What unwind tables say, in address order.
    pub(crate) unwound: Vec<Range>,
    /// Whether the code has not contradicted the symbols.
    pub(crate) believes_symbols: bool,
    pub(crate) diagnostics: Vec<AnalysisDiagnostic>,
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
    pub(super) queue: Vec<u32>,
    /// Drafts that were explored since the value analysis last had nothing to say, in any order.
    pub(crate) unsettled: Vec<u32>,
    /// Calls that wait for a callee, by its entry: drafts.
    pub(super) waiting_on: FxHashMap<Address, Vec<u32>>,
    /// Drafts that end in a jump to a function, by its entry.
    pub(super) tail_callers: FxHashMap<Address, Vec<u32>>,
}

impl<'a> Discovery<'a> {
    pub(crate) fn new(
        image: &'a Image,
        language: &'a dyn Language,
        abi: Arc<Abi>,
        cells: Arc<RegisterCells>,
        work: Arc<Meter>,
    ) -> Self {
        let relevance = Relevance::new(cells.clone(), &abi);
        let code = Code::new(image, relevance, FinalTrap::new(image.arch(), language), work);
        Self {
            ownership: Ownership::new(code.index.slots()),
            learnt: Learnt::default(),
            unwound: Vec::new(),
            believes_symbols: false,
            diagnostics: code.index.left_out().into_iter().collect(),
            written: WrittenMemory::new(image),
            global_pointer: image.global_pointer().map(|address| address.0),
            effects: CalleeEffects::default(),
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

    /// The address that stands for a function of another file.
    pub(crate) fn import_pointer(&mut self, pointer: u64) -> Option<(Address, ContextId)> {
        let address = Address(pointer & self.image.arch().address_mask());
        let is_import = self.image.import_at(address).is_some() && !self.image.is_mapped(address);
        is_import.then(|| (address, self.code.intern(self.language.initial_context())))
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
            self.code.work.end(Cut::Functions);
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

    pub(super) fn draft_mut(&mut self, number: u32) -> Option<&mut Draft> {
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
