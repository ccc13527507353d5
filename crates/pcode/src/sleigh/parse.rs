//! The decoded form of one instruction: a tree of constructors, in storage that is reused.

use super::fault::Fault;
use super::model::{Constructor, Id, SpaceIndex, Symbol};
use crate::lifter::CONTEXT_WORDS;
use std::cell::Cell;

/// The longest instruction of the supported CPUs is 22 bytes (68020), or 15 (x86).
pub(super) const WINDOW: usize = 32;

/// Instructions whose constructors depend on bytes behind these are not remembered.
pub(super) const DECISIVE_BYTES: u32 = 16;

/// Fields and patterns read up to eight bytes from any byte of the window.
const PADDING: usize = 8;

/// Nodes of one tree; real instructions stay below 75, the reference's own bound.
const MAX_NODES: usize = 1024;

/// Evaluations of expressions in one instruction.
const MAX_EVALUATIONS: u32 = 1 << 14;

/// The index of a node in its tree; 0 is the whole instruction.
pub(super) type NodeIndex = u32;

/// What a constructor or symbol stands for once the instruction is decoded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handle {
    pub(super) space: SpaceIndex,
    pub(super) size: u32,
    /// The offset in `space`, or that of the pointer.
    pub(super) offset: u64,
    pub(super) pointer: Option<Pointer>,
}

/// Where the address of something is, if it is not known from the instruction alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer {
    pub(super) space: SpaceIndex,
    pub(super) size: u32,
    /// Where the value pointed to is held.
    pub(super) temporary_space: SpaceIndex,
    pub(super) temporary_offset: u64,
}

impl Handle {
    /// A constant of no particular size.
    pub(super) const fn constant(value: u64) -> Self {
        Self { space: SpaceIndex::CONSTANT, size: 0, offset: value, pointer: None }
    }

    /// The space of the value itself, or of the temporary that holds it.
    pub(super) fn value_space(&self) -> SpaceIndex {
        self.pointer.map_or(self.space, |pointer| pointer.temporary_space)
    }

    /// The offset of the value itself, or of the temporary that holds it.
    pub(super) fn value_offset(&self) -> u64 {
        self.pointer.map_or(self.offset, |pointer| pointer.temporary_offset)
    }
}

/// A constructor or other operand in the tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) constructor: Option<Id<Constructor>>,
    pub(super) parent: Option<NodeIndex>,
    /// Operand `i` of the constructor is node `operands + i`.
    pub(super) operands: NodeIndex,
    /// Bytes from the instruction's start.
    pub(super) offset: u32,
    pub(super) length: u32,
    pub(super) handle: Handle,
}

impl Node {
    const UNDECODED: Self = Self {
        constructor: None,
        parent: None,
        operands: 0,
        offset: 0,
        length: 0,
        handle: Handle::constant(0),
    };
}

/// A change of context to be made once operands are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingCommit {
    /// The node whose constructor makes the change.
    pub(super) node: NodeIndex,
    pub(super) target: Id<Symbol>,
    pub(super) word: u8,
    pub(super) mask: u32,
    pub(super) value: u32,
    pub(super) flows: bool,
}

/// One decoded instruction.
pub(super) struct Parse {
    pub(super) nodes: Vec<Node>,
    /// The context as the constructors have changed it so far.
    pub(super) context: [u32; CONTEXT_WORDS],
    address: u64,
    /// The address after the instruction; after its delay slots once those are decoded.
    next: u64,
    /// The bytes of the instruction and what follows, padded with zeros.
    window: [u8; WINDOW + PADDING],
    /// Bytes of delay slots that the instruction asks for.
    pub(super) delay_bytes: u32,
    pub(super) commits: Vec<PendingCommit>,
    evaluations: Cell<u32>,
    /// Bytes from the start that decoding has looked at.
    reach: Cell<u32>,
    /// The bits among the first [`DECISIVE_BYTES`] that were looked at, the first byte's highest.
    looked_at: Cell<u128>,
    /// The byte that was looked at first.
    first_byte: Cell<Option<u32>>,
    /// The instruction's address, or that of the next one, was asked for.
    depends_on_address: Cell<bool>,
}

impl Default for Parse {
    fn default() -> Self {
        Self {
            nodes: Vec::with_capacity(64),
            context: [0; CONTEXT_WORDS],
            address: 0,
            next: 0,
            window: [0; WINDOW + PADDING],
            delay_bytes: 0,
            commits: Vec::new(),
            evaluations: Cell::new(0),
            reach: Cell::new(0),
            looked_at: Cell::new(0),
            first_byte: Cell::new(None),
            depends_on_address: Cell::new(false),
        }
    }
}

impl Parse {
    /// Starts over with the instruction at `address`, whose bytes `code` starts with, stored in
    /// units of `unit` bytes that are the other way round than the specification has them.
    pub(super) fn reset(
        &mut self,
        code: &[u8],
        unit: usize,
        address: u64,
        context: [u32; CONTEXT_WORDS],
    ) {
        let count = code.len().min(WINDOW);
        let (filled, rest) = self.window.split_at_mut(count);
        filled.copy_from_slice(code.get(..count).unwrap_or(&[]));
        rest.fill(0);
        if unit > 1 {
            filled.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        self.nodes.clear();
        self.nodes.push(Node::UNDECODED);
        self.context = context;
        self.address = address;
        self.next = address;
        self.delay_bytes = 0;
        self.commits.clear();
        self.evaluations.set(0);
        self.reach.set(0);
        self.looked_at.set(0);
        self.first_byte.set(None);
        self.depends_on_address.set(false);
    }

    /// The instruction's address, which becomes part of what it means.
    #[inline]
    pub(super) fn address(&self) -> u64 {
        self.depends_on_address.set(true);
        self.address
    }

    /// The address after the instruction and its delay slots, which becomes part of what it means.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        self.depends_on_address.set(true);
        self.next
    }

    /// Sets the address after the instruction.
    pub(super) const fn set_next(&mut self, next: u64) {
        self.next = next;
    }

    /// The address of the byte `distance` behind the instruction's first.
    pub(super) const fn address_behind(&self, distance: u32) -> u64 {
        self.address.wrapping_add(distance as u64)
    }

    /// The bytes that the instruction depends on when it stands at any address, `None` when it
    /// depends on its address, too.
    pub(super) fn bytes_needed(&self) -> Option<u32> {
        (!self.depends_on_address.get()).then(|| self.reach.get().max(self.length()))
    }

    /// Notes that bytes up to `end` were looked at.
    #[inline]
    pub(super) fn note_reach(&self, end: u32) {
        if end > self.reach.get() {
            self.reach.set(end);
        }
    }

    /// The first [`DECISIVE_BYTES`] bytes, zeros behind the end of the code.
    pub(super) fn leading_bytes(&self) -> u128 {
        self.window.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
    }

    /// The bits of [`Parse::leading_bytes`] that were looked at, and the bytes that those are in;
    /// `None` when something else was looked at, too.
    pub(super) fn decisive_bits(&self) -> Option<(u128, u32)> {
        let reach = self.reach.get();
        let is_all = reach <= DECISIVE_BYTES && !self.depends_on_address.get();
        is_all.then(|| (self.looked_at.get(), reach))
    }

    /// The byte that was looked at first.
    pub(super) fn first_byte(&self) -> u32 {
        self.first_byte.get().unwrap_or(0)
    }

    /// Notes that bits of the eight bytes from `offset` were looked at.
    #[inline]
    fn note_bits(&self, offset: u32, bits: u64) {
        // Bits that fall off lie behind what `reach` allows.
        let bits = (u128::from(bits) << 64).wrapping_shr(8 * offset);
        self.looked_at.set(self.looked_at.get() | bits);
        if self.first_byte.get().is_none() {
            self.first_byte.set(Some(offset));
        }
    }

    /// Bytes of the instruction without delay slots.
    pub(super) fn length(&self) -> u32 {
        self.nodes.first().map_or(0, |root| root.length)
    }

    #[inline]
    pub(super) fn node(&self, index: NodeIndex) -> Result<&Node, Fault> {
        self.nodes.get(index as usize).ok_or(Fault::Undecodable)
    }

    #[inline]
    pub(super) fn node_mut(&mut self, index: NodeIndex) -> Result<&mut Node, Fault> {
        self.nodes.get_mut(index as usize).ok_or(Fault::Undecodable)
    }

    /// Adds `count` nodes for the operands of `parent` and returns the first.
    pub(super) fn add_operands(
        &mut self,
        parent: NodeIndex,
        count: u32,
    ) -> Result<NodeIndex, Fault> {
        let first = self.nodes.len();
        let end = first + count as usize;
        if end > MAX_NODES {
            return Err(Fault::Limit("operands of an instruction"));
        }
        self.nodes.resize(end, Node { parent: Some(parent), ..Node::UNDECODED });
        Ok(first as NodeIndex)
    }

    /// The handle of operand `operand` of the constructor at `node`.
    #[inline]
    pub(super) fn operand(&self, node: NodeIndex, operand: u8) -> Result<&Handle, Fault> {
        Ok(&self.node(self.node(node)?.operands + NodeIndex::from(operand))?.handle)
    }

    /// Counts an evaluation.
    #[inline]
    pub(super) fn evaluate_once(&self) -> Result<(), Fault> {
        let count = self.evaluations.get() + 1;
        self.evaluations.set(count);
        if count > MAX_EVALUATIONS {
            return Err(Fault::Limit("evaluations in an instruction"));
        }
        Ok(())
    }

    /// Eight bytes from `offset`, most significant first.
    #[inline]
    fn eight_bytes(&self, offset: u32) -> Result<u64, Fault> {
        const BEYOND: Fault = Fault::Limit("bytes of an instruction");
        let offset = offset as usize;
        if offset >= WINDOW {
            return Err(BEYOND);
        }
        match self.window.get(offset..offset + 8).and_then(|bytes| bytes.first_chunk()) {
            Some(bytes) => Ok(u64::from_be_bytes(*bytes)),
            None => Err(BEYOND),
        }
    }

    /// `size` bytes (1 to 8) from `offset`, most significant first.
    #[inline]
    pub(super) fn bytes(&self, offset: u32, size: u8) -> Result<u64, Fault> {
        self.note_reach(offset + u32::from(size));
        let unused = 64 - 8 * u32::from(size);
        let bytes = self.eight_bytes(offset)?;
        self.note_bits(offset, u64::MAX << unused);
        Ok(bytes >> unused)
    }

    /// `size` bits (1 to 32) from bit `start` after byte `offset`; bit 0 is the most significant.
    #[inline]
    pub(super) fn bits(&self, offset: u32, start: u16, size: u8) -> Result<u32, Fault> {
        let start = u32::from(start);
        self.note_reach(offset + (start + u32::from(size)).div_ceil(8));
        let unused = 64 - u32::from(size);
        let bytes = self.eight_bytes(offset + start / 8)?;
        self.note_bits(offset + start / 8, u64::MAX << unused >> (start % 8));
        Ok(((bytes << (start % 8)) >> unused) as u32)
    }

    /// Whether the four bytes from `offset` have `value` under `mask`. That they have not follows
    /// from a single bit.
    #[inline]
    pub(super) fn matches(&self, offset: u32, mask: u32, value: u32) -> Result<bool, Fault> {
        self.note_reach(offset + 4 - (mask.trailing_zeros() / 8).min(4));
        let different = (self.eight_bytes(offset)? >> 32) as u32 & mask ^ value;
        let looked_at = (self.looked_at.get().wrapping_shl(8 * offset) >> 96) as u32;
        if different == 0 {
            self.note_bits(offset, u64::from(mask) << 32);
        } else if different & looked_at == 0 {
            self.note_bits(offset, 1 << (63 - different.leading_zeros()));
        }
        Ok(different == 0)
    }

    /// `size` bits (1 to 32) of the context from bit `start`; missing bits are 0.
    #[inline]
    pub(super) fn context_bits(&self, start: u16, size: u8) -> u32 {
        let word = usize::from(start / 32);
        let upper = u64::from(self.context.get(word).copied().unwrap_or(0));
        let lower = u64::from(self.context.get(word + 1).copied().unwrap_or(0));
        (((upper << 32 | lower) << (start % 32)) >> (64 - u32::from(size))) as u32
    }
}
