//! What the values of one function tell: one pass serves the search for functions, the references
//! and whoever asks for values later.

use crate::address_index::SlotSet;
use crate::blocks::Body;
use crate::functions::resolve::is_frame_gone;
use crate::references::{Reference, ReferenceCollector};
use crate::values::Value;
use crate::values::engine::Engine;
use crate::values::observer::{CallEvent, Observer, State, StoreEvent};
use crate::values::solve::Solution;
use miyaburi_image::Address;
use miyaburi_pcode::Varnode;
use std::ops::Range;

/// The longest call with its delay slot and the word some conventions put behind it, in bytes.
const RETURN_DISTANCE: u64 = 16;

/// How many arguments of a call are looked at for handlers.
const ARGUMENTS: usize = 8;

/// What the values say about one jump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JumpFact {
    pub(crate) site: Address,
    pub(crate) target: Value,
    /// The stack pointer and the link register are what they were at entry.
    pub(crate) is_frame_gone: bool,
}

/// One function's values and what they tell.
pub(crate) struct Reading {
    pub(crate) solution: Solution,
    /// Calls: where from, where to.
    pub(crate) calls: Vec<(Address, Value)>,
    pub(crate) jumps: Vec<JumpFact>,
    /// Constants that could be addresses of code.
    pub(crate) constants: Vec<u64>,
    /// Slots of code that are loaded from.
    pub(crate) literals: Vec<usize>,
    /// Stores to constant addresses: where, how many bytes.
    pub(crate) written: Vec<(Address, u32)>,
    /// The global pointer at the first call at which it is known.
    pub(crate) global_pointer: Option<u64>,
    pub(crate) references: Vec<Reference>,
}

impl Reading {
    /// Reads a function. `starts` are the known starts of functions; in a low image constants in
    /// registers are no addresses.
    pub(crate) fn new(
        engine: &Engine<'_>,
        body: &Body,
        entry: Address,
        starts: &SlotSet,
        is_low: bool,
    ) -> Self {
        let mut log = Log {
            engine,
            starts,
            is_low,
            facts: Vec::new(),
            blocks: vec![0..0; body.blocks.len()],
            current: 0,
        };
        let solution = Solution::new(engine, body, entry, &mut log);
        log.close();
        let mut reading = Self {
            solution,
            calls: Vec::new(),
            jumps: Vec::new(),
            constants: Vec::new(),
            literals: Vec::new(),
            written: Vec::new(),
            global_pointer: None,
            references: Vec::new(),
        };
        let mut references = ReferenceCollector::new(engine.image);
        for fact in log.in_address_order() {
            references.take(fact);
            reading.take(engine, fact);
        }
        reading.references = references.found;
        reading.constants.sort_unstable();
        reading.constants.dedup();
        reading.literals.sort_unstable();
        reading.literals.dedup();
        reading.written.sort_unstable();
        reading.written.dedup();
        reading.solution.held.keep(reading.bytes());
        reading
    }

    /// Bytes of what was read off the solution.
    fn bytes(&self) -> usize {
        size_of_val(self.references.as_slice())
            + size_of_val(self.jumps.as_slice())
            + size_of_val(self.calls.as_slice())
            + size_of_val(self.constants.as_slice())
            + size_of_val(self.literals.as_slice())
            + size_of_val(self.written.as_slice())
    }

    fn take(&mut self, engine: &Engine<'_>, fact: &Fact) {
        match *fact {
            Fact::Load { from, size, .. } => {
                let bytes = (0..u64::from(size)).map(|offset| Address(from.wrapping_add(offset)));
                self.literals.extend(bytes.filter_map(|byte| engine.code.index.slot(byte)));
            }
            Fact::Store(StoreEvent { to: Value::Constant(to), size, .. }) => {
                self.written.push((Address(to), size));
            }
            Fact::Store(_) | Fact::Constant { .. } => {}
            Fact::Candidate(value) => self.constants.push(value),
            Fact::Jump(jump) => self.jumps.push(jump),
            Fact::Call { site, target } => self.calls.push((site, target)),
            Fact::GlobalPointer(value) => {
                self.global_pointer = self.global_pointer.or(Some(value));
            }
        }
    }
}

/// Something that happens in a block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact {
    /// A load of `size` bytes from a constant address.
    Load {
        instruction: Address,
        from: u64,
        size: u32,
    },
    /// A store to a constant address, or of a constant.
    Store(StoreEvent),
    /// A constant that ends up in a register.
    Constant {
        instruction: Address,
        value: u64,
        register: Varnode,
    },
    /// A constant that could be the address of code.
    Candidate(u64),
    Jump(JumpFact),
    Call {
        site: Address,
        target: Value,
    },
    /// The global pointer when a call is made.
    GlobalPointer(u64),
}

/// What has happened, by block.
struct Log<'a> {
    engine: &'a Engine<'a>,
    starts: &'a SlotSet,
    is_low: bool,
    facts: Vec<Fact>,
    /// The facts of each block's last run.
    blocks: Vec<Range<usize>>,
    current: u32,
}

impl Log<'_> {
    fn close(&mut self) {
        let end = self.facts.len();
        if let Some(range) = self.blocks.get_mut(self.current as usize) {
            range.end = end;
        }
    }

    fn in_address_order(&self) -> impl Iterator<Item = &Fact> {
        self.blocks.iter().flat_map(|range| self.facts.get(range.clone()).unwrap_or(&[]))
    }

    /// Looks at what is handed to a function.
    fn note_arguments(&mut self, site: Address, state: &State) {
        for index in 0..ARGUMENTS {
            if let Value::Constant(value) = self.engine.argument(state, index) {
                self.note(site, value);
            }
        }
    }

    fn note(&mut self, instruction: Address, value: u64) {
        // Return addresses of calls lie close behind.
        let is_return_address = value.wrapping_sub(instruction.0) <= RETURN_DISTANCE;
        if !is_return_address && self.engine.code.index.slot(Address(value)).is_some() {
            self.facts.push(Fact::Candidate(value));
        }
    }
}

impl Observer for Log<'_> {
    fn block(&mut self, number: u32) {
        self.close();
        self.current = number;
        let here = self.facts.len();
        if let Some(range) = self.blocks.get_mut(number as usize) {
            *range = here..here;
        }
    }

    fn cut(&mut self) {
        self.facts.clear();
    }

    fn load(&mut self, instruction: Address, from: Value, size: u32) {
        if let Value::Constant(from) = from {
            self.facts.push(Fact::Load { instruction, from, size });
        }
    }

    fn store(&mut self, event: StoreEvent) {
        if event.to.constant().is_some() || event.value.constant().is_some() {
            self.facts.push(Fact::Store(event));
        }
        if let Value::Constant(value) = event.value {
            self.note(event.instruction, value);
        }
    }

    fn constant(&mut self, instruction: Address, value: u64, register: &Varnode) {
        self.facts.push(Fact::Constant { instruction, value, register: *register });
        // In low images too many offsets look like addresses, and everywhere the first step of an
        // address made in two.
        let is_upper_part = value & 0x3ff == 0;
        if !self.is_low && !is_upper_part {
            self.note(instruction, value);
        }
    }

    fn jump(&mut self, site: Address, target: Value, state: &State) {
        let is_frame_gone = is_frame_gone(self.engine, state);
        self.facts.push(Fact::Jump(JumpFact { site, target, is_frame_gone }));
        let slot = target.address().and_then(|target| self.engine.code.index.slot(target));
        if slot.is_some_and(|slot| self.starts.contains(slot)) {
            self.note_arguments(site, state);
        }
    }

    fn call(&mut self, event: &CallEvent<'_>) {
        self.facts.push(Fact::Call { site: event.site, target: event.target });
        self.note_arguments(event.site, event.state);
        if let Some(register) = &self.engine.abi.global_pointer
            && let Value::Constant(value) = self.engine.register(event.state, register)
        {
            self.facts.push(Fact::GlobalPointer(value));
        }
    }
}
