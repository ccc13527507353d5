//! Basic blocks of one function.

use crate::code::{Code, InstructionId};
use crate::flow::{Flow, absolute_target};
use crate::functions::learnt::{ComputedJump, Learnt};
use crate::work::Held;
use miyaburi_image::Address;
use miyaburi_pcode::Opcode;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;
use std::ops::Range;

/// How control leaves a block. A call is no exit unless the callee never returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// To other blocks of the function alone.
    Inside,
    /// Back to the caller, on some path.
    Return,
    /// To another function's first instruction, on some path.
    TailCall,
    /// To an address that is not known, on some path.
    Unknown,
    /// Nowhere: the last instruction calls what never returns, or what follows it is no
    /// instruction.
    Stop,
}

/// A run of instructions entered at its first and left after its last alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Address of the first instruction.
    pub start: Address,
    /// Address after the last instruction and its delay slots.
    pub end: Address,
    /// How control leaves it.
    pub exit: Exit,
    /// The blocks of the function that control can go to, by number.
    pub successors: Vec<u32>,
    pub(crate) instructions: Range<u32>,
}

/// Bytes of a block's list of successors, as allocators round them up.
const SUCCESSORS_BYTES: usize = 32;

/// The code of one function.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// In address order.
    pub(crate) instructions: Vec<(Address, InstructionId)>,
    /// In address order.
    pub(crate) blocks: Vec<Block>,
    /// The block of the entry point.
    pub(crate) entry_block: u32,
    /// The memory of all this.
    held: Held,
}

impl Body {
    /// The memory it takes, in bytes.
    fn bytes(&self) -> usize {
        self.instructions.capacity() * size_of::<(Address, InstructionId)>()
            + self.blocks.capacity() * size_of::<Block>()
            + self.blocks.len() * SUCCESSORS_BYTES
    }

    /// The number of the block whose last instruction is the one at `address`.
    pub(crate) fn block_ending_with(&self, address: Address) -> Option<u32> {
        let place = self.instructions.binary_search_by_key(&address, |(at, _)| *at).ok()? as u32;
        let block = self.blocks.partition_point(|block| block.instructions.end <= place);
        let is_last = self.blocks.get(block)?.instructions.end == place + 1;
        is_last.then_some(block as u32)
    }
}

/// What the exploration of a function found out about its control flow.
pub(crate) struct Exploration<'a> {
    pub(crate) entry: Address,
    /// Instructions reached, in any order.
    pub(crate) visited: &'a [(Address, InstructionId)],
    /// Addresses that control is transferred to.
    pub(crate) leaders: &'a [Address],
    /// What is known of computed jumps and calls.
    pub(crate) learnt: &'a Learnt,
    /// Computed jumps that are calls.
    pub(crate) jumps_that_call: &'a [Address],
    /// Calls that do not return.
    pub(crate) stops: &'a [Address],
    /// Jumps that leave the function.
    pub(crate) tail_calls: &'a BTreeSet<(Address, Address)>,
}

/// The instructions with exits of their own, to look up.
struct Sites<'a> {
    jumps_that_call: FxHashSet<Address>,
    stops: FxHashSet<Address>,
    tail_calls: &'a BTreeSet<(Address, Address)>,
    tail_sites: FxHashSet<Address>,
}

impl Exploration<'_> {
    /// Cuts the visited instructions into blocks and joins them.
    pub(crate) fn build(&self, code: &Code) -> Body {
        let instructions = in_address_order(code, self.visited);
        let mut leaders: Vec<Address> = self.leaders.to_vec();
        leaders.push(self.entry);
        leaders.sort_unstable();
        leaders.dedup();
        let sites = Sites {
            jumps_that_call: self.jumps_that_call.iter().copied().collect(),
            stops: self.stops.iter().copied().collect(),
            tail_calls: self.tail_calls,
            tail_sites: self.tail_calls.iter().map(|(site, _)| *site).collect(),
        };
        let mut blocks = cut(code, &instructions, &leaders, |address, flow| {
            flow.ends_block() && !sites.jumps_that_call.contains(&address)
                || sites.stops.contains(&address)
        });
        let starts: Vec<Address> = blocks.iter().map(|block| block.start).collect();
        let mut targets = Vec::new();
        for block in &mut blocks {
            self.connect(code, &instructions, &starts, &sites, &mut targets, block);
        }
        let entry_block = starts.binary_search(&self.entry).unwrap_or_default() as u32;
        let mut body = Body { instructions, blocks, entry_block, held: Held::new(&code.work) };
        body.held.set(body.bytes());
        body
    }

    /// The memory that building takes at most, in bytes, where every leader starts a block.
    pub(crate) fn bytes(&self) -> usize {
        // Blocks are collected in a list that doubles, and sorted by their starts.
        let block = 2 * size_of::<Block>() + SUCCESSORS_BYTES + 2 * size_of::<Address>();
        self.visited.len() * 2 * size_of::<(Address, InstructionId)>() + self.leaders.len() * block
    }

    fn connect(
        &self,
        code: &Code,
        instructions: &[(Address, InstructionId)],
        starts: &[Address],
        sites: &Sites<'_>,
        targets: &mut Vec<Address>,
        block: &mut Block,
    ) {
        let last =
            block.instructions.end.checked_sub(1).and_then(|last| instructions.get(last as usize));
        let Some(&(address, id)) = last else { return };
        let view = code.instruction(id);
        let calls_by_jump = sites.jumps_that_call.contains(&address);
        let stops = sites.stops.contains(&address);
        targets.clear();
        let goes_on = view.flow.contains(Flow::NEXT) || calls_by_jump;
        if goes_on && !stops {
            targets.push(address.offset(u64::from(view.length)));
        }
        let jumps =
            view.ops.iter().filter(|op| matches!(op.opcode, Opcode::BRANCH | Opcode::CBRANCH));
        targets.extend(jumps.filter_map(absolute_target));
        let computed = self.learnt.jumps.get(&address);
        match computed {
            Some(ComputedJump::Switch(resolved)) => targets.extend(resolved),
            Some(ComputedJump::To(target, _)) => targets.push(*target),
            Some(ComputedJump::Return | ComputedJump::TailCall) | None => {}
        }
        targets.retain(|target| !sites.tail_calls.contains(&(address, *target)));
        let mut successors: Vec<u32> = targets
            .iter()
            .filter_map(|target| starts.binary_search(target).ok())
            .map(|block| block as u32)
            .collect();
        successors.sort_unstable();
        successors.dedup();
        let is_computed = view.flow.contains(Flow::INDIRECT_JUMP) && !calls_by_jump;
        block.exit = if sites.tail_sites.contains(&address) {
            Exit::TailCall
        } else if view.flow.contains(Flow::RETURN) {
            Exit::Return
        } else if is_computed && computed.is_none() {
            Exit::Unknown
        } else if is_computed && computed == Some(&ComputedJump::Return) {
            Exit::Return
        } else if is_computed && computed == Some(&ComputedJump::TailCall) {
            Exit::TailCall
        } else if successors.is_empty() {
            Exit::Stop
        } else {
            Exit::Inside
        };
        block.successors = successors;
    }
}

/// What was visited, in address order. It was walked in runs, and sorting those is faster than
/// sorting instructions.
fn in_address_order(
    code: &Code,
    visited: &[(Address, InstructionId)],
) -> Vec<(Address, InstructionId)> {
    let is_run = |(address, id): &(Address, InstructionId), next: &(Address, InstructionId)| {
        address.offset(u64::from(code.instruction(*id).length)) == next.0
    };
    let mut runs: Vec<_> = visited.chunk_by(is_run).collect();
    runs.sort_unstable_by_key(|run| run.first());
    let mut instructions = runs.concat();
    // Instructions can overlap.
    if !instructions.is_sorted() {
        instructions.sort_unstable();
    }
    instructions.dedup_by_key(|(address, _)| *address);
    instructions
}

/// Cuts instructions in address order after every exit and before every leader.
fn cut(
    code: &Code,
    instructions: &[(Address, InstructionId)],
    leaders: &[Address],
    ends_block: impl Fn(Address, Flow) -> bool,
) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::with_capacity(leaders.len());
    let mut open: Option<(Address, Address, u32)> = None;
    let mut leaders = leaders.iter().peekable();
    let close = |blocks: &mut Vec<Block>,
                 (start, end, first): (Address, Address, u32),
                 last: u32| {
        let instructions = first..last;
        blocks.push(Block { start, end, exit: Exit::Inside, successors: Vec::new(), instructions });
    };
    for (number, &(address, id)) in (0u32..).zip(instructions) {
        while leaders.next_if(|leader| **leader < address).is_some() {}
        let is_leader = leaders.peek().is_some_and(|leader| **leader == address);
        if let Some(block) = open.take_if(|(_, end, _)| *end != address || is_leader) {
            close(&mut blocks, block, number);
        }
        let view = code.instruction(id);
        let end = address.offset(u64::from(view.length));
        let (start, _, first) = open.unwrap_or((address, end, number));
        open = Some((start, end, first));
        if ends_block(address, view.flow)
            && let Some(block) = open.take()
        {
            close(&mut blocks, block, number + 1);
        }
    }
    if let Some(block) = open {
        close(&mut blocks, block, instructions.len() as u32);
    }
    blocks
}
