//! The order in which sources of function starts are tapped.

use crate::address_index::SlotSet;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::values::Value;
use crate::values::engine::{CallEvent, Engine, Observer, StoreEvent};
use crate::values::solve::Solution;
use miyaburi_image::{Address, SymbolKind};
use miyaburi_pcode::Varnode;

/// What a sweep over all functions yields.
struct Harvest {
    /// Constants that could be addresses of unreached code.
    constants: Vec<u64>,
    /// Slots of code that are loaded from.
    literals: SlotSet,
}

struct Sweep<'a> {
    engine: &'a Engine<'a>,
    harvest: &'a mut Harvest,
    written: Vec<(Address, u32)>,
    global_pointer: Option<u64>,
}

impl Sweep<'_> {
    fn note(&mut self, value: u64) {
        let address = Address(value);
        if self.engine.code.index.slot(address).is_some() {
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
            self.note(value);
        }
    }

    fn constant(&mut self, _instruction: Address, value: u64, _register: &Varnode) {
        self.note(value);
    }

    fn call(&mut self, event: &CallEvent<'_>) {
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
        if self.calls_what_never_returns() {
            self.start_over();
            self.add_roots();
            self.explore();
        }
        let slots = self.code.index.slots();
        let mut harvest = Harvest { constants: Vec::new(), literals: SlotSet::new(slots) };
        let mut swept = 0;
        // New functions bring new constants; few rounds bring nothing new.
        for _ in 0..8 {
            swept = self.sweep(swept, &mut harvest);
            let mut constants = std::mem::take(&mut harvest.constants);
            constants.sort_unstable();
            constants.dedup();
            self.add_constants(&constants);
            self.explore();
            if swept == self.drafts.len() {
                self.add_pointers();
                self.explore();
            }
            if swept == self.drafts.len() {
                break;
            }
        }
        self.add_leftovers(&harvest.literals);
        self.sweep(swept, &mut harvest);
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
        let engine = self.engine();
        let mut harvest = Harvest { constants: Vec::new(), literals: SlotSet::new(0) };
        let mut sweep = Sweep {
            engine: &engine,
            harvest: &mut harvest,
            written: Vec::new(),
            global_pointer: None,
        };
        Solution::new(&engine, &body, self.image.entry()).replay(&engine, &body, &mut sweep);
        let found = sweep.global_pointer;
        self.global_pointer = found;
    }

    /// Whether code was explored behind a computed call that never returns.
    fn calls_what_never_returns(&self) -> bool {
        let callees = self.learnt.calls.values();
        callees
            .into_iter()
            .any(|(callee, _)| self.draft_at(*callee).is_some_and(|draft| !draft.returns))
    }

    /// Looks at the values of the functions from number `first` on; yields how many there are.
    fn sweep(&mut self, first: usize, harvest: &mut Harvest) -> usize {
        let count = self.drafts.len();
        for number in first as u32..count as u32 {
            let body = self.body(number);
            let Some(entry) = self.drafts.get(number as usize).map(|draft| draft.entry) else {
                continue;
            };
            let engine = self.engine();
            let mut sweep =
                Sweep { engine: &engine, harvest, written: Vec::new(), global_pointer: None };
            Solution::new(&engine, &body, entry).replay(&engine, &body, &mut sweep);
            for (to, size) in sweep.written {
                self.written.write(to, size);
            }
        }
        count
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
}
