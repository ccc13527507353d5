//! Symbolic expressions over one unknown, evaluated for each of its values.

use crate::arithmetic;
use miyaburi_pcode::Opcode;
use rustc_hash::FxHashMap;

/// An expression, by number; operands have smaller numbers than what uses them.
pub(crate) type NodeId = u32;

/// The most nodes of one arena; what would exceed it becomes an unknown without identity.
const MAX_NODES: usize = 4096;

/// An operation on expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// Something unknown, told from others by the number.
    Leaf(u32),
    /// The address of something on the stack: unknown, and no switch index.
    Stack(i64),
    Constant(u64),
    Unary(Opcode, NodeId),
    Binary(Opcode, NodeId, NodeId),
    /// What memory holds at an address; the second number counts the stores seen before, so that
    /// loads with a store between them differ.
    Load(NodeId, u32),
}

/// Expressions, each stored once.
#[derive(Default)]
pub(crate) struct Arena {
    nodes: Vec<(Node, u32)>,
    numbers: FxHashMap<(Node, u32), NodeId>,
    leaves: u32,
}

impl Arena {
    /// The node of `size` bytes, folded when its operands are constants.
    pub(crate) fn node(&mut self, node: Node, size: u32) -> NodeId {
        let folded = self.fold(node, size).map_or(node, Node::Constant);
        if let Some(&known) = self.numbers.get(&(folded, size)) {
            return known;
        }
        if self.nodes.len() >= MAX_NODES {
            return 0;
        }
        let number = self.nodes.len() as NodeId;
        self.nodes.push((folded, size));
        self.numbers.insert((folded, size), number);
        number
    }

    /// A new unknown.
    pub(crate) fn leaf(&mut self, size: u32) -> NodeId {
        self.leaves += 1;
        self.node(Node::Leaf(self.leaves), size)
    }

    /// The constant that a node is.
    pub(crate) fn constant(&self, id: NodeId) -> Option<u64> {
        match self.get(id)?.0 {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<(Node, u32)> {
        self.nodes.get(id as usize).copied()
    }

    pub(crate) fn size(&self, id: NodeId) -> u32 {
        self.get(id).map_or(0, |(_, size)| size)
    }

    fn fold(&self, node: Node, size: u32) -> Option<u64> {
        match node {
            Node::Constant(value) => Some(value & arithmetic::mask(size)),
            Node::Unary(opcode, operand) => {
                arithmetic::unary(opcode, self.constant(operand)?, self.size(operand), size)
            }
            Node::Binary(opcode, a, b) => {
                let (x, y) = (self.constant(a)?, self.constant(b)?);
                arithmetic::binary(opcode, x, self.size(a), y, self.size(b), size)
            }
            _ => None,
        }
    }

    /// All nodes that `roots` consist of, operands first.
    pub(crate) fn reachable(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        let mut open: Vec<NodeId> = roots.into_iter().collect();
        let mut is_reached = vec![false; self.nodes.len()];
        while let Some(id) = open.pop() {
            let Some(reached) = is_reached.get_mut(id as usize) else { continue };
            if std::mem::replace(reached, true) {
                continue;
            }
            match self.get(id).map(|(node, _)| node) {
                Some(Node::Unary(_, a) | Node::Load(a, _)) => open.push(a),
                Some(Node::Binary(_, a, b)) => open.extend([a, b]),
                _ => {}
            }
        }
        (0..).zip(is_reached).filter(|(_, reached)| *reached).map(|(id, _)| id).collect()
    }

    /// Values of the nodes in `order` (operands first) when `variable` has the value `index`;
    /// loads are answered by `load(address, size)`.
    pub(crate) fn evaluate(
        &self,
        order: &[NodeId],
        variable: NodeId,
        index: u64,
        load: impl Fn(u64, u32) -> Option<u64>,
        values: &mut Vec<Option<u64>>,
    ) {
        values.clear();
        values.resize(self.nodes.len(), None);
        for &id in order {
            let Some((node, size)) = self.get(id) else { continue };
            let known = |operand: NodeId| values.get(operand as usize).copied().flatten();
            let value = if id == variable {
                Some(index & arithmetic::mask(size))
            } else {
                match node {
                    Node::Leaf(_) | Node::Stack(_) => None,
                    Node::Constant(value) => Some(value),
                    Node::Unary(opcode, a) => known(a)
                        .and_then(|value| arithmetic::unary(opcode, value, self.size(a), size)),
                    Node::Binary(opcode, a, b) => known(a).zip(known(b)).and_then(|(x, y)| {
                        arithmetic::binary(opcode, x, self.size(a), y, self.size(b), size)
                    }),
                    Node::Load(a, _) => known(a).and_then(|address| load(address, size)),
                }
            };
            if let Some(place) = values.get_mut(id as usize) {
                *place = value;
            }
        }
    }
}
