//! A function while it is being explored.

use crate::address_index::SlotSet;
use crate::blocks::{Body, Exploration};
use crate::code::{Code, ContextId, InstructionId};
use crate::functions::Origin;
use crate::functions::learnt::Learnt;
use crate::functions::reading::Reading;
use crate::work::{Held, Meter};
use miyaburi_image::Address;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Bytes of a slot that several drafts have reached, in the tables of both.
const SHARED_BYTES: usize = 128;

/// Bytes of a tail call, in the draft and by callee.
const TAIL_CALL_BYTES: usize = 96;

/// What has been found out about one function.
pub(crate) struct Draft {
    pub(crate) entry: Address,
    pub(crate) context: ContextId,
    pub(crate) origin: Origin,
    /// Instructions reached, in order of discovery.
    pub(crate) visited: Vec<(Address, InstructionId)>,
    /// Slots that are another draft's, and this one's as well.
    pub(crate) shared: FxHashSet<usize>,
    pub(crate) leaders: Vec<Address>,
    /// Where the exploration is to go on.
    pub(crate) open: Vec<(Address, ContextId)>,
    /// Whether control has been seen to come back.
    pub(crate) returns: bool,
    /// Computed jumps without known targets.
    pub(crate) unknown_jumps: Vec<Address>,
    /// Computed jumps with one known target, which more knowledge of the function may undo.
    pub(crate) constant_jumps: Vec<Address>,
    /// Computed calls without known targets.
    pub(crate) unknown_calls: Vec<Address>,
    /// Direct jumps over another function's start, not followed yet.
    pub(crate) crossings: Vec<Crossing>,
    pub(crate) jumps_that_call: Vec<Address>,
    /// Calls, by site: where they go and in which mode.
    pub(crate) calls: Vec<(Address, Address, ContextId)>,
    /// Calls after which nothing was explored, with the address that would follow.
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) tail_calls: BTreeSet<(Address, Address)>,
    /// Something changed since the value analysis last looked.
    pub(crate) is_dirty: bool,
    /// It was explored anew because it ran on behind calls that do not return.
    pub(crate) was_undone: bool,
    /// The last sweep saw it as it is.
    pub(crate) is_swept: bool,
    /// The blocks, when nothing has changed since they were built.
    pub(crate) body: Option<Arc<Body>>,
    /// What the values of that body told.
    pub(crate) reading: Option<Arc<Reading>>,
    /// The memory of the lists.
    held: Held,
}

/// A jump over another function's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) from: Address,
    pub(crate) target: Address,
    pub(crate) context: ContextId,
}

/// A call whose callee is not known to return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) site: Address,
    pub(crate) callee: Address,
    pub(crate) next: Address,
    pub(crate) context: ContextId,
}

impl Draft {
    pub(crate) fn new(
        entry: Address,
        context: ContextId,
        origin: Origin,
        work: &Arc<Meter>,
    ) -> Self {
        Self {
            entry,
            context,
            origin,
            visited: Vec::new(),
            shared: FxHashSet::default(),
            leaders: Vec::new(),
            open: vec![(entry, context)],
            returns: false,
            unknown_jumps: Vec::new(),
            constant_jumps: Vec::new(),
            is_swept: false,
            was_undone: false,
            unknown_calls: Vec::new(),
            crossings: Vec::new(),
            jumps_that_call: Vec::new(),
            calls: Vec::new(),
            waiting: Vec::new(),
            tail_calls: BTreeSet::new(),
            is_dirty: false,
            body: None,
            reading: None,
            held: Held::new(work),
        }
    }

    /// Takes memory for what the lists have grown by; false once nothing more may be done.
    pub(crate) fn account(&mut self) -> bool {
        let bytes = self.bytes();
        bytes == self.held.bytes() || self.held.set(bytes)
    }

    /// The memory of the lists, and of what others note of the draft.
    fn bytes(&self) -> usize {
        let addresses = self.leaders.capacity()
            + self.unknown_jumps.capacity()
            + self.constant_jumps.capacity()
            + self.unknown_calls.capacity()
            + self.jumps_that_call.capacity();
        self.visited.capacity() * size_of::<(Address, InstructionId)>()
            + self.shared.len() * SHARED_BYTES
            + addresses * size_of::<Address>()
            + self.open.capacity() * size_of::<(Address, ContextId)>()
            + self.crossings.capacity() * size_of::<Crossing>()
            + self.calls.capacity() * size_of::<(Address, Address, ContextId)>()
            + self.waiting.capacity() * (size_of::<Waiting>() + size_of::<u32>())
            + self.tail_calls.len() * TAIL_CALL_BYTES
    }

    /// Drops the lists: what they were for is done.
    pub(crate) fn drop_lists(&mut self) {
        self.visited = Vec::new();
        self.shared = FxHashSet::default();
        self.leaders = Vec::new();
        self.open = Vec::new();
        self.calls = Vec::new();
        self.waiting = Vec::new();
        self.tail_calls = BTreeSet::new();
        self.account();
    }

    /// Notes that the blocks are no longer what they were.
    pub(crate) fn forget_body(&mut self) {
        self.body = None;
        self.reading = None;
    }

    /// The blocks as far as they are known.
    pub(crate) fn build(&self, code: &Code, learnt: &Learnt) -> Body {
        let stops: Vec<Address> = self.waiting.iter().map(|waiting| waiting.site).collect();
        let exploration = Exploration {
            entry: self.entry,
            visited: &self.visited,
            leaders: &self.leaders,
            learnt,
            jumps_that_call: &self.jumps_that_call,
            stops: &stops,
            tail_calls: &self.tail_calls,
        };
        // Behind a cut functions may be left without blocks.
        if code.work.fits(exploration.bytes()) { exploration.build(code) } else { Body::default() }
    }

    /// Whether what follows the call at `site` waits for the callee.
    pub(crate) fn waits_at(&self, site: Address) -> bool {
        self.waiting.iter().any(|waiting| waiting.site == site)
    }

    /// Whether the value analysis could find out more.
    pub(crate) fn needs_values(&self) -> bool {
        self.is_dirty
            && !(self.unknown_calls.is_empty()
                && self.unknown_jumps.is_empty()
                && self.constant_jumps.is_empty()
                && self.crossings.is_empty())
    }
}

/// Which draft has reached each slot.
#[derive(Debug)]
pub(crate) struct Ownership {
    owners: Vec<u32>,
    /// Starts of functions.
    pub(crate) starts: SlotSet,
    /// Drafts that share a slot with its owner.
    sharers: FxHashMap<usize, Vec<u32>>,
}

impl Ownership {
    pub(crate) fn new(slots: usize) -> Self {
        Self { owners: vec![0; slots], starts: SlotSet::new(slots), sharers: FxHashMap::default() }
    }

    /// Notes that `draft` (of this number) has reached a slot; true when it had not before.
    pub(crate) fn visit(&mut self, slot: usize, number: u32, draft: &mut Draft) -> bool {
        match self.owners.get_mut(slot) {
            Some(owner) if *owner == 0 => {
                *owner = number + 1;
                true
            }
            Some(owner) if *owner == number + 1 => false,
            Some(_) => {
                let is_new = draft.shared.insert(slot);
                if is_new {
                    self.sharers.entry(slot).or_default().push(number);
                }
                is_new
            }
            None => false,
        }
    }

    /// The drafts that have reached a slot: the first, then the others in order.
    pub(crate) fn visitors(&self, slot: usize) -> Vec<u32> {
        let mut sharers = self.sharers.get(&slot).cloned().unwrap_or_default();
        sharers.sort_unstable();
        self.owner(slot).into_iter().chain(sharers).collect()
    }

    /// Forgets that a draft shares slots.
    pub(crate) fn stop_sharing(&mut self, number: u32, shared: &FxHashSet<usize>) {
        for slot in shared {
            if let Some(sharers) = self.sharers.get_mut(slot) {
                sharers.retain(|sharer| *sharer != number);
            }
        }
    }

    /// The draft that reached a slot first.
    pub(crate) fn owner(&self, slot: usize) -> Option<u32> {
        self.owners.get(slot)?.checked_sub(1)
    }

    /// Gives up what a draft has reached.
    pub(crate) fn release(&mut self, slot: usize, number: u32) {
        if let Some(owner) = self.owners.get_mut(slot).filter(|owner| **owner == number + 1) {
            *owner = 0;
        }
    }
}
