//! What the search for functions ends in: functions in address order, their calls, values and
//! references.

use crate::address_index::SlotSet;
use crate::blocks::{Block, Exit};
use crate::calls::{CallKind, CallSite};
use crate::code::InstructionId;
use crate::flow::{Flow, absolute_target};
use crate::functions::discovery::Discovery;
use crate::functions::draft::Draft;
use crate::functions::{Function, FunctionId};
use crate::references::{Reference, References};
use crate::values::Values;
use crate::values::solve::Solution;
use miyaburi_image::Address;
use miyaburi_pcode::Opcode;
use std::sync::Arc;

/// Bytes of a call in the lists by function, too, and while those are made.
const CALL_BYTES: usize = 2 * size_of::<CallSite>() + 32;

/// Bytes of a function and what belongs to it, beside its lists.
const FUNCTION_BYTES: usize = 2 * (size_of::<Function>() + size_of::<Values>());

/// What was found; functions and values are in the same order.
pub(crate) struct Found {
    pub(crate) functions: Vec<Function>,
    pub(crate) sites: Vec<CallSite>,
    pub(crate) values: Vec<Values>,
    pub(crate) references: References,
}

impl Discovery<'_> {
    /// Turns drafts into functions in address order, with what is known of them.
    pub(crate) fn finish(&mut self) -> Found {
        let mut order: Vec<(Address, u32)> =
            (0u32..).zip(&self.drafts).map(|(number, draft)| (draft.entry, number)).collect();
        order.sort_unstable();
        let entries: Vec<Address> = order.iter().map(|(entry, _)| *entry).collect();
        let mut functions = Vec::with_capacity(order.len());
        let mut values = Vec::with_capacity(order.len());
        let mut references = Vec::new();
        let mut sites = Vec::new();
        self.solution = Solution::default();
        self.solved = None;
        self.code.work.keep(order.len() * FUNCTION_BYTES);
        self.keep_over_calls(&order);
        for (place, &(entry, number)) in (0u32..).zip(&order) {
            let first = sites.len();
            sites.extend(self.call_sites(number, FunctionId(place), &entries));
            values.push(self.values(number, sites.get(first..).unwrap_or(&[]), &mut references));
            let body = self.body(number);
            let Some(draft) = self.drafts.get(number as usize) else { continue };
            functions.push(Function {
                entry,
                origin: draft.origin,
                returns: draft.returns,
                name: self.symbol_at(entry).or_else(|| self.import_name(draft)),
                context: draft.context,
                body,
            });
            if let Some(draft) = self.drafts.get_mut(number as usize) {
                draft.drop_lists();
            }
        }
        let index = &self.code.index;
        let mut code = SlotSet::new(index.slots());
        for (address, _) in functions.iter().flat_map(|function| &function.body.instructions) {
            if let Some(slot) = index.slot(*address) {
                code.insert(slot);
            }
        }
        let is_code = |to: Address| {
            index.is_code_address(to) && index.slot(to).is_some_and(|slot| code.contains(slot))
        };
        references.retain(|reference: &Reference| !is_code(reference.to));
        Found { functions, sites, values, references: References::new(references) }
    }

    /// The values of a draft at these calls; its references are added to `references`.
    fn values(
        &mut self,
        number: u32,
        sites: &[CallSite],
        references: &mut Vec<Reference>,
    ) -> Values {
        let mut reading = self.read(number);
        // Nobody else needs what was read, so that it need not be copied.
        if let Some(draft) = self.drafts.get_mut(number as usize) {
            draft.reading = None;
        }
        let work = self.code.work.clone();
        let (abi, cells, endian) = (self.abi.clone(), self.cells.clone(), self.engine().endian());
        let Some(reading) = Arc::get_mut(&mut reading) else {
            return Values::new(Vec::new(), Vec::new(), endian, abi, cells);
        };
        if !work.fits(2 * size_of_val(reading.references.as_slice())) {
            return Values::new(Vec::new(), Vec::new(), endian, abi, cells);
        }
        let before = references.capacity();
        references.append(&mut reading.references);
        work.keep((references.capacity() - before) * size_of::<Reference>());
        std::mem::take(&mut reading.held).for_good();
        let mut known = std::mem::take(&mut reading.sites);
        let mut calls: Vec<Address> = sites.iter().map(|site| site.address).collect();
        calls.sort_unstable();
        known.retain(|(address, site)| !site.is_jump || calls.binary_search(address).is_ok());
        Values::new(known, std::mem::take(&mut reading.stores), endian, abi, cells)
    }

    fn call_sites(
        &mut self,
        number: u32,
        caller: FunctionId,
        entries: &[Address],
    ) -> Vec<CallSite> {
        let body = self.body(number);
        let Some(draft) = self.drafts.get(number as usize) else { return Vec::new() };
        let find = |target: Address| {
            entries.binary_search(&target).ok().map(|index| FunctionId(index as u32))
        };
        let mut jumps_that_call = draft.jumps_that_call.clone();
        jumps_that_call.sort_unstable();
        let mut sites = Vec::new();
        for &(address, id) in &body.instructions {
            let view = self.code.instruction(id);
            if view.flow.is_plain() {
                continue;
            }
            let next = address.offset(u64::from(view.length));
            let is_jump_call = jumps_that_call.binary_search(&address).is_ok();
            let computed = view.flow.contains(Flow::INDIRECT_CALL) || is_jump_call;
            let direct = view.flow.contains(Flow::CALL).then(|| {
                let calls = view.ops.iter().filter(|op| op.opcode == Opcode::CALL);
                calls.filter_map(absolute_target).find(|target| *target != next)
            });
            let learnt = || self.learnt.calls.get(&address).map(|(target, _)| *target);
            let (target, kind) = match direct {
                Some(target) => (target, CallKind::Direct),
                None if computed => (learnt(), CallKind::Indirect),
                None => continue,
            };
            let (callee, return_address) = (target.and_then(find), next);
            sites.push(CallSite { address, caller, target, callee, kind, return_address });
            if !self.code.work.fits(sites.len() * CALL_BYTES) {
                break;
            }
        }
        sites.extend(tail_calls(&body.blocks, &body.instructions, draft, caller, find));
        self.code.work.keep(sites.len() * CALL_BYTES);
        sites
    }
}

fn tail_calls(
    blocks: &[Block],
    instructions: &[(Address, InstructionId)],
    draft: &Draft,
    caller: FunctionId,
    find: impl Fn(Address) -> Option<FunctionId>,
) -> Vec<CallSite> {
    let site = |address: Address, target: Option<Address>, return_address| CallSite {
        address,
        caller,
        target,
        callee: target.and_then(&find),
        kind: CallKind::Tail,
        return_address,
    };
    let mut sites = Vec::new();
    for block in blocks.iter().filter(|block| block.exit == Exit::TailCall) {
        let last =
            block.instructions.end.checked_sub(1).and_then(|last| instructions.get(last as usize));
        let Some(&(address, _)) = last else { continue };
        let from_here = (address, Address(0))..=(address, Address(u64::MAX));
        let mut known = draft.tail_calls.range(from_here).peekable();
        if known.peek().is_none() {
            sites.push(site(address, None, block.end));
        }
        sites.extend(known.map(|(_, target)| site(address, Some(*target), block.end)));
    }
    sites
}
