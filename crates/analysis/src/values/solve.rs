//! The fixed point of the value analysis over one function's blocks.

use crate::blocks::{Block, Body};
use crate::values::engine::{Engine, Scratch};
use crate::values::observer::{Observer, Silent, State};
use crate::work::Held;
use miyaburi_image::Address;

/// How often a block is looked at again because its entry state lost something. Values only ever
/// get lost, so few passes suffice; what a hostile file keeps unstable is dropped by the cap.
const MAX_VISITS: u8 = 12;

/// The known values at the start of each block that control reaches.
pub(crate) struct Solution {
    entry_states: Vec<Option<State>>,
    /// Writable memory that was taken as constant: where, how many bytes.
    assumed: Vec<(Address, u32)>,
    global_pointer: Option<u64>,
    /// The memory of the states and of what is read off them.
    pub(crate) held: Held,
}

impl Solution {
    /// Solves a function from its entry state. When the work is cut nothing is known anywhere:
    /// half a solution holds values that other paths take back.
    pub(crate) fn new(engine: &Engine<'_>, body: &Body, entry: Address) -> Self {
        let solved = Self::solve(engine, body, entry);
        solved.unwrap_or_else(|| Self {
            entry_states: Vec::new(),
            assumed: Vec::new(),
            global_pointer: engine.global_pointer,
            held: Held::default(),
        })
    }

    fn solve(engine: &Engine<'_>, body: &Body, entry: Address) -> Option<Self> {
        let work = &engine.code.work;
        if !work.spend(body.blocks.len() as u64) {
            return None;
        }
        let mut held = Held::new(work);
        held.keep(size_of::<Option<State>>() * body.blocks.len());
        let order = reverse_postorder(body);
        let mut entry_states: Vec<Option<State>> = vec![None; body.blocks.len()];
        let mut is_dirty = vec![false; body.blocks.len()];
        let mut ranks = vec![0; body.blocks.len()];
        for (rank, number) in order.iter().enumerate() {
            if let Some(place) = ranks.get_mut(*number as usize) {
                *place = rank;
            }
        }
        let mut visits = vec![0u8; body.blocks.len()];
        let mut scratch = Scratch::default();
        if let Some(state) = entry_states.get_mut(body.entry_block as usize) {
            *state = Some(engine.entry_state(entry));
        }
        if let Some(dirty) = is_dirty.get_mut(body.entry_block as usize) {
            *dirty = true;
        }
        let mut again = true;
        while again {
            again = false;
            for (rank, &number) in order.iter().enumerate() {
                let (Some(block), Some(dirty), Some(count)) = (
                    body.blocks.get(number as usize),
                    is_dirty.get_mut(number as usize),
                    visits.get_mut(number as usize),
                ) else {
                    continue;
                };
                if !*dirty {
                    continue;
                }
                *dirty = false;
                *count += 1;
                let may_repeat = *count < MAX_VISITS;
                let Some(Some(state)) = entry_states.get(number as usize) else { continue };
                let mut state = state.clone();
                run_block(engine, body, block, &mut state, &mut scratch, &mut Silent);
                let steps = state.steps() * (1 + block.successors.len() as u64);
                if !work.spend(steps) {
                    return None;
                }
                for &successor in &block.successors {
                    let Some(slot) = entry_states.get_mut(successor as usize) else { continue };
                    let changed = match slot {
                        Some(known) => join(engine, known, &state),
                        None => {
                            if !held.keep(state.bytes()) {
                                return None;
                            }
                            *slot = Some(state.clone());
                            true
                        }
                    };
                    if changed && may_repeat {
                        if let Some(dirty) = is_dirty.get_mut(successor as usize) {
                            *dirty = true;
                        }
                        again |= ranks.get(successor as usize).is_some_and(|other| *other <= rank);
                    }
                }
            }
        }
        let mut assumed = scratch.assumed;
        assumed.sort_unstable();
        assumed.dedup();
        Some(Self { entry_states, assumed, global_pointer: engine.global_pointer, held })
    }

    /// Whether what it took for granted still holds.
    pub(crate) fn holds(&self, engine: &Engine<'_>) -> bool {
        let is_written = |(at, size): &(Address, u32)| engine.written.is_written(*at, *size);
        self.global_pointer == engine.global_pointer && !self.assumed.iter().any(is_written)
    }

    /// The state at the start of a block.
    pub(crate) fn entry_state(&self, block: u32) -> Option<&State> {
        self.entry_states.get(block as usize)?.as_ref()
    }

    /// Runs every reached block once more, in address order, telling `observer` what happens.
    pub(crate) fn replay<O: Observer>(&self, engine: &Engine<'_>, body: &Body, observer: &mut O) {
        let mut scratch = Scratch::default();
        for (block, state) in body.blocks.iter().zip(&self.entry_states) {
            if let Some(state) = state {
                if !engine.code.work.spend(state.steps()) {
                    return;
                }
                run_block(engine, body, block, &mut state.clone(), &mut scratch, observer);
            }
        }
    }
}

fn join(engine: &Engine<'_>, known: &mut State, arriving: &State) -> bool {
    let stack_pointer = engine.cells.locate(&engine.abi.stack_pointer);
    let registers = known.registers.join(&arriving.registers, stack_pointer);
    let stack = known.stack.join(&arriving.stack);
    registers || stack
}

pub(crate) fn run_block<O: Observer>(
    engine: &Engine<'_>,
    body: &Body,
    block: &Block,
    state: &mut State,
    scratch: &mut Scratch,
    observer: &mut O,
) {
    engine.code.work.spend(block.instructions.len() as u64);
    let range = block.instructions.start as usize..block.instructions.end as usize;
    for &(address, id) in body.instructions.get(range).unwrap_or(&[]) {
        engine.step(state, scratch, address, id, observer);
    }
}

/// The blocks reachable from the entry, each after its predecessors where there is no loop.
fn reverse_postorder(body: &Body) -> Vec<u32> {
    let mut order = Vec::with_capacity(body.blocks.len());
    let mut is_seen = vec![false; body.blocks.len()];
    let mut open: Vec<(u32, usize)> = Vec::new();
    let mut enter = |number: u32, open: &mut Vec<(u32, usize)>| {
        if let Some(seen) = is_seen.get_mut(number as usize)
            && !std::mem::replace(seen, true)
        {
            open.push((number, 0));
        }
    };
    enter(body.entry_block, &mut open);
    while let Some((number, next)) = open.last_mut() {
        let successors =
            body.blocks.get(*number as usize).map_or(&[][..], |block| &block.successors);
        if let Some(&successor) = successors.get(*next) {
            *next += 1;
            enter(successor, &mut open);
        } else {
            order.push(*number);
            open.pop();
        }
    }
    order.reverse();
    order
}
