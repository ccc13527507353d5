//! The fixed point of the value analysis over one function's blocks.

use crate::blocks::{Block, Body};
use crate::values::engine::{Engine, Scratch};
use crate::values::observer::{Observer, State};
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
    /// Solves a function from its entry state, telling `observer` what happens. A block whose entry
    /// state changes is run, and told of, again; what was told of it last holds.
    ///
    /// When the work is cut nothing is known anywhere, and `observer` is told so: half a solution
    /// holds values that other paths take back.
    pub(crate) fn new<O: Observer>(
        engine: &Engine<'_>,
        body: &Body,
        entry: Address,
        observer: &mut O,
    ) -> Self {
        let solved = Self::solve(engine, body, entry, observer);
        solved.unwrap_or_else(|| {
            observer.cut();
            Self {
                entry_states: Vec::new(),
                assumed: Vec::new(),
                global_pointer: engine.global_pointer,
                held: Held::default(),
            }
        })
    }

    fn solve<O: Observer>(
        engine: &Engine<'_>,
        body: &Body,
        entry: Address,
        observer: &mut O,
    ) -> Option<Self> {
        let mut solver = Solver::new(engine, body, entry)?;
        let order = reverse_postorder(body);
        while solver.pass(&order, observer)? {}
        for &number in &order {
            if solver.is_dirty(number) {
                solver.run(number, observer)?;
            }
        }
        let mut assumed = solver.scratch.assumed;
        assumed.sort_unstable();
        assumed.dedup();
        let (entry_states, held) = (solver.entry_states, solver.held);
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

/// The search for the fixed point.
struct Solver<'a> {
    engine: &'a Engine<'a>,
    body: &'a Body,
    entry_states: Vec<Option<State>>,
    /// Blocks whose entry state has changed since they were run.
    is_dirty: Vec<bool>,
    visits: Vec<u8>,
    scratch: Scratch,
    held: Held,
}

/// Functions yield `None` when the work is cut.
impl<'a> Solver<'a> {
    fn new(engine: &'a Engine<'a>, body: &'a Body, entry: Address) -> Option<Self> {
        let count = body.blocks.len();
        let work = &engine.code.work;
        let mut held = Held::new(work);
        if !work.spend(count as u64) || !held.keep(size_of::<Option<State>>() * count) {
            return None;
        }
        let mut solver = Self {
            engine,
            body,
            entry_states: vec![None; count],
            is_dirty: vec![false; count],
            visits: vec![0; count],
            scratch: Scratch::default(),
            held,
        };
        if let (Some(state), Some(dirty)) = (
            solver.entry_states.get_mut(body.entry_block as usize),
            solver.is_dirty.get_mut(body.entry_block as usize),
        ) {
            *state = Some(engine.entry_state(entry));
            *dirty = true;
        }
        Some(solver)
    }

    fn is_dirty(&self, number: u32) -> bool {
        self.is_dirty.get(number as usize).copied().unwrap_or_default()
    }

    /// Runs every dirty block that may still be run; whether there was any.
    fn pass<O: Observer>(&mut self, order: &[u32], observer: &mut O) -> Option<bool> {
        let mut is_progress = false;
        for &number in order {
            let visits = self.visits.get(number as usize).copied().unwrap_or(MAX_VISITS);
            if !self.is_dirty(number) || visits >= MAX_VISITS {
                continue;
            }
            is_progress = true;
            let state = self.run(number, observer)?;
            let successors = self.body.blocks.get(number as usize).map(|block| &block.successors);
            for &successor in successors.into_iter().flatten() {
                self.arrive(successor, &state)?;
            }
        }
        Some(is_progress)
    }

    /// Runs a block that has an entry state; the state behind it.
    fn run<O: Observer>(&mut self, number: u32, observer: &mut O) -> Option<State> {
        let index = number as usize;
        *self.is_dirty.get_mut(index)? = false;
        let visits = self.visits.get_mut(index)?;
        *visits = visits.saturating_add(1);
        let mut state = self.entry_states.get(index)?.clone()?;
        let block = self.body.blocks.get(index)?;
        observer.block(number);
        run_block(self.engine, self.body, block, &mut state, &mut self.scratch, observer);
        let steps = state.steps() * (1 + block.successors.len() as u64);
        self.engine.code.work.spend(steps).then_some(state)
    }

    /// Takes a state in at the start of a block.
    fn arrive(&mut self, number: u32, state: &State) -> Option<()> {
        let Some(slot) = self.entry_states.get_mut(number as usize) else { return Some(()) };
        let has_changed = match slot {
            Some(known) => join(self.engine, known, state),
            None => {
                *slot = Some(state.clone());
                if !self.held.keep(state.bytes()) {
                    return None;
                }
                true
            }
        };
        if let Some(dirty) = self.is_dirty.get_mut(number as usize) {
            *dirty |= has_changed;
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
