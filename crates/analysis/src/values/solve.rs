//! The fixed point of the value analysis over one function's blocks.
//!
//! A block is run again whenever its entry state has lost something, until nothing is lost any
//! more: values are told of a whole solution alone. Runs are few, but a chain of copies in a loop
//! (`a = b; b = c; ...`) loses one value a turn, so after many runs of a block more is given up
//! than paths ask for (widening). That loses values of long chains and never keeps one that
//! another path takes back.

use crate::blocks::{Block, Body};
use crate::values::Value;
use crate::values::engine::{Engine, Scratch};
use crate::values::observer::{Observer, State};
use crate::work::Held;
use miyaburi_image::Address;

/// How often a block is run before its entry state gives up more than what differs between paths:
/// enough for loops that shift so many variables.
const EXACT_VISITS: u8 = 32;

/// How often until a change leaves nothing but the stack pointer. Before that frame pointers, saved
/// registers and the global pointer are kept.
const FRAME_VISITS: u8 = 48;

/// How often at most. No block comes so far: a state with a stack pointer alone changes once.
const MAX_VISITS: u8 = 64;

/// Bytes of states that are used again for the next function.
const REUSED_BYTES: usize = 8 << 20;

/// Blocks that are looked through in the time of a step.
const BLOCKS_PER_STEP: u64 = 64;

/// The known values at the start of each block that control reaches, of one function after the
/// other: the memory is used again.
#[derive(Default)]
pub(crate) struct Solution {
    /// Of each block; those of blocks that are not reached mean nothing.
    entry_states: Vec<State>,
    is_reached: Vec<bool>,
    /// Blocks whose entry state has changed since they were run.
    is_dirty: Vec<bool>,
    visits: Vec<u8>,
    /// The state within a block.
    state: State,
    scratch: Scratch,
    held: Held,
}

impl Solution {
    /// Solves a function from its entry state, telling `observer` what happens. A block whose entry
    /// state changes is run, and told of, again; what was told of it last holds.
    ///
    /// When the work is cut nothing is known anywhere, and `observer` is told so: half a solution
    /// holds values that other paths take back.
    pub(crate) fn solve<O: Observer>(
        &mut self,
        engine: &Engine<'_>,
        body: &Body,
        entry: Address,
        observer: &mut O,
    ) {
        if self.try_solve(engine, body, entry, observer).is_none() {
            observer.cut();
            self.is_reached.clear();
            self.scratch.assumed.clear();
        }
    }

    /// Yields `None` when the work is cut, as all functions that it calls.
    fn try_solve<O: Observer>(
        &mut self,
        engine: &Engine<'_>,
        body: &Body,
        entry: Address,
        observer: &mut O,
    ) -> Option<()> {
        self.reset(engine, body, entry)?;
        let order = reverse_postorder(body);
        let mut run = Run { solution: self, engine, body };
        while run.pass(&order, observer)? {}
        self.scratch.assumed.sort_unstable();
        self.scratch.assumed.dedup();
        Some(())
    }

    fn reset(&mut self, engine: &Engine<'_>, body: &Body, entry: Address) -> Option<()> {
        let count = body.blocks.len();
        let work = &engine.code.work;
        if self.held.bytes() > REUSED_BYTES {
            self.entry_states = Vec::new();
        }
        self.held = Held::new(work);
        if !work.spend(count as u64) || !self.held.keep(size_of::<State>() * count) {
            return None;
        }
        if self.entry_states.len() < count {
            self.entry_states.resize_with(count, State::default);
        }
        for (flags, size) in [(&mut self.is_reached, count), (&mut self.is_dirty, count)] {
            flags.clear();
            flags.resize(size, false);
        }
        self.visits.clear();
        self.visits.resize(count, 0);
        self.scratch.assumed.clear();
        let first = body.entry_block as usize;
        if let Some(state) = self.entry_states.get_mut(first).filter(|_| first < count) {
            *state = engine.entry_state(entry);
            self.is_reached.get_mut(first).into_iter().for_each(|flag| *flag = true);
            self.is_dirty.get_mut(first).into_iter().for_each(|flag| *flag = true);
        }
        Some(())
    }

    /// Writable memory that was taken as constant: where, how many bytes.
    pub(crate) fn assumed(&self) -> &[(Address, u32)] {
        &self.scratch.assumed
    }

    /// The state at the start of a block.
    pub(crate) fn entry_state(&self, block: u32) -> Option<&State> {
        let is_reached = self.is_reached.get(block as usize).copied().unwrap_or_default();
        self.entry_states.get(block as usize).filter(|_| is_reached)
    }
}

/// One function being solved.
struct Run<'a> {
    solution: &'a mut Solution,
    engine: &'a Engine<'a>,
    body: &'a Body,
}

impl Run<'_> {
    fn is_dirty(&self, number: u32) -> bool {
        self.solution.is_dirty.get(number as usize).copied().unwrap_or_default()
    }

    /// Runs every dirty block; whether there was any.
    fn pass<O: Observer>(&mut self, order: &[u32], observer: &mut O) -> Option<bool> {
        self.engine.code.work.spend(order.len() as u64 / BLOCKS_PER_STEP).then_some(())?;
        let mut is_progress = false;
        for &number in order {
            if !self.is_dirty(number) {
                continue;
            }
            is_progress = true;
            self.block(number, observer)?;
            let Some(block) = self.body.blocks.get(number as usize) else { continue };
            let is_next = |successor: &u32| {
                let successor = self.body.blocks.get(*successor as usize);
                successor.is_some_and(|successor| successor.start == block.end)
            };
            let mut untaken = self.solution.scratch.untaken.take();
            for &successor in block.successors.iter().filter(|it| untaken.is_none() || !is_next(it))
            {
                self.arrive(successor)?;
            }
            if let Some(state) = &mut untaken {
                std::mem::swap(state, &mut self.solution.state);
                for &successor in block.successors.iter().filter(|it| is_next(it)) {
                    self.arrive(successor)?;
                }
            }
        }
        Some(is_progress)
    }

    /// Runs a block that is reached; `None` also when it was run too often.
    fn block<O: Observer>(&mut self, number: u32, observer: &mut O) -> Option<()> {
        let index = number as usize;
        let solution = &mut *self.solution;
        *solution.is_dirty.get_mut(index)? = false;
        let visits = solution.visits.get_mut(index).filter(|visits| **visits < MAX_VISITS)?;
        *visits += 1;
        solution.state.clone_from(solution.entry_states.get(index)?);
        let block = self.body.blocks.get(index)?;
        observer.block(number, &solution.state);
        let (state, scratch) = (&mut solution.state, &mut solution.scratch);
        scratch.untaken = None;
        let assumed = scratch.assumed.capacity();
        run_block(self.engine, self.body, block, state, scratch, observer);
        let grown = scratch.assumed.capacity().saturating_sub(assumed);
        if grown > 0 && !solution.held.keep(grown * size_of::<(Address, u32)>()) {
            return None;
        }
        let steps = state.steps() * (1 + block.successors.len() as u64);
        self.engine.code.work.spend(steps).then_some(())
    }

    /// Takes the state behind the last block in at the start of another.
    fn arrive(&mut self, number: u32) -> Option<()> {
        let index = number as usize;
        let Solution { entry_states, is_reached, is_dirty, visits, state, held, .. } =
            &mut *self.solution;
        let (Some(known), Some(is_reached), Some(is_dirty)) =
            (entry_states.get_mut(index), is_reached.get_mut(index), is_dirty.get_mut(index))
        else {
            return Some(());
        };
        if std::mem::replace(is_reached, true) {
            if join(self.engine, known, state) {
                *is_dirty = true;
                widen(self.engine, known, visits.get(index).copied().unwrap_or(MAX_VISITS));
            }
        } else {
            known.clone_from(state);
            *is_dirty = true;
            if !held.keep(state.bytes()) {
                return None;
            }
        }
        Some(())
    }
}

fn join(engine: &Engine<'_>, known: &mut State, arriving: &State) -> bool {
    let stack_pointer = engine.cells.locate(&engine.abi.stack_pointer);
    let registers = known.registers.join(&arriving.registers, stack_pointer);
    let stack = known.stack.join(&arriving.stack);
    registers || stack
}

/// Gives up what may go on changing at the start of a block that was run `visits` times.
fn widen(engine: &Engine<'_>, known: &mut State, visits: u8) {
    let is_frame = |value: Value| {
        matches!(value, Value::StackOffset(_) | Value::AtEntry { offset: 0, .. })
            || value.constant().is_some_and(|value| engine.global_pointer == Some(value))
    };
    let is_kept = |value: Value| visits < FRAME_VISITS && is_frame(value);
    if visits >= EXACT_VISITS {
        let stack_pointer = engine.cells.locate(&engine.abi.stack_pointer);
        known.registers.forget(engine.cells, stack_pointer, is_kept);
        known.stack.forget(is_kept);
    }
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
