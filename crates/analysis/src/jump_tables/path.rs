//! Symbolic execution of the straight path that leads to a computed jump.

use crate::arithmetic::signed;
use crate::flow::{absolute_target, relative_target};
use crate::jump_tables::expression::{Arena, Node, NodeId};
use crate::values::Value;
use crate::values::engine::Engine;
use crate::values::memory;
use crate::values::observer::State;
use miyaburi_image::{Address, Endian};
use miyaburi_pcode::{Op, Opcode, Space, Varnode, space_number};

/// Where the path leaves an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// At this address.
    Address(Address),
    /// Through its computed jump.
    IndirectJump,
}

/// The most conditions within one instruction.
const MAX_DECISIONS: usize = 6;

/// The machine along a path: what registers hold, as expressions, and the conditions under which
/// the path is taken.
pub(crate) struct Path<'a> {
    engine: Engine<'a>,
    start: State,
    pub(crate) arena: Arena,
    /// Space, offset, size and content; later entries hide earlier ones, none overlap.
    contents: Vec<(Varnode, NodeId)>,
    /// Stores to the frame: offset, size and content.
    stored: Vec<(i64, u32, NodeId)>,
    stores: u32,
    pub(crate) conditions: Vec<(NodeId, bool)>,
    pub(crate) jump_target: Option<NodeId>,
}

impl<'a> Path<'a> {
    /// A path that starts with what the value analysis knows.
    pub(crate) fn new(engine: Engine<'a>, start: State) -> Self {
        let mut arena = Arena::default();
        // Node 0 stands for everything beyond the arena's limit.
        arena.leaf(8);
        Self {
            engine,
            start,
            arena,
            contents: Vec::new(),
            stored: Vec::new(),
            stores: 0,
            conditions: Vec::new(),
            jump_target: None,
        }
    }

    /// Runs one instruction in the middle of the path.
    pub(crate) fn run_through(&mut self, ops: &[Op]) {
        self.forget_temporaries();
        let mut conditional_until = 0;
        for (position, op) in ops.iter().enumerate() {
            if matches!(op.opcode, Opcode::CBRANCH | Opcode::BRANCH) {
                // A way out of the instruction is one to the next.
                let skipped_to = relative_target(position, op).unwrap_or(ops.len());
                conditional_until = skipped_to.max(conditional_until);
            } else if position < conditional_until {
                self.run_conditional(op);
            } else {
                self.run(op);
            }
        }
    }

    /// Runs the instruction that ends a block of the path; false when it cannot lead to `goal`.
    pub(crate) fn run_exit(&mut self, ops: &[Op], next: Address, goal: Goal) -> bool {
        self.forget_temporaries();
        let mut decisions = Vec::new();
        if !decide(ops, 0, next, goal, &mut decisions) {
            return false;
        }
        let mut decisions = decisions.into_iter();
        let mut position = 0;
        while let Some(op) = ops.get(position) {
            position += 1;
            match op.opcode {
                Opcode::CBRANCH => {
                    let Some(is_taken) = decisions.next() else { return true };
                    if let [_, condition] = op.inputs() {
                        let condition = self.read(condition);
                        self.conditions.push((condition, is_taken));
                    }
                    match (is_taken, absolute_target(op)) {
                        (false, _) => {}
                        (true, Some(_)) => return true,
                        (true, None) => {
                            position = relative_target(position - 1, op).unwrap_or(ops.len())
                        }
                    }
                }
                Opcode::BRANCH => match absolute_target(op) {
                    Some(_) => return true,
                    None => position = relative_target(position - 1, op).unwrap_or(ops.len()),
                },
                Opcode::BRANCHIND => {
                    if let Some(target) = op.inputs().first() {
                        self.jump_target = Some(self.read(target));
                    }
                    return true;
                }
                _ => self.run(op),
            }
        }
        true
    }

    fn forget_temporaries(&mut self) {
        self.contents.retain(|(place, _)| place.space != Space::Unique);
    }

    /// An operation that may not happen: its result is unknown.
    fn run_conditional(&mut self, op: &Op) {
        if let Some(output) = op.output {
            let value = self.arena.leaf(output.size);
            self.write(&output, value);
        }
        self.stores += u32::from(op.opcode == Opcode::STORE);
    }

    fn run(&mut self, op: &Op) {
        match (op.opcode, op.inputs(), op.output) {
            (Opcode::STORE, [_, to, value], _) => {
                let to = self.read(to);
                let stored = self.read(value);
                self.store(to, value.size, stored);
            }
            (Opcode::LOAD, [space, from], Some(output)) => {
                let value = if space.as_constant() == Some(space_number(Space::Ram)) {
                    let from = self.read(from);
                    self.load(from, output.size)
                } else {
                    self.arena.leaf(output.size)
                };
                self.write(&output, value);
            }
            (opcode, [only], Some(output)) => {
                let value = self.read(only);
                let node = match opcode {
                    Opcode::COPY => value,
                    _ => self.arena.node(Node::Unary(opcode, value), output.size),
                };
                self.write(&output, node);
            }
            (opcode, [first, second], Some(output)) => {
                let same = first == second;
                let (a, b) = (self.read(first), self.read(second));
                let node = self.binary(opcode, a, b, same, output.size);
                self.write(&output, node);
            }
            (_, _, Some(output)) => {
                let value = self.arena.leaf(output.size);
                self.write(&output, value);
            }
            _ => {}
        }
    }

    fn binary(&mut self, opcode: Opcode, a: NodeId, b: NodeId, same: bool, size: u32) -> NodeId {
        let stack = |id: NodeId| match self.arena.get(id) {
            Some((Node::Stack(offset), _)) => Some(offset),
            _ => None,
        };
        let added =
            |id: NodeId| self.arena.constant(id).map(|value| signed(value, self.arena.size(id)));
        let node = match opcode {
            Opcode::INT_XOR | Opcode::INT_SUB if same => Node::Constant(0),
            Opcode::INT_ADD => match (stack(a), added(b), stack(b), added(a)) {
                (Some(offset), Some(more), ..) | (.., Some(offset), Some(more)) => {
                    Node::Stack(offset.wrapping_add(more))
                }
                _ => Node::Binary(opcode, a, b),
            },
            Opcode::INT_SUB => match (stack(a), added(b)) {
                (Some(offset), Some(less)) => Node::Stack(offset.wrapping_sub(less)),
                _ => Node::Binary(opcode, a, b),
            },
            _ => Node::Binary(opcode, a, b),
        };
        self.arena.node(node, size)
    }

    fn load(&mut self, from: NodeId, size: u32) -> NodeId {
        if let (Some(address), true) = (self.arena.constant(from), size <= 8) {
            let engine = &self.engine;
            let loaded = memory::load(engine.image, engine.written, Address(address), size).value;
            if let Value::Constant(value) = loaded {
                return self.arena.node(Node::Constant(value), size);
            }
        }
        match self.arena.get(from) {
            Some((Node::Stack(offset), _)) => self.load_stack(from, offset, size),
            _ => self.arena.node(Node::Load(from, self.stores), size),
        }
    }

    /// Loads from the frame, which only stores to the frame change.
    fn load_stack(&mut self, from: NodeId, offset: i64, size: u32) -> NodeId {
        let end = offset.wrapping_add(i64::from(size));
        let overlaps = |(to, stored_size, _): &&(i64, u32, NodeId)| {
            *to < end && offset < to.wrapping_add(i64::from(*stored_size))
        };
        match self.stored.iter().rev().find(overlaps) {
            Some(&(to, stored_size, node)) if to == offset && stored_size == size => return node,
            Some(_) => return self.arena.leaf(size),
            None => {}
        }
        let narrow = u8::try_from(size).unwrap_or(u8::MAX);
        match self.start.stack.load(offset, narrow, self.engine.endian()) {
            Some(Value::Constant(value)) => self.arena.node(Node::Constant(value), size),
            _ => self.arena.node(Node::Load(from, 0), size),
        }
    }

    fn store(&mut self, to: NodeId, size: u32, value: NodeId) {
        self.stores += 1;
        if let Some((Node::Stack(offset), _)) = self.arena.get(to) {
            self.stored.push((offset, size, value));
        }
    }

    fn read(&mut self, varnode: &Varnode) -> NodeId {
        match varnode.space {
            Space::Constant => self.arena.node(Node::Constant(varnode.offset), varnode.size),
            Space::Ram => {
                let size = varnode.size;
                let from = self.arena.node(Node::Constant(varnode.offset), 8);
                self.load(from, size)
            }
            _ => self.read_place(varnode),
        }
    }

    fn read_place(&mut self, varnode: &Varnode) -> NodeId {
        let holder = self.contents.iter().rev().find(|(place, _)| place.overlaps(varnode)).copied();
        if let Some((place, node)) = holder {
            if place == *varnode {
                return node;
            }
            return self.part(place, node, varnode);
        }
        let width = u64::from(self.engine.cells.width());
        let whole = Varnode {
            space: varnode.space,
            offset: varnode.offset / width * width,
            size: width as u32,
        };
        let fits = varnode.offset + u64::from(varnode.size) <= whole.offset + width;
        if self.engine.cells.locate(&whole).is_none() || !fits {
            let leaf = self.arena.leaf(varnode.size);
            self.contents.push((*varnode, leaf));
            return leaf;
        }
        let node = match self.engine.register(&self.start, &whole) {
            Value::Constant(value) => self.arena.node(Node::Constant(value), whole.size),
            Value::StackOffset(offset) => self.arena.node(Node::Stack(offset), whole.size),
            _ => self.arena.leaf(whole.size),
        };
        self.contents.push((whole, node));
        if whole == *varnode { node } else { self.part(whole, node, varnode) }
    }

    /// The bytes of `varnode` out of a wider place.
    fn part(&mut self, place: Varnode, node: NodeId, varnode: &Varnode) -> NodeId {
        let place_end = place.offset + u64::from(place.size);
        let end = varnode.offset.wrapping_add(u64::from(varnode.size));
        if varnode.offset < place.offset || place_end < end {
            return self.arena.leaf(varnode.size);
        }
        let above = match self.engine.endian() {
            Endian::Little => varnode.offset - place.offset,
            Endian::Big => place_end - end,
        };
        let above = self.arena.node(Node::Constant(above), 4);
        self.arena.node(Node::Binary(Opcode::SUBPIECE, node, above), varnode.size)
    }

    fn write(&mut self, output: &Varnode, node: NodeId) {
        match output.space {
            Space::Ram => {
                let to = self.arena.node(Node::Constant(output.offset), 8);
                self.store(to, output.size, node);
            }
            Space::Register | Space::Unique => self.write_place(output, node),
            _ => {}
        }
    }

    fn write_place(&mut self, output: &Varnode, node: NodeId) {
        let mut remains = Vec::new();
        let mut position = 0;
        while let Some(&(place, old)) = self.contents.get(position) {
            if !place.overlaps(output) {
                position += 1;
                continue;
            }
            self.contents.swap_remove(position);
            let (start, end) = (place.offset, place.offset + u64::from(place.size));
            let output_end = output.offset.wrapping_add(u64::from(output.size));
            for (from, to) in [(start, output.offset.min(end)), (output_end.max(start), end)] {
                if from < to && to - from < u64::from(place.size) {
                    let rest =
                        Varnode { space: place.space, offset: from, size: (to - from) as u32 };
                    remains.push((rest, self.part(place, old, &rest)));
                }
            }
        }
        self.contents.extend(remains);
        self.contents.push((*output, node));
    }
}

/// Finds which conditional branches of an instruction must be taken to reach `goal`.
fn decide(ops: &[Op], from: usize, next: Address, goal: Goal, decisions: &mut Vec<bool>) -> bool {
    let mut position = from;
    let mut steps = 0;
    loop {
        let Some(op) = ops.get(position) else { return goal == Goal::Address(next) };
        steps += 1;
        if steps > ops.len() {
            return false;
        }
        let absolute = absolute_target(op);
        match op.opcode {
            Opcode::CBRANCH => {
                if decisions.len() >= MAX_DECISIONS {
                    return false;
                }
                let depth = decisions.len();
                decisions.push(false);
                if decide(ops, position + 1, next, goal, decisions) {
                    return true;
                }
                decisions.truncate(depth);
                decisions.push(true);
                if let Some(target) = absolute {
                    return goal == Goal::Address(target);
                }
                match relative_target(position, op).filter(|place| *place > position) {
                    Some(place) => position = place,
                    None => return false,
                }
            }
            Opcode::BRANCH => match (absolute, relative_target(position, op)) {
                (Some(target), _) => return goal == Goal::Address(target),
                (None, Some(place)) if place > position => position = place,
                _ => return false,
            },
            // Another switch of the path, or the jump asked for.
            Opcode::BRANCHIND => return true,
            Opcode::RETURN => return false,
            _ => position += 1,
        }
    }
}
