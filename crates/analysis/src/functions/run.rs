//! The order in which sources of function starts are tapped.

use crate::address_index::SlotSet;
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::functions::draft::Draft;
use crate::functions::unwind_tables;
use miyaburi_image::{Address, SymbolKind};

/// More bytes than the code at the entry point has.
const START_UP_SIZE: u64 = 0x100;

/// The most instructions of a procedure linkage entry.
const STUB_SIZE: usize = 6;

/// The most rounds of sweeps and of what they bring.
const MAX_ROUNDS: usize = 24;

/// What a sweep over all functions yields.
pub(crate) struct Harvest {
    /// Constants that could be addresses of unreached code.
    constants: Vec<u64>,
    /// Slots of code that are loaded from.
    pub(crate) literals: SlotSet,
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
            let is_settled = !self.add_pointed(&harvest.constants) && !has_changed;
            if is_settled || self.code.work.is_cut() {
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
        for start in unwind_tables::function_starts(self.image) {
            let found = self.code_pointer(start.0);
            if let Some((address, context)) = found
                && self.opening(address, context).is_some()
            {
                self.add(address, context, Origin::Unwinding);
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
        self.global_pointer = self.read(entry).global_pointer;
    }

    /// Looks at the values of the functions that have changed since the last sweep; false when
    /// none has.
    pub(crate) fn sweep(&mut self, harvest: &mut Harvest) -> bool {
        let mut is_progress = false;
        if !self.charge_drafts() {
            return false;
        }
        for number in 0..self.drafts.len() as u32 {
            let Some(draft) = self.drafts.get_mut(number as usize) else { continue };
            if std::mem::replace(&mut draft.is_swept, true) {
                continue;
            }
            is_progress = true;
            let is_entry = draft.entry == self.image.entry();
            let reading = self.read(number);
            harvest.constants.extend(&reading.constants);
            for slot in &reading.literals {
                harvest.literals.insert(*slot);
            }
            for store in &reading.stores {
                self.written.write(store.to, store.size);
            }
            for jump in &reading.jumps {
                // The start-up code makes a frame and jumps on for good.
                let leaves_start =
                    |target: Address| is_entry && jump.site.0.abs_diff(target.0) > START_UP_SIZE;
                if let Some(target) = jump.target.address()
                    && (jump.is_frame_gone || leaves_start(target))
                {
                    self.add_departure(jump.site, target);
                }
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
