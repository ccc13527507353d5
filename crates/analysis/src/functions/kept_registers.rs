//! Values that stay in registers over calls of functions that do not write them.
//!
//! How it works: a function writes what its instructions and all that it calls write; where a callee
//! is not known, control can leave it for an unknown place, it enters the system or calls itself by
//! way of others, it may write everything. Once all functions are found, those are read again in
//! which a constant stays in its register over a call, and the function itself or what it calls
//! next reads that register.
//!
//! False positives: hand-written callees that the analysis has not seen whole. False negatives:
//! values that are no constants before the call, or read in a later block; functions that the search
//! would find by such a constant alone.

use crate::blocks::{Body, Exit};
use crate::flow::{Flow, absolute_target};
use crate::functions::discovery::Discovery;
use crate::functions::reading::Reading;
use crate::values::effects::{add_written, read_and_written};
use crate::values::registers::CellSet;
use miyaburi_image::Address;
use miyaburi_pcode::Opcode;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Bytes of a function in the tables of what is known.
const EFFECTS_BYTES: usize = 128;

/// Calls, or plain instructions, that are looked through in the time of a step.
const LOOKS_PER_STEP: u64 = 16;

/// The most instructions of a function in which it is looked for whether it reads an argument: it
/// is read or saved at the start.
const READ_WITHIN: usize = 64;

/// A function of which it is being found out what it writes.
struct Open {
    entry: Address,
    body: Arc<Body>,
    /// What callees write.
    written: CellSet,
    /// Callees that are still to be added.
    callees: Vec<Address>,
}

impl Discovery<'_> {
    /// Reads functions again whose calls leave arguments of later ones in place. `order` has the
    /// entries and numbers of all functions.
    pub(crate) fn keep_over_calls(&mut self, order: &[(Address, u32)]) {
        let arguments = self.argument_cells();
        let mut gaining = Vec::new();
        for &(_, number) in order {
            if self.code.work.is_cut() {
                return;
            }
            let reading = self.read(number);
            self.code.work.spend(reading.sites.len() as u64 / LOOKS_PER_STEP);
            if self.may_gain(number, &reading, arguments) {
                gaining.push((number, reading));
            }
        }
        for (number, reading) in gaining {
            for (_, site) in &reading.sites {
                site.target.address().and_then(|callee| self.written_by(callee));
            }
            drop(reading);
            if let Some(draft) = self.drafts.get_mut(number as usize) {
                draft.reading = None;
            }
            self.read(number);
        }
    }

    /// The cells in which some convention passes arguments.
    fn argument_cells(&self) -> CellSet {
        let conventions = self.abi.local_conventions.iter().chain([&self.abi.argument_registers]);
        let registers = conventions.flatten();
        let cells = registers.map(|register| self.cells.touched(register));
        cells.fold(CellSet::default(), CellSet::union)
    }

    /// Whether a constant that some call leaves in its register is read behind that: by the function
    /// itself, or as an argument by what it calls next.
    fn may_gain(&mut self, number: u32, reading: &Reading, arguments: CellSet) -> bool {
        let clobbered = self.cells.clobbered();
        let body = self.body(number);
        let mut carried = CellSet::default();
        for (address, site) in &reading.sites {
            let registers = &site.state.registers;
            let passed = carried.intersection(arguments).difference(registers.live());
            carried = carried.union(registers.constants().intersection(clobbered));
            if carried.is_empty() {
                continue;
            }
            let Some(callee) = site.target.address() else {
                carried = CellSet::default();
                continue;
            };
            if !passed.is_empty() && self.reads_one_of(callee, passed) {
                return true;
            }
            let written = self.written_by(callee);
            carried = written.map_or_else(CellSet::default, |it| carried.difference(it));
            if !carried.is_empty() && self.reads_behind(&body, *address, carried) {
                return true;
            }
        }
        false
    }

    /// Whether a function reads one of these cells before it writes it.
    fn reads_one_of(&mut self, entry: Address, cells: CellSet) -> bool {
        let Some(number) = self.number_at(entry) else { return false };
        let body = self.body(number);
        let (mut read, mut written) = Default::default();
        for (_, id) in body.instructions.iter().take(READ_WITHIN) {
            read_and_written(&self.cells, &self.code.instruction(*id), &mut read, &mut written);
        }
        !read.intersection(cells).is_empty()
    }

    /// Whether the instructions between a call and the next, or the block's end, read one of these
    /// cells before they write it.
    fn reads_behind(&self, body: &Body, call: Address, cells: CellSet) -> bool {
        let after = body.instructions.partition_point(|(address, _)| *address <= call);
        let (mut read, mut written) = Default::default();
        for (_, id) in body.instructions.get(after..).into_iter().flatten() {
            let view = self.code.instruction(*id);
            read_and_written(&self.cells, &view, &mut read, &mut written);
            if !read.intersection(cells).is_empty() {
                return true;
            }
            if !view.flow.is_plain() {
                break;
            }
        }
        false
    }

    /// What a function and all that it calls may write; `None` when that is not known.
    fn written_by(&mut self, entry: Address) -> Option<CellSet> {
        if !self.effects.contains(entry) {
            self.add_effects(entry);
        }
        self.effects.written_by(entry)
    }

    /// Finds out what a function writes, and before that of all that it calls.
    fn add_effects(&mut self, entry: Address) {
        let mut open: Vec<Open> = Vec::new();
        let mut entered = FxHashSet::default();
        let mut next = Some(entry);
        loop {
            if let Some(entry) = next.take() {
                self.code.work.keep(EFFECTS_BYTES);
                entered.insert(entry);
                match self.with_callees(entry) {
                    Some(function) => open.push(function),
                    None => self.effects.insert(entry, None),
                }
            }
            let Some(function) = open.last_mut() else { return };
            let known = match function.callees.last() {
                None => Some(self.all_written(function)),
                Some(callee) if self.effects.contains(*callee) => {
                    let written = self.effects.written_by(*callee);
                    if let Some(written) = written {
                        function.written = function.written.union(written);
                        function.callees.pop();
                        continue;
                    }
                    None
                }
                // It is open: a recursion.
                Some(callee) if entered.contains(callee) => None,
                Some(callee) => {
                    next = Some(*callee);
                    continue;
                }
            };
            self.effects.insert(function.entry, known);
            open.pop();
        }
    }

    fn all_written(&self, function: &Open) -> CellSet {
        let mut written = function.written;
        self.code.work.spend(function.body.instructions.len() as u64);
        for (_, id) in &function.body.instructions {
            add_written(&self.cells, &self.code.instruction(*id), &mut written);
        }
        written
    }

    /// A function with what it calls; `None` when something that it can run is not known.
    fn with_callees(&mut self, entry: Address) -> Option<Open> {
        let number = self.number_at(entry)?;
        let body = self.body(number);
        let is_affordable = self.code.work.spend(body.instructions.len() as u64 / LOOKS_PER_STEP);
        if body.instructions.is_empty() || !is_affordable {
            return None;
        }
        let mut callees = self.tail_callees(number, &body)?;
        let jumps_that_call = &self.drafts.get(number as usize)?.jumps_that_call;
        for &(address, id) in &body.instructions {
            let view = self.code.instruction(id);
            if view.flow.is_plain() {
                continue;
            }
            if view.flow.contains(Flow::SYSTEM) {
                return None;
            }
            if view.flow.contains(Flow::INDIRECT_CALL) || jumps_that_call.contains(&address) {
                callees.push(self.learnt.calls.get(&address)?.0);
            }
            let next = address.offset(u64::from(view.length));
            let calls = view.ops.iter().filter(|op| op.opcode == Opcode::CALL);
            callees.extend(calls.filter_map(absolute_target).filter(|to| *to != next));
        }
        callees.sort_unstable();
        callees.dedup();
        Some(Open { entry, body, written: CellSet::default(), callees })
    }

    /// The functions that one goes on to by jumps; `None` when control can leave it for a place that
    /// is not known.
    fn tail_callees(&self, number: u32, body: &Body) -> Option<Vec<Address>> {
        let draft = self.drafts.get(number as usize)?;
        let mut callees = Vec::new();
        for block in &body.blocks {
            match block.exit {
                Exit::Inside | Exit::Return | Exit::Stop => {}
                Exit::Unknown => return None,
                Exit::TailCall => {
                    let last = block.instructions.end.checked_sub(1)? as usize;
                    let (address, _) = *body.instructions.get(last)?;
                    let from_here = (address, Address(0))..=(address, Address(u64::MAX));
                    let mut known = draft.tail_calls.range(from_here).peekable();
                    known.peek()?;
                    callees.extend(known.map(|(_, target)| *target));
                }
            }
        }
        Some(callees)
    }
}
