//! The order in which sources of function starts are tapped.

use crate::address_index::SlotSet;
use crate::code::InstructionId;
use crate::flow::{Flow, absolute_target};
use crate::functions::Origin;
use crate::functions::discovery::Discovery;
use crate::functions::draft::Draft;
use crate::functions::unwind_tables::Range;
use crate::functions::{global_pointer, unwind_tables};
use miyaburi_image::{Address, SymbolKind};
use miyaburi_pcode::{Op, Opcode};

/// More bytes than the code at the entry point has.
const START_UP_SIZE: u64 = 0x100;

/// The longest code that a system call leaves by when it fails, in bytes.
const EXIT_SIZE: u64 = 32;

/// The most instructions of a system call before it does so.
const EXIT_DISTANCE: usize = 32;

/// Bytes from a function's start within which other functions jump to skip what they have done
/// already.
const SECOND_ENTRY_DISTANCE: u32 = 8;

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
        self.add_users_of_global_pointer();
        self.explore();
        let slots = self.code.index.slots();
        let mut harvest = Harvest { constants: Vec::new(), literals: SlotSet::new(slots) };
        self.add_referenced(&mut harvest);
        if self.add_claimed(&harvest.literals) {
            self.add_referenced(&mut harvest);
        }
        if self.add_by_look(&mut harvest) {
            self.add_referenced(&mut harvest);
        }
        self.add_leftovers(&mut harvest);
        self.sweep(&mut harvest);
        self.explore();
    }

    /// Adds what constants of the code, jumps and data refer to, and what that refers to in turn.
    fn add_referenced(&mut self, harvest: &mut Harvest) {
        // New functions bring new constants.
        for _ in 0..MAX_ROUNDS {
            let has_changed = self.sweep(harvest);
            self.explore();
            harvest.constants.sort_unstable();
            harvest.constants.dedup();
            // What is loaded is no code: position-independent code takes its literals' addresses.
            harvest.constants.retain(|value| {
                let slot = self.code.index.slot(Address(*value));
                slot.is_none_or(|slot| !harvest.literals.contains(slot))
            });
            let has_shared = self.add_shared();
            let is_settled = !has_shared && !self.add_pointed(&harvest.constants) && !has_changed;
            if is_settled || self.code.work.is_cut() {
                break;
            }
        }
    }

    fn add_roots(&mut self) {
        let entry = self.image.entry().0 | u64::from(self.image.entry_is_thumb());
        if let Some((address, context)) = self.code_pointer(entry) {
            self.add(address, context, Origin::Entry);
        }
        self.unwound = unwind_tables::ranges(self.image, &mut self.diagnostics);
        let ranges = self.unwound.clone();
        for (number, range) in ranges.iter().enumerate().filter(|(_, range)| range.is_whole) {
            let next = ranges.get(number + 1);
            if !next.is_some_and(|next| self.is_exit_of(*range, *next)) {
                self.add_plausible_root(range.start, Origin::Unwinding);
            }
        }
    }

    /// Whether a short stretch of code lies directly before another that branches to it under some
    /// condition, as system calls of the C library do with their failures.
    fn is_exit_of(&mut self, exit: Range, next: Range) -> bool {
        let is_short = exit.end.0 - exit.start.0 <= EXIT_SIZE;
        let is_adjacent = next.start.0 - exit.end.0 < EXIT_SIZE;
        let Some((mut address, mut context)) =
            self.code_pointer(next.start.0).filter(|_| is_short && is_adjacent)
        else {
            return false;
        };
        for _ in 0..EXIT_DISTANCE {
            let Some(id) = self.lift(address, context).filter(|_| address < next.end) else {
                return false;
            };
            let view = self.code.instruction(id);
            let goes_back =
                |op: &Op| op.opcode == Opcode::CBRANCH && absolute_target(op) == Some(exit.start);
            let branches = view.flow.contains(Flow::NEXT | Flow::JUMP);
            if view.ops.iter().any(goes_back) || branches && self.jumps_to(id, exit.start) {
                return true;
            }
            let following = address.offset(u64::from(view.length));
            context = self.code.context_after(id, following);
            address = following;
        }
        false
    }

    /// Whether an instruction has a jump to `target`.
    fn jumps_to(&self, id: InstructionId, target: Address) -> bool {
        let ops = self.code.instruction(id).ops;
        ops.iter().any(|op| op.opcode == Opcode::BRANCH && absolute_target(op) == Some(target))
    }

    /// Adds what several functions jump to over others, or one into what unwind tables call
    /// another, as they do to shared ends such as those that restore registers; false when there is
    /// none.
    ///
    /// False positives: labels that hand-written functions share. False negatives: ends that one
    /// function uses, where there are no tables, or only the functions directly around them; jumps
    /// that were followed before the function between was known.
    fn add_shared(&mut self) -> bool {
        let mut users: Vec<(Address, u32, Address)> = self
            .learnt
            .inner_jumps
            .iter()
            .filter(|(from, target)| {
                !self.can_fall_through(*from) && self.may_leave(*from, *target)
            })
            .filter_map(|(from, target)| {
                let owner = self.ownership.owner(self.code.index.slot(*from)?)?;
                Some((*target, owner, *from))
            })
            .collect();
        users.sort_unstable();
        users.dedup_by_key(|(target, owner, _)| (*target, *owner));
        let before = self.drafts.len();
        for group in users.chunk_by(|a, b| a.0 == b.0) {
            let Some((target, _, from)) = group.first().copied() else { continue };
            // A jump over another function's first instructions enters that function.
            let is_within =
                |range: Range| target.0 - range.start.0 > u64::from(SECOND_ENTRY_DISTANCE);
            let is_shared = group.len() > 1 || self.unwound_at(target).is_some_and(is_within);
            if let Some(id) = self.code.instruction_at(from).filter(|_| is_shared) {
                let context = self.code.context_after(id, target);
                self.add(target, context, Origin::TailCall);
            }
        }
        let has_any = self.drafts.len() > before;
        if has_any {
            self.explore();
        }
        has_any
    }

    fn add_users_of_global_pointer(&mut self) {
        let Some(value) = self.global_pointer else { return };
        let ranges: Vec<(Address, Address)> = self.code.index.ranges().collect();
        for range in ranges {
            for start in global_pointer::function_starts(self.image, range, value) {
                self.add_plausible_root(start, Origin::GlobalPointer);
            }
        }
    }

    /// Adds a function when its first instructions decode.
    fn add_plausible_root(&mut self, start: Address, origin: Origin) {
        let found = self.code_pointer(start.0);
        if let Some((address, context)) = found
            && self.opening(address, context).is_some()
        {
            self.add(address, context, origin);
        }
    }

    /// The entry of the unwind tables for `address`.
    fn unwound_at(&self, address: Address) -> Option<Range> {
        let after = self.unwound.partition_point(|range| range.start <= address);
        let range = after.checked_sub(1).and_then(|index| self.unwound.get(index));
        range.copied().filter(|range| address < range.end)
    }

    /// Whether an unwind table says that `address` is in the middle of a function.
    pub(crate) fn is_amid_unwound(&self, address: Address) -> bool {
        let range = self.unwound_at(address);
        range.is_some_and(|range| address > range.start || !range.is_whole)
    }

    /// Whether unwind tables do not deny that a jump leaves its function: they have no entry for
    /// the target, or those of two functions.
    fn may_leave(&self, from: Address, target: Address) -> bool {
        self.unwound_at(target).is_none_or(|there| {
            let here = self.unwound_at(from);
            there.is_whole && here.is_none_or(|here| here.is_whole && here != there)
        })
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
                    self.add_departure(jump.site, target, jump.is_frame_released);
                }
            }
        }
        is_progress
    }

    /// The name of the function at `entry`, when the file has kept it.
    pub(crate) fn symbol_at(&self, entry: Address) -> Option<String> {
        if !self.believes_symbols {
            return None;
        }
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
