//! Functions of a file in which nothing leads to code: its entry point is wrong, or was cut off.
//!
//! False positives: data that decodes as a function with a frame, that leaves properly and calls what
//! decodes as well. Of 16 KiB of noise none does on any CPU.
//! False negatives: functions that neither do so nor are called by those that do, which make the gaps
//! between these look known; functions of a second mode that none of the first calls.

use crate::code::ContextId;
use crate::flow::Flow;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::functions::leftover::{FUNCTION_ALIGNMENT, MAX_TRIALS};
use crate::functions::run::Harvest;
use crate::values::engine::Scratch;
use crate::values::observer::{CallEvent, Observer};
use miyaburi_image::{Address, ImageKind};

/// The most instructions in which a call is looked for.
const MAX_WAY: usize = 64;

/// The CPU type of files whose code was seen to be Thumb code.
const THUMB_CPU: &str = "armv7-thumb";

/// The most instructions before the frame.
const MAX_LEAD: usize = 2;

/// Constant targets of calls.
#[derive(Default)]
struct Callees {
    targets: Vec<u64>,
}

impl Observer for Callees {
    fn call(&mut self, event: &CallEvent<'_>) {
        self.targets.extend(event.target.constant());
    }
}

impl Discovery<'_> {
    /// Adds functions by their look alone; false when something leads to code already, or nothing
    /// looks like a function.
    pub(crate) fn add_by_look(&mut self, harvest: &mut Harvest) -> bool {
        // Where raw memory begins is a guess.
        let guesses = usize::from(self.image.kind() == ImageKind::RawMemory);
        if self.drafts.len() > guesses {
            return false;
        }
        let before = self.drafts.len();
        let is_thumb = self.image.entry_is_thumb() || self.image.arch().cpu == THUMB_CPU;
        let mode = u64::from(is_thumb);
        let has_modes = self.abi.mode_switch.is_some();
        for mode in [Some(mode), has_modes.then_some(mode ^ 1)].into_iter().flatten() {
            if self.drafts.len() == before {
                self.add_callers(mode, harvest);
            }
        }
        self.drafts.len() > before
    }

    /// Adds what looks like a function that calls another, in the mode with this bit in pointers to
    /// its code.
    fn add_callers(&mut self, mode: u64, harvest: &mut Harvest) {
        let ranges: Vec<(Address, Address)> = self.code.index.ranges().collect();
        let mut trials = 0;
        for (start, end) in ranges {
            let mut address = Address(start.0.next_multiple_of(FUNCTION_ALIGNMENT));
            while address < end && trials < MAX_TRIALS && self.code.work.spend(1) {
                let free = self.pass_known(address, end, &harvest.literals);
                address = Address(free.0.next_multiple_of(FUNCTION_ALIGNMENT));
                trials += 1;
                let found = self.code_pointer(address.0 | mode).filter(|_| address < end);
                let Some((start, context)) = found else {
                    address = address.offset(FUNCTION_ALIGNMENT);
                    continue;
                };
                if let Some(length) = self.padding_length(start, context) {
                    address = address.offset(length);
                    continue;
                }
                if self.is_caller(start, context) {
                    self.add(start, context, Origin::Leftover);
                    self.explore();
                    self.sweep(harvest);
                }
                address = address.offset(FUNCTION_ALIGNMENT);
            }
        }
    }

    fn is_caller(&mut self, start: Address, context: ContextId) -> bool {
        let Some(look) = self.look(start, context) else { return false };
        let is_framed = look.opening.prologue.is_some_and(|after| after <= MAX_LEAD);
        is_framed
            && !look.opening.trusts_strangers
            && look.is_proper()
            && self.is_boundary(start)
            && self.calls_code(start, context)
    }

    /// Whether the code from `start` on, up to where it does not go straight on, calls code.
    fn calls_code(&mut self, start: Address, context: ContextId) -> bool {
        let mut state = self.engine().entry_state(start);
        let mut scratch = Scratch::default();
        let (mut address, mut context) = (start, context);
        for _ in 0..MAX_WAY {
            self.code.work.spend(1);
            let Some(id) = self.lift(address, context) else { return false };
            let mut callees = Callees::default();
            self.engine().step(&mut state, &mut scratch, address, id, &mut callees);
            let view = self.code.instruction(id);
            let is_indirect = view.flow.contains(Flow::INDIRECT_CALL);
            for target in callees.targets {
                // A direct call stays in its mode, or says otherwise itself.
                let direct = (Address(target), self.code.context_after(id, Address(target)));
                let callee = if is_indirect { self.code_pointer(target) } else { Some(direct) };
                let callee = callee.filter(|(callee, _)| *callee != start);
                if callee.is_some_and(|(callee, mode)| self.opening(callee, mode).is_some()) {
                    return true;
                }
            }
            let view = self.code.instruction(id);
            if !view.flow.contains(Flow::NEXT) {
                return false;
            }
            let next = address.offset(u64::from(view.length));
            context = self.code.context_after(id, next);
            address = next;
        }
        false
    }
}
