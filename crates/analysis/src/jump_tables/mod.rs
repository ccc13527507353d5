//! Where computed jumps go: the tables of switches.
//!
//! No shape of code is matched. The straight path to the jump is executed symbolically, which
//! makes the target an expression over some unknown, the switch index, and the branches taken on
//! the way conditions on it. Then the expression is evaluated for each small value of the index
//! that satisfies the conditions. Absolute and relative tables, byte and halfword tables, tables
//! in code and in data are all the same to this.
//!
//! # False positives
//! Without a condition on the index the table is taken to end where a target no longer lies close
//! to the function, which can be too late.
//!
//! # False negatives
//! - Indices from 1024 on or below -64, and switches whose range check lies before a point where
//!   several paths meet.
//! - Targets that depend on two unknowns.

mod expression;
mod path;

use crate::arithmetic;
use crate::blocks::{Block, Body};
use crate::code::InstructionId;
use crate::flow::Flow;
use crate::jump_tables::expression::{Node, NodeId};
use crate::jump_tables::path::{Goal, Path};
use crate::values::Value;
use crate::values::engine::{Engine, Scratch};
use crate::values::memory;
use crate::values::observer::Silent;
use crate::values::solve::Solution;
use miyaburi_image::Address;

/// The most blocks of the path.
const MAX_BLOCKS: usize = 8;
/// The most instructions of the path.
const MAX_INSTRUCTIONS: usize = 96;
/// The largest index that is tried.
const MAX_INDEX: i64 = 1024;
/// The smallest.
const MIN_INDEX: i64 = -64;
/// Indices without a target after which a table has ended.
const MAX_SILENCE: usize = 64;
/// The most unknowns that are tried as the index.
const MAX_CANDIDATES: usize = 24;
/// Blocks that are looked through in the time of a step.
const BLOCKS_PER_STEP: u64 = 8;
/// Expressions that are evaluated in the time of a step.
const NODES_PER_STEP: u64 = 8;
/// The most entries of a table whose index is not bounded by a condition.
const MAX_UNBOUNDED: usize = 256;

/// The targets of the computed jump that ends `block`, ascending, `None` when it is no switch that
/// is understood. `is_target` says whether an address can be a target.
pub(crate) fn targets(
    engine: &Engine<'_>,
    body: &Body,
    solution: &Solution,
    block: u32,
    is_target: impl Fn(Address) -> bool,
) -> Option<Vec<Address>> {
    let path = run_path(engine, body, solution, block)?;
    let target = path.jump_target?;
    let roots = path.conditions.iter().map(|(condition, _)| *condition).chain([target]);
    let order = path.arena.reachable(roots);
    let table = Table { engine, path: &path, order: &order, target };
    path.arena
        .reachable([target])
        .into_iter()
        .filter(|id| {
            !matches!(path.arena.get(*id), Some((Node::Constant(_) | Node::Stack(_), _)) | None)
        })
        .take(MAX_CANDIDATES)
        .find_map(|variable| table.enumerate(variable, &is_target))
}

/// The blocks that lead to `block` with no other way in, first to last, from the last call on.
fn straight_chain(engine: &Engine<'_>, body: &Body, block: u32) -> Option<(Vec<u32>, usize)> {
    let has_calls = |number: u32| {
        let calls = Flow::CALL | Flow::INDIRECT_CALL;
        block_instructions(body, number)
            .iter()
            .rposition(|(_, id)| engine.code.instruction(*id).flow.intersects(calls))
    };
    let mut chain = vec![block];
    let mut count = body.blocks.get(block as usize)?.instructions.len();
    while chain.len() < MAX_BLOCKS && count < MAX_INSTRUCTIONS {
        let first = *chain.last()?;
        if !engine.code.work.spend(body.blocks.len() as u64 / BLOCKS_PER_STEP) {
            return None;
        }
        let leads_there = |other: &Block| other.successors.binary_search(&first).is_ok();
        let before = (0u32..).zip(&body.blocks).filter(|(_, other)| leads_there(other));
        let mut before = before.map(|(number, _)| number);
        let (Some(number), None, None) = (before.next(), before.next(), has_calls(first)) else {
            break;
        };
        let ends_in_call = has_calls(number)
            .is_some_and(|last| last + 1 == block_instructions(body, number).len());
        if chain.contains(&number) || ends_in_call {
            break;
        }
        count += block_instructions(body, number).len();
        chain.push(number);
    }
    let first = *chain.last()?;
    chain.reverse();
    let after_call = has_calls(first).map_or(0, |position| position + 1);
    Some((chain, after_call.max(count.saturating_sub(MAX_INSTRUCTIONS))))
}

fn block_instructions(body: &Body, number: u32) -> &[(Address, InstructionId)] {
    let range = body.blocks.get(number as usize).map(|block| block.instructions.clone());
    let range = range.unwrap_or_default();
    body.instructions.get(range.start as usize..range.end as usize).unwrap_or(&[])
}

/// Executes the path that leads to `block`.
fn run_path<'a>(
    engine: &Engine<'a>,
    body: &Body,
    solution: &Solution,
    block: u32,
) -> Option<Path<'a>> {
    let (chain, skipped) = straight_chain(engine, body, block)?;
    let first = *chain.first()?;
    let mut state = solution.entry_state(first)?.clone();
    let mut instructions = block_instructions(body, first);
    let skipped = skipped.min(instructions.len().saturating_sub(1));
    let mut scratch = Scratch::default();
    for &(address, id) in instructions.get(..skipped).unwrap_or(&[]) {
        engine.step(&mut state, &mut scratch, address, id, &mut Silent);
    }
    instructions = instructions.get(skipped..).unwrap_or(&[]);
    let mut path = Path::new(*engine, state);
    for (place, &number) in chain.iter().enumerate() {
        if place > 0 {
            instructions = block_instructions(body, number);
        }
        let goal = chain
            .get(place + 1)
            .and_then(|next| body.blocks.get(*next as usize))
            .map_or(Goal::IndirectJump, |block| Goal::Address(block.start));
        let (last, inner) = instructions.split_last()?;
        for (_, id) in inner {
            path.run_through(engine.code.instruction(*id).ops);
        }
        let view = engine.code.instruction(last.1);
        let next = last.0.offset(u64::from(view.length));
        if !path.run_exit(view.ops, next, goal) {
            return None;
        }
    }
    Some(path)
}

struct Table<'a, 'b> {
    engine: &'b Engine<'a>,
    path: &'b Path<'a>,
    order: &'b [NodeId],
    target: NodeId,
}

impl Table<'_, '_> {
    /// The targets for all values of `variable`, or `None` when the target does not follow from
    /// it alone.
    fn enumerate(
        &self,
        variable: NodeId,
        is_target: &impl Fn(Address) -> bool,
    ) -> Option<Vec<Address>> {
        let mut found: Vec<Address> = Vec::new();
        let load = |address, size| self.load(address, size);
        let steps = 1 + self.order.len() as u64 / NODES_PER_STEP;
        if !self.engine.code.work.spend(steps) {
            return None;
        }
        let mut evaluation = self.path.arena.evaluation(self.order, variable, load);
        if !evaluation.determines(self.target) {
            return None;
        }
        let mut silence = 0;
        let mut is_bounded = false;
        let mut misses = 0;
        for index in (0..MAX_INDEX).chain(MIN_INDEX..0) {
            if !self.engine.code.work.spend(steps) {
                return None;
            }
            evaluation.set(index as u64, load);
            let is_excluded = self.path.conditions.iter().any(|(condition, expected)| {
                evaluation.get(*condition).is_some_and(|value| (value & 1 == 1) != *expected)
            });
            if is_excluded {
                is_bounded = true;
                silence += 1;
                if silence > MAX_SILENCE && index >= 0 && !found.is_empty() {
                    break;
                }
                continue;
            }
            let address = evaluation.get(self.target).map(|target| self.code_address(target));
            match address.filter(|address| is_target(*address)) {
                Some(address) => {
                    silence = 0;
                    found.push(address);
                }
                // Without a bound, the first thing that is no target ends the table; with one,
                // an entry that is no target means that this is no table.
                None => {
                    misses += 1;
                    if !is_bounded {
                        break;
                    }
                }
            }
            if !is_bounded && index < 0 {
                break;
            }
        }
        let limit = if is_bounded { MAX_INDEX as usize } else { MAX_UNBOUNDED };
        let is_table = !found.is_empty() && (!is_bounded || misses <= found.len() / 8);
        found.truncate(limit);
        found.sort_unstable();
        found.dedup();
        // One target for every index means that the index does not reach the target.
        let varies = found.len() > 1 || is_bounded;
        (is_table && varies).then_some(found)
    }

    fn load(&self, address: u64, size: u32) -> Option<u64> {
        let address = address & self.engine.image.arch().address_mask();
        if size > 8 {
            return None;
        }
        match memory::load(self.engine.image, self.engine.written, Address(address), size).value {
            Value::Constant(value) => Some(value),
            _ => None,
        }
    }

    fn code_address(&self, target: u64) -> Address {
        let mode_bit = u64::from(self.engine.abi.mode_switch.is_some());
        let size = self.path.arena.size(self.target).min(self.engine.image.arch().pointer_size());
        Address(target & arithmetic::mask(size) & !mode_bit)
    }
}
