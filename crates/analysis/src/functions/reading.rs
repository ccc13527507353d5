//! What the values of one function tell: one pass serves the search for functions, the references
//! and whoever asks for values later.

use crate::address_index::SlotSet;
use crate::blocks::Body;
use crate::functions::resolve::{has_frame, is_frame_gone};
use crate::references::{Reference, ReferenceCollector};
use crate::values::Value;
use crate::values::engine::Engine;
use crate::values::observer::{CallEvent, Observer, State, StoreEvent};
use crate::values::solve::Solution;
use crate::values::values_of::{GlobalStore, Site};
use crate::work::{Held, reserve};
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
    /// The block that ends with it has just released the frame.
    pub(crate) is_frame_released: bool,
}

/// What one function's values tell.
#[derive(Default)]
pub(crate) struct Reading {
    /// Calls, and jumps that could be some, in address order.
    pub(crate) sites: Vec<(Address, Site)>,
    /// In address order.
    pub(crate) jumps: Vec<JumpFact>,
    /// Constants that could be addresses of code.
    pub(crate) constants: Vec<u64>,
    /// Slots of code that are loaded from.
    pub(crate) literals: Vec<usize>,
    /// Stores to constant addresses, in address order.
    pub(crate) stores: Vec<GlobalStore>,
    /// The global pointer at the first call at which it is known.
    pub(crate) global_pointer: Option<u64>,
    pub(crate) references: Vec<Reference>,
    /// Writable memory that was taken as constant: where, how many bytes.
    assumed: Vec<(Address, u32)>,
    assumed_global_pointer: Option<u64>,
    pub(crate) held: Held,
}

impl Reading {
    /// Reads a function, which leaves its solution in `solution`. `starts` are the known starts of
    /// functions; in a low image constants in registers are no addresses.
    pub(crate) fn new(
        engine: &Engine<'_>,
        body: &Body,
        entry: Address,
        starts: &SlotSet,
        is_low: bool,
        solution: &mut Solution,
    ) -> Self {
        let mut held = Held::new(&engine.code.work);
        held.keep(body.blocks.len() * size_of::<Range<usize>>());
        let mut log = Log {
            engine,
            starts,
            is_low,
            facts: Vec::new(),
            sites: Vec::new(),
            blocks: vec![0..0; body.blocks.len()],
            current: 0,
            held,
            is_in_frame: false,
        };
        solution.solve(engine, body, entry, &mut log);
        log.close();
        let mut reading = Self {
            assumed: solution.assumed().to_vec(),
            assumed_global_pointer: engine.global_pointer,
            held: log.held,
            ..Self::default()
        };
        let mut references = ReferenceCollector::new(engine.image);
        let Log { mut sites, blocks, facts, .. } = log;
        for range in blocks {
            for fact in facts.get(range).unwrap_or(&[]) {
                references.take(fact);
                reading.take(engine, fact, &mut sites);
            }
        }
        reading.references = references.found;
        reading.finish();
        reading
    }

    /// The call or jump at an address.
    pub(crate) fn site(&self, address: Address) -> Option<&Site> {
        let index = self.sites.binary_search_by_key(&address, |(address, _)| *address).ok()?;
        self.sites.get(index).map(|(_, site)| site)
    }

    /// What the jump at an address does: of several in one instruction, all.
    fn jumps_at(&self, site: Address) -> &[JumpFact] {
        let first = self.jumps.partition_point(|jump| jump.site < site);
        let last = self.jumps.partition_point(|jump| jump.site <= site);
        self.jumps.get(first..last).unwrap_or(&[])
    }

    /// The first jump that the instruction at an address can make.
    pub(crate) fn first_jump(&self, site: Address) -> Option<&JumpFact> {
        self.jumps_at(site).first()
    }

    /// The last jump that the instruction at an address can make.
    pub(crate) fn last_jump(&self, site: Address) -> Option<&JumpFact> {
        self.jumps_at(site).last()
    }

    /// Whether what it took for granted still holds.
    pub(crate) fn holds(&self, engine: &Engine<'_>) -> bool {
        let is_written = |(at, size): &(Address, u32)| engine.written.is_written(*at, *size);
        self.assumed_global_pointer == engine.global_pointer && !self.assumed.iter().any(is_written)
    }

    fn finish(&mut self) {
        self.constants.sort_unstable();
        self.constants.dedup();
        self.literals.sort_unstable();
        self.literals.dedup();
        self.jumps.sort_by_key(|jump| jump.site);
        self.sites.sort_by_key(|(address, _)| *address);
        self.sites.dedup_by_key(|(address, _)| *address);
        let sites: usize = self.sites.iter().map(|(_, site)| site.bytes()).sum();
        let lists = self.references.capacity() * size_of::<Reference>()
            + self.jumps.capacity() * size_of::<JumpFact>()
            + self.constants.capacity() * size_of::<u64>()
            + self.literals.capacity() * size_of::<usize>()
            + self.stores.capacity() * size_of::<GlobalStore>()
            + self.assumed.capacity() * size_of::<(Address, u32)>();
        self.held.set(sites + lists);
    }

    fn take(&mut self, engine: &Engine<'_>, fact: &Fact, sites: &mut [Option<(Address, Site)>]) {
        match *fact {
            Fact::Load { from, size, .. } => {
                let bytes = (0..u64::from(size)).map(|offset| Address(from.wrapping_add(offset)));
                self.literals.extend(bytes.filter_map(|byte| engine.code.index.slot(byte)));
            }
            Fact::Store(StoreEvent { instruction, to: Value::Constant(to), size, value }) => {
                self.stores.push(GlobalStore { instruction, to: Address(to), size, value });
            }
            Fact::Store(_) | Fact::Constant { .. } => {}
            Fact::Candidate(value) => self.constants.push(value),
            Fact::Jump(jump) => self.jumps.push(jump),
            Fact::Site { number, .. } => {
                self.sites.extend(sites.get_mut(number).and_then(Option::take));
            }
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
    /// A call, or a jump that could be one.
    Site {
        number: usize,
        is_jump: bool,
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
    /// By number; those that are taken from it once are `None`.
    sites: Vec<Option<(Address, Site)>>,
    /// The facts of each block's last run.
    blocks: Vec<Range<usize>>,
    current: u32,
    /// The memory of facts and sites.
    held: Held,
    /// There was a frame when the current block was entered.
    is_in_frame: bool,
}

impl Log<'_> {
    fn close(&mut self) {
        let end = self.facts.len();
        if let Some(range) = self.blocks.get_mut(self.current as usize) {
            range.end = end;
        }
    }

    fn log(&mut self, fact: Fact) {
        // The list doubles, and what is made of it is about as large.
        if self.held.keep(2 * size_of::<Fact>()) {
            reserve(&mut self.facts, 1);
            self.facts.push(fact);
        }
    }

    fn note_site(&mut self, address: Address, target: Value, is_jump: bool, state: &State) {
        let bytes = 2 * size_of::<Option<(Address, Site)>>() + state.bytes();
        if !self.held.keep(bytes) {
            return;
        }
        let site = Site::new(self.engine, target, is_jump, state);
        self.log(Fact::Site { number: self.sites.len(), is_jump });
        reserve(&mut self.sites, 1);
        self.sites.push(Some((address, site)));
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
            self.log(Fact::Candidate(value));
        }
    }
}

impl Observer for Log<'_> {
    fn block(&mut self, number: u32, state: &State) {
        self.close();
        self.current = number;
        self.is_in_frame = has_frame(self.engine, state);
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
            self.log(Fact::Load { instruction, from, size });
        }
    }

    fn store(&mut self, event: StoreEvent) {
        if event.to.constant().is_some() || event.value.constant().is_some() {
            self.log(Fact::Store(event));
        }
        if let Value::Constant(value) = event.value {
            self.note(event.instruction, value);
        }
    }

    fn constant(&mut self, instruction: Address, value: u64, register: &Varnode) {
        self.log(Fact::Constant { instruction, value, register: *register });
        // In low images too many offsets look like addresses, and everywhere the first step of an
        // address made in two, absolute or from here.
        let is_upper_part = value & 0x3ff == 0 || value.wrapping_sub(instruction.0) & 0xfff == 0;
        if !self.is_low && !is_upper_part {
            self.note(instruction, value);
        }
    }

    fn jump(&mut self, site: Address, target: Value, state: &State) {
        let is_frame_gone = is_frame_gone(self.engine, state);
        let is_frame_released = is_frame_gone && self.is_in_frame;
        self.log(Fact::Jump(JumpFact { site, target, is_frame_gone, is_frame_released }));
        let is_start = |target: Address| {
            let slot = self.engine.code.index.slot(target);
            slot.is_some_and(|slot| self.starts.contains(slot))
        };
        let leaves = target.address().is_none_or(is_start);
        if leaves {
            self.note_arguments(site, state);
            self.note_site(site, target, true, state);
        }
    }

    fn call(&mut self, event: &CallEvent<'_>) {
        self.note_site(event.site, event.target, false, event.state);
        self.note_arguments(event.site, event.state);
        if let Some(register) = &self.engine.abi.global_pointer
            && let Value::Constant(value) = self.engine.register(event.state, register)
        {
            self.log(Fact::GlobalPointer(value));
        }
    }
}
