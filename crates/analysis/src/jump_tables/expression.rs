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

    /// Prepares the evaluation of the nodes in `order` (operands first) for many values of
    /// `variable`; loads are answered by `load(address, size)`.
    pub(crate) fn evaluation(
        &self,
        order: &[NodeId],
        variable: NodeId,
        load: impl Fn(u64, u32) -> Option<u64>,
    ) -> Evaluation<'_> {
        let mut depends = vec![false; self.nodes.len()];
        if let Some(own) = depends.get_mut(variable as usize) {
            *own = true;
        }
        let mut values = vec![None; self.nodes.len()];
        let mut dependents = Vec::new();
        for &id in order {
            let Some((node, size)) = self.get(id).filter(|_| id != variable) else { continue };
            let is_dependent = |id: NodeId| depends.get(id as usize).copied().unwrap_or_default();
            let inherits = match node {
                Node::Leaf(_) | Node::Stack(_) | Node::Constant(_) => false,
                Node::Unary(_, a) | Node::Load(a, _) => is_dependent(a),
                Node::Binary(_, a, b) => is_dependent(a) || is_dependent(b),
            };
            if inherits {
                dependents.push((id, node, size));
                if let Some(own) = depends.get_mut(id as usize) {
                    *own = true;
                }
            } else {
                let value = self.value(node, size, &values, &load);
                if let Some(place) = values.get_mut(id as usize) {
                    *place = value;
                }
            }
        }
        Evaluation { arena: self, variable, dependents, values }
    }

    fn value(
        &self,
        node: Node,
        size: u32,
        values: &[Option<u64>],
        load: impl Fn(u64, u32) -> Option<u64>,
    ) -> Option<u64> {
        let known = |operand: NodeId| values.get(operand as usize).copied().flatten();
        match node {
            Node::Leaf(_) | Node::Stack(_) => None,
            Node::Constant(value) => Some(value),
            Node::Unary(opcode, a) => {
                known(a).and_then(|value| arithmetic::unary(opcode, value, self.size(a), size))
            }
            Node::Binary(opcode, a, b) => known(a).zip(known(b)).and_then(|(x, y)| {
                arithmetic::binary(opcode, x, self.size(a), y, self.size(b), size)
            }),
            Node::Load(a, _) => known(a).and_then(|address| load(address, size)),
        }
    }
}

/// The values of expressions while one unknown takes different values.
pub(crate) struct Evaluation<'a> {
    arena: &'a Arena,
    variable: NodeId,
    /// What depends on the unknown, operands first: number, operation, size.
    dependents: Vec<(NodeId, Node, u32)>,
    values: Vec<Option<u64>>,
}

impl Evaluation<'_> {
    /// Whether the unknown, together with what is fixed, is all that an expression depends on.
    pub(crate) fn determines(&self, target: NodeId) -> bool {
        let mut is_determined: Vec<bool> = self.values.iter().map(Option::is_some).collect();
        if let Some(own) = is_determined.get_mut(self.variable as usize) {
            *own = true;
        }
        for &(id, node, _) in &self.dependents {
            let known = |id: NodeId| is_determined.get(id as usize).copied().unwrap_or_default();
            let value = match node {
                Node::Unary(_, a) | Node::Load(a, _) => known(a),
                Node::Binary(_, a, b) => known(a) && known(b),
                Node::Leaf(_) | Node::Stack(_) | Node::Constant(_) => false,
            };
            if let Some(place) = is_determined.get_mut(id as usize) {
                *place = value;
            }
        }
        is_determined.get(target as usize).copied().unwrap_or_default()
    }

    /// Gives the unknown a value.
    pub(crate) fn set(&mut self, index: u64, load: impl Fn(u64, u32) -> Option<u64>) {
        let own = index & arithmetic::mask(self.arena.size(self.variable));
        if let Some(place) = self.values.get_mut(self.variable as usize) {
            *place = Some(own);
        }
        for &(id, node, size) in &self.dependents {
            let value = self.arena.value(node, size, &self.values, &load);
            if let Some(place) = self.values.get_mut(id as usize) {
                *place = value;
            }
        }
    }

    /// The value of an expression, when it is known.
    pub(crate) fn get(&self, id: NodeId) -> Option<u64> {
        self.values.get(id as usize).copied().flatten()
    }
}
