//! The order in which sources of function starts are tapped.

use crate::address_index::SlotSet;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::functions::draft::Draft;
use crate::functions::resolve::is_frame_gone;
use crate::values::Value;
use crate::values::engine::Engine;
use crate::values::observer::{CallEvent, Observer, State, StoreEvent};
use crate::values::solve::Solution;
use miyaburi_image::{Address, SymbolKind};
use miyaburi_pcode::Varnode;

/// The longest call with its delay slot and the word some conventions put behind it, in bytes.
const RETURN_DISTANCE: u64 = 16;

/// More bytes than the code at the entry point has.
const START_UP_SIZE: u64 = 0x100;

/// The most instructions of a procedure linkage entry.
const STUB_SIZE: usize = 6;

/// The most rounds of sweeps and of what they bring.
const MAX_ROUNDS: usize = 24;

/// How many arguments of a call are looked at for handlers.
const ARGUMENTS: usize = 8;

/// What a sweep over all functions yields.
pub(crate) struct Harvest {
    /// Constants that could be addresses of unreached code.
    constants: Vec<u64>,
    /// Slots of code that are loaded from.
    pub(crate) literals: SlotSet,
}

struct Sweep<'a> {
    engine: &'a Engine<'a>,
    harvest: &'a mut Harvest,
    starts: &'a SlotSet,
    is_low: bool,
    is_entry: bool,
    written: Vec<(Address, u32)>,
    global_pointer: Option<u64>,
    /// Jumps made with the frame gone: from, to.
    departures: Vec<(Address, Address)>,
}

impl Sweep<'_> {
    /// Whether a jump leaves the start-up code, which makes a frame and jumps on for good.
    fn leaves_start(&self, from: Address, target: u64) -> bool {
        self.is_entry && from.0.abs_diff(target) > START_UP_SIZE
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
        let address = Address(value);
        // Return addresses of calls lie close behind.
        let is_return_address = value.wrapping_sub(instruction.0) <= RETURN_DISTANCE;
        if !is_return_address && self.engine.code.index.slot(address).is_some() {
            self.harvest.constants.push(value);
        }
    }
}

impl Observer for Sweep<'_> {
    fn load(&mut self, _instruction: Address, from: Value, size: u32) {
        let Value::Constant(from) = from else { return };
        let index = &self.engine.code.index;
        for offset in 0..u64::from(size) {
            if let Some(slot) = index.slot(Address(from.wrapping_add(offset))) {
                self.harvest.literals.insert(slot);
            }
        }
    }

    fn store(&mut self, event: StoreEvent) {
        if let Value::Constant(to) = event.to {
            self.written.push((Address(to), event.size));
        }
        if let Value::Constant(value) = event.value {
            self.note(event.instruction, value);
        }
    }

    fn constant(&mut self, instruction: Address, value: u64, _register: &Varnode) {
        // In low images too many offsets look like addresses, and everywhere the first step of an
        // address made in two.
        let is_upper_part = value & 0x3ff == 0;
        if !self.is_low && !is_upper_part {
            self.note(instruction, value);
        }
    }

    fn jump(&mut self, instruction: Address, target: Value, state: &State) {
        if let Value::Constant(target) = target
            && (is_frame_gone(self.engine, state) || self.leaves_start(instruction, target))
        {
            self.departures.push((instruction, Address(target)));
        }
        let slot = target.address().and_then(|target| self.engine.code.index.slot(target));
        if slot.is_some_and(|slot| self.starts.contains(slot)) {
            self.note_arguments(instruction, state);
        }
    }

    fn call(&mut self, event: &CallEvent<'_>) {
        self.note_arguments(event.site, event.state);
        if self.global_pointer.is_none()
            && let Some(register) = &self.engine.abi.global_pointer
        {
            self.global_pointer = self.engine.register(event.state, register).constant();
        }
    }
}

impl Discovery<'_> {
    /// Finds all functions.
    pub(crate) fn run(&mut self) {
        self.add_roots();
        self.learn_global_pointer();
        self.explore();
        let slots = self.code.index.slots();
        let mut harvest = Harvest { constants: Vec::new(), literals: SlotSet::new(slots) };
        // New functions bring new constants.
        for _ in 0..MAX_ROUNDS {
            let has_changed = self.sweep(&mut harvest);
            self.explore();
            harvest.constants.sort_unstable();
            harvest.constants.dedup();
            if !self.add_pointed(&harvest.constants) && !has_changed {
                break;
            }
        }
        self.add_leftovers(&mut harvest);
        self.sweep(&mut harvest);
        self.explore();
    }

    fn add_roots(&mut self) {
        let entry = self.image.entry().0 | u64::from(self.image.entry_is_thumb());
        self.add_pointer_root(entry, Origin::Entry);
        for initializer in self.image.initializers() {
            self.add_pointer_root(initializer.0, Origin::Entry);
        }
        for function in self.image.indirect_functions() {
            let mode_bit = u64::from(function.thumb);
            self.add_pointer_root(function.resolver.0 | mode_bit, Origin::Entry);
        }
        for symbol in self.image.symbols() {
            if symbol.kind == SymbolKind::Function {
                let mode_bit = u64::from(symbol.thumb);
                self.add_pointer_root(symbol.address.0 | mode_bit, Origin::Symbol);
            }
        }
    }

    fn add_pointer_root(&mut self, pointer: u64, origin: Origin) {
        if let Some((address, context)) = self.code_pointer(pointer) {
            self.add(address, context, origin);
        }
    }

    /// Start-up code sets the global pointer before it calls anything.
    fn learn_global_pointer(&mut self) {
        if self.global_pointer.is_some() || self.abi.global_pointer.is_none() {
            return;
        }
        self.drain();
        let Some(entry) = self.number_at(self.image.entry()) else { return };
        let body = self.body(entry);
        let is_low = self.is_low();
        let engine = self.engine();
        let mut harvest = Harvest { constants: Vec::new(), literals: SlotSet::new(0) };
        let mut sweep = Sweep {
            engine: &engine,
            harvest: &mut harvest,
            starts: &self.ownership.starts,
            is_low,
            is_entry: true,
            written: Vec::new(),
            global_pointer: None,
            departures: Vec::new(),
        };
        Solution::new(&engine, &body, self.image.entry()).replay(&engine, &body, &mut sweep);
        let found = sweep.global_pointer;
        self.global_pointer = found;
    }

    /// Looks at the values of the functions that have changed since the last sweep; false when
    /// none has.
    pub(crate) fn sweep(&mut self, harvest: &mut Harvest) -> bool {
        let mut is_progress = false;
        let is_low = self.is_low();
        for number in 0..self.drafts.len() as u32 {
            let Some(draft) = self.drafts.get_mut(number as usize) else { continue };
            if std::mem::replace(&mut draft.is_swept, true) {
                continue;
            }
            is_progress = true;
            let entry = draft.entry;
            let body = self.body(number);
            let engine = self.engine();
            let mut sweep = Sweep {
                engine: &engine,
                harvest,
                starts: &self.ownership.starts,
                is_low,
                is_entry: entry == self.image.entry(),
                written: Vec::new(),
                global_pointer: None,
                departures: Vec::new(),
            };
            Solution::new(&engine, &body, entry).replay(&engine, &body, &mut sweep);
            let Sweep { written, departures, .. } = sweep;
            for (to, size) in written {
                self.written.write(to, size);
            }
            for (from, to) in departures {
                self.add_departure(from, to);
            }
        }
        is_progress
    }

    /// The name of the function at `entry`, when the file has kept it.
    pub(crate) fn symbol_at(&self, entry: Address) -> Option<String> {
        let symbols = self.image.symbols();
        let first = symbols.partition_point(|symbol| symbol.address < entry);
        let here = symbols.get(first..)?.iter().take_while(|symbol| symbol.address == entry);
        here.filter(|symbol| symbol.kind == SymbolKind::Function && !symbol.name.is_empty())
            .map(|symbol| symbol.name.clone())
            .next()
    }

    /// The name of the import that a function does nothing but jump to.
    pub(crate) fn import_name(&self, draft: &Draft) -> Option<String> {
        let slots = draft.visited.iter().filter_map(|(at, _)| self.learnt.slots.get(at));
        let import = slots
            .chain([&draft.entry])
            .filter(|_| draft.visited.len() <= STUB_SIZE)
            .find_map(|slot| self.image.import_at(*slot));
        import.map(|import| import.name.clone())
    }
}
