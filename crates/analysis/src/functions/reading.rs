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
        let mut solution = Solution::new(engine, body, entry);
        let mut reader = Reader {
            engine,
            starts,
            is_low,
            references: ReferenceCollector::new(engine),
            calls: Vec::new(),
            jumps: Vec::new(),
            constants: Vec::new(),
            literals: Vec::new(),
            written: Vec::new(),
            global_pointer: None,
        };
        solution.replay(engine, body, &mut reader);
        let Reader { references, calls, jumps, mut constants, mut literals, .. } = reader;
        let (mut written, global_pointer) = (reader.written, reader.global_pointer);
        constants.sort_unstable();
        constants.dedup();
        literals.sort_unstable();
        literals.dedup();
        written.sort_unstable();
        written.dedup();
        let references = references.found;
        let facts = size_of_val(references.as_slice())
            + size_of_val(jumps.as_slice())
            + size_of_val(calls.as_slice())
            + size_of_val(constants.as_slice())
            + size_of_val(literals.as_slice())
            + size_of_val(written.as_slice());
        solution.held.keep(facts);
        Self { solution, calls, jumps, constants, literals, written, global_pointer, references }
    }
}

struct Reader<'a> {
    engine: &'a Engine<'a>,
    starts: &'a SlotSet,
    is_low: bool,
    references: ReferenceCollector<'a>,
    calls: Vec<(Address, Value)>,
    jumps: Vec<JumpFact>,
    constants: Vec<u64>,
    literals: Vec<usize>,
    written: Vec<(Address, u32)>,
    global_pointer: Option<u64>,
}

impl Reader<'_> {
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
            self.constants.push(value);
        }
    }
}

impl Observer for Reader<'_> {
    fn load(&mut self, instruction: Address, from: Value, size: u32) {
        self.references.load(instruction, from, size);
        let Value::Constant(from) = from else { return };
        let index = &self.engine.code.index;
        for offset in 0..u64::from(size) {
            self.literals.extend(index.slot(Address(from.wrapping_add(offset))));
        }
    }

    fn store(&mut self, event: StoreEvent) {
        self.references.store(event);
        if let Value::Constant(to) = event.to {
            self.written.push((Address(to), event.size));
        }
        if let Value::Constant(value) = event.value {
            self.note(event.instruction, value);
        }
    }

    fn constant(&mut self, instruction: Address, value: u64, register: &Varnode) {
        self.references.constant(instruction, value, register);
        // In low images too many offsets look like addresses, and everywhere the first step of an
        // address made in two.
        let is_upper_part = value & 0x3ff == 0;
        if !self.is_low && !is_upper_part {
            self.note(instruction, value);
        }
    }

    fn jump(&mut self, site: Address, target: Value, state: &State) {
        let is_frame_gone = is_frame_gone(self.engine, state);
        self.jumps.push(JumpFact { site, target, is_frame_gone });
        let slot = target.address().and_then(|target| self.engine.code.index.slot(target));
        if slot.is_some_and(|slot| self.starts.contains(slot)) {
            self.note_arguments(site, state);
        }
    }

    fn call(&mut self, event: &CallEvent<'_>) {
        self.references.call(event);
        self.calls.push((event.site, event.target));
        self.note_arguments(event.site, event.state);
        if self.global_pointer.is_none()
            && let Some(register) = &self.engine.abi.global_pointer
        {
            self.global_pointer = self.engine.register(event.state, register).constant();
        }
    }
}
